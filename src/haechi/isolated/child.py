"""What runs in the child process: takes requests from its standard input, one at a time, and answers each.

Every line is JSON. The first tells ``{"settings", "nice", "parent"}``, each later one is a request
for the target, an object that ``MODULE:FUNCTION`` made of the settings. A request is answered by

    {"begun": true}                                      it was taken up; what kills the process now did it
    {"stage": …, "part": …}                              any number of times
    {"done": {…}, "size": n}, and n bytes                or, in its place,
    {"error": code, "kind": "input"|"model"|"usage"|"own", "message": …}
    {"fault": name, "steps": …}                          it broke down, and where

The process ends with its standard input. Nobody hears what libraries print.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from queue import SimpleQueue
from typing import Any, BinaryIO, Protocol

from haechi.errors import HaechiError, InputError, ModelError, OverLimit, UsageError
from haechi.isolated import limits
from haechi.settings import Settings

_OFTEN_S = 0.05
_CV_NO_MEMORY = -4  # cv2.Error.StsNoMem


class Target(Protocol):
    """What answers requests."""

    def answer(
        self, request: Mapping[str, Any], tell: Callable[[str, float], None]
    ) -> tuple[Mapping[str, Any], bytes]: ...


def main() -> None:
    """``python -m haechi.isolated.child MODULE:FUNCTION``."""
    if hasattr(signal, "SIGINT"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    speaker = _Speaker(_own_stdout())
    order = json.loads(sys.stdin.buffer.readline())
    limits.end_with(order["parent"])
    settings, target = Settings(**order["settings"]), None
    limits.limit_memory(settings.max_memory_bytes)
    limits.yield_to_others(order["nice"])
    requests: SimpleQueue[Mapping[str, Any]] = SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, requests), daemon=True).start()
    while True:
        request = requests.get()
        try:
            target = target or _made(sys.argv[1], settings)
            speaker.say({"begun": True})
            outcome, data = target.answer(request, speaker.tell)
        except Exception as error:
            speaker.say(_told(error))
        else:
            speaker.say({"done": outcome, "size": len(data)}, data)
        del request


def _own_stdout() -> BinaryIO:
    """Standard output for us alone; what anything else writes there goes nowhere."""
    own = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return own


def _listen(lines: BinaryIO, requests: SimpleQueue[Mapping[str, Any]]) -> None:
    for line in lines:
        requests.put(json.loads(line))
    os._exit(0)  # at once, whatever native code the other threads are in


def _made(name: str, settings: Settings) -> Target:
    module, _, function = name.partition(":")
    target: Target = getattr(import_module(module), function)(settings)
    return target


class _Speaker:
    """Writes answers, progress not more often than it is of use."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._stage, self._next_s = "", 0.0

    def tell(self, stage: str, part: float) -> None:
        now = time.monotonic()
        if stage != self._stage or now >= self._next_s:
            self._stage, self._next_s = stage, now + _OFTEN_S
            self.say({"stage": stage, "part": part})

    def say(self, line: Mapping[str, Any], data: bytes = b"") -> None:
        self._out.write(json.dumps(line).encode() + b"\n")
        self._out.write(data)
        self._out.flush()


def _told(error: Exception) -> dict[str, Any]:
    """An error as its line. The text of a fault is left out: it may name the user's file."""
    no_memory = type(error).__module__ == "cv2" and getattr(error, "code", 0) == _CV_NO_MEMORY
    if no_memory or isinstance(error, MemoryError):
        error = OverLimit(
            "Checking this file needs more memory than the limit leaves: reduce it, or raise "
            "HAECHI_MAX_MEMORY_BYTES."
        )
    if isinstance(error, HaechiError):
        kinds = {"input": InputError, "model": ModelError, "usage": UsageError, "own": HaechiError}
        kind = next(name for name, root in kinds.items() if isinstance(error, root))
        return {"error": error.code, "kind": kind, "message": error.message}
    steps = "".join(traceback.format_tb(error.__traceback__))
    return {"fault": type(error).__name__, "steps": steps}


if __name__ == "__main__":
    main()
