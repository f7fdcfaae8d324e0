"""The parent's end of a child process: started when it is needed, asked one thing at a time, ended when it
takes too long or when nobody wants the answer any more, started again after whatever befell it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any

from haechi.errors import Crashed, Fault, HaechiError, InputError, ModelError, OverLimit, UsageError
from haechi.settings import Settings

PREFIX = "haechi-child-"
"""Begins the name of every folder that a child has for its temporary files."""

_BEAT_S = 0.2
_START_S = 120.0
_MOST_LINE = 1024**2
_MOST_BYTES = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class _Answer:
    """One line of the child, and the bytes behind it."""

    header: Mapping[str, Any]
    data: bytes = b""


class Process:
    """Runs ``target`` (see ``child``) with these settings. ``scratch``: where the folder for the child's
    temporary files is made; it goes with the child. ``nice``: how far the child stands back behind others.

    To be asked by the thread that it is started in, which has to live as long."""

    def __init__(
        self, target: str, settings: Settings, *, scratch: Path | None = None, nice: int = 0
    ) -> None:
        self._target, self._settings, self._scratch, self._nice = target, settings, scratch, nice
        self._child: _Child | None = None

    @property
    def pid(self) -> int | None:
        """Of the child that runs, or ran last; None before the first and after ``stop``."""
        return None if self._child is None else self._child.pid

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.alive

    def ask(
        self, request: Mapping[str, Any], tell: Callable[[str, float], None]
    ) -> tuple[Mapping[str, Any], bytes]:
        """What the target answers: facts and bytes. ``tell`` is called with the stage and the part that is
        done at least five times a second; when it raises, the child is ended at once.

        Raises what the target raised of the errors of Haechi, Fault when it broke down in another way,
        Crashed when the process died of the request, OverLimit after ``job_timeout_s``."""
        for _ in range(2):
            child = self._running()
            try:
                answer = self._wait(child, request, tell)
            except BaseException:
                self.stop()
                raise
            if answer is not None:
                return _result(answer)
            self.stop()  # it had died before it took the request up: nobody is to blame for that
        raise Fault("ProcessDied")

    def stop(self) -> None:
        """End the child, if there is one, and remove its temporary files. It starts anew when it is asked."""
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def _running(self) -> _Child:
        if self._child is None or not self._child.alive:
            self.stop()
            self._child = _Child(self._target, self._settings, self._scratch, self._nice)
        return self._child

    def _wait(
        self, child: _Child, request: Mapping[str, Any], tell: Callable[[str, float], None]
    ) -> _Answer | None:
        """The answer that ends the request; None when the child died before it began."""
        end = time.monotonic() + _START_S
        child.send(request)
        begun, stage, part = False, "open", 0.0
        while True:
            if time.monotonic() > end:
                raise _too_late(self._settings) if begun else Fault("StartTimeout")
            tell(stage, part)
            answer = child.next(_BEAT_S)
            if answer is None:
                continue
            if "ended" in answer.header:
                if begun:
                    raise _crashed()
                return None
            if "begun" in answer.header:
                begun, end = True, time.monotonic() + self._settings.job_timeout_s
            elif "stage" in answer.header:
                stage, part = str(answer.header["stage"]), float(answer.header["part"])
            else:
                return answer


class _Child:
    """One process from its start to its end, which also comes when this object goes."""

    def __init__(self, target: str, settings: Settings, scratch: Path | None, nice: int) -> None:
        folder = tempfile.mkdtemp(prefix=PREFIX, dir=scratch)
        # OpenBLAS would reserve memory for each processor, and nothing here needs it.
        own = {"TMPDIR": folder, "TEMP": folder, "TMP": folder, "OPENBLAS_NUM_THREADS": "1"}
        # Whatever it needs it is told; the token of the server is none of its business.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("HAECHI_")}
        try:
            # -P: no folder of the user's, with modules of common names in it, is put before the others.
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "haechi.isolated.child", target],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=inherited | own,
                start_new_session=os.name == "posix",  # a group, to be ended with all that it started
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        assert process.stdin is not None
        assert process.stdout is not None
        self.pid = process.pid
        self._stdin = process.stdin
        self._answers: SimpleQueue[_Answer] = SimpleQueue()
        self._over = threading.Event()
        reader = threading.Thread(
            target=_read, args=(process.stdout, self._answers, self._over), name="haechi-reader", daemon=True
        )
        reader.start()
        self.end = weakref.finalize(self, _end, process, reader, folder)
        self.send({"settings": asdict(settings), "nice": nice, "parent": os.getpid()})

    @property
    def alive(self) -> bool:
        return not self._over.is_set()

    def send(self, line: Mapping[str, Any]) -> None:
        with suppress(OSError):  # it has ended, which the reader finds out
            self._stdin.write(json.dumps(line).encode() + b"\n")
            self._stdin.flush()

    def next(self, wait_s: float) -> _Answer | None:
        """The next line; None when there was none for so long."""
        try:
            return self._answers.get(timeout=wait_s)
        except Empty:
            return None


def _read(lines: IO[bytes], answers: SimpleQueue[_Answer], over: threading.Event) -> None:
    """Take in what the child says until it ends, or says what makes no sense."""
    try:
        while (line := lines.readline(_MOST_LINE)).endswith(b"\n"):
            header = json.loads(line)
            size = int(header.get("size", 0))
            if not 0 <= size <= _MOST_BYTES:
                break
            data = lines.read(size)
            if len(data) < size:
                break
            answers.put(_Answer(header, data))
    except (ValueError, TypeError, AttributeError, RecursionError, OSError):
        pass  # as good as dead: whoever waits is told so, and ends it
    finally:
        over.set()
        answers.put(_Answer({"ended": True}))


def _end(process: subprocess.Popen[bytes], reader: threading.Thread, folder: str) -> None:
    """End the process and all that it started, and remove its folder."""
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):  # all of it is gone
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
    reader.join(5)
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            if pipe is not None:
                pipe.close()
    shutil.rmtree(folder, ignore_errors=True)


def _result(answer: _Answer) -> tuple[Mapping[str, Any], bytes]:
    header = answer.header
    if "done" in header:
        return header["done"], answer.data
    if "fault" in header:
        raise Fault(str(header["fault"]), str(header.get("steps", "")))
    raise _error(str(header.get("kind")), str(header.get("error")), str(header.get("message")))


def _error(kind: str, code: str, message: str) -> HaechiError:
    """The error of the tree that the child told of."""
    roots: dict[str, type[HaechiError]] = {"input": InputError, "model": ModelError, "usage": UsageError}
    root = roots.get(kind, HaechiError)
    classes = (root, *root.__subclasses__())
    error = next((one for one in classes if one.code == code), root)(message)
    error.code = code
    return error


def _crashed() -> Crashed:
    return Crashed(
        "Checking this file stopped the process that checked it, so there is no verdict: the file may be "
        "damaged, or made to do harm."
    )


def _too_late(settings: Settings) -> OverLimit:
    return OverLimit(
        f"Checking this file took more than {settings.job_timeout_s:g} seconds: cut or reduce it, or raise "
        "HAECHI_JOB_TIMEOUT_S."
    )
