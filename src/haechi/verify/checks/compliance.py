"""Whether each movement was made as it was asked: the right one, the right way, after it was asked and soon.

It goes by five landmarks and by how dark the mouth is inside, which is enough for turns, nods, coming closer
and an open mouth, and not for more. A clip that was made for another order fails; one that is drawn as it is
asked does not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from haechi.types import F64, Reason
from haechi.verify.challenges import BEGIN_S
from haechi.verify.head import pitch_statistic, yaw_deg, yaw_statistic
from haechi.verify.seen import Seen
from haechi.verify.types import CheckOutcome, CheckResult

NAME = "compliance"
TURNS = ("turn_left", "turn_right")
NOT_SEEN = "verify_not_moved"
LEAST_TURN_DEG = 25.0
LEAST_NOD = 0.09
"""How far the nose moves between the eyes and the mouth, in lengths between them."""
LEAST_CLOSER = 1.2
LEAST_MOUTH = 0.25
"""How much darker, beside the cheeks, the inside of the mouth gets."""
REST_S = 0.35
"""The first moments, before anybody can have read what is asked: the pose at rest."""
EARLIEST_S = 0.15
"""Nobody begins sooner after a challenge appears."""
LEAST_FACES = 0.6


def examine(takes: Sequence[Seen]) -> CheckResult:
    """Fails when a movement was another one or came at the wrong time. Abstains when one was not seen, as
    some of those that genuine heads make are not, or the face was lost."""
    figures: dict[str, float] = {}
    worst: CheckResult | None = None
    for one in (s for s in takes if s.challenge.kind != "flash"):
        kind = one.challenge.kind
        if one.recording.faces < LEAST_FACES:
            return CheckResult(
                NAME, "abstain", Reason("verify_face_lost", {"why": f"verify_do_{kind}"}), figures
            )
        reached, onset_s, other_way = _reached(one)
        figures[f"{kind}_reached"] = reached
        if onset_s is not None:
            figures[f"{kind}_onset_s"] = onset_s
        fault = _fault(reached, onset_s, other_way and kind in TURNS)
        if fault is not None and (worst is None or worst.outcome == "abstain"):
            outcome: CheckOutcome = "abstain" if fault == NOT_SEEN else "fail"
            worst = CheckResult(NAME, outcome, Reason(fault, {"why": f"verify_do_{kind}"}))
    if not figures:
        return CheckResult(NAME, "abstain", Reason("verify_no_movement"))
    if worst is not None:
        return CheckResult(NAME, worst.outcome, worst.reason, figures)
    return CheckResult(NAME, "pass", Reason("verify_moved"), figures)


def _fault(reached: float, onset_s: float | None, other_way: bool) -> str | None:
    if other_way:
        return "verify_moved_other_way"
    if reached < 1 or onset_s is None:
        return NOT_SEEN
    return None if EARLIEST_S <= onset_s <= BEGIN_S else "verify_moved_at_wrong_time"


def _reached(takes: Seen) -> tuple[float, float | None, bool]:
    """How much of what is asked was done, 1 and above is enough; when it began, in seconds since the first
    frame, None when nothing did; and whether as much was done the other way instead."""
    record = takes.recording
    values = _progress(takes)
    times_s = record.times_s
    fine = np.isfinite(values)
    values, times_s = values[fine], times_s[fine]
    if not len(values):
        return 0.0, None, False
    best = float(np.max(values))
    begun = np.flatnonzero(values >= 0.3 * max(best, 1.0))
    onset_s = float(times_s[begun[0]]) if len(begun) else None
    return best, onset_s, best < 1 and float(np.min(values)) <= -1


def _progress(takes: Seen) -> F64:
    """f64 (K,): the part that is done, by frame."""
    record, kind = takes.recording, takes.challenge.kind
    marks = record.landmarks_xy
    if kind in TURNS:
        yaw = yaw_statistic(marks)
        rest = _at_rest(yaw, record.times_s)
        side = 1 if kind == "turn_left" else -1
        return np.array([side * yaw_deg(value, rest) / LEAST_TURN_DEG for value in yaw])
    if kind == "nod":
        pitch = pitch_statistic(marks)
        return np.abs(pitch - _at_rest(pitch, record.times_s)) / LEAST_NOD
    if kind == "closer":
        size = record.eyes_mouth_px
        return (size / _at_rest(size, record.times_s) - 1) / (LEAST_CLOSER - 1)
    mouth = record.mouth.astype(np.float64)
    return (mouth - _at_rest(mouth, record.times_s)) / LEAST_MOUTH


def _at_rest(values: F64, times_s: F64) -> float:
    """The median over the first moments in which there is a face."""
    fine = np.isfinite(values)
    first_s = float(times_s[fine][0]) if fine.any() else 0.0
    return float(np.median(values[fine & (times_s <= first_s + REST_S)])) if fine.any() else float("nan")
