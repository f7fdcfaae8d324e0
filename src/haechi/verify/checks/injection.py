"""Signs that the frames come from a program in the place of a camera. Each is a risk and refuses nobody.

loop: a frame that comes back after others came in between, with its noise; no camera makes the same noise
twice · clock: frames at intervals more regular than any camera's and any browser's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from haechi.types import F64, U8, Reason
from haechi.verify.seen import Seen
from haechi.verify.types import CheckResult

NAME = "injection"
MOST_REGULAR_S = 5e-5
"""Standard deviation of the intervals. Clocks of browsers are coarser than this (W3C High Resolution
Time)."""
LEAST_FRAMES = 20
COMES_BACK = 0.35
"""A frame is one that came back when it differs from an earlier one by less than this part of what neighbours
differ by."""
MOST_BACK = 5
"""Frames that may come back by chance."""


def examine(takes: Sequence[Seen]) -> CheckResult:
    """Passes or tells a risk; abstains with too few frames."""
    records = [s.recording for s in takes if len(s.recording.times_s) >= LEAST_FRAMES]
    if not records:
        return CheckResult(NAME, "abstain", Reason("verify_few_frames"))
    regular_s = min(float(np.std(np.diff(r.times_s))) for r in records)
    back = repeats(np.concatenate([r.coarse for r in records]))
    figures = {"interval_deviation_s": regular_s, "frames_again": float(back)}
    if back > MOST_BACK:
        return CheckResult(NAME, "risk", Reason("verify_looped", {"n": back}), figures)
    if regular_s < MOST_REGULAR_S:
        return CheckResult(NAME, "risk", Reason("verify_regular"), figures)
    return CheckResult(NAME, "pass", Reason("verify_no_injection"), figures)


def repeats(coarse: U8) -> int:
    """Frames u8 (K, h, w) -> how many of them are an earlier one again, of which the neighbours differ. A
    camera that stands still gives frames of which each is as near to any other as to its neighbour."""
    flat: F64 = coarse.reshape(len(coarse), -1).astype(np.float64)
    squares = (flat**2).sum(1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * flat @ flat.T, 0))
    steps = np.diagonal(distances, 1)
    moving = steps[steps > 0]
    if not len(moving):
        return 0
    usual = float(np.median(moving))
    early, late = np.tril_indices(len(flat), -4)
    again = distances[early, late] < COMES_BACK * usual
    return len(set(early[again].tolist()))
