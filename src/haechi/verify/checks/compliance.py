"""Whether each movement was made as it was asked: the right one, the right way, after it was asked and soon.

It goes by five landmarks and by how dark the mouth is inside, which is enough for turns, nods, coming closer
and an open mouth, and not for more. A clip that was made for another order fails; one that is drawn as it is
asked does not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from haechi.head import length_px, nose_below, yaw_deg
from haechi.types import F64, Reason
from haechi.verify.challenges import BEGIN_S
from haechi.verify.motion import AGREE_DEG, at_rest, from_rest, turned_deg
from haechi.verify.seen import Seen
from haechi.verify.types import CheckOutcome, CheckResult

NAME = "compliance"
TURNS = ("turn_left", "turn_right")
NOT_SEEN = "verify_not_moved"
LEAST_TURN_DEG = 18.0
"""As landmarks tell it, which may be less than it is: rendered heads that turned by 35 to 44 degrees showed
24 to 52, those that did anything else 12 at the most."""
LEAST_NOD = 0.11
"""How far the nose moves between the eyes and the mouth, in lengths between them: nods showed 0.16 to 0.29,
anything else 0.08 at the most."""
MOST_TURN_OF_NOD_DEG, MOST_GROWTH = 12.0, 1.15
"""Beyond these it is a turn, or a step closer, which move the nose between eyes and mouth as well: of
rendered heads one in two turns looked like a nod, and a step closer in the dark like a turn."""
LEAST_CLOSER = 1.2
LEAST_MOUTH = 0.25
"""How much darker, beside the cheeks, the inside of the mouth gets."""
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
        fault = _fault(reached, onset_s, other_way)
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
    if takes.challenge.kind in TURNS and -float(np.min(values)) > best:
        # On the way back the skin is carried beyond rest, by less than on the way there.
        return 0.0, None, _other_way(takes)
    # Also the other way: who moved from the start was at rest only later, if the median says so.
    begun = np.flatnonzero(np.abs(values) >= 0.3 * max(best, 1.0))
    return best, float(times_s[begun[0]]) if len(begun) else None, False


def _other_way(takes: Seen) -> bool:
    """Whether a head that was to turn turned to the other side, as both kinds of landmarks say: in noise the
    skin alone is carried anywhere, and nobody is refused for that."""
    record = takes.recording
    side = -1 if takes.challenge.kind == "turn_left" else 1
    by_skin, by_finder = (
        side * from_rest(yaw_deg(marks), record.times_s) for marks in (record.landmarks_xy, record.found_xy)
    )
    return bool(np.nanmax(by_skin) >= LEAST_TURN_DEG and np.nanmax(by_finder) >= AGREE_DEG)


def _progress(takes: Seen) -> F64:
    """f64 (K,): the part that is done, by frame; none where another movement is, which moves the same
    landmarks."""
    record, kind = takes.recording, takes.challenge.kind
    marks, times_s = record.landmarks_xy, record.times_s
    size_px = length_px(record.found_xy)
    growth = size_px / at_rest(size_px, times_s)
    if kind == "closer":
        return (growth - 1) / (LEAST_CLOSER - 1)
    if kind in TURNS:
        side = 1 if kind == "turn_left" else -1
        part = side * turned_deg(marks, record.found_xy, times_s) / LEAST_TURN_DEG
    elif kind == "nod":
        turned = np.fmax.accumulate(np.abs(from_rest(yaw_deg(marks), times_s)))
        nod = np.abs(from_rest(nose_below(marks), times_s)) / LEAST_NOD
        part = np.where(turned > MOST_TURN_OF_NOD_DEG, 0.0, nod)
    else:
        part = from_rest(record.mouth.astype(np.float64), times_s) / LEAST_MOUTH
    return np.where(growth > MOST_GROWTH, 0.0, part)
