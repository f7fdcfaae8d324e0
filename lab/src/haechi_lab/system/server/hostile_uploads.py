"""Hundreds of uploads that mean harm, and what came of them: answers, files, pages, the log."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from haechi_lab.system.server.attacks import MARK, Attack, attacks
from haechi_lab.system.server.photographs import photographs
from haechi_lab.system.server.process import TOKEN, Server, scratch
from haechi_lab.system.server.result import row

_IDLE_S = 2.0
_SENDERS = 8
_FORBIDDEN = (
    b"<script>alert(",
    b"<img src=x onerror",
    b"onerror=alert('" + MARK.encode() + b"')>",
    b"93599359",
)


class Canary:
    """A listener that nothing should ever connect to."""

    def __init__(self) -> None:
        self._line = socket.socket()
        self._line.bind(("127.0.0.1", 0))
        self._line.listen()
        self.address = f"http://127.0.0.1:{self._line.getsockname()[1]}"
        self.visits = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                self._line.accept()[0].close()
            except OSError:
                return  # closed
            self.visits += 1

    def close(self) -> None:
        self._line.close()


def hostile(count: int = 500, extra: Sequence[Path] = ()) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows and facts. ``extra``: files of one's own that are sent besides."""
    with scratch() as folder:
        work = Path(folder)
        photo = photographs(work / "photos", 1, 0.05, 480)[0].read_bytes()
        canary = Canary()
        options = {"HAECHI_IDLE_S": str(_IDLE_S), "HAECHI_QUEUE": "1000"}
        with Server(work / "server", **options) as server:
            uploads = list(attacks(photo, canary.address, count - count // 10, extra=extra))
            answers = _send_all(server.port, uploads)
            pages = _pages(server.port, [a for a in answers if a.startswith(b"HTTP/1.1 200")])
            alive = b" 200 " in send(server.port, Attack("alive", _get("/healthz")))[:20]
            originals = _left(server)
        with Server(work / "guarded", HAECHI_TOKEN=TOKEN, **options) as guarded:
            locked = list(attacks(photo, canary.address, count // 10, seed=1))
            refused = _send_all(guarded.port, locked)
            originals += _left(guarded)
        log = server.log + guarded.log
        outside = [p for p in work.rglob("*") if p.is_file() and _is_outside(p, work)]
        canary.close()
    statuses = Counter(_status(answer) for answer in (*answers, *refused))
    passed = sum(_status(answer) in ("200", "202") for answer in refused)
    script = sum(any(bad in page for bad in _FORBIDDEN) for page in pages)
    rows = [
        row("hostile uploads", len(uploads) + len(locked), "", 500 if count >= 500 else None, least=True),
        row("answers that were 5xx", sum(n for s, n in statuses.items() if s.startswith("5")), "", 0),
        row("files outside the data folder", len(outside), "", 0),
        row("originals left behind", originals, "", 0),
        row("pages with markup or a template of the sender's", script, "", 0),
        row("lines of the log with a name or a content of the sender's", _leaks(log), "", 0),
        row("connections that the server opened", canary.visits, "", 0),
        row("uploads taken without the right token", passed, "", 0),
        row("still alive at the end", int(alive), "", 1, least=True),
    ]
    kinds = Counter(attack.kind for attack in (*uploads, *locked))
    facts = {
        "statuses": dict(sorted(statuses.items())),
        "kinds": dict(sorted(kinds.items())),
        "pages": len(pages),
    }
    return rows, facts


def send(port: int, attack: Attack, wait_s: float = 60.0) -> bytes:
    """All that the server answers to it."""
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=wait_s) as line:
            if attack.slow:
                answer = _creep(line, attack.data)
            else:
                _push(line, attack.data)
            while piece := line.recv(65536):
                answer += piece
    except (TimeoutError, ConnectionResetError, BrokenPipeError):
        return answer
    return answer


def _push(line: socket.socket, data: bytes) -> None:
    """Send all of it; a server that has answered already may hang up in between."""
    try:
        line.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        return


def _creep(line: socket.socket, data: bytes) -> bytes:
    """A few bytes at a time, until the server has had enough; what it says then."""
    line.settimeout(0.1)
    for k in range(400):
        try:
            line.send(data[k * 8 : k * 8 + 8] or b"")
            if k * 8 > len(data) or k % 10 == 9:
                time.sleep(0.05)
            if answer := line.recv(65536):
                line.settimeout(5)
                return answer
            return b""
        except TimeoutError:
            continue
        except OSError:
            return b""
    return b""


def _send_all(port: int, uploads: Sequence[Attack]) -> list[bytes]:
    with ThreadPoolExecutor(_SENDERS) as pool:
        return list(pool.map(lambda attack: send(port, attack), uploads))


def _get(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\nConnection: close\r\n\r\n".encode()
    )


def _pages(port: int, answers: Sequence[bytes]) -> list[bytes]:
    """What a browser would be shown of the uploads that were checked: the report and the page of each."""
    pages = []
    for answer in answers:
        if place := re.search(rb"\r\nlocation: /v1(/checks/[\w-]+)", answer, re.IGNORECASE):
            path = place[1].decode()
            pages += [send(port, Attack("page", _get(p))) for p in (f"/v1{path}/report.html", path)]
    return pages


def _status(answer: bytes) -> str:
    return answer[9:12].decode("ascii", "replace") if answer.startswith(b"HTTP/1.") else "closed"


def _left(server: Server) -> int:
    """Originals that are still there a moment after the last answer."""
    for _ in range(100):
        if not (names := list((server.data / "uploads").iterdir())):
            return 0
        time.sleep(0.1)
    return len(names)


def _is_outside(file: Path, work: Path) -> bool:
    """Whether a file is neither ours nor inside a data folder."""
    parts = file.relative_to(work).parts
    return not (parts[0] == "photos" or (parts[0] in ("server", "guarded") and parts[1] == "data"))


def _leaks(log: str) -> int:
    return sum(MARK in line or "photo" in line or "13371337" in line for line in log.splitlines())
