"""Servers that start in a moment, to be ended at many points: one process loads the program, then forks.

``python -m haechi_lab.system.server.fork_pool`` reads a line of JSON for each server, {"variables": {…},
"log": FILE}, writes its process id, and its exit code when it has ended; one after another. POSIX only.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from runpy import run_module
from typing import NoReturn

from haechi.client import Client
from haechi.errors import HaechiError

_START_S, _END_S = 60.0, 30.0


class ForkPool:
    """The process that forks. ``start`` gives one server at a time, with its data in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "tmp").mkdir(parents=True, exist_ok=True)
        variables = {k: v for k, v in os.environ.items() if not k.startswith("HAECHI_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "haechi_lab.system.server.fork_pool"],
            env={**variables, "TMPDIR": str(folder / "tmp")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, **variables: str) -> ForkedServer:
        log = self._folder / "log"
        log.write_bytes(b"")
        variables = {"HAECHI_DATA_DIR": str(self._folder / "data"), **variables}
        self._tell(json.dumps({"variables": variables, "log": str(log)}))
        return ForkedServer(self, int(self.answer(_START_S) or 0), log)

    def answer(self, wait_s: float) -> str | None:
        """The next line; None when none comes in this time."""
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], wait_s)[0]:
            return None
        return self._process.stdout.readline()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(_END_S)
        self._process.stdout.close()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


class ForkedServer:
    """A server that the fork pool has just begun."""

    def __init__(self, pool: ForkPool, pid: int, log: Path) -> None:
        self._pool, self._pid, self._log, self.port = pool, pid, log, 0

    @property
    def log(self) -> str:
        """All that it said so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def client(self) -> Client:
        return Client(f"http://127.0.0.1:{self.port}", timeout_s=120.0)

    def listening(self) -> None:
        """Wait until it can be asked. Raises HaechiError when it never can."""
        end = time.monotonic() + _START_S
        while time.monotonic() < end:
            if match := re.search(r"runs at http://\S+:(\d+)", self.log):
                self.port = int(match[1])
                return
            time.sleep(0.01)
        self.end(signal.SIGKILL)
        raise HaechiError(f"the measured server did not start: {self.log.strip() or 'it said nothing'}")

    def ready(self) -> None:
        """Wait until its networks are loaded. Raises HaechiError when they never are."""
        end = time.monotonic() + _START_S
        with self.client() as client:
            while not client.ready():
                if time.monotonic() > end:
                    self.end(signal.SIGKILL)
                    raise HaechiError("the networks of the measured server were not loaded")
                time.sleep(0.05)

    def end(self, how: int) -> int:
        """Send a signal and wait; the exit code, that of SIGKILL when it does not end in half a minute."""
        os.kill(self._pid, how)
        code = self._pool.answer(_END_S)
        if code is None:
            os.kill(self._pid, signal.SIGKILL)
            code = self._pool.answer(_END_S)
        return int(code or 1)


def _main() -> None:
    for name in ("haechi.check", "haechi.web.app", "haechi.web.serve"):
        import_module(name)
    waited = 0
    for line in sys.stdin:
        if waited:
            os.waitpid(waited, 0)
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _serve(order["variables"], order["log"])
        print(pid, flush=True)
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        print(ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status, flush=True)
        waited = pid  # reaped with the next line: until then a signal reaches nobody else


def _serve(variables: dict[str, str], log: str) -> NoReturn:
    """In the child: what ``haechi serve`` does."""
    none, log_file = os.open(os.devnull, os.O_RDWR), os.open(log, os.O_WRONLY)
    for handle, to in ((none, 0), (none, 1), (log_file, 2)):
        os.dup2(handle, to)
    os.environ.update(variables)
    sys.argv = ["haechi", "serve", "--no-browser", "--port", "0"]
    try:
        run_module("haechi", run_name="__main__")
    except SystemExit as end:
        os._exit(int(end.code or 0))
    os._exit(0)


if __name__ == "__main__":
    _main()
