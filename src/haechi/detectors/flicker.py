"""For video: how the evidence, the landmarks and the face's sharpness behave from frame to frame.

A face that is drawn anew for every frame jumps where a filmed one moves smoothly. The numbers stand in the
card ``flicker`` and were fitted on clips that the lab made from stills; no filmed material was to be had, so
what this detector may say is capped at a ratio of two, and it says nothing about faces that were seen too
briefly, too far apart in time, or that change in a way not met in fitting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from haechi import models
from haechi.calibration import finding
from haechi.detectors.evidence import abstained, judged_faces, no_judged_face
from haechi.settings import Settings
from haechi.types import F32, F64, U8, Evidence, FaceTrack, Media, Quality, Reason, Region

FEATURES = ("evidence_jump", "landmark_jitter", "sharpness_jump")
STEP_TOLERANCE_S = 1e-3
"""Times of frames are rounded."""


def _roughness(values: F64) -> float:
    """Median size of second differences of values (n, k): zero for even motion, whatever its speed."""
    return float(np.median(np.linalg.norm(values[2:] - 2 * values[1:-1] + values[:-2], axis=1)))


def landmark_jitter(boxes_xyxy: F32, landmarks_xy: F32) -> float:
    """Roughness of the five landmarks (n, 5, 2) relative to the boxes (n, 4), in shares of their size."""
    size = np.sqrt((boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).prod(1))
    shape = (landmarks_xy - landmarks_xy.mean(1, keepdims=True)) / size[:, None, None]
    return _roughness(shape.reshape(len(shape), 10).astype(np.float64))


def sharpness_ratio(crop: U8) -> float:
    """Log of the detail inside the face over the detail around it, of a crop u8 (S, S, 3)."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail: F32 = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    side = crop.shape[0]
    inside = np.zeros((side, side), np.uint8)
    cv2.ellipse(inside, (side // 2, side // 2), (side * 3 // 10, side * 4 // 10), 0, 0, 360, 1, -1)
    within, around = detail[inside == 1].mean(), detail[inside == 0].mean()
    return float(np.log((within + 0.5) / (around + 0.5)))


def dense_run(track: FaceTrack, max_step_s: float) -> slice:
    """The longest run of the track's crops of which none lies further than ``max_step_s`` from the one
    before; the first of several."""
    times = track.times_s[track.crop_index]
    breaks = np.flatnonzero(np.diff(times) > max_step_s + STEP_TOLERANCE_S) + 1
    edges = [0, *breaks.tolist(), len(times)]
    start, end = max(pairwise(edges), key=lambda run: run[1] - run[0])
    return slice(start, end)


def measure(track: FaceTrack, llrs: F64, run: slice) -> F64:
    """The three features of a run of crops, f64 (3,), in the order of FEATURES. llrs f64 (M,): of another
    detector, one a crop of the track. The lab fits the card on what this function returns."""
    index = track.crop_index[run]
    ratios = np.array([sharpness_ratio(c) for c in track.crops[run]])
    jitter = landmark_jitter(track.boxes_xyxy[index], track.landmarks_xy[index])
    return np.array([_roughness(llrs[run, None]), jitter, _roughness(ratios[:, None])])


class FlickerDetector:
    """Card ``flicker``: logistic regression on the logs of three roughnesses."""

    name = "flicker"
    needs = ("swap",)

    def __init__(self, settings: Settings) -> None:
        card = models.load(self.name, settings).card
        self.version = card.version
        self.card: Any = card.parameters

    def examine(
        self, media: Media, tracks: Sequence[FaceTrack], quality: Quality, prior: Mapping[str, Evidence]
    ) -> Evidence:
        """Scores the largest face that was seen often enough without a gap; abstains otherwise."""
        if media.kind != "video":
            return self._abstain(Reason("abstain_image"))
        series = {s.track_id: s for name in self.needs for s in prior[name].series}
        usable_tracks = [t for t, _ in judged_faces(tracks, quality) if t.track_id in series]
        if not usable_tracks:
            return self._abstain(no_judged_face(tracks))
        least = int(self.card["min_frames"])
        runs = [(t, dense_run(t, float(self.card["max_step_s"]))) for t in usable_tracks]
        long = [(t, r) for t, r in runs if r.stop - r.start >= least]
        if not long:
            frames = max(len(t.times_s) for t in usable_tracks)
            if frames < least:
                return self._abstain(Reason("abstain_short_track", {"frames": frames, "min_frames": least}))
            return self._abstain(Reason("abstain_out_of_domain", {"why": "frames_far_apart"}))
        track, run = long[0]
        x = np.log(measure(track, series[track.track_id].llr, run) + 1e-3)
        z = (x - np.array(self.card["mean"])) / np.array(self.card["deviation"])
        if not np.abs(z).max() <= self.card["max_z"]:  # so that NaN does not pass
            return self._abstain(Reason("abstain_out_of_domain", {"why": "unlike_changes"}))
        value = float(z @ np.array(self.card["weights"]) + self.card["intercept"])
        value = float(np.clip(value, -self.card["cap_against"], self.card["cap_for"]))
        first = track.crop_index[run.start]
        box = tuple(float(v) for v in track.boxes_xyxy[first])
        region = Region(track.track_id, float(track.times_s[first]), (box[0], box[1], box[2], box[3]), value)
        reason = finding(self.name, value, track.track_id)
        return Evidence(self.name, self.version, "scored", value, reason, (), (region,))

    def _abstain(self, reason: Reason) -> Evidence:
        return abstained(self.name, self.version, reason)
