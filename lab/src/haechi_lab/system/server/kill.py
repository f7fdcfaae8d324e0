"""kill -9 in the middle of many jobs: after the restart every one has its result, once."""

from __future__ import annotations

import hashlib
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from haechi.client import Client
from haechi.errors import HaechiError
from haechi.report import archive
from haechi_lab.system.server.photographs import photographs
from haechi_lab.system.server.process import Server, scratch
from haechi_lab.system.server.result import row

_PATIENCE_S = 600.0


def kill(
    jobs: int = 200, kills: int = 3, megabytes: float = 0.15
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows and facts. The server is killed ``kills`` times while the jobs are under way."""
    with scratch() as folder:
        files = photographs(Path(folder) / "photos", jobs, megabytes, 800)
        hash_of_file = {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
        options = {"HAECHI_QUEUE": str(jobs), "HAECHI_KEEP_S": "86400"}
        server = Server(Path(folder) / "server", **options)
        done_at_kill = []
        try:
            with server.client() as client:
                ids = {client.send(file): sha256 for file, sha256 in hash_of_file.items()}
            for k in range(kills):
                done_at_kill.append(_wait(server, (k + 1) * jobs // (kills + 1)))
                server.end(signal.SIGKILL)
                server = Server(Path(folder) / "server", **options)
            _wait(server, jobs)
            with server.client() as client:
                right = sum(_is_there(client, id_, sha256) for id_, sha256 in ids.items())
        finally:
            server.end(signal.SIGINT)
        results, attempts = _stored(server.data / "haechi.db")
        originals = len(list((server.data / "uploads").iterdir()))
    rows = [
        row(
            f"of {jobs} jobs with {kills} times kill -9, those without the right result", jobs - right, "", 0
        ),
        row("files with more than one result", len(results) - len(set(results)), "", 0),
        row("results that nobody asked for", len(set(results) - set(hash_of_file.values())), "", 0),
        row("originals left behind", originals, "", 0),
        row("most runs of one job", attempts, ""),
    ]
    return rows, {"jobs": jobs, "done_at_kill": done_at_kill}


def _wait(server: Server, count: int) -> int:
    """Until so many jobs are done; how many then are."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        if (jobs_done := _done(server)) >= count:
            return jobs_done
        time.sleep(0.1)
    raise HaechiError(f"{count} jobs were not done within {_PATIENCE_S:.0f} s")


def _done(server: Server) -> int:
    """Jobs that are done, as /metrics tells."""
    with server.client() as client:
        lines = client.metrics().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith('haechi_jobs{status="done"}'))


def _is_there(client: Client, id_: str, sha256: str) -> bool:
    """Whether the job has a report, and of the file that was sent for it."""
    try:
        return client.report(id_).media.sha256 == sha256
    except HaechiError:
        return False


def _stored(file: Path) -> tuple[list[str], int]:
    """Of every stored report the SHA-256 of its file, and the most runs that any job took."""
    with closing(sqlite3.connect(file)) as db:
        reports = [archive.load(data, previews=False) for (data,) in db.execute("SELECT data FROM reports")]
        attempts = db.execute("SELECT max(attempts) FROM jobs").fetchone()[0]
    return [report.media.sha256 for report in reports], int(attempts)
