"""What one address may ask for: so many requests a minute, a short burst allowed, and so many at a time."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_MOST_CLIENTS = 10_000


class RateLimiter:
    """``per_min`` requests a minute; ``burst`` of them at once."""

    def __init__(self, per_min: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate_s, self._burst, self._clock = per_min / 60, max(burst, 1.0), clock
        self._lock = threading.Lock()
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> float:
        """0 when the request may pass; else the seconds after which the next one may."""
        now = self._clock()
        with self._lock:
            level, before = self._levels.pop(client, (self._burst, now))
            level = min(self._burst, level + (now - before) * self._rate_s)
            allowed = level >= 1
            self._levels[client] = (level - 1 if allowed else level, now)
            if len(self._levels) > _MOST_CLIENTS:
                self._levels.popitem(last=False)  # whoever was away longest starts with a full bucket again
        return 0.0 if allowed else (1 - level) / self._rate_s


class TooManyAtOnce(Exception):
    """As many of an address are under way as may be."""


class ConcurrencyLimiter:
    """``most`` at the same time from each address."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._counts: Counter[str] = Counter()

    @contextmanager
    def one(self, client: str) -> Iterator[None]:
        """Hold a place of this address. Raises TooManyAtOnce when it has none left."""
        with self._lock:
            if self._counts[client] >= self._most:
                raise TooManyAtOnce
            self._counts[client] += 1
        try:
            yield
        finally:
            with self._lock:
                self._counts[client] -= 1
                if not self._counts[client]:
                    del self._counts[client]
