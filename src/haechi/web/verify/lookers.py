"""A few threads, each with a process that looks at the frames of challenges; what they are asked waits in
line. An answer to the page never waits for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Protocol, TypeAlias

from haechi.settings import Settings
from haechi.verify.recording import Recording
from haechi.verify.session import Take

PATIENCE_S = 60.0
"""The longest that the frames of one challenge may be looked at."""


class Looker(Protocol):
    """What is needed of ``haechi.isolated.VerificationProcess``."""

    def look(
        self, jpegs: Sequence[bytes], times_s: Sequence[float], kind: str, tell: Callable[[str, float], None]
    ) -> Recording: ...
    def stop(self) -> None: ...


MakeLooker: TypeAlias = Callable[[Settings], Looker]
_Job: TypeAlias = tuple[Take, "Future[Recording]"]


class TooSlow(Exception):
    """The frames of a challenge took longer than ``PATIENCE_S``."""


class _Over(BaseException):
    """The server stops. No Exception, so that nothing on the way takes it for a fault."""


class Lookers:
    """``count`` threads, started when the first frames come. Safe to call from any thread."""

    def __init__(self, count: int, settings: Settings, make: MakeLooker) -> None:
        self._count, self._settings, self._make = count, settings, make
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock, self._over = threading.Lock(), threading.Event()
        self._threads: list[threading.Thread] = []

    def look(self, take: Take) -> Future[Recording]:
        """What the frames show, later; it raises what ``VerificationProcess.look`` raises, TooSlow."""
        with self._lock:
            if not self._threads:
                self._threads = [
                    threading.Thread(target=self._work, name=f"haechi-verify-{i}", daemon=True)
                    for i in range(self._count)
                ]
                for thread in self._threads:
                    thread.start()
        future: Future[Recording] = Future()
        self._jobs.put((take, future))
        return future

    def stop(self) -> None:
        """Break off what runs, and end the processes."""
        self._over.set()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(5)

    def _work(self) -> None:
        looker: Looker | None = None
        while (job := self._jobs.get()) is not None and not self._over.is_set():
            take, future = job
            try:
                looker = looker or self._make(self._settings)
                recording = looker.look(take.jpegs, take.times_s, take.challenge.kind, self._tell())
            except _Over:
                break
            except Exception as error:
                future.set_exception(error)
            else:
                future.set_result(recording)
            del take, job  # with the frames
        if looker is not None:
            looker.stop()

    def _tell(self) -> Callable[[str, float], None]:
        start_s = time.monotonic()

        def tell(_stage: str, _part: float) -> None:
            if self._over.is_set():
                raise _Over
            if time.monotonic() - start_s > PATIENCE_S:
                raise TooSlow

        return tell
