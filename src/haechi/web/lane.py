"""One lane of the queue: a thread that takes the jobs of its kind in order of arrival and has each judged in
a process of its own. Whatever becomes of a job, its end is stored before the next one is taken."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from haechi.check import Progress
from haechi.errors import Fault, HaechiError, InputError, ModelError, UsageError
from haechi.isolated import Kept
from haechi.settings import Settings
from haechi.web.desk import Desk, Task
from haechi.web.metrics import Metrics

_log = logging.getLogger("haechi.web")

QUICK_S = 20.0
"""The longest that a job may hold up the others of the first lane."""
STILL_S = 10.0
"""A lane that shows no life for so long stands still."""
_IDLE_S = 1.0
_REPAIR_S = 5.0
_KEEP_IDLE_S = 30.0


class Judge(Protocol):
    """What a lane needs of ``haechi.isolated.CheckProcess``. ``progress`` is called every now and then while
    one waits; what it raises ends the check at once."""

    @property
    def alive(self) -> bool: ...
    def warm(self, progress: Progress) -> None: ...
    def kept(self, source: Path, name: str, progress: Progress) -> Kept: ...
    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Yard:
    """What all lanes share."""

    desk: Desk
    settings: Settings
    metrics: Metrics
    make: Callable[[Settings, Path, bool], Judge]
    stopping: threading.Event


class _Broken(BaseException):
    """A check is broken off. No Exception, so that nothing on the way takes it for a fault of its own."""


class _Abandoned(_Broken):
    """The job was dropped, or the server stops."""


class _Outlasted(_Broken):
    """The job took long while others waited: it goes on in a slow lane, from its beginning."""


class Lane:
    """Between ``start`` and the event ``stopping``. A lane that is ``slow`` loads networks when it is needed
    and frees them when it is not; the other keeps them ready. ``wanted``: whether it may take a job now.

    ``warm``: networks are loaded. ``fault``: why they cannot be, None when they can."""

    def __init__(
        self, yard: Yard, name: str, *, slow: bool, wanted: Callable[[], bool] | None = None
    ) -> None:
        self._yard, self._slow = yard, slow
        self._wanted = wanted or (lambda: True)
        self._judge: Judge | None = None
        self._thread = threading.Thread(target=self._run, name=f"haechi-lane-{name}", daemon=True)
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
    def still(self) -> bool:
        """Whether nothing moves here, although it should."""
        return not self._thread.is_alive() or time.monotonic() - self._seen_s > STILL_S

    @property
    def busy_s(self) -> float:
        """For how long it has been at its job; 0 without one."""
        return time.monotonic() - self._began_s if self._busy else 0.0

    def _run(self) -> None:
        while not self._yard.stopping.is_set():
            self._seen_s = time.monotonic()
            try:
                self._turn()
            except Exception as error:  # of the store, which then holds no job for us
                report_crash("worker", error)
                self._yard.stopping.wait(_REPAIR_S)
        self._rest()

    def _turn(self) -> None:
        if not self._slow and not self._ready():
            self._yard.stopping.wait(_REPAIR_S if self.fault else 0)
            return
        task = None
        if self._wanted():
            task = self._yard.desk.next(_IDLE_S, slow=self._slow)
        else:
            self._yard.stopping.wait(_IDLE_S)
        if task is not None:
            self._began_s, self._busy = time.monotonic(), True
            try:
                self._work(task)
            except Exception as error:  # none that is foreseen; the job must end all the same
                report_crash("worker", error)
                self._insist(partial(self._yard.desk.fail, task.id, HaechiError.code, ""))
            finally:
                self._began_s, self._busy = time.monotonic(), False
        elif self._slow and time.monotonic() - self._began_s > _KEEP_IDLE_S:
            self._rest()

    def _ready(self) -> bool:
        """Load every network and judge a blank picture, unless that is done and the process lives: so that
        the next upload does not wait for either."""
        if self.warm and self._judge is not None and self._judge.alive:
            return True
        self.warm = False
        try:
            self._judging().warm(self._look_up)
        except _Abandoned:
            return False
        except Exception as error:
            self._rest()
            self.fault = _fault(error)
            _log.error("%s", self.fault.message)
            return False
        self.fault, self.warm = None, True
        return True

    def _judging(self) -> Judge:
        """The process that checks, made when it is first needed."""
        if self._judge is None:
            self._judge = self._yard.make(self._yard.settings, self._yard.desk.scratch, self._slow)
        return self._judge

    def _rest(self) -> None:
        """End the process that checks."""
        self.warm = False
        judge, self._judge = self._judge, None
        if judge is not None:
            judge.stop()

    def _look_up(self, _stage: str, _part: float) -> None:
        self._seen_s = time.monotonic()
        if self._yard.stopping.is_set():
            raise _Abandoned

    def _work(self, task: Task) -> None:
        desk, start = self._yard.desk, time.perf_counter()

        def tell(stage: str, part: float) -> None:
            self._look_up(stage, part)
            if not desk.progress(task.id, stage, part):
                raise _Abandoned
            if not self._slow and self.busy_s > QUICK_S and desk.waits(slow=False):
                raise _Outlasted

        try:
            kept = self._judging().kept(task.original, task.name, tell)
        except _Broken as end:
            self._insist(partial(desk.release, task.id, slow=isinstance(end, _Outlasted)))
            return
        except (InputError, ModelError) as error:
            outcome, message = error.code, error.message
            if isinstance(error, ModelError):
                self._rest()
                self.fault = error
                _log.error("%s", message)
        except Exception as error:
            outcome, message = HaechiError.code, ""
            report_crash("check", error)
        else:
            outcome = kept.level
            self._insist(partial(desk.finish, task.id, kept.data))
            self._yard.metrics.ended(outcome, time.perf_counter() - start)
            return
        self._insist(partial(desk.fail, task.id, outcome, message))
        self._yard.metrics.ended(outcome, time.perf_counter() - start)

    def _insist(self, change: Callable[[], None]) -> None:
        """Make a change of the store; on a full disk again and again, until there is room. Meanwhile the lane
        stands still, and the server is not ready."""
        while True:
            try:
                change()
                return
            except sqlite3.Error as error:
                _log.error("a result cannot be stored (%s): free some room on the disk", error)
                if self._yard.stopping.wait(_REPAIR_S):
                    return  # the job is still marked as running, so it is checked anew after the next start


def _fault(error: Exception) -> ModelError:
    """Why the models cannot be loaded."""
    if isinstance(error, ModelError):
        return error
    if isinstance(error, UsageError):  # a setting names a list that is none
        return ModelError(error.message)
    report_crash("loading of the models", error)
    kind = error.kind if isinstance(error, Fault) else type(error).__name__
    return ModelError(f"The models cannot be loaded ({kind}): see `haechi doctor`.")


def report_crash(where: str, error: BaseException) -> None:
    """Log a fault of ours by its kind and place. Its text is left out: it may name the user's file."""
    if isinstance(error, Fault):
        kind, steps = error.kind, error.steps
    else:
        kind, steps = type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
    _log.error("internal error in the %s: %s\n%s", where, kind, steps)
