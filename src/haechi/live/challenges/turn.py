"""Turn the head all the way to the side, and back."""

from __future__ import annotations

from haechi.live.challenges.look import Calm, Look, Stage
from haechi.types import U8

FAR, SIDE, BACK = 35.0, 28.0, 18.0
"""In degrees, from where the face was before: so far is turned all the way, from so far on a face that is
lost was lost sideways, and so near is back. The points that the finder gives lag behind a head that turns
far. From 28 degrees on, 3 turns were seen in three minutes of people who only talk; from 35 on none."""
LOOKS = 2
"""So many in a row, to the same side: what covers a face shakes its points, too."""
LOST_S = 0.3
"""A face that is missed for a shorter time was missed, not turned away."""


class Turn:
    """The head is turned far, or the face is lost while it turns, and it comes back."""

    def __init__(self, calm: Calm) -> None:
        self._calm = calm
        self._is_far = False
        self._far = self._side = 0  # looks in a row
        self._sign = 1.0
        self._side_s: float | None = None

    def add(self, look: Look, _rgb: U8) -> Stage:
        """The next look, in order of time."""
        off = look.yaw_deg - self._calm.yaw_deg
        if not look.in_sight:
            lost = self._side_s is not None and look.time_s - self._side_s >= LOST_S
            self._is_far |= lost and self._side >= LOOKS
        elif self._is_far and abs(off) <= BACK:
            return "done"
        else:
            same = off * self._sign > 0
            self._side = 1 + (self._side if same else 0) if abs(off) >= SIDE else 0
            self._far = 1 + (self._far if same else 0) if abs(off) >= FAR else 0
            self._sign = 1.0 if off > 0 else -1.0
            self._side_s = look.time_s
            self._is_far |= self._far >= LOOKS
        return "begun" if self._is_far or self._side else "asked"
