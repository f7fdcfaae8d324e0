"""What workers ask of the job store: the next job, and to note how it goes and how it ends."""

from __future__ import annotations

import threading
import time

from haechi.web.jobs.database import JobDatabase
from haechi.web.jobs.events import JobEvents
from haechi.web.jobs.originals import Originals
from haechi.web.jobs.records import Task


class JobQueue:
    """Safe to call from any thread; raises DatabaseError."""

    def __init__(self, database: JobDatabase, originals: Originals, events: JobEvents, keep_s: float) -> None:
        self._database, self._originals, self._events, self._keep_s = database, originals, events, keep_s
        self._lock = threading.Lock()
        self._progress: dict[str, tuple[str, float]] = {}

    def next(self, wait_s: float, *, slow: bool = False) -> Task | None:
        """Claim the oldest waiting job of a kind; wait that long for one. Slow are videos, and what took long
        while others waited."""
        with self._events.work:  # held from the first look on, so that no announcement is missed
            row = self._database.claim(slow=slow)
            if row is None:
                self._events.work.wait(wait_s)
                row = self._database.claim(slow=slow)
        if row is None:
            return None
        with self._lock:
            self._progress[row.id] = ("open", 0.0)
        return Task(row.id, row.name, self._originals.path(row.id))

    def waits(self, *, slow: bool) -> bool:
        """Whether a job of this kind waits."""
        return self._database.waits(slow=slow)

    def progress(self, id_: str, stage: str, part: float) -> bool:
        """Note how far the running job is; False when it was dropped."""
        with self._lock:
            self._progress[id_] = (stage, part)
        return self._database.get(id_) is not None

    def progress_of(self, id_: str) -> tuple[str, float] | None:
        """Stage and part of a job that runs here."""
        with self._lock:
            return self._progress.get(id_)

    def finish(self, id_: str, report: bytes) -> None:
        """Store the report, then delete the original."""
        self._database.finish(id_, report, time.time() + self._keep_s)
        self._end(id_)

    def fail(self, id_: str, code: str, message: str) -> None:
        """End the job without a report, and delete the original."""
        self._database.fail(id_, code, message, time.time() + self._keep_s)
        self._end(id_)

    def release(self, id_: str, *, slow: bool = False) -> None:
        """The job was interrupted on purpose and waits again; ``slow``: from now on with the videos."""
        self._database.release(id_, slow=slow)
        self._forget(id_)
        self._events.announce_work()

    def _end(self, id_: str) -> None:
        self._forget(id_)
        self._originals.delete(id_)
        self._events.ended(id_)

    def _forget(self, id_: str) -> None:
        with self._lock:
            self._progress.pop(id_, None)
