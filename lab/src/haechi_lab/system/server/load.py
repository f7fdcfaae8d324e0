"""Sustained load: clients that send photographs one after another, each waiting for its report."""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from haechi.errors import HaechiError
from haechi_lab.system.server.photographs import photographs
from haechi_lab.system.server.process import Server, scratch
from haechi_lab.system.server.result import row

_HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="photo.jpg"\r\n\r\n'
_TAIL = b"\r\n--b--\r\n"
_FEW = 4
_SAMPLE_S = 0.25


@dataclass
class Seen:
    """What the clients met. ``seconds``: of each report. ``lost``: jobs without one."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    lost: int = 0


def load(
    seconds: float = 60.0, clients: int = 8, megabytes: float = 1.0
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows and facts."""
    with scratch() as folder:
        files = photographs(Path(folder) / "photos", 24, megabytes, 2400)
        before = pace_of_check(files)
        with Server(Path(folder) / "server") as server:
            _drive(server, files[:2], 3.0, clients)  # warm
            tally, memory, took_s = _drive(server, files, seconds, clients)
        after = pace_of_check(files)
        size = statistics.mean(file.stat().st_size for file in files) / 1e6
    if not tally.seconds:
        raise HaechiError("the server gave no report at all under load: see what it logged")
    pace, reference = len(tally.seconds) / took_s, (before + after) / 2
    ordered = sorted(tally.seconds)
    faults = sum(n for status, n in tally.statuses.items() if status >= 500)
    rows = [
        row("answers that were 5xx", faults, "", 0),
        row("jobs lost", tally.lost, "", 0),
        row(
            "reports a second, of what `haechi check` makes on the same files",
            100 * pace / reference,
            "%",
            80,
            least=True,
        ),
        row("reports a second", pace, "/s"),
        row("`haechi check` in one process", reference, "/s"),
        row("95 of 100 reports came within", ordered[int(0.95 * (len(ordered) - 1))], "s"),
        row("half of the reports came within", ordered[len(ordered) // 2], "s"),
    ]
    if memory:
        rows.append(row("growth of memory over the second half", _growth(memory), "%", 5))
        rows.append(row("memory, highest", max(memory), "MB"))
    facts = {
        "seconds": seconds,
        "clients": clients,
        "mean_mb": round(size, 3),
        "reports": len(tally.seconds),
        "statuses": {str(k): v for k, v in sorted(tally.statuses.items())},
        "check_per_s_before_and_after": [round(before, 3), round(after, 3)],
        "memory_mb": [round(m, 1) for m in memory[:: max(1, len(memory) // 40)]],
    }
    return rows, facts


def pace_of_check(files: Sequence[Path]) -> float:
    """Reports a second of one `haechi check` over many files, its start taken off: the time of a run over a
    few files is subtracted from that over all."""
    few, many = _run(files[:_FEW]), _run(files)
    return (len(files) - _FEW) / max(many - few, 1e-6)


def _run(files: Sequence[Path]) -> float:
    begin = time.perf_counter()
    command = [sys.executable, "-m", "haechi", "check", "-q", "--format", "jsonl", *map(str, files)]
    ended = subprocess.run(command, capture_output=True, check=False)
    if ended.returncode != 0:
        raise HaechiError(f"the measured check ended with {ended.returncode}")
    return time.perf_counter() - begin


def _drive(
    server: Server, files: Sequence[Path], seconds: float, clients: int
) -> tuple[Seen, list[float], float]:
    """Let the clients send for so long; memory in MB along the way, and how long it took with the last."""
    tally, memory, lock = Seen(), [], threading.Lock()
    bodies = [_HEAD + file.read_bytes() + _TAIL for file in files]
    begin = time.perf_counter()
    end = begin + seconds
    threads = [
        threading.Thread(target=_client, args=(server.port, bodies, k, end, tally, lock))
        for k in range(clients)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if (now := server.resident_mb()) is not None and time.perf_counter() < end:
            memory.append(now)
        time.sleep(_SAMPLE_S)
    return tally, memory, time.perf_counter() - begin


def _client(
    port: int, bodies: Sequence[bytes], k: int, end: float, tally: Seen, lock: threading.Lock
) -> None:
    """One sender, until the end: a photograph, its report, the next."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Prefer": "wait=60"}
    while time.perf_counter() < end:
        k += 1
        begin = time.perf_counter()
        try:
            connection.request("POST", "/v1/checks", bodies[k % len(bodies)], headers)
            answer = connection.getresponse()
            body = answer.read()
            good = answer.status == 200 and "verdict" in json.loads(body)
            status = answer.status
        except (OSError, ValueError, http.client.HTTPException):
            good, status = False, 599
            connection.close()
        with lock:
            tally.statuses[status] += 1
            if good:
                tally.seconds.append(time.perf_counter() - begin)
            elif status != 429:
                tally.lost += 1
        if status == 429:
            time.sleep(0.5)
    connection.close()


def _growth(memory: Sequence[float]) -> float:
    """Percent by which the last tenth lies above the tenth that follows the middle, each by its mean."""
    tenth, middle = max(1, len(memory) // 10), len(memory) // 2
    return 100 * (statistics.mean(memory[-tenth:]) / statistics.mean(memory[middle : middle + tenth]) - 1)
