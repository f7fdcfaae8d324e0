"""A ``haechi serve`` of one's own for a measurement: a process with its own folder, seen from outside."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from haechi.client import Client
from haechi.errors import HaechiError

TOKEN = "a-token-for-measurements-only"
_START_S = 60.0


class Server:
    """``folder`` holds its data in ``data`` and its temporary files in ``tmp``. ``log``: all that it said."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder, self.data = folder, folder / "data"
        (folder / "tmp").mkdir(parents=True, exist_ok=True)
        settings = {"HAECHI_DATA_DIR": str(self.data), "HAECHI_RATE_PER_MIN": "1000000", **variables}
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith("HAECHI_") or k == "HAECHI_MODELS_DIR"
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "haechi", "serve", "--no-browser", "--port", "0"],
            env={**inherited, **settings, "TMPDIR": str(folder / "tmp")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="backslashreplace",
        )
        self._token = variables.get("HAECHI_TOKEN")
        self._lines: list[str] = []
        self._listening = threading.Event()
        self.address = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._wait_until_ready()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(signal.SIGINT)

    @property
    def log(self) -> str:
        return "".join(self._lines)

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def pid(self) -> int:
        return self._process.pid

    def client(self) -> Client:
        return Client(self.address, self._token, timeout_s=120.0)

    def resident_mb(self) -> float | None:
        """Memory of the process in RAM, in MB; None where the system does not tell (other than Linux)."""
        file = Path(f"/proc/{self._process.pid}/statm")
        if not file.exists():
            return None
        return int(file.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def end(self, how: int) -> int:
        """Send a signal and wait; the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            code = self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._reader.join(5)
        return code

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                self._lines.append(line)
                if match := re.search(r"runs at (http://\S+)", line):
                    self.address = match[1]
                    self._listening.set()
        self._listening.set()

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + _START_S
        self._listening.wait(_START_S)
        while self.address and time.monotonic() < end:
            with self.client() as client:
                if client.ready():
                    return
            time.sleep(0.05)
        self.end(signal.SIGKILL)
        raise HaechiError(f"the measured server did not start: {self.log.strip() or 'it said nothing'}")


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for one measurement."""
    return tempfile.TemporaryDirectory(prefix="haechi-bench-")
