"""The limit on the time that decoding one source may take."""

from __future__ import annotations

import time

from haechi.errors import OverLimit


class Clock:
    """Counts the time spent decoding. ``check`` raises OverLimit when it is used up; ``cure`` says what the
    user can do besides raising the limit."""

    def __init__(self, limit_s: float, cure: str) -> None:
        self._limit_s = limit_s
        self._cure = cure
        self._spent_s = 0.0
        self.start()

    def start(self) -> None:
        self._since = time.monotonic()

    def stop(self) -> None:
        self._spent_s += time.monotonic() - self._since

    def check(self) -> None:
        if self._spent_s + time.monotonic() - self._since > self._limit_s:
            raise OverLimit(
                f"Decoding took longer than the limit of {self._limit_s:g} s: {self._cure}, "
                "or raise HAECHI_DECODE_TIMEOUT_S."
            )
