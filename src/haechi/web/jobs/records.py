"""The values that the parts of the job store pass to each other. Times in seconds since 1970."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

Status: TypeAlias = Literal["waiting", "running", "done", "failed"]


class QueueFull(Exception):
    """As many jobs wait as the options allow."""


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job as the database holds it. ``expires_s`` is None until it has ended. ``slow``: it is done beside
    the others, which do not wait for it."""

    seq: int
    id: str
    name: str
    status: Status
    attempts: int
    created_s: float
    expires_s: float | None
    error_code: str | None
    error_message: str | None
    owner: str
    slow: bool


@dataclass(frozen=True, slots=True)
class Job:
    """What can be said of a job. ``part``: of the check, in [0, 1]. ``ahead``: jobs that end before it.
    ``error``: code and message of a failed one. ``owner``: as it was submitted. expires_s: once it ended."""

    id: str
    status: Status
    stage: str
    part: float
    ahead: int
    name: str
    error: tuple[str, str] | None
    created_s: float
    expires_s: float | None
    owner: str

    @classmethod
    def of(cls, row: JobRow, stage: str, part: float, ahead: int) -> Job:
        error = None if row.error_code is None else (row.error_code, row.error_message or "")
        return cls(
            id=row.id,
            status=row.status,
            stage=stage,
            part=part,
            ahead=ahead,
            name=row.name,
            error=error,
            created_s=row.created_s,
            expires_s=row.expires_s,
            owner=row.owner,
        )


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker needs of a job that it has claimed."""

    id: str
    name: str
    original: Path
