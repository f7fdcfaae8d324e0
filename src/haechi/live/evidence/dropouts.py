"""Drop-outs: the look of a face changes from one look to the next, while what surrounds it stays. A swap that
loses the face shows the caller's own for a moment."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from haechi.live.evidence.change import Change, mean
from haechi.live.evidence.region import AROUND, INSIDE
from haechi.types import F64

NAME = "dropouts"
MEASURES = ("jump", "own_jump")
"""How much more the inside changed than the surroundings, and how much more of that than it usually does with
this person; natural logarithms."""
FLOOR = 0.3
SOFT_PX = 4.0
"""Only what is larger than this counts: tones and features, not noise."""
USUAL, LEAST_USUAL = 50, 5
"""Looks of a person by which it is known what is usual, and the fewest."""
_INSIDE, _AROUND = INSIDE.astype(np.uint8), AROUND.astype(np.uint8)


class DropOuts:
    """Of one person, look by look."""

    def __init__(self) -> None:
        self._usual: deque[float] = deque(maxlen=USUAL)

    def measure(self, change: Change) -> F64 | None:
        """The MEASURES f64 (2,); None as long as too little was seen of the person."""
        soft = np.abs(cv2.GaussianBlur(change.left, (0, 0), SOFT_PX))
        jump = float(np.log(mean(soft, _INSIDE) + FLOOR) - np.log(mean(soft, _AROUND) + FLOOR))
        usual = float(np.median(self._usual)) if len(self._usual) >= LEAST_USUAL else None
        self._usual.append(jump)
        return None if usual is None else np.array([jump, jump - usual])
