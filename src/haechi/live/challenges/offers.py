"""When a program asks for a challenge by itself."""

from __future__ import annotations

from haechi.live.types import LiveState

PAUSE_S = 20.0
"""From what followed from one challenge to the next."""


class Offers:
    """Asked once a state, in order of time."""

    def __init__(self) -> None:
        self._ended_s: float | None = None

    def due(self, state: LiveState) -> bool:
        """Whether somebody shows enough signs, and none is under way, was the last a moment ago, or led to
        the advice that no further one changes."""
        challenge = state.challenge
        if challenge is not None and challenge.advice is None:
            self._ended_s = None
            return False
        if challenge is not None:
            self._ended_s = state.time_s if self._ended_s is None else self._ended_s
            if challenge.advice == "verify" or state.time_s - self._ended_s < PAUSE_S:
                return False
        return state.level in ("ask", "alarm")
