"""Whether what turned has depth: points of the face, followed through a turn, against the best plane.

However a flat picture is turned, moved or bent by a homography, all its points go where one homography sends
them. On a head the nose, the eyes and the cheeks lie at different depths, so that they part from any plane.
What is left over is also compared after a bend in both directions (a cylinder, a bulging sheet) was allowed
for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from haechi.head import length_px
from haechi.types import F32, F64, Reason
from haechi.verify.checks.compliance import LEAST_TURN_DEG
from haechi.verify.motion import turned_deg
from haechi.verify.seen import Seen
from haechi.verify.types import CheckResult

NAME = "depth"
LEAST_POINTS = 18
QUANTILE = 0.8
"""Of the distances: the nose is a small part of a face, so that a median would not see it."""
FLAT_OFF_PLANE, LEAST_OFF_PLANE = 0.035, 0.05
"""Distance from where the best plane sends a point, at QUANTILE, in lengths from the eyes to the mouth: below
the first it is flat, from the second on a head, and between them nobody can tell. Rendered prints showed 0.01
to 0.02, bent ones up to 0.04, heads 0.06 to 0.3."""
FLAT_OFF_BEND, LEAST_OFF_BEND = 0.02, 0.03
"""The same after a bend was allowed for: prints 0.01 to 0.02, bent ones up to 0.026, heads 0.05 to 0.14."""


def examine(takes: Sequence[Seen]) -> CheckResult:
    """Passes, fails or abstains: without a turn, with one too small, or with too few points that were
    followed."""
    turns = [s for s in takes if s.challenge.kind in ("turn_left", "turn_right")]
    if not turns:
        return CheckResult(NAME, "abstain", Reason("verify_no_turn"))
    results = [_of_turn(turn) for turn in turns]
    # Of two turns the one that tells less decides: both have to be those of a head.
    order = ("fail", "abstain", "pass")
    return min(results, key=lambda result: order.index(result.outcome))


def _of_turn(takes: Seen) -> CheckResult:
    record = takes.recording
    before, after = record.before_xy, record.after_xy
    turned = np.abs(turned_deg(record.landmarks_xy, record.found_xy, record.times_s))
    angle = float(np.nanmax(turned, initial=0.0))
    if angle < LEAST_TURN_DEG:
        return CheckResult(NAME, "abstain", Reason("verify_turn_small", {"degrees": round(angle)}))
    if len(before) < LEAST_POINTS:
        return CheckResult(NAME, "abstain", Reason("verify_few_points"), {"points": float(len(before))})
    sizes_px = length_px(record.found_xy)
    length = float(np.median(sizes_px[np.isfinite(sizes_px)])) if record.faces else float("nan")
    plane, bend = off_plane(before, after) / length, off_bend(before, after) / length
    figures = {"off_plane": plane, "off_bend": bend, "points": float(len(before)), "turn_deg": angle}
    if plane < FLAT_OFF_PLANE or bend < FLAT_OFF_BEND:
        return CheckResult(NAME, "fail", Reason("verify_flat"), figures)
    if not (plane >= LEAST_OFF_PLANE and bend >= LEAST_OFF_BEND):
        return CheckResult(NAME, "abstain", Reason("verify_depth_unclear"), figures)
    return CheckResult(NAME, "pass", Reason("verify_deep"), figures)


def off_plane(before: F32, after: F32) -> float:
    """Points f32 (N, 2), N >= 4 -> the distance in px, at QUANTILE, that the best homography leaves (least
    median of squares, Rousseeuw 1984, so that lost points do not count)."""
    matrix: Any = cv2.findHomography(before.astype(np.float64), after.astype(np.float64), cv2.LMEDS)[0]
    if matrix is None:
        return 0.0
    on_plane = cv2.perspectiveTransform(before[None].astype(np.float64), matrix)[0]
    return float(np.quantile(np.linalg.norm(on_plane - after, axis=1), QUANTILE))


def off_bend(before: F32, after: F32) -> float:
    """The same of a polynomial of the second degree in both coordinates, fitted thrice to the better half."""
    points = before.astype(np.float64)
    points = (points - points.mean(0)) / max(float(points.std()), 1e-6)
    x, y = points.T
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], 1)
    fine = np.ones(len(points), bool)
    rest: F64 = np.zeros(len(points))
    for _ in range(3):
        coefficients, *_ = np.linalg.lstsq(terms[fine], after[fine].astype(np.float64), rcond=None)
        rest = np.linalg.norm(terms @ coefficients - after, axis=1)
        fine = rest <= 3 * max(float(np.median(rest)), 1e-6)
    return float(np.quantile(rest, QUANTILE))
