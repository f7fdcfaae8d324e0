"""Swapped, re-enacted and locally edited faces, from the face crop, with a map of where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from haechi import models
from haechi.calibration import finding, llr, over_faces, spans
from haechi.places import as_shown, place
from haechi.settings import Settings
from haechi.types import (
    F32,
    F64,
    U8,
    Evidence,
    FaceQuality,
    FaceTrack,
    Media,
    Quality,
    Reason,
    Region,
    Series,
)

BATCH = 8
MAP_CELLS = 28
WINDOW_PX = 208
"""Side of the middle of a crop that the networks see. They were trained on windows of 192 px drawn from
anywhere in it: the whole crop shows them more of what is around a face than they know
(results/views.json)."""


def middle(crops: U8) -> U8:
    """What the networks see of crops u8 (n, 224, 224, 3): u8 (n, 208, 208, 3)."""
    margin = (crops.shape[1] - WINDOW_PX) // 2
    return crops[:, margin : margin + WINDOW_PX, margin : margin + WINDOW_PX]


class SwapDetector:
    """Card ``swap``. One logit and one 28 x 28 map a crop; a face's evidence is that of its mean logit over
    time."""

    name = "swap"

    def __init__(self, settings: Settings) -> None:
        self.network = models.load(self.name, settings)
        self.version = self.network.card.version
        self.calibration = self.network.card.raw["calibration"]

    def logits(self, crops: U8, mirrored: bool) -> tuple[F64, F32]:
        """crops u8 (n, 224, 224, 3) -> logits f64 (n,), maps f32 (n, 28, 28) in [0, 1]. ``mirrored`` asks a
        second time with left and right exchanged and takes the mean."""
        logits = np.empty(len(crops))
        maps = np.empty((len(crops), MAP_CELLS, MAP_CELLS), np.float32)
        for start in range(0, len(crops), BATCH):
            part = slice(start, start + BATCH)
            x = np.ascontiguousarray(middle(crops[part]).transpose(0, 3, 1, 2), dtype=np.float32)
            logit, where = self.network.run(x)[:2]
            if mirrored:
                other, turned = self.network.run(np.ascontiguousarray(x[:, :, :, ::-1]))[:2]
                logit, where = (logit + other) / 2, (where + turned[:, :, ::-1]) / 2
            logits[part] = logit
            around = (MAP_CELLS - where.shape[1]) // 2
            # What lies beyond the window was not looked at: it is shown as its edge is.
            whole = np.pad(where, ((0, 0), (around, around), (around, around)), "edge")
            maps[part] = 1 / (1 + np.exp(-whole))
        return logits, maps

    def examine(
        self, media: Media, tracks: Sequence[FaceTrack], quality: Quality, prior: Sequence[Evidence]
    ) -> Evidence:
        """Scores every face that is good enough; abstains when none is."""
        by_id = {q.track_id: q for q in quality.faces}
        judged = [(t, by_id[t.track_id]) for t in tracks if not by_id[t.track_id].issues]
        if not judged:
            reason = Reason("abstain_quality") if tracks else Reason("abstain_no_face")
            return Evidence(self.name, self.version, "abstained", None, reason)
        found = [self._track(t, q, media.kind == "image") for t, q in judged]
        found.sort(key=lambda f: -f[0].llr)
        regions, series = tuple(f[0] for f in found), tuple(f[1] for f in found)
        total = over_faces([r.llr for r in regions])
        marked = () if media.kind == "image" else spans(series[0].times_s, series[0].llr)
        top, _, points = found[0]
        assert top.heatmap is not None
        where = place(top.heatmap, top.box_xyxy, points)
        genuine = self.calibration["genuine"]
        reason = finding(self.name, top.llr, top.track_id, genuine=genuine, place=where)
        return Evidence(self.name, self.version, "scored", total, reason, marked, regions, series)

    def _track(self, track: FaceTrack, quality: FaceQuality, mirrored: bool) -> tuple[Region, Series, F32]:
        """The face's region at its most suspicious crop, its course, and its landmarks f32 (5, 2) there."""
        logits, maps = self.logits(track.crops, mirrored)
        each = llr(logits, quality, self.calibration)
        mean = np.array([logits @ track.crop_weights])
        whole = float(llr(mean, quality, self.calibration)[0])
        k = int(np.argmax(logits))
        times = track.times_s[track.crop_index]
        box = tuple(float(v) for v in track.crop_boxes_xyxy[k])
        turns = track.crop_turns_deg
        shown = maps[k] if turns is None else as_shown(maps[k], float(turns[k]))
        region = Region(track.track_id, float(times[k]), (box[0], box[1], box[2], box[3]), whole, shown)
        return region, Series(track.track_id, times, each), track.landmarks_xy[track.crop_index[k]]
