"""What the job store needs of a database: the one interface between it and SQLite, or another.

    waiting --claim--> running --finish--> done
       ^                  |  \\--fail----> failed
       \\----release/recover/

A claim is counted and durable before it returns, so a job that kills its process is known after a restart,
and no two callers are given the same job. A report and its status are written in one transaction, so there is
never one without the other. Every method is safe to call from any thread and raises DatabaseError.
"""

from __future__ import annotations

import math
from typing import Protocol

from haechi.errors import UsageError
from haechi.web.jobs.records import JobRow

ATTEMPTS = 3
"""After so many runs that took the process with them a job has failed."""


class DatabaseError(Exception):
    """The database does not answer; the text is for the log. ``full``: because there is no room."""

    def __init__(self, text: str, *, full: bool = False) -> None:
        super().__init__(text)
        self.full = full


class DatabaseDamaged(UsageError):
    """The database is there and nobody else's, but its contents do not hold."""


class JobDatabase(Protocol):
    """The rows of all jobs, and their reports."""

    def add(self, id_: str, name: str, *, created_s: float, owner: str = "", slow: bool = False) -> None:
        """A new job, which waits."""

    def claim(self, *, slow: bool = False) -> JobRow | None:
        """The oldest waiting job of its kind, now running and counted once more; None when none waits."""

    def finish(self, id_: str, report: bytes, expires_s: float) -> bool:
        """Store the report of a running job; False when the job was dropped meanwhile."""

    def fail(self, id_: str, code: str, message: str, expires_s: float) -> None:
        """A running job ends without a report."""

    def release(self, id_: str, *, slow: bool = False) -> None:
        """A running job was interrupted on purpose: it waits again, and this run does not count. ``slow``:
        from now on it is one of these."""

    def recover(self, code: str, message: str, expires_s: float) -> None:
        """After a start: what ran when the last process ended waits again, or, after ATTEMPTS, has failed."""

    def get(self, id_: str) -> JobRow | None:
        """One job; None when there is none."""

    def report(self, id_: str) -> bytes | None:
        """The report of a job that is done."""

    def waits(self, *, slow: bool) -> bool:
        """Whether a job of this kind waits."""

    def ahead(self, seq: int, *, slow: bool) -> int:
        """Jobs that end before the job of this kind with this number."""

    def counts(self) -> dict[str, int]:
        """Jobs by status; statuses without any are left out."""

    def open_ids(self) -> set[str]:
        """Jobs whose originals are still needed."""

    def done_ids(self) -> list[str]:
        """Jobs that have a report."""

    def owned_ids(self, owner: str) -> list[str]:
        """Jobs of this owner."""

    def session_ids(self) -> list[str]:
        """Jobs that belong to a session of a browser: their owner has a slash in it."""

    def drop(self, id_: str) -> bool:
        """Delete the job and its report; False when there is none."""

    def purge(self, now_s: float, keep_s: float = math.inf) -> int:
        """Delete all that has expired; how many jobs. Nothing is kept for longer than ``keep_s`` from now: it
        may have ended while the clock was ahead."""

    def close(self) -> None:
        """Let go of it. Nothing else may be called after."""
