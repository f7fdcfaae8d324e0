"""One worker of the queue: a thread that takes the jobs of its kind in order of arrival and has each checked
in a process of its own. Whatever becomes of a job, its end is stored before the next one is taken."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from haechi.errors import Fault, HaechiError, InputError, ModelError, UsageError
from haechi.isolated import Kept
from haechi.pipeline import Progress
from haechi.settings import Settings
from haechi.web.crash_log import log_crash
from haechi.web.jobs.database import DatabaseError
from haechi.web.jobs.queue import JobQueue
from haechi.web.jobs.records import Task
from haechi.web.metrics import Metrics

_log = logging.getLogger("haechi.web")

QUICK_S = 20.0
"""The longest that a job may hold up the others of the worker for photographs."""
STALLED_S = 10.0
"""A worker that shows no life for so long has stalled."""
_IDLE_S = 1.0
_REPAIR_S = 5.0
_KEEP_IDLE_S = 30.0


class CheckRunner(Protocol):
    """What a worker needs of ``haechi.isolated.CheckProcess``. ``progress`` is called every now and then
    while one waits; what it raises ends the check at once."""

    @property
    def alive(self) -> bool: ...
    def warm(self, progress: Progress) -> None: ...
    def kept(self, source: Path, name: str, progress: Progress) -> Kept: ...
    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What all workers share. ``make``: of the settings, the folder for temporary files and whether the
    worker is for slow jobs, what checks."""

    queue: JobQueue
    scratch: Path
    settings: Settings
    metrics: Metrics
    make: Callable[[Settings, Path, bool], CheckRunner]
    stopping: threading.Event


class _Interrupted(BaseException):
    """A check is broken off. No Exception, so that nothing on the way takes it for a fault of its own."""


class _Cancelled(_Interrupted):
    """The job was dropped, or the server stops."""


class _Demoted(_Interrupted):
    """The job took long while others waited: it goes on with a slow worker, from its beginning."""


class Worker:
    """Works between ``start`` and the event ``stopping``. One that is ``slow`` loads networks when it is
    needed and frees them when it is not; the other keeps them ready. ``is_needed``: whether it may take a job
    now.

    ``warm``: networks are loaded. ``fault``: why they cannot be, None when they can."""

    def __init__(
        self, context: WorkerContext, name: str, *, slow: bool, is_needed: Callable[[], bool] | None = None
    ) -> None:
        self._context, self._slow = context, slow
        self._is_needed = is_needed or (lambda: True)
        self._process: CheckRunner | None = None
        self._thread = threading.Thread(target=self._run, name=f"haechi-worker-{name}", daemon=True)
        self._seen_s = self._began_s = time.monotonic()
        self._busy = False
        self.warm = False
        self.fault: ModelError | None = None

    def start(self) -> None:
        self._seen_s = time.monotonic()
        self._thread.start()

    def join(self, wait_s: float) -> bool:
        """Whether the thread has ended within this time."""
        if self._thread.is_alive():
            self._thread.join(wait_s)
        return not self._thread.is_alive()

    @property
    def stalled(self) -> bool:
        """Whether nothing moves here, although it should."""
        return not self._thread.is_alive() or time.monotonic() - self._seen_s > STALLED_S

    @property
    def busy_s(self) -> float:
        """For how long it has been at its job; 0 without one."""
        return time.monotonic() - self._began_s if self._busy else 0.0

    def _run(self) -> None:
        while not self._context.stopping.is_set():
            self._seen_s = time.monotonic()
            try:
                self._take_one()
            except Exception as error:  # of the store, which then holds no job for us
                log_crash("worker", error)
                self._context.stopping.wait(_REPAIR_S)
        self._unload()

    def _take_one(self) -> None:
        if not self._slow and not self._ready():
            self._context.stopping.wait(_REPAIR_S if self.fault else 0)
            return
        task = None
        if self._is_needed():
            task = self._context.queue.next(_IDLE_S, slow=self._slow)
        else:
            self._context.stopping.wait(_IDLE_S)
        if task is not None:
            self._began_s, self._busy = time.monotonic(), True
            try:
                self._run_job(task)
            except Exception as error:  # none that is foreseen; the job must end all the same
                log_crash("worker", error)
                self._store_end(partial(self._context.queue.fail, task.id, HaechiError.code, ""))
            finally:
                self._began_s, self._busy = time.monotonic(), False
        elif self._slow and time.monotonic() - self._began_s > _KEEP_IDLE_S:
            self._unload()

    def _ready(self) -> bool:
        """Load every network and judge a blank picture, unless that is done and the process lives: so that
        the next upload does not wait for either."""
        if self.warm and self._process is not None and self._process.alive:
            return True
        self.warm = False
        try:
            self._checker().warm(self._heartbeat)
        except _Cancelled:
            return False
        except Exception as error:
            self._unload()
            self.fault = _fault(error)
            _log.error("%s", self.fault.message)
            return False
        self.fault, self.warm = None, True
        return True

    def _checker(self) -> CheckRunner:
        """The process that checks, made when it is first needed."""
        if self._process is None:
            self._process = self._context.make(self._context.settings, self._context.scratch, self._slow)
        return self._process

    def _unload(self) -> None:
        """End the process that checks."""
        self.warm = False
        process, self._process = self._process, None
        if process is not None:
            process.stop()

    def _heartbeat(self, _stage: str, _part: float) -> None:
        self._seen_s = time.monotonic()
        if self._context.stopping.is_set():
            raise _Cancelled

    def _run_job(self, task: Task) -> None:
        queue, start = self._context.queue, time.perf_counter()

        def report_progress(stage: str, part: float) -> None:
            self._heartbeat(stage, part)
            if not queue.progress(task.id, stage, part):
                raise _Cancelled
            if not self._slow and self.busy_s > QUICK_S and queue.waits(slow=False):
                raise _Demoted

        try:
            result = self._checker().kept(task.original, task.name, report_progress)
        except _Interrupted as end:
            self._store_end(partial(queue.release, task.id, slow=isinstance(end, _Demoted)))
            return
        except (InputError, ModelError) as error:
            outcome, message = error.code, error.message
            if isinstance(error, ModelError):
                self._unload()
                self.fault = error
                _log.error("%s", message)
        except Exception as error:
            outcome, message = HaechiError.code, ""
            log_crash("check", error)
        else:
            outcome = result.level
            self._store_end(partial(queue.finish, task.id, result.data))
            self._context.metrics.ended(outcome, time.perf_counter() - start)
            return
        self._store_end(partial(queue.fail, task.id, outcome, message))
        self._context.metrics.ended(outcome, time.perf_counter() - start)

    def _store_end(self, change: Callable[[], None]) -> None:
        """Make a change of the store; on a full disk again and again, until there is room. Meanwhile the
        worker stands still, and the server is not ready."""
        while True:
            try:
                change()
                return
            except DatabaseError as error:
                _log.error("a result cannot be stored (%s): free some room on the disk", error)
                if self._context.stopping.wait(_REPAIR_S):
                    return  # the job is still marked as running, so it is checked anew after the next start


def _fault(error: Exception) -> ModelError:
    """Why the models cannot be loaded."""
    if isinstance(error, ModelError):
        return error
    if isinstance(error, UsageError):  # a setting names a list that is none
        return ModelError(error.message)
    log_crash("loading of the models", error)
    kind = error.kind if isinstance(error, Fault) else type(error).__name__
    return ModelError(f"The models cannot be loaded ({kind}): see `haechi doctor`.")
