"""The jobs and their reports in one SQLite file (WAL), which only this process may open.

    waiting --claim--> running --finish--> done
       ^                  |  \\--fail----> failed
       \\----release/recover/

A claim is counted and durable before the work begins, so a job that kills the process is known after the
restart, and a report and its status are written in one transaction, so there is never one without the other.
Deleted rows are overwritten (secure_delete), and the log of changes is emptied after every deletion.
"""

from __future__ import annotations

import math
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from haechi.errors import UsageError

ATTEMPTS = 3
"""After so many runs that took the process with them a job has failed."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('waiting', 'running', 'done', 'failed')),
  attempts INTEGER NOT NULL DEFAULT 0,
  created_s REAL NOT NULL,
  expires_s REAL,
  error_code TEXT,
  error_message TEXT,
  owner TEXT NOT NULL DEFAULT '',
  slow INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS jobs_by_status ON jobs (status, seq);
CREATE TABLE IF NOT EXISTS reports (id TEXT PRIMARY KEY, data BLOB NOT NULL);
"""
_ADDED = {"owner": "TEXT NOT NULL DEFAULT ''", "slow": "INTEGER NOT NULL DEFAULT 0"}
"""Columns that the first version had not."""
_REMOVED = "thorough"
"""A column that is no longer written and had no default."""
_COLUMNS = "seq, id, name, status, attempts, created_s, expires_s, error_code, error_message, owner, slow"


@dataclass(frozen=True, slots=True)
class Row:
    """One job. Times in seconds since 1970; ``expires_s`` is None until it has ended. ``slow``: it is done
    beside the others, which do not wait for it."""

    seq: int
    id: str
    name: str
    status: str
    attempts: int
    created_s: float
    expires_s: float | None
    error_code: str | None
    error_message: str | None
    owner: str
    slow: bool


class Damaged(UsageError):
    """The file is there and nobody else's, but its contents do not hold."""


