"""Which worker takes which jobs, and what is cleaned up beside them.

Photographs have a worker of their own, which is always ready, so that none waits for a video. Videos, and
what outlasts the patience of the first worker, have two: the second takes a job when the first has been at
its own for a while.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from haechi.errors import ModelError
from haechi.isolated import CheckProcess
from haechi.settings import Settings
from haechi.web.crash_log import log_crash
from haechi.web.jobs.database import DatabaseError
from haechi.web.jobs.store import JobStore
from haechi.web.jobs.worker import CheckRunner, Worker, WorkerContext
from haechi.web.metrics import Metrics

_log = logging.getLogger("haechi.web")

_SWEEP_S = 5.0
_PATIENCE_S = 20.0
_NICE = 5


class Scheduler:
    """Runs the jobs of the store between ``start`` and ``stop``. ``make(settings, scratch, slow)``: what
    checks, if not a process of its own."""

    def __init__(
        self,
        store: JobStore,
        settings: Settings,
        metrics: Metrics,
        make: Callable[[Settings, Path, bool], CheckRunner] | None = None,
    ) -> None:
        self._store, self._stopping = store, threading.Event()
        context = WorkerContext(
            store.queue, store.scratch, settings, metrics, make or _process, self._stopping
        )
        self._first = Worker(context, "photographs", slow=False)
        slow = Worker(context, "videos", slow=True)
        second = Worker(context, "videos-2", slow=True, is_needed=lambda: slow.busy_s > _PATIENCE_S)
        self._workers = (self._first, slow, second)
        self._sweeper = threading.Thread(target=self._sweep, name="haechi-sweeper", daemon=True)

    @property
    def warm(self) -> bool:
        """Whether a photograph that comes now is checked at once."""
        return self._first.warm

    @property
    def fault(self) -> ModelError | None:
        """Why nothing can be checked; None when it can."""
        return self._first.fault

    @property
    def stalled(self) -> bool:
        """Whether a thread has ended, or hangs, that should work."""
        return any(worker.stalled for worker in self._workers) or not self._sweeper.is_alive()

    def start(self) -> None:
        for worker in self._workers:
            worker.start()
        self._sweeper.start()

    def stop(self, wait_s: float = 10.0) -> bool:
        """Break off what runs, so that it waits for the next start. False when it does not let go in time."""
        self._stopping.set()
        self._store.events.announce_work()
        ended = [worker.join(wait_s) for worker in self._workers]
        if self._sweeper.is_alive():
            self._sweeper.join(wait_s)
        return all(ended) and not self._sweeper.is_alive()

    def _sweep(self) -> None:
        while not self._stopping.wait(_SWEEP_S):
            try:
                self._store.sweep()
            except DatabaseError as error:
                _log.error("expired results cannot be deleted (%s)", error)
            except Exception as error:
                log_crash("sweeping", error)


def _process(settings: Settings, scratch: Path, slow: bool) -> CheckRunner:
    return CheckProcess(settings, scratch=scratch, nice=_NICE if slow else 0)
