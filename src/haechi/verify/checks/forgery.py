"""Whether the face itself looks forged to the face network, on a few frames of every challenge. Its errors
are too many for a refusal (see Measuring), so it is a risk and refuses nobody."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from haechi.types import Reason
from haechi.verify.seen import Seen
from haechi.verify.types import CheckResult

NAME = "forgery"
LEAST_CROPS = 4
MOST_LLR = math.log(3.0)
"""From here on a session is for a person to look at: three times more common in forged faces than in genuine
ones, by the calibration of the network."""


def examine(takes: Sequence[Seen]) -> CheckResult:
    """Passes or tells a risk; abstains when too few frames showed a face."""
    llrs = np.concatenate([s.recording.llrs for s in takes]) if takes else np.zeros(0)
    if len(llrs) < LEAST_CROPS:
        return CheckResult(NAME, "abstain", Reason("verify_few_crops"))
    llr = float(np.mean(llrs))
    figures = {"llr": llr, "crops": float(len(llrs))}
    if llr >= MOST_LLR:
        return CheckResult(NAME, "risk", Reason("verify_looks_forged"), figures)
    return CheckResult(NAME, "pass", Reason("verify_looks_like_others"), figures)
