"""The one object behind REST and pages: takes uploads, knows every job, keeps reports, deletes all in time.

Originals lie in the data folder under the job's identifier (see ``folder``), never under a name of the
sender's, and go as soon as they are checked. All methods are safe to call from any thread.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, cast

from haechi.errors import InputError
from haechi.media.sniff import HEAD_BYTES, sniff
from haechi.report import archive
from haechi.server_options import Options
from haechi.types import Report
from haechi.web.folder import SEARCHED, Folder
from haechi.web.store import ATTEMPTS, Damaged, Row, Store

Status: TypeAlias = Literal["waiting", "running", "done", "failed"]

_log = logging.getLogger("haechi.web")

_ID_BYTES = 18
_CRASHED = (
    "crashed",
    f"Checking this file stopped the program {ATTEMPTS} times, so it is not tried again: the file may be "
    "made to do harm.",
)


class QueueFull(Exception):
    """As many jobs wait as the options allow."""


@dataclass(frozen=True, slots=True)
class Job:
    """What can be said of a job. ``part``: of the check, in [0, 1]. ``ahead``: jobs that end before it.
    ``error``: code and message of a failed one. ``owner``: as it was submitted. Times in seconds since 1970;
    expires_s: once it ended."""

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


@dataclass(frozen=True, slots=True)
class Task:
    """What the worker needs of a job that it has claimed."""

    id: str
    name: str
    original: Path


class Desk:
    """Opens the data folder and takes up the jobs that the last process left. Raises UsageError when the
    folder cannot be used, or is in use."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._folder = Folder(options.data_dir)
        self._store = self._opened_store()
        self._store.recover(*_CRASHED, time.time() + options.keep_s)
        self._lock, self._adding = threading.Lock(), threading.Lock()
        self._work = threading.Condition()
        self._left: set[str] = set()
        self._running: dict[str, tuple[str, float]] = {}
        self._listeners: dict[str, list[Callable[[], None]]] = {}
        for id_ in self._store.ids_of("*/*"):  # of sessions that have ended: nobody can ask for them
            self._store.drop(id_)
        self._folder.sweep(self._store.open_ids())
        self.sweep()

    @property
    def scratch(self) -> Path:
        """The folder for temporary files of the processes that check."""
        return self._folder.scratch

    @contextmanager
    def place(self) -> Iterator[Path]:
        """The file to write an upload to that is about to begin; it is removed unless it was submitted.
        Raises QueueFull when there would be no place for it now. A place is taken by ``submit`` only: what is
        still being sent takes none from others."""
        self._check_queue()
        with self.part() as file:
            yield file

    @contextmanager
    def part(self) -> Iterator[Path]:
        """A name for a file that somebody is sending. The file is gone when the context ends, or at the
        latest when the next process starts."""
        file = self._folder.part()
        try:
            yield file
        finally:
            self._folder.delete(file)

    @contextmanager
    def search(self, file: Path) -> Iterator[Path]:
        """A folder that holds nothing but this file, which is gone with it when the context ends."""
        folder = self._folder.search()
        folder.mkdir(mode=0o700)
        try:
            file.rename(folder / SEARCHED)
            yield folder
        finally:
            (folder / SEARCHED).unlink(missing_ok=True)
            with suppress(FileNotFoundError):  # swept: the server stops
                folder.rmdir()

    def submit(self, upload: Path, name: str, *, owner: str = "") -> str:
        """Take over a file inside the folder of uploads; the identifier of its job, which cannot be guessed.
        The job survives the end of the process from here on, but for that of a browser's session, which ends
        then. Raises QueueFull."""
        id_ = secrets.token_urlsafe(_ID_BYTES)
        original = self._folder.original(id_)
        slow = _is_video(upload)
        with self._adding:
            self._check_queue()
            upload.rename(original)
            try:
                self._store.add(id_, name, created_s=time.time(), owner=owner, slow=slow)
            except BaseException:
                self._folder.delete(original)
                raise
        with self._work:
            self._work.notify_all()
        return id_

    def look(self, id_: str) -> Job | None:
        """The job as it stands now; None when it never was, was dropped or has expired."""
        row = self._store.look(id_)
        if row is None or (row.expires_s is not None and row.expires_s <= time.time()):
            return None
        stage, part, ahead = row.status, 0.0, 0
        if row.status == "done":
            part = 1.0
        elif row.status in ("waiting", "running"):
            ahead = self._store.ahead(row.seq, slow=row.slow)
            stage, part = self._running.get(id_, (stage, part))
        return _job(row, stage, part, ahead)

    def report(self, id_: str, *, previews: bool = True) -> Report | None:
        """The report of a job that is done; quicker without its pictures."""
        data = self.kept(id_)
        return None if data is None else archive.load(data, previews=previews)

    def kept(self, id_: str) -> bytes | None:
        """The same as ``haechi.report.archive`` stores it."""
        job = self.look(id_)
        return self._store.report(id_) if job is not None and job.status == "done" else None

    def drop(self, id_: str) -> bool:
        """Delete a job, its original and its report now; one that runs is broken off. False: none there."""
        gone = self._store.drop(id_)
        if gone:
            self._delete(id_)
            self._tell(id_)
        return gone

    def drop_owner(self, owner: str) -> None:
        """Drop all jobs of one session."""
        for id_ in self._store.ids_of(owner):
            self.drop(id_)

    def drop_file(self, sha256: str) -> None:
        """Drop every job of this very file, whoever sent it."""
        for id_ in self._store.open_ids():
            original = self._folder.original(id_)
            with suppress(FileNotFoundError), original.open("rb") as file:  # ended meanwhile: looked at below
                if hashlib.file_digest(file, "sha256").hexdigest() == sha256:
                    self.drop(id_)
        for id_ in self._store.done_ids():
            report = self.report(id_, previews=False)
            if report is not None and report.media.sha256 == sha256:
                self.drop(id_)

    def original(self, id_: str) -> Path | None:
        """The upload while it waits or runs."""
        row = self._store.look(id_)
        file = self._folder.original(id_)
        return file if row is not None and row.status in ("waiting", "running") and file.exists() else None

    def counts(self) -> dict[str, int]:
        """Jobs by status."""
        return dict.fromkeys(("waiting", "running", "done", "failed"), 0) | self._store.counts()

    def free_bytes(self) -> int:
        """Room left on the disk of the data folder."""
        return shutil.disk_usage(self._folder.uploads).free

    def on_end(self, id_: str, call: Callable[[], None]) -> Callable[[], None]:
        """Have ``call`` called, in another thread, when the job ends or is dropped; at once when it has.
        Returns what takes this back."""
        with self._lock:
            self._listeners.setdefault(id_, []).append(call)
        row = self._store.look(id_)
        if row is None or row.status in ("done", "failed"):
            call()

        def cancel() -> None:
            with self._lock, suppress(KeyError, ValueError):
                self._listeners[id_].remove(call)
                if not self._listeners[id_]:
                    del self._listeners[id_]

        return cancel

    def _opened_store(self) -> Store:
        """A damaged list of jobs is set aside for as long as results are kept, and a new one begun."""
        try:
            return Store(self._folder.database)
        except Damaged:
            name = self._folder.set_aside()
            _log.error(
                "The list of jobs was damaged, so a new one was begun: what waited and was done is gone. "
                "The damaged one is kept for a while as %s in the data folder.",
                name,
            )
            return Store(self._folder.database)

    def _check_queue(self) -> None:
        if self._store.counts().get("waiting", 0) >= self.options.queue:
            raise QueueFull

    # What follows is for the worker.

    def next(self, wait_s: float, *, slow: bool = False) -> Task | None:
        """Claim the oldest waiting job of a kind; wait that long for one. Slow are videos, and what took long
        while others waited."""
        with self._work:
            row = self._store.claim(slow=slow)
            if row is None:
                self._work.wait(wait_s)
                row = self._store.claim(slow=slow)
        if row is None:
            return None
        self._running[row.id] = ("open", 0.0)
        return Task(row.id, row.name, self._folder.original(row.id))

    def waits(self, *, slow: bool) -> bool:
        """Whether a job of this kind waits."""
        return self._store.waits(slow=slow)

    def wake(self) -> None:
        """Have ``next`` return at once."""
        with self._work:
            self._work.notify_all()

    def progress(self, id_: str, stage: str, part: float) -> bool:
        """Note how far the running job is; False when it was dropped."""
        self._running[id_] = (stage, part)
        return self._store.look(id_) is not None

    def finish(self, id_: str, report: bytes) -> None:
        """Store the report, then delete the original."""
        self._store.finish(id_, report, time.time() + self.options.keep_s)
        self._ended(id_)

    def fail(self, id_: str, code: str, message: str) -> None:
        """End the job without a report, and delete the original."""
        self._store.fail(id_, code, message, time.time() + self.options.keep_s)
        self._ended(id_)

    def release(self, id_: str, *, slow: bool = False) -> None:
        """The job was interrupted on purpose and waits again; ``slow``: from now on with the videos."""
        self._store.release(id_, slow=slow)
        self._running.pop(id_, None)
        self.wake()

    def sweep(self) -> int:
        """Delete results that have expired, and what was set aside so long ago; how many results. Originals
        that could not be deleted are tried again."""
        for id_ in tuple(self._left):
            self._delete(id_)
        self._folder.forget_set_aside(time.time() - self.options.keep_s)
        return self._store.purge(time.time(), self.options.keep_s)

    def tidy(self) -> None:
        """Before the end: leave nothing behind but what the next start takes up."""
        self.sweep()
        self._folder.sweep(self._store.open_ids())

    def close(self) -> None:
        self._store.close()
        self._folder.close()

    def _ended(self, id_: str) -> None:
        self._running.pop(id_, None)
        self._delete(id_)
        self._tell(id_)

    def _delete(self, id_: str) -> None:
        """Delete the original of a job that has ended. What cannot be deleted now is tried again by every
        ``sweep``: neither the job nor those after it depend on that."""
        try:
            self._folder.delete(self._folder.original(id_))
            self._left.discard(id_)
        except OSError as error:
            if id_ not in self._left:
                _log.error("an upload cannot be deleted (%s): tried again every few seconds", error.strerror)
            self._left.add(id_)

    def _tell(self, id_: str) -> None:
        with self._lock:
            calls = self._listeners.pop(id_, [])
        for call in calls:
            call()


def _is_video(file: Path) -> bool:
    """By its first bytes; what is no video, and what is nothing at all, is quickly done with."""
    with file.open("rb") as opened:
        try:
            return sniff(opened.read(HEAD_BYTES)).kind == "video"
        except InputError:
            return False


def _job(row: Row, stage: str, part: float, ahead: int) -> Job:
    return Job(
        id=row.id,
        status=cast(Status, row.status),
        stage=stage,
        part=part,
        ahead=ahead,
        name=row.name,
        error=None if row.error_code is None else (row.error_code, row.error_message or ""),
        created_s=row.created_s,
        expires_s=row.expires_s,
        owner=row.owner,
    )