class Store:
    """All methods are safe to call from any thread, and quick."""

    def __init__(self, file: Path) -> None:
        """Opens or makes the file, readable to this user alone. Raises UsageError when another process has
        it, or when it cannot be opened, and Damaged when SQLite finds it damaged."""
        self._lock = threading.RLock()
        try:
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its log the same mode
            self._db = sqlite3.connect(file, timeout=0.2, isolation_level=None, check_same_thread=False)
        except (sqlite3.Error, OSError):
            raise _unusable("it cannot be opened") from None
        try:
            self._set_up()
        except (sqlite3.Error, UsageError) as error:
            self._db.close()
            if isinstance(error, UsageError):
                raise
            if "locked" in str(error):
                raise _unusable("another `haechi serve` uses it") from None
            if isinstance(error, sqlite3.OperationalError) and "no such" not in str(error):
                raise _unusable("it cannot be opened") from None  # a full disk, a wrong mode
            raise _damaged() from None

    def _set_up(self) -> None:
        """Raises sqlite3.Error, Damaged."""
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA secure_delete = ON")
        with self._change():
            before = self._columns_of("jobs")
            for column in _ADDED.keys() - before if before else ():
                self._db.execute(f"ALTER TABLE jobs ADD COLUMN {column} {_ADDED[column]}")
            outgrown = _REMOVED in before
            if outgrown:  # not by DROP COLUMN, which SQLite knows since 3.35 only
                self._db.execute("ALTER TABLE jobs RENAME TO jobs_before")
                self._db.execute("DROP INDEX IF EXISTS jobs_by_status")
            for statement in _SCHEMA.split(";"):
                self._db.execute(statement)
            if outgrown:
                self._db.execute(f"INSERT INTO jobs ({_COLUMNS}) SELECT {_COLUMNS} FROM jobs_before")
                self._db.execute("DROP TABLE jobs_before")
        if self._db.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
            raise _damaged()
        self._first("LIMIT 1")  # whether it has the columns of ours

    def _columns_of(self, table: str) -> set[str]:
        return {row[1] for row in self._db.execute(f"PRAGMA table_info({table})").fetchall()}

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def add(self, id_: str, name: str, *, created_s: float, owner: str = "", slow: bool = False) -> None:
        with self._change():
            self._db.execute(
                "INSERT INTO jobs (id, name, status, created_s, owner, slow) "
                "VALUES (?, ?, 'waiting', ?, ?, ?)",
                (id_, name, created_s, owner, slow),
            )

    def claim(self, *, slow: bool = False) -> Row | None:
        """The oldest waiting job of its kind, now running and counted once more; None when none waits."""
        with self._change():
            row = self._first("WHERE status = 'waiting' AND slow = ? ORDER BY seq LIMIT 1", slow)
            if row is not None:
                self._db.execute(
                    "UPDATE jobs SET status = 'running', attempts = attempts + 1 WHERE seq = ?", (row.seq,)
                )
                row = self._first("WHERE seq = ?", row.seq)
        return row

    def waits(self, *, slow: bool) -> bool:
        """Whether a job of this kind waits."""
        with self._lock:
            return self._first("WHERE status = 'waiting' AND slow = ? LIMIT 1", slow) is not None

    def finish(self, id_: str, report: bytes, expires_s: float) -> bool:
        """Store the report of a running job; False when the job was dropped meanwhile."""
        with self._change():
            ended = self._db.execute(
                "UPDATE jobs SET status = 'done', expires_s = ? WHERE id = ? AND status = 'running'",
                (expires_s, id_),
            )
            if ended.rowcount:
                self._db.execute("INSERT INTO reports (id, data) VALUES (?, ?)", (id_, report))
        return bool(ended.rowcount)

    def fail(self, id_: str, code: str, message: str, expires_s: float) -> None:
        """A running job ends without a report."""
        with self._change():
            self._db.execute(
                "UPDATE jobs SET status = 'failed', error_code = ?, error_message = ?, expires_s = ? "
                "WHERE id = ? AND status = 'running'",
                (code, message, expires_s, id_),
            )

    def release(self, id_: str, *, slow: bool = False) -> None:
        """A running job was interrupted on purpose: it waits again, and this run does not count. ``slow``:
        from now on it is one of these."""
        with self._change():
            self._db.execute(
                "UPDATE jobs SET status = 'waiting', attempts = attempts - 1, slow = max(slow, ?) "
                "WHERE id = ? AND status = 'running'",
                (slow, id_),
            )

    def recover(self, code: str, message: str, expires_s: float) -> None:
        """After a start: what ran when the last process ended waits again, or has failed for good."""
        with self._change():
            self._db.execute(
                "UPDATE jobs SET status = 'failed', error_code = ?, error_message = ?, expires_s = ? "
                "WHERE status = 'running' AND attempts >= ?",
                (code, message, expires_s, ATTEMPTS),
            )
            self._db.execute("UPDATE jobs SET status = 'waiting' WHERE status = 'running'")

    def look(self, id_: str) -> Row | None:
        with self._lock:
            return self._first("WHERE id = ?", id_)

    def ahead(self, seq: int, *, slow: bool) -> int:
        """Jobs that end before the job of this kind with this number."""
        with self._lock:
            found = self._db.execute(
                "SELECT count(*) FROM jobs WHERE status IN ('waiting', 'running') AND slow = ? AND seq < ?",
                (slow, seq),
            ).fetchone()
        return int(found[0])

    def counts(self) -> dict[str, int]:
        """Jobs by status; statuses without any are left out."""
        with self._lock:
            return dict(self._db.execute("SELECT status, count(*) FROM jobs GROUP BY status").fetchall())

    def open_ids(self) -> set[str]:
        """Jobs whose originals are still needed."""
        with self._lock:
            found = self._db.execute("SELECT id FROM jobs WHERE status IN ('waiting', 'running')").fetchall()
        return {id_ for (id_,) in found}

    def ids_of(self, owners: str) -> list[str]:
        """Jobs whose owner fits this pattern (GLOB)."""
        with self._lock:
            found = self._db.execute("SELECT id FROM jobs WHERE owner GLOB ?", (owners,)).fetchall()
        return [id_ for (id_,) in found]

    def done_ids(self) -> list[str]:
        """Jobs that have a report."""
        with self._lock:
            return [id_ for (id_,) in self._db.execute("SELECT id FROM reports").fetchall()]

    def report(self, id_: str) -> bytes | None:
        with self._lock:
            found = self._db.execute("SELECT data FROM reports WHERE id = ?", (id_,)).fetchone()
        return None if found is None else bytes(found[0])

    def drop(self, id_: str) -> bool:
        """Delete the job and its report; False when there is none."""
        with self._change():
            gone = self._db.execute("DELETE FROM jobs WHERE id = ?", (id_,)).rowcount
            self._db.execute("DELETE FROM reports WHERE id = ?", (id_,))
        if gone:
            self._forget()
        return bool(gone)

    def purge(self, now_s: float, keep_s: float = math.inf) -> int:
        """Delete all that has expired; how many jobs. Nothing is kept for longer than ``keep_s`` from now: it
        may have ended while the clock was ahead."""
        with self._change():
            if math.isfinite(keep_s):
                latest_s = now_s + keep_s
                self._db.execute("UPDATE jobs SET expires_s = ? WHERE expires_s > ?", (latest_s, latest_s))
            self._db.execute(
                "DELETE FROM reports WHERE id IN (SELECT id FROM jobs WHERE expires_s <= ?)", (now_s,)
            )
            gone = self._db.execute("DELETE FROM jobs WHERE expires_s <= ?", (now_s,)).rowcount
        if gone:
            with self._lock:  # as a script: it gives back a page a step, and ``execute`` takes one step only
                self._db.executescript("PRAGMA incremental_vacuum")
            self._forget()
        return gone

    def _first(self, where: str, *values: object) -> Row | None:
        found = self._db.execute(f"SELECT {_COLUMNS} FROM jobs {where}", values).fetchone()
        return None if found is None else Row(*found)

    def _forget(self) -> None:
        """Empty the log, where deleted rows would live on."""
        with self._lock:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @contextmanager
    def _change(self) -> Iterator[None]:
        """One transaction: all of it or nothing."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def _unusable(why: str) -> UsageError:
    return UsageError(
        f"The data folder cannot be used, because {why}: stop the other, or set HAECHI_DATA_DIR to "
        "another folder."
    )


def _damaged() -> Damaged:
    return Damaged(
        "The list of jobs in the data folder is damaged: set HAECHI_DATA_DIR to another folder, or remove "
        "haechi.db from this one."
    )
