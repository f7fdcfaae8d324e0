"""Wholly generated faces (GAN, diffusion), from windows of the picture at its native resolution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from haechi import models
from haechi.calibration import finding, llr, over_faces
from haechi.settings import Settings
from haechi.types import F64, U8, Evidence, FaceQuality, FaceTrack, Media, Quality, Reason, Region, Series

WINDOW_PX = 160
PLACES = ((0.5, 0.5), (0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))
"""Where windows lie in a still's native piece, as shares of the room; a video's frames get the first."""


def windows(piece: U8, places: Sequence[tuple[float, float]]) -> list[U8]:
    """Windows u8 (160, 160, 3) out of a native piece; doubles are dropped; none when it is too small."""
    room_y, room_x = piece.shape[0] - WINDOW_PX, piece.shape[1] - WINDOW_PX
    if room_y < 0 or room_x < 0:
        return []
    corners = dict.fromkeys((round(room_y * fy), round(room_x * fx)) for fx, fy in places)
    return [piece[y : y + WINDOW_PX, x : x + WINDOW_PX] for y, x in corners]


class SynthesisDetector:
    """Card ``synthesis``. The mean logit of a face's windows is its evidence."""

    name = "synthesis"

    def __init__(self, settings: Settings) -> None:
        self.model = models.load(self.name, settings)
        self.version = self.model.card.version
        self.calibration = self.model.card.raw["calibration"]

    def logits(self, cuts: Sequence[U8], mirrored: bool = True) -> F64:
        """Windows u8 (160, 160, 3) -> logits f64 (n,). ``mirrored`` asks a second time with left and right
        exchanged and takes the mean."""
        x = np.ascontiguousarray(np.stack(cuts).transpose(0, 3, 1, 2), dtype=np.float32)
        (logit,) = self.model.run(x)
        if mirrored:
            (other,) = self.model.run(np.ascontiguousarray(x[:, :, :, ::-1]))
            logit = (logit + other) / 2
        out: F64 = logit.astype(np.float64)
        return out

    def examine(
        self, media: Media, tracks: Sequence[FaceTrack], quality: Quality, prior: Sequence[Evidence]
    ) -> Evidence:
        """Scores every face that is good enough and shown at 160 px or more with its surroundings."""
        by_id = {q.track_id: q for q in quality.faces}
        good = [(t, by_id[t.track_id]) for t in tracks if not by_id[t.track_id].issues]
        if not good:
            reason = Reason("abstain_quality") if tracks else Reason("abstain_no_face")
            return Evidence(self.name, self.version, "abstained", None, reason)
        found = [f for t, q in good if (f := self._track(t, q, media.kind == "image")) is not None]
        if not found:
            return Evidence(self.name, self.version, "abstained", None, Reason("resolution_too_low"))
        found.sort(key=lambda f: -f[0].llr)
        regions, series = tuple(f[0] for f in found), tuple(f[1] for f in found)
        genuine = self.calibration["genuine"]
        reason = finding(self.name, regions[0].llr, regions[0].track_id, genuine=genuine)
        total = over_faces([r.llr for r in regions])
        return Evidence(self.name, self.version, "scored", total, reason, (), regions, series)

    def _track(self, track: FaceTrack, quality: FaceQuality, still: bool) -> tuple[Region, Series] | None:
        cuts = [windows(piece, PLACES if still else PLACES[:1]) for piece in track.native]
        kept = [(int(i), c) for i, c in zip(track.native_index, cuts, strict=True) if c]
        if not kept:
            return None
        logits = np.array([self.logits(c, mirrored=still).mean() for _, c in kept])
        index = np.array([i for i, _ in kept])
        whole = float(llr(logits.mean(keepdims=True), quality, self.calibration)[0])
        k = int(np.argmax(logits))
        box = tuple(float(v) for v in track.boxes_xyxy[index[k]])
        times = track.times_s[index]
        region = Region(track.track_id, float(times[k]), (box[0], box[1], box[2], box[3]), whole)
        return region, Series(track.track_id, times, llr(logits, quality, self.calibration))
