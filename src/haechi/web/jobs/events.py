"""Who waits for what: requests for the end of a job, workers for a job to do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress


class JobEvents:
    """Safe to call from any thread. ``work``: notified whenever a job begins to wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[str, list[Callable[[], None]]] = {}
        self.work = threading.Condition()

    def listen(self, id_: str, call: Callable[[], None]) -> Callable[[], None]:
        """Have ``call`` called, in another thread, when the job ends. Returns what takes this back."""
        with self._lock:
            self._listeners.setdefault(id_, []).append(call)

        def cancel() -> None:
            with self._lock, suppress(KeyError, ValueError):
                self._listeners[id_].remove(call)
                if not self._listeners[id_]:
                    del self._listeners[id_]

        return cancel

    def ended(self, id_: str) -> None:
        """A job has ended or was dropped: tell whoever listens."""
        with self._lock:
            calls = self._listeners.pop(id_, [])
        for call in calls:
            call()

    def announce_work(self) -> None:
        """Wake all that wait for work."""
        with self.work:
            self.work.notify_all()
