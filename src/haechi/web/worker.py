"""What judges, and what watches that it does.

Photographs have a lane of their own, which is always ready, so that none waits for a video. Videos, and what
outlasts the patience of the first lane, have two: the second takes a job when the first has been at its own
for a while.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from haechi.errors import ModelError
from haechi.isolated import CheckProcess
from haechi.settings import Settings
from haechi.web.desk import Desk
from haechi.web.lane import Judge, Lane, Yard, report_crash
from haechi.web.metrics import Metrics

_log = logging.getLogger("haechi.web")

_SWEEP_S = 5.0
_PATIENCE_S = 20.0
_NICE = 5


class Worker:
    """Runs jobs of the desk between ``start`` and ``stop``. ``make(settings, scratch, slow)``: another judge
    than a process of its own."""

    def __init__(
        self,
        desk: Desk,
        settings: Settings,
        metrics: Metrics,
        make: Callable[[Settings, Path, bool], Judge] | None = None,
    ) -> None:
        self._desk, self._stopping = desk, threading.Event()
        yard = Yard(desk, settings, metrics, make or _process, self._stopping)
        self._first = Lane(yard, "photographs", slow=False)
        slow = Lane(yard, "videos", slow=True)
        second = Lane(yard, "videos-2", slow=True, wanted=lambda: slow.busy_s > _PATIENCE_S)
        self._lanes = (self._first, slow, second)
        self._sweeper = threading.Thread(target=self._sweep, name="haechi-sweeper", daemon=True)

    @property
    def warm(self) -> bool:
        """Whether a photograph that comes now is judged at once."""
        return self._first.warm

    @property
    def fault(self) -> ModelError | None:
        """Why nothing can be judged; None when it can."""
        return self._first.fault

    @property
    def still(self) -> bool:
        """Whether a thread has ended, or hangs, that should work."""
        return any(lane.still for lane in self._lanes) or not self._sweeper.is_alive()

    def start(self) -> None:
        for lane in self._lanes:
            lane.start()
        self._sweeper.start()

    def stop(self, wait_s: float = 10.0) -> bool:
        """Break off what runs, so that it waits for the next start. False when it does not let go in time."""
        self._stopping.set()
        self._desk.wake()
        ended = [lane.join(wait_s) for lane in self._lanes]
        if self._sweeper.is_alive():
            self._sweeper.join(wait_s)
        return all(ended) and not self._sweeper.is_alive()

    def _sweep(self) -> None:
        while not self._stopping.wait(_SWEEP_S):
            try:
                self._desk.sweep()
            except sqlite3.Error as error:
                _log.error("expired results cannot be deleted (%s)", error)
            except Exception as error:
                report_crash("sweeping", error)


def _process(settings: Settings, scratch: Path, slow: bool) -> Judge:
    return CheckProcess(settings, scratch=scratch, nice=_NICE if slow else 0)
