"""Come close to the camera."""

from __future__ import annotations

from haechi.live.challenges.look import Calm, Look, Stage
from haechi.types import U8

CLOSE, CLOSER = 1.5, 1.2
"""Times the height that the face had before: so large is close, and from so large on it comes closer."""
LOOKS = 2


class Close:
    """The face grows to half as high again."""

    def __init__(self, calm: Calm) -> None:
        self._calm = calm
        self._close = 0

    def add(self, look: Look, _rgb: U8) -> Stage:
        """The next look, in order of time."""
        growth = look.height_px / self._calm.height_px
        if look.in_sight:
            self._close = self._close + 1 if growth >= CLOSE else 0
        return "done" if self._close >= LOOKS else "begun" if growth >= CLOSER else "asked"
