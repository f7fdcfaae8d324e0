"""The jobs and their reports in one SQLite file (WAL), which only this process may open.

Deleted rows are overwritten (secure_delete), and the log of changes is emptied after every deletion.
"""

from __future__ import annotations

import math
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from haechi.errors import UsageError
from haechi.web.jobs.database import ATTEMPTS, DatabaseDamaged, DatabaseError
from haechi.web.jobs.records import JobRow

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


class SQLiteDatabase:
    """A ``JobDatabase``. All methods are quick."""

    def __init__(self, file: Path) -> None:
        """Opens or makes the file, readable to this user alone. Raises UsageError when another process has
        it, or when it cannot be opened, and DatabaseDamaged when SQLite finds it damaged."""
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
        """Raises sqlite3.Error, DatabaseDamaged."""
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA secure_delete = ON")
        with self._transaction():
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

    def claim(self, *, slow: bool = False) -> JobRow | None:
        with self._change():
            row = self._first("WHERE status = 'waiting' AND slow = ? ORDER BY seq LIMIT 1", slow)
            if row is not None:
                self._db.execute(
                    "UPDATE jobs SET status = 'running', attempts = attempts + 1 WHERE seq = ?", (row.seq,)
                )
                row = self._first("WHERE seq = ?", row.seq)
        return row

    def waits(self, *, slow: bool) -> bool:
        with self._reading():
            return self._first("WHERE status = 'waiting' AND slow = ? LIMIT 1", slow) is not None

    def finish(self, id_: str, report: bytes, expires_s: float) -> bool:
        with self._change():
            ended = self._db.execute(
                "UPDATE jobs SET status = 'done', expires_s = ? WHERE id = ? AND status = 'running'",
                (expires_s, id_),
            )
            if ended.rowcount:
                self._db.execute("INSERT INTO reports (id, data) VALUES (?, ?)", (id_, report))
        return bool(ended.rowcount)

    def fail(self, id_: str, code: str, message: str, expires_s: float) -> None:
        with self._change():
            self._db.execute(
                "UPDATE jobs SET status = 'failed', error_code = ?, error_message = ?, expires_s = ? "
                "WHERE id = ? AND status = 'running'",
                (code, message, expires_s, id_),
            )

    def release(self, id_: str, *, slow: bool = False) -> None:
        with self._change():
            self._db.execute(
                "UPDATE jobs SET status = 'waiting', attempts = attempts - 1, slow = max(slow, ?) "
                "WHERE id = ? AND status = 'running'",
                (slow, id_),
            )

    def recover(self, code: str, message: str, expires_s: float) -> None:
        with self._change():
            self._db.execute(
                "UPDATE jobs SET status = 'failed', error_code = ?, error_message = ?, expires_s = ? "
                "WHERE status = 'running' AND attempts >= ?",
                (code, message, expires_s, ATTEMPTS),
            )
            self._db.execute("UPDATE jobs SET status = 'waiting' WHERE status = 'running'")

    def get(self, id_: str) -> JobRow | None:
        with self._reading():
            return self._first("WHERE id = ?", id_)

    def ahead(self, seq: int, *, slow: bool) -> int:
        with self._reading():
            row = self._db.execute(
                "SELECT count(*) FROM jobs WHERE status IN ('waiting', 'running') AND slow = ? AND seq < ?",
                (slow, seq),
            ).fetchone()
        return int(row[0])

    def counts(self) -> dict[str, int]:
        with self._reading():
            return dict(self._db.execute("SELECT status, count(*) FROM jobs GROUP BY status").fetchall())

    def open_ids(self) -> set[str]:
        return set(self._ids("jobs WHERE status IN ('waiting', 'running')"))

    def owned_ids(self, owner: str) -> list[str]:
        return self._ids("jobs WHERE owner = ?", owner)

    def session_ids(self) -> list[str]:
        return self._ids("jobs WHERE instr(owner, '/') > 0")

    def done_ids(self) -> list[str]:
        return self._ids("reports")

    def report(self, id_: str) -> bytes | None:
        with self._reading():
            row = self._db.execute("SELECT data FROM reports WHERE id = ?", (id_,)).fetchone()
        return None if row is None else bytes(row[0])

    def drop(self, id_: str) -> bool:
        with self._change():
            dropped = self._db.execute("DELETE FROM jobs WHERE id = ?", (id_,)).rowcount
            self._db.execute("DELETE FROM reports WHERE id = ?", (id_,))
        if dropped:
            self._forget()
        return bool(dropped)

    def purge(self, now_s: float, keep_s: float = math.inf) -> int:
        with self._change():
            if math.isfinite(keep_s):
                latest_s = now_s + keep_s
                self._db.execute("UPDATE jobs SET expires_s = ? WHERE expires_s > ?", (latest_s, latest_s))
            self._db.execute(
                "DELETE FROM reports WHERE id IN (SELECT id FROM jobs WHERE expires_s <= ?)", (now_s,)
            )
            purged = self._db.execute("DELETE FROM jobs WHERE expires_s <= ?", (now_s,)).rowcount
        if purged:
            with self._reading():
                # As a script: it gives back a page a step, and ``execute`` takes one step only.
                self._db.executescript("PRAGMA incremental_vacuum")
            self._forget()
        return purged

    def _first(self, where: str, *values: object) -> JobRow | None:
        row = self._db.execute(f"SELECT {_COLUMNS} FROM jobs {where}", values).fetchone()
        return None if row is None else JobRow(*(*row[:-1], bool(row[-1])))

    def _ids(self, where: str, *values: object) -> list[str]:
        with self._reading():
            return [id_ for (id_,) in self._db.execute(f"SELECT id FROM {where}", values).fetchall()]

    def _forget(self) -> None:
        """Empty the log, where deleted rows would live on."""
        with self._reading():
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Holds the connection; what SQLite raises becomes DatabaseError."""
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise DatabaseError(str(error), full="full" in str(error)) from None

    @contextmanager
    def _change(self) -> Iterator[None]:
        """One transaction, all of it or nothing; raises DatabaseError."""
        with self._reading(), self._transaction():
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
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


def _damaged() -> DatabaseDamaged:
    return DatabaseDamaged(
        "The list of jobs in the data folder is damaged: set HAECHI_DATA_DIR to another folder, or remove "
        "haechi.db from this one."
    )
