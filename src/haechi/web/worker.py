"""The one thread that judges: jobs in order of arrival, networks loaded once, the next file read ahead. A
second thread files each report while the next job is judged."""

from __future__ import annotations

import io
import logging
import sqlite3
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Protocol

from haechi.check import Progress, Source
from haechi.errors import HaechiError, InputError, ModelError, UsageError
from haechi.report import keep
from haechi.settings import Settings
from haechi.types import Report
from haechi.web.desk import Desk, Task
from haechi.web.metrics import Metrics

_log = logging.getLogger("haechi.web")

_IDLE_S = 1.0
_REPAIR_S = 5.0
_SWEEP_S = 5.0


class Judge(Protocol):
    """What the worker needs of ``haechi.check.Checker``."""

    def check(
        self,
        source: Source,
        progress: Progress | None = None,
        *,
        previews: bool = False,
        then: Source | None = None,
    ) -> Report: ...


class _Abandoned(BaseException):
    """The job was dropped, or the server stops. No Exception, so that nothing on the way takes it for a
    fault of its own."""


class Worker:
    """Runs jobs of the desk between ``start`` and ``stop``. ``fault``: why it cannot, None when it can."""

    def __init__(
        self,
        desk: Desk,
        settings: Settings,
        metrics: Metrics,
        make: Callable[[Settings], Judge] | None = None,
    ) -> None:
        self._desk, self._settings, self._metrics = desk, settings, metrics
        self._make = make or _checker
        self._judges: dict[bool, Judge] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="haechi-worker", daemon=True)
        self._sweeper = threading.Thread(target=self._sweep, name="haechi-sweeper", daemon=True)
        self._clerk = ThreadPoolExecutor(1, thread_name_prefix="haechi-clerk")
        self._filing: Future[None] | None = None
        self.warm = False
        self.fault: ModelError | None = None

    def start(self) -> None:
        self._thread.start()
        self._sweeper.start()

    def stop(self, wait_s: float = 10.0) -> bool:
        """Break off what runs, so that it waits for the next start. False when it does not let go in time."""
        self._stopping.set()
        self._desk.wake()
        for thread in (self._thread, self._sweeper):
            if thread.is_alive():
                thread.join(wait_s)
        self._clerk.shutdown()
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self.warm and not self._warm_up():
                self._stopping.wait(_REPAIR_S)
                continue
            try:
                task = self._desk.next(_IDLE_S)
                if task is not None:
                    self._work(task)
            except Exception as error:  # of the store, which then holds no job for us
                report_crash("worker", error)
                self._stopping.wait(_REPAIR_S)

    def _warm_up(self) -> bool:
        """Load every network and judge a blank picture, so that the first upload does not wait for either."""
        try:
            self._judge(thorough=self._settings.thorough).check(_blank())
        except Exception as error:
            self._judges.clear()
            if not isinstance(error, ModelError):
                if not isinstance(error, UsageError):  # a setting names a list that is none: it says so
                    report_crash("loading of the models", error)
                error = ModelError(
                    error.message
                    if isinstance(error, UsageError)
                    else f"The models cannot be loaded ({type(error).__name__}): see `haechi doctor`."
                )
            self.fault = error
            _log.error("%s", error.message)
            return False
        self.fault, self.warm = None, True
        return True

    def _judge(self, *, thorough: bool) -> Judge:
        if thorough not in self._judges:
            self._judges[thorough] = self._make(replace(self._settings, thorough=thorough))
        return self._judges[thorough]

    def _work(self, task: Task) -> None:
        def tell(stage: str, part: float) -> None:
            if self._stopping.is_set() or not self._desk.progress(task.id, stage, part):
                raise _Abandoned

        start = time.perf_counter()
        try:
            judge = self._judge(thorough=task.thorough)
            # Without its pixels, or up to three pictures would be in memory at once.
            report = keep.bare(judge.check(task.original, tell, previews=True, then=task.then))
        except _Abandoned:
            self._insist(partial(self._desk.release, task.id))
            return
        except InputError as error:
            code, message = error.code, error.message
        except ModelError as error:
            code, message = error.code, error.message
            self._judges.clear()
            self.warm, self.fault = False, error
            _log.error("%s", message)
        except Exception as error:
            code, message = HaechiError.code, ""
            report_crash("check", error)
        else:
            if self._filing is not None:
                self._filing.result()  # one at a time: pictures must not pile up in memory
            self._filing = self._clerk.submit(self._file, task, report, start)
            return
        self._insist(partial(self._desk.fail, task.id, code, message))
        self._metrics.ended(code, time.perf_counter() - start)

    def _file(self, task: Task, report: Report, start: float) -> None:
        """Store the report of a job. The file lies under its identifier; people know it by the name that came
        with it."""
        outcome: str = report.verdict.level
        try:
            kept = keep.dump(replace(report, media=replace(report.media, name=task.name)))
        except Exception as error:
            report_crash("filing", error)
            outcome = HaechiError.code
            self._insist(partial(self._desk.fail, task.id, outcome, ""))
        else:
            self._insist(partial(self._desk.finish, task.id, kept))
        self._metrics.ended(outcome, time.perf_counter() - start)

    def _insist(self, change: Callable[[], None]) -> None:
        """Make a change of the store; on a full disk again and again, until there is room."""
        while True:
            try:
                change()
                return
            except sqlite3.OperationalError as error:
                _log.error("a result cannot be stored (%s): free some room on the disk", error)
                if self._stopping.wait(_REPAIR_S):
                    return  # the job is still marked as running, so it is checked anew after the next start

    def _sweep(self) -> None:
        while not self._stopping.wait(_SWEEP_S):
            try:
                self._desk.sweep()
            except sqlite3.Error as error:
                _log.error("expired results cannot be deleted (%s)", error)


def report_crash(where: str, error: BaseException) -> None:
    """Log a fault of ours by its kind and place. Its text is left out: it may name the user's file."""
    steps = "".join(traceback.format_tb(error.__traceback__))
    _log.error("internal error in the %s: %s\n%s", where, type(error).__name__, steps)


def _checker(settings: Settings) -> Judge:
    from haechi.check import Checker

    return Checker(settings)


def _blank() -> bytes:
    """A picture of 64 x 64 px without anything on it."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (64, 64), (127, 127, 127)).save(out, "PNG")
    return out.getvalue()
