"""The limit on the time that decoding one source may take."""

from __future__ import annotations

import time

from haechi.errors import OverLimit


class Clock:
    """Counts the time spent decoding, from construction on and over all passes over the source; between
    ``stop`` and ``start`` it stands. ``check`` raises OverLimit when the time is used up; ``cure`` says what
    the user can do besides raising the limit."""

    def __init__(self, limit_s: float, cure: str) -> None:
        self._limit_s = limit_s
        self._cure = cure
        self._spent_s = 0.0
        self._since: float | None = time.monotonic()

    def start(self) -> None:
        if self._since is None:
            self._since = time.monotonic()

    def stop(self) -> None:
        if self._since is not None:
            self._spent_s += time.monotonic() - self._since
            self._since = None

    @property
    def left_s(self) -> float:
        """Seconds until the limit, below 0 behind it."""
        running_s = 0.0 if self._since is None else time.monotonic() - self._since
        return self._limit_s - self._spent_s - running_s

    def check(self) -> None:
        if self.left_s < 0:
            raise self.over()

    def over(self) -> OverLimit:
        return OverLimit(
            f"Decoding took longer than the limit of {self._limit_s:g} s: {self._cure}, "
            "or raise HAECHI_DECODE_TIMEOUT_S."
        )
