"""The C2PA library, of the extra ``provenance``: is it there, and what does it find in a file."""

from __future__ import annotations

import json
import os
import sys
import threading
import weakref
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haechi.media.original import Original

if TYPE_CHECKING:
    import subprocess

#: Formats of ``sniff`` in which the library finds manifest stores.
MEDIA_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "avif": "image/avif",
    "heic": "image/heic",
    "jxl": "image/jxl",
    "gif": "image/gif",
    "tiff": "image/tiff",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "avi": "video/avi",
}
_PROCESS = Path(__file__).with_name("c2pa_process.py")


class Refused(Exception):
    """The library read nothing; the argument is its own word for the cause, or the name of the breakdown."""


@cache
def installed() -> bool:
    """Whether the library is there; it is not loaded for that."""
    return find_spec("c2pa") is not None


class Library:
    """The process in which the library works. It is started for the first file that needs it, kept for the
    next ones, started again after a crash, and ends with this object."""

    def __init__(self, trusted: str, timeout_s: float) -> None:
        """``trusted``: a file of certificates in PEM, or empty. ``timeout_s``: the most a file may take."""
        self._trusted, self._timeout_s = trusted, timeout_s
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._end: weakref.finalize[..., Any] | None = None

    def read_store(self, original: Original, form: str) -> Any:
        """The manifest store of a file as the library's JSON, with the library's validation in it.

        Raises Refused, also when the library crashes or takes too long, and Changed when the file is no
        longer the one that was opened."""
        source = original.source
        request: dict[str, Any] = {"type": MEDIA_TYPES[form]}
        if isinstance(source, bytes):
            request["size"] = len(source)
            return _store(self._answer(request, source))
        request["path"] = os.fspath(source.absolute())
        with original.open():  # which holds it to be the same before and after
            line = self._answer(request)
        return _store(line)

    def _answer(self, request: dict[str, Any], data: bytes = b"") -> bytes:
        with self._guard:
            process = self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            expired = threading.Event()
            late = threading.Timer(self._timeout_s, _end_late, (process, expired))
            late.start()
            try:
                with suppress(OSError):  # it has ended; so there will be no answer
                    process.stdin.write(json.dumps(request).encode() + b"\n")
                    process.stdin.write(data)
                    process.stdin.flush()
                line = process.stdout.readline()
            finally:
                late.cancel()
            if not line.endswith(b"\n"):
                self._stop()
                raise Refused("Timeout" if expired.is_set() else "Crash")
            return line

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            import subprocess  # with the first file that needs it: every check would wait for it

            self._stop()
            # -P: the folder of the script, with modules of common names in it, is not put before the others.
            command = [sys.executable, "-P", str(_PROCESS), *([self._trusted] if self._trusted else [])]
            pipe, none = subprocess.PIPE, subprocess.DEVNULL
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=none)
            self._end = weakref.finalize(self, _finish, self._process)
        return self._process

    def _stop(self) -> None:
        if self._end is not None:
            self._end()
        self._process = self._end = None


def _end_late(process: subprocess.Popen[bytes], expired: threading.Event) -> None:
    expired.set()
    process.kill()


def _store(line: bytes) -> Any:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        raise Refused("Crash") from None
    if not isinstance(answer, dict) or "store" not in answer:
        raise Refused(str(answer.get("refused", "")) if isinstance(answer, dict) else "")
    return answer["store"]


def _finish(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            if pipe is not None:
                pipe.close()
    process.wait()
