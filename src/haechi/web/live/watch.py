"""One call and the thread that asks its process: the event loop only waits for the answers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

_T = TypeVar("_T")
PATIENCE_S = 10.0
"""The longest that one frame may take; what takes longer is broken off, and the call with it."""


class CallWatcher(Protocol):
    """What is needed of ``haechi.isolated.CallProcess``."""

    def begin(self, tell: Callable[[str, float], None]) -> Mapping[str, Any]: ...
    def add(self, jpeg: bytes, time_s: float, tell: Callable[[str, float], None]) -> Mapping[str, Any]: ...
    def miss(self, time_s: float, tell: Callable[[str, float], None]) -> Mapping[str, Any]: ...
    def ask(self, name: str, tell: Callable[[str, float], None]) -> None: ...
    def judge(self, was_done: bool, tell: Callable[[str, float], None]) -> None: ...
    def stop(self) -> None: ...


class TooSlow(Exception):
    """A frame took longer than ``PATIENCE_S``."""


class _Over(BaseException):
    """Nobody wants the answer any more. No Exception, so that nothing on the way takes it for a fault."""


class Watch:
    """Asks a watcher, made by ``make`` in a thread of its own that lives as long as the call does."""

    def __init__(self, make: Callable[[], CallWatcher]) -> None:
        self._make = make
        self._watcher: CallWatcher | None = None
        self._over = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="haechi-live")

    async def begin(self) -> Mapping[str, Any]:
        """Load the networks. Raises what ``CallProcess.begin`` raises."""
        return await self._ask(lambda watcher: watcher.begin(self._tell(None)))

    async def add(self, jpeg: bytes, time_s: float) -> Mapping[str, Any]:
        """The state after a frame. Raises what ``CallProcess.add`` raises, TooSlow."""
        return await self._ask(lambda watcher: watcher.add(jpeg, time_s, self._tell(PATIENCE_S)))

    async def miss(self, time_s: float) -> Mapping[str, Any]:
        """The state without one. Raises what ``CallProcess.miss`` raises, TooSlow."""
        return await self._ask(lambda watcher: watcher.miss(time_s, self._tell(PATIENCE_S)))

    async def ask(self, name: str) -> None:
        """Ask for a challenge. Raises what ``CallProcess.ask`` raises, TooSlow."""
        await self._ask(lambda watcher: watcher.ask(name, self._tell(PATIENCE_S)))

    async def judge(self, was_done: bool) -> None:
        """Whether one was done that no picture shows. Raises what ``CallProcess.judge`` raises, TooSlow."""
        await self._ask(lambda watcher: watcher.judge(was_done, self._tell(PATIENCE_S)))

    def end(self) -> None:
        """Break off what runs and end the process, soon; nobody waits for it."""
        self._over.set()
        self._thread.submit(self._stop)
        self._thread.shutdown(wait=False)

    async def _ask(self, call: Callable[[CallWatcher], _T]) -> _T:
        def answer() -> _T:
            if self._over.is_set():
                raise _Over
            if self._watcher is None:
                self._watcher = self._make()
            return call(self._watcher)

        return await asyncio.get_running_loop().run_in_executor(self._thread, answer)

    def _stop(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()

    def _tell(self, patience_s: float | None) -> Callable[[str, float], None]:
        start = time.monotonic()

        def tell(_stage: str, _part: float) -> None:
            if self._over.is_set():
                raise _Over
            if patience_s is not None and time.monotonic() - start > patience_s:
                raise TooSlow

        return tell
