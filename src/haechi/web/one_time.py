"""The code that lets one device in, once: for a phone in the same network (``haechi serve --lan``).

It stands in an address that a terminal shows and a camera reads, so it is worth nothing as soon as it was
used, and after a quarter of an hour. What it opens is a session like any other.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable

LASTS_S = 900.0


class OneTimeCode:
    """Made anew with every start of the server. Safe to call from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.text = secrets.token_urlsafe(24)
        self._clock, self._lock = clock, threading.Lock()
        self._end_s, self._is_used = clock() + LASTS_S, False

    def opens(self, text: str) -> bool:
        """Whether this is the code, and still lets somebody in. In constant time."""
        same = hmac.compare_digest(text.encode("utf-8", "replace"), self.text.encode())
        return same and not self._is_used and self._clock() < self._end_s

    def use(self, text: str) -> bool:
        """The same, and the last time that it does. Of two who come at the same moment one is let in."""
        with self._lock:
            if not self.opens(text):
                return False
            self._is_used = True
            return True
