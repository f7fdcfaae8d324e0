"""Stand up."""

from __future__ import annotations

from haechi.live.challenges.look import Calm, Look, Stage
from haechi.types import U8

UP, RISING = 0.7, 0.3
"""Of the height of the face: so much higher than before is up, and from so much on it rises."""
EDGE, LOST_S = 0.4, 0.5
"""A face that rose until its top was so near the top of the picture, in its heights, and is lost for so long
has left it upwards."""
LOOKS = 2


class Stand:
    """The face rises by most of its height, or leaves the picture upwards."""

    def __init__(self, calm: Calm) -> None:
        self._calm = calm
        self._up = 0
        self._leaving_s: float | None = None

    def add(self, look: Look, _rgb: U8) -> Stage:
        """The next look, in order of time."""
        rise = (self._calm.y - look.centre_xy[1]) / self._calm.height_px
        if look.in_sight:
            self._up = self._up + 1 if rise >= UP else 0
            at_edge = float(look.box_xyxy[1]) <= EDGE * self._calm.height_px
            self._leaving_s = look.time_s if rise >= RISING and at_edge else None
        has_left = self._leaving_s is not None and look.time_s - self._leaving_s >= LOST_S
        if self._up >= LOOKS or has_left:
            return "done"
        return "begun" if rise >= RISING else "asked"
