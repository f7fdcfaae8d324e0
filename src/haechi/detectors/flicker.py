"""For video: how the evidence, the landmarks and the face's sharpness behave from frame to frame.

A face that is drawn anew for every frame jumps where a filmed one moves smoothly. The numbers stand in the
card ``flicker`` and were fitted on clips that the lab made from stills; no filmed material was to be had, so
what this detector may say is capped at a ratio of two, and it says nothing about tracks that are short,
coarse or rough.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from haechi import models
from haechi.calibration import finding
from haechi.settings import Settings
from haechi.types import F32, F64, U8, Evidence, FaceTrack, Media, Quality, Reason, Region

FEATURES = ("evidence_jump", "landmark_jitter", "sharpness_jump")


def _roughness(values: F64) -> float:
    """Median size of second differences of values (n, k): zero for even motion, whatever its speed."""
    return float(np.median(np.linalg.norm(values[2:] - 2 * values[1:-1] + values[:-2], axis=1)))


def landmark_jitter(track: FaceTrack) -> float:
    """Roughness of the five landmarks relative to the box, in shares of its size."""
    size = np.sqrt((track.boxes_xyxy[:, 2:] - track.boxes_xyxy[:, :2]).prod(1))
    centre = track.landmarks_xy.mean(1, keepdims=True)
    shape = (track.landmarks_xy - centre) / size[:, None, None]
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


def measure(track: FaceTrack, swap_llr: F64) -> F64:
    """The three features of one track, f64 (3,), in the order of FEATURES."""
    ratios = np.array([sharpness_ratio(c) for c in track.crops])
    return np.array([_roughness(swap_llr[:, None]), landmark_jitter(track), _roughness(ratios[:, None])])


class FlickerDetector:
    """Card ``flicker``: logistic regression on the logs of three roughnesses."""

    name = "flicker"

    def __init__(self, settings: Settings) -> None:
        card = models.load(self.name, settings).card
        self.version = card.version
        self.card: Any = card.parameters

    def examine(
        self, media: Media, tracks: Sequence[FaceTrack], quality: Quality, prior: Sequence[Evidence]
    ) -> Evidence:
        """Scores the largest face that is long and dense enough in time; abstains otherwise."""
        if media.kind != "video":
            return self._abstain(Reason("abstain_image"))
        good = {q.track_id for q in quality.faces if not q.issues}
        swap = {s.track_id: s for e in prior if e.detector == "swap" for s in e.series}
        judged = [t for t in tracks if t.track_id in good and t.track_id in swap]
        if not judged:
            return self._abstain(Reason("abstain_quality" if tracks else "abstain_no_face"))
        long = [t for t in judged if self._dense(t)]
        if not long:
            frames = max(len(t.crop_index) for t in judged)
            return self._abstain(
                Reason("abstain_short_track", {"frames": frames, "min_frames": int(self.card["min_frames"])})
            )
        track = long[0]
        x = np.log(measure(track, swap[track.track_id].llr) + 1e-3)
        z = (x - np.array(self.card["mean"])) / np.array(self.card["deviation"])
        if np.abs(z).max() > self.card["max_z"]:
            return self._abstain(Reason("abstain_out_of_domain", {"why": ""}))
        value = float(z @ np.array(self.card["weights"]) + self.card["intercept"])
        value = float(np.clip(value, -self.card["cap_against"], self.card["cap_for"]))
        box = tuple(float(v) for v in track.boxes_xyxy[0])
        region = Region(track.track_id, float(track.times_s[0]), (box[0], box[1], box[2], box[3]), value)
        reason = finding(self.name, value, track.track_id)
        return Evidence(self.name, self.version, "scored", value, reason, (), (region,))

    def _dense(self, track: FaceTrack) -> bool:
        if len(track.crop_index) < self.card["min_frames"] or len(track.times_s) < self.card["min_frames"]:
            return False
        return float(np.median(np.diff(track.times_s))) <= float(self.card["max_step_s"])

    def _abstain(self, reason: Reason) -> Evidence:
        return Evidence(self.name, self.version, "abstained", None, reason)
