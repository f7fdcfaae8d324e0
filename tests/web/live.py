"""A real server in a thread or in a process of its own, for what needs sockets, signals and restarts."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import uvicorn
from sites import FAKE

from fakes import InProcess
from haechi.server_options import Options
from haechi.settings import Settings
from haechi.web.app import build
from haechi.web.http_protocol import TimedProtocol


@contextmanager
def in_thread(
    folder: Path, make: Any = FAKE, watch: Any = None, look: Any = None, **options: Any
) -> Iterator[int]:
    """The port of a server with stand-in networks."""
    app = build(
        Options(**{"data_dir": folder, **options}),
        Settings(),
        make=partial(InProcess, make),
        watch=watch,
        look=look,
    )
    config = uvicorn.Config(
        app,
        http=TimedProtocol,
        ws="websockets-sansio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)


class Process:
    """``haechi serve`` with the shipped networks."""

    def __init__(self, folder: Path, *arguments: str, code: str = "", **variables: str) -> None:
        command = ["-c", code] if code else ["-m", "haechi", "serve"]
        self.process = subprocess.Popen(
            [sys.executable, *command, "--no-browser", "--port", "0", *arguments],
            env={**os.environ, "HAECHI_DATA_DIR": str(folder), **variables},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if found := re.search(r"http://\S+:(\d+)", line):
                self.port = int(found[1])
                self.address = f"http://127.0.0.1:{self.port}"
                return
        self.process.communicate()
        raise AssertionError(f"no server: {self.lines}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def end(self, signal: int, wait_s: float = 20.0) -> int:
        """Send the signal; the exit code."""
        self.process.send_signal(signal)
        rest = self.process.communicate(timeout=wait_s)[1]
        self.lines += rest.splitlines(keepends=True)
        return self.process.returncode


def raw(port: int, data: bytes, wait_s: float = 5.0) -> bytes:
    """Everything that the server answers to these bytes until it closes or falls silent."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait_s) as line:
        got = b""
        try:
            line.sendall(data)
            while piece := line.recv(65536):
                got += piece
        except (TimeoutError, ConnectionResetError, BrokenPipeError):
            return got
    return got
