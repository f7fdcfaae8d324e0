"""The engine on one machine: threads, each with a process that makes rows.

    source -> feeder thread -> few items -> worker threads, each with a RowProcess -> few rows -> rows()

Both queues are short: the source is read no faster than its files are checked, and memory does not grow with
it. Threads and not one loop, because a child ends with the thread that started it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, Full, Queue
from typing import TypeAlias

from haechi.batch.items import Item
from haechi.batch.rows import Row
from haechi.batch.worker import TARGET, RowProcess
from haechi.models import cores
from haechi.settings import Settings

_BEAT_S = 0.2


class _Stopped(Exception):
    """Nobody wants the row any more."""


@dataclass(frozen=True, slots=True)
class _Failed:
    """What ended a thread."""

    error: BaseException


#: A row; why a thread ended; None for one that has nothing left to do.
_Answer: TypeAlias = Row | _Failed | None


class Engine:
    """Makes rows of items in ``workers`` processes, which share the processors. ``scratch``: a folder for
    temporary files. Used as a context, at whose end all processes have ended."""

    def __init__(self, settings: Settings, workers: int, scratch: Path, target: str = TARGET) -> None:
        threads = settings.threads or max(cores() // workers, 1)
        self._settings, self._workers = replace(settings, threads=threads), workers
        self._scratch, self._target = scratch, target
        self._items: Queue[Item | None] = Queue(workers)
        self._answers: Queue[_Answer] = Queue(4 * workers)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            # A feeder that waits for standard input, or for a slow disk, cannot be told: it ends with us.
            if thread.name != _FEEDER:
                thread.join()

    def rows(self, items: Iterable[Item]) -> Iterator[Row | None]:
        """The row of each item, in the order in which they are done; None every now and then when there is
        none. Raises what the items raise, and what ``RowProcess`` does."""
        self._start(_FEEDER, lambda: self._feed(items))
        for number in range(self._workers):
            self._start(f"haechi-batch-{number}", self._work)
        active = self._workers
        while active:
            try:
                answer = self._answers.get(timeout=_BEAT_S)
            except Empty:
                yield None
                continue
            if isinstance(answer, _Failed):
                raise answer.error
            if answer is None:
                active -= 1
            else:
                yield answer

    def _start(self, name: str, job: Callable[[], None]) -> None:
        thread = threading.Thread(target=self._run, args=(job,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, job: Callable[[], None]) -> None:
        try:
            job()
        except _Stopped:
            pass
        except BaseException as error:
            with suppress(_Stopped):
                self._put(self._answers, _Failed(error))

    def _feed(self, items: Iterable[Item]) -> None:
        for item in items:
            self._put(self._items, item)
        for _ in range(self._workers):
            self._put(self._items, None)

    def _work(self) -> None:
        process = RowProcess(self._settings, self._scratch, self._beat, self._target)
        try:
            while (item := self._next()) is not None:
                self._put(self._answers, process.row(item))
                if item.content is not None:
                    item.content.unlink(missing_ok=True)
            self._put(self._answers, None)
        finally:
            process.stop()

    def _beat(self) -> None:
        if self._stop.is_set():
            raise _Stopped

    def _next(self) -> Item | None:
        while True:
            self._beat()
            with suppress(Empty):
                return self._items.get(timeout=_BEAT_S)

    def _put(self, queue: Queue[_Answer] | Queue[Item | None], value: object) -> None:
        while True:
            self._beat()
            with suppress(Full):
                queue.put(value, timeout=_BEAT_S)  # type: ignore[arg-type]
                return


_FEEDER = "haechi-batch-feeder"
