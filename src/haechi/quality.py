"""Size, blur, light, compression and pose of each face: the grounds on which detectors abstain.

The limits are those of the domain in which the detectors were measured; they stand in the card ``verdict``
(``parameters.domain``) and were set by the lab, not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from haechi import models
from haechi.settings import Settings
from haechi.types import F32, F64, U8, FaceQuality, FaceTrack, Media, Quality, Reason

SHARPNESS_SCALE = 8.0
"""Log variance of the Laplacian of a 224-px crop that counts as sharpness 1."""


_SPECTRUM_PX, _LEAST_SPECTRUM_PX = 256, 64
_PIECES = 3


def sharpness(crop: U8) -> float:
    """0 (no detail) to 1, of u8 (S, S, 3): log variance of the Laplacian (Pech-Pacheco et al. 2000)."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    variance = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    return float(np.clip(np.log1p(variance) / SHARPNESS_SCALE, 0, 1))


def light(crop: U8) -> float:
    """Mean luma in [0, 1]."""
    return float(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).mean()) / 255


def halftone(piece: U8) -> float:
    """How much stronger the strongest regular pattern of u8 (H, W, 3), never resampled, is than what lies
    around it in the spectrum, in natural logarithms: about 1 in photographs, 1.6 to 3.6 where the dots of a
    print, or of a screen, show.

    The eight strongest waves off both axes are asked, but those that the 8-px blocks of JPEG make."""
    grey = cv2.cvtColor(piece, cv2.COLOR_RGB2GRAY).astype(np.float32)
    side = min(*grey.shape, _SPECTRUM_PX)
    top, left = ((length - side) // 2 for length in grey.shape)
    grey = grey[top : top + side, left : left + side]
    window = np.hanning(side)
    waves = np.fft.fftshift(
        np.fft.fft2((grey - cv2.GaussianBlur(grey, (0, 0), 4)) * window * window[:, None])
    )
    strength = np.log(np.abs(waves) + 1e-3).astype(np.float32)
    around = max(9, side // 10 | 1)
    above = cv2.GaussianBlur(strength, (0, 0), 0.8) - cv2.blur(strength, (around, around))
    cycles = np.fft.fftshift(np.fft.fftfreq(side))
    across, down = np.meshgrid(cycles, cycles)
    radius = np.hypot(across, down)
    of_blocks = (np.abs(across * 8 - np.round(across * 8)) < 0.12) & (
        np.abs(down * 8 - np.round(down * 8)) < 0.12
    )
    mask = (radius > 0.12) & (radius < 0.5) & (np.abs(across) > 0.02) & (np.abs(down) > 0.02) & ~of_blocks
    return float(np.partition(above[mask], -8)[-8:].mean())


def turned(landmarks: F32) -> bool:
    """Whether a face (5, 2) shows too little of itself: eyes nearly in one place as seen from the camera."""
    eyes, mouth = landmarks[:2].mean(0), landmarks[3:].mean(0)
    height = float(np.linalg.norm(eyes - mouth))
    return float(np.linalg.norm(landmarks[0] - landmarks[1])) < 0.25 * max(height, 1e-6)


def assess(media: Media, tracks: Sequence[FaceTrack], settings: Settings) -> Quality:
    """Quality of every track and of the source as a whole."""
    domain = models.load("verdict", settings).card.parameters["domain"]
    certain = models.load("face_check", settings).card.mark(
        "certain_over_time" if media.kind == "video" else "certain"
    )
    stated_quality = media.container.get("jpeg_quality")
    jpeg_quality = int(stated_quality) if isinstance(stated_quality, int | float) else None
    issues: list[Reason] = []
    if not tracks:
        issues.append(Reason("no_face"))
    if jpeg_quality is not None and jpeg_quality < domain["min_jpeg_quality"]:
        issues.append(Reason("too_compressed", {"jpeg_quality": jpeg_quality}))
    if media.container.get("truncated"):
        issues.append(Reason("truncated_video"))
    face_count = max((t.of_found for t in tracks), default=0)
    if face_count > len(tracks) > 0:
        issues.append(Reason("many_faces", {"found": face_count, "judged": len(tracks)}))
    shared = tuple(i for i in issues if i.code == "too_compressed")
    faces = tuple(_face(t, domain, certain, shared) for t in tracks)
    usable_faces = [f for f in faces if not f.issues] or list(faces)
    if faces and all(f.issues for f in faces):
        issues += [i for i in faces[0].issues if i not in issues]
    return Quality(
        min_face_px=min((f.face_px for f in usable_faces), default=None),
        blur=max((1 - f.sharpness for f in usable_faces), default=None),
        jpeg_quality=jpeg_quality,
        issues=tuple(issues),
        faces=faces,
    )


def _face(
    track: FaceTrack, domain: Mapping[str, float], certain: float, shared: tuple[Reason, ...]
) -> FaceQuality:
    sides = (track.boxes_xyxy[:, 2:] - track.boxes_xyxy[:, :2]).min(1)
    px = float(np.median(sides))
    sharp = _median([sharpness(c) for c in track.crops], track.crop_weights)
    luma = _median([light(c) for c in track.crops], track.crop_weights)
    issues = list(shared)
    if track.certainty < certain:
        issues.append(Reason("face_doubtful"))
    if px < domain["min_face_px"]:
        issues.append(
            Reason("face_too_small", {"face_px": round(px), "min_px": round(domain["min_face_px"])})
        )
    if sharp < domain["min_sharpness"]:
        issues.append(Reason("face_too_blurred"))
    if luma < domain["min_light"]:
        issues.append(Reason("too_dark"))
    if np.mean([turned(p) for p in track.landmarks_xy]) > 0.5:
        issues.append(Reason("extreme_pose"))
    if _dots(track) > domain["max_halftone"]:
        issues.append(Reason("face_printed"))
    return FaceQuality(track.track_id, px, sharp, luma, tuple(issues))


def _dots(track: FaceTrack) -> float:
    """``halftone`` of a face: the median over some moments; 0 where no piece is large enough to tell."""
    large = [piece for piece in track.native if min(piece.shape[:2]) >= _LEAST_SPECTRUM_PX]
    some = large[:: max(1, len(large) // _PIECES)][:_PIECES]
    return float(np.median([halftone(piece) for piece in some])) if some else 0.0


def _median(values: Sequence[float], weights: F64) -> float:
    """The value that the face was below half of the time: the mean of both middle ones when they tie."""
    order = np.argsort(values, kind="stable")
    v, reached = np.asarray(values)[order], weights[order].cumsum()
    # A hair of tolerance: sums of equal weights miss one half by rounding.
    low, high = np.searchsorted(reached, [0.5 - 1e-9, 0.5 + 1e-9])
    return float((v[low] + v[min(high, len(v) - 1)]) / 2)
