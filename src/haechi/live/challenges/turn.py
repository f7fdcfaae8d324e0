"""Turn the head all the way to the side, and back."""

from __future__ import annotations

from haechi.live.challenges.look import Calm, Look, Stage, yaw
from haechi.types import U8

FAR, SIDE, BACK = 0.6, 0.4, 0.3
"""In units of ``yaw``, from where the face was before: so far is turned all the way, from so far on a face
that is lost was lost sideways, and so near is back. The points that the finder gives lag behind a head that
turns far: of 250 photographs of faces 1 in 50 is above 0.45."""
LOST_S = 0.3
"""A face that is missed for a shorter time was missed, not turned away."""


class Turn:
    """The nose comes near an eye, or the face is lost while it turns, and it comes back."""

    def __init__(self, calm: Calm) -> None:
        self._calm = calm
        self._far = False
        self._side_s: float | None = None

    def add(self, look: Look, _rgb: U8) -> Stage:
        """The next look, in order of time."""
        off = abs(yaw(look.points_xy) - self._calm.yaw)
        if not look.in_sight:
            self._far |= self._side_s is not None and look.time_s - self._side_s >= LOST_S
        elif off >= FAR:
            self._far = True
        elif self._far and off <= BACK:
            return "done"
        if look.in_sight:
            self._side_s = look.time_s if off >= SIDE else None
        return "begun" if self._far or off >= SIDE else "asked"
