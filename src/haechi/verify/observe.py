"""Frames of a challenge -> its recording. Each frame is seen once, in order of time, and then let go, but for
the turn, for which the grey pictures of a few seconds are kept until it is known where it went far enough."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from haechi.faces import SEARCH_S, FaceStream, Sighting
from haechi.types import F32, F64, U8, Frame
from haechi.verify.challenges import ChallengeKind
from haechi.verify.face_judge import FaceJudge
from haechi.verify.motion import turned_deg
from haechi.verify.prints import aligned, print_of
from haechi.verify.recording import Recording
from haechi.verify.tracks import between, carried, follow, grey_of

COARSE = (32, 24)
UPRIGHT_DEG = 60.0
"""Nobody sits before a screen upside down. A finder that sees a face so took a forehead for a mouth, and left
for right; it is better lost, and asked again."""
ENOUGH_DEG = 32.0
"""So far turned shows depth; further, half of the points are out of sight."""
_FOLLOWED = ("turn_left", "turn_right", "nod")
CROPS = 3
"""Of each challenge so many are shown to the face network, and so many hashed."""
_LINEAR = np.array(
    [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.arange(256) / 255], np.float32
)


@dataclass(slots=True)
class _Look:
    """A frame, small, until the landmarks between the searches are known."""

    time_s: float
    small: U8
    grey: U8 | None
    sighting: Sighting | None
    searched: bool


def observe(
    frames: Iterable[tuple[U8, float]], kind: ChallengeKind, stream: FaceStream, judge: FaceJudge | None
) -> Recording:
    """Frames u8 (H, W, 3) with their times in seconds, ascending, since the first of the challenge; at least
    one. The largest face counts. ``judge``: asks the face network; None asks nobody."""
    looks: list[_Look] = []
    crops: list[U8] = []
    faces: list[U8] = []
    searched_s = -np.inf
    for number, (rgb, time_s) in enumerate(frames):
        sighting, is_due = None, time_s - searched_s >= SEARCH_S
        if is_due:
            searched_s = time_s
            upright = [s for s in stream.add(Frame(rgb, number, time_s)) if _is_upright(s)]
            sighting = max(upright, key=_size, default=None)
            if sighting is not None and sighting.crop is not None:
                crops.append(sighting.crop)
            if sighting is not None and (face := aligned(rgb, sighting.landmarks_xy)) is not None:
                faces.append(face)
        scale = 320 / max(rgb.shape[:2])
        small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        grey = grey_of(rgb) if kind in _FOLLOWED else None
        looks.append(
            _Look(
                time_s,
                np.asarray(small, np.uint8),
                grey,
                sighting,
                is_due,
            )
        )
    return replace(_recording(looks, rgb.shape[1], crops, judge), prints=_prints(faces))


def _is_upright(sighting: Sighting) -> bool:
    return abs((sighting.turn_deg + 180) % 360 - 180) <= UPRIGHT_DEG


def _prints(faces: Sequence[U8]) -> U8:
    hashes = [p for face in _some(faces) if (p := print_of(face)) is not None]
    return np.array(hashes, np.uint8).reshape(-1, 32)


def _some(pictures: Sequence[U8]) -> list[U8]:
    """CROPS of them, from the first to the last."""
    places = np.linspace(0, len(pictures) - 1, min(CROPS, len(pictures)))
    return [pictures[round(i)] for i in places]


def _size(sighting: Sighting) -> float:
    box = sighting.box_xyxy
    return float((box[2] - box[0]) * (box[3] - box[1]))


def _recording(
    looks: Sequence[_Look], width_px: int, crops: Sequence[U8], judge: FaceJudge | None
) -> Recording:
    times_s = np.array([look.time_s for look in looks])
    found_xy = _landmarks(looks, times_s)
    scale = looks[0].small.shape[1] / width_px
    light = np.array([_light(look.small, marks * scale) for look, marks in zip(looks, found_xy, strict=True)])
    landmarks, before, after = _followed(looks, found_xy, times_s)
    coarse = [
        cv2.resize(cv2.cvtColor(look.small, cv2.COLOR_RGB2GRAY), COARSE, interpolation=cv2.INTER_AREA)
        for look in looks
    ]
    picked = _some(crops)
    face_px = float(np.median([_size(s) ** 0.5 for look in looks if (s := look.sighting)] or [0.0]))
    llrs = judge.llrs(np.stack(picked), face_px) if judge is not None and picked else np.zeros(0)
    rgb = light[:, :6].reshape(-1, 2, 3).astype(np.float32)
    return Recording(
        times_s, landmarks, found_xy, rgb[:, 0], rgb[:, 1], light[:, 6].astype(np.float32),
        np.array(coarse, np.uint8), before, after, llrs, np.zeros((0, 32), np.uint8),
    )  # fmt: skip


def _landmarks(looks: Sequence[_Look], times_s: F64) -> F32:
    """f32 (K, 5, 2): of every frame, interpolated between two searches that both found a face."""
    out = np.full((len(looks), 5, 2), np.nan, np.float32)
    searches = [i for i, look in enumerate(looks) if look.searched]
    for start, end in zip(searches, [*searches[1:], searches[-1]], strict=True):
        first, last = looks[start].sighting, looks[end].sighting
        if first is None:
            continue
        out[start] = first.landmarks_xy
        if last is None or first.track_id != last.track_id:
            continue
        for i in range(start + 1, end):
            part = (times_s[i] - times_s[start]) / (times_s[end] - times_s[start])
            out[i] = (1 - part) * first.landmarks_xy + part * last.landmarks_xy
    return out


def _light(rgb: U8, marks: F32) -> F64:
    """f64 (7,): linear light of the face and of the background, the mouth. NaN without a
    face."""
    if not np.isfinite(marks).all():
        return np.full(7, np.nan)
    linear = _LINEAR[rgb]
    eyes, mouth = marks[:2].mean(0), marks[3:].mean(0)
    down = mouth - eyes
    length = float(np.linalg.norm(down))
    if length < 4:
        return np.full(7, np.nan)
    down /= length
    across = np.array([down[1], -down[0]])
    ys, xs = np.mgrid[: rgb.shape[0], : rgb.shape[1]].astype(np.float32)
    along = ((xs - eyes[0]) * down[0] + (ys - eyes[1]) * down[1]) / length
    aside = ((xs - eyes[0]) * across[0] + (ys - eyes[1]) * across[1]) / length
    # The skin: from above the brows to the chin, without the outline, where hair and background show.
    face = ((along - 0.45) / 0.85) ** 2 + (aside / 0.6) ** 2 < 1
    # Well off the head, and not below it, where the shoulders are lit as the face is.
    around = ((along - 0.3) / 2.1) ** 2 + (aside / 1.6) ** 2 > 1
    around &= along < 1.0
    inside = ((along - 1.02) / 0.13) ** 2 + (aside / 0.2) ** 2 < 1
    cheeks = (np.abs(along - 0.6) < 0.15) & (np.abs(np.abs(aside) - 0.42) < 0.12)
    parts = [_mean(linear, mask) for mask in (face, around)]
    lip, cheek = _mean(linear, inside).mean(), _mean(linear, cheeks).mean()
    return np.array([*np.concatenate(parts), 1 - lip / max(cheek, 1e-6)])


def _mean(linear: F32, mask: np.ndarray) -> F64:
    pixels = linear[mask]
    return pixels.mean(0, dtype=np.float64) if len(pixels) else np.full(3, np.nan)


def _followed(looks: Sequence[_Look], landmarks: F32, times_s: F64) -> tuple[F32, F32, F32]:
    """Landmarks f32 (K, 5, 2) as the skin carries them, where a face was found; points of the face f32 (N, 2)
    before the movement and where it is far enough. Of a movement that is not followed as they were found, and
    none."""
    nothing = np.zeros((0, 2), np.float32)
    greys = [look.grey for look in looks if look.grey is not None]
    there = np.isfinite(landmarks[:, 0, 0])
    if len(greys) < len(looks) or not there.any():
        return landmarks, nothing, nothing
    first = int(np.flatnonzero(there)[0])
    paths = follow(greys[first:], landmarks[first])
    marks = np.full_like(landmarks, np.nan)
    marks[first:] = carried(paths, landmarks[first])
    marks[~there] = np.nan
    # Where landmarks can still be followed: the finder may see the head turn beyond that.
    turned = np.where(np.isfinite(marks[:, 0, 0]), np.abs(turned_deg(marks, landmarks, times_s)), np.nan)
    if not np.isfinite(turned).any():
        return marks, nothing, nothing
    enough = np.nan_to_num(turned) >= min(float(np.nanmax(turned)), ENOUGH_DEG)
    middle = int(np.flatnonzero(enough)[0])
    return (marks, *between(greys[first : middle + 1], paths))
