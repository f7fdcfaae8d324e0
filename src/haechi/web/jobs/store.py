"""The job store: takes uploads, knows every job, keeps reports, deletes all in time.

Originals lie in the data folder under the job's identifier (see ``data_folder``), never under a name of the
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
from pathlib import Path

from haechi.errors import InputError
from haechi.media.sniff import HEAD_BYTES, sniff
from haechi.report import archive
from haechi.server_options import Options
from haechi.types import Report
from haechi.web.jobs.data_folder import CANDIDATE, DataFolder
from haechi.web.jobs.database import ATTEMPTS, DatabaseDamaged, JobDatabase
from haechi.web.jobs.events import JobEvents
from haechi.web.jobs.originals import Originals
from haechi.web.jobs.queue import JobQueue
from haechi.web.jobs.records import Job, QueueFull
from haechi.web.jobs.sqlite import SQLiteDatabase

_log = logging.getLogger("haechi.web")

_ID_BYTES = 18
_CRASHED = (
    "crashed",
    f"Checking this file stopped the program {ATTEMPTS} times, so it is not tried again: the file may be "
    "made to do harm.",
)


class JobStore:
    """Opens the data folder and takes up the jobs that the last process left. ``queue``: what workers ask.
    Raises UsageError when the folder cannot be used, or is in use."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._folder = DataFolder(options.data_dir)
        self._database = _open_database(self._folder)
        self._originals, self.events = Originals(self._folder), JobEvents()
        self.queue = JobQueue(self._database, self._originals, self.events, options.keep_s)
        self._submitting = threading.Lock()
        self._database.recover(*_CRASHED, time.time() + options.keep_s)
        for id_ in self._database.session_ids():  # those sessions have ended: nobody can ask for them
            self._database.drop(id_)
        self._folder.sweep(self._database.open_ids())
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
            file.rename(folder / CANDIDATE)
            yield folder
        finally:
            (folder / CANDIDATE).unlink(missing_ok=True)
            with suppress(FileNotFoundError):  # swept: the server stops
                folder.rmdir()

    def submit(self, upload: Path, name: str, *, owner: str = "") -> str:
        """Take over a file inside the folder of uploads; the identifier of its job, which cannot be guessed.
        The job survives the end of the process from here on, but for that of a browser's session, which ends
        then. Raises QueueFull, DatabaseError."""
        id_ = secrets.token_urlsafe(_ID_BYTES)
        original = self._originals.path(id_)
        slow = _is_video(upload)
        with self._submitting:
            self._check_queue()
            upload.rename(original)
            try:
                self._database.add(id_, name, created_s=time.time(), owner=owner, slow=slow)
            except BaseException:
                self._folder.delete(original)
                raise
        self.events.announce_work()
        return id_

    def look(self, id_: str) -> Job | None:
        """The job as it stands now; None when it never was, was dropped or has expired."""
        row = self._database.get(id_)
        if row is None or (row.expires_s is not None and row.expires_s <= time.time()):
            return None
        if row.status == "done":
            return Job.of(row, row.status, 1.0, 0)
        if row.status == "failed":
            return Job.of(row, row.status, 0.0, 0)
        stage, part = self.queue.progress_of(id_) or (row.status, 0.0)
        return Job.of(row, stage, part, self._database.ahead(row.seq, slow=row.slow))

    def report(self, id_: str, *, previews: bool = True) -> Report | None:
        """The report of a job that is done; quicker without its pictures."""
        data = self.archived_report(id_)
        return None if data is None else archive.load(data, previews=previews)

    def archived_report(self, id_: str) -> bytes | None:
        """The same as ``haechi.report.archive`` stores it."""
        job = self.look(id_)
        return self._database.report(id_) if job is not None and job.status == "done" else None

    def counts(self) -> dict[str, int]:
        """Jobs by status."""
        return dict.fromkeys(("waiting", "running", "done", "failed"), 0) | self._database.counts()

    def free_bytes(self) -> int:
        """Room left on the disk of the data folder."""
        return shutil.disk_usage(self._folder.uploads).free

    def on_end(self, id_: str, call: Callable[[], None]) -> Callable[[], None]:
        """Have ``call`` called, in another thread, when the job ends or is dropped; at once when it has.
        Returns what takes this back."""
        cancel = self.events.listen(id_, call)
        row = self._database.get(id_)
        if row is None or row.status in ("done", "failed"):
            call()
        return cancel

    def drop(self, id_: str) -> bool:
        """Delete a job, its original and its report now; one that runs is broken off. False: none there."""
        dropped = self._database.drop(id_)
        if dropped:
            self._originals.delete(id_)
            self.events.ended(id_)
        return dropped

    def drop_owner(self, owner: str) -> None:
        """Drop all jobs of one session."""
        for id_ in self._database.owned_ids(owner):
            self.drop(id_)

    def drop_file(self, sha256: str) -> None:
        """Drop every job of this very file, whoever sent it."""
        for id_ in self._database.open_ids():
            original = self._originals.path(id_)
            with suppress(FileNotFoundError), original.open("rb") as file:  # ended meanwhile: looked at below
                if hashlib.file_digest(file, "sha256").hexdigest() == sha256:
                    self.drop(id_)
        for id_ in self._database.done_ids():
            report = self.report(id_, previews=False)
            if report is not None and report.media.sha256 == sha256:
                self.drop(id_)

    def sweep(self) -> int:
        """Delete results that have expired, and what was set aside so long ago; how many results. Originals
        that could not be deleted are tried again."""
        self._originals.retry()
        self._folder.forget_set_aside(time.time() - self.options.keep_s)
        return self._database.purge(time.time(), self.options.keep_s)

    def tidy(self) -> None:
        """Before the end: leave nothing behind but what the next start takes up."""
        self.sweep()
        self._folder.sweep(self._database.open_ids())

    def close(self) -> None:
        self._database.close()
        self._folder.close()

    def _check_queue(self) -> None:
        if self._database.counts().get("waiting", 0) >= self.options.queue:
            raise QueueFull


def _open_database(folder: DataFolder) -> JobDatabase:
    """A damaged list of jobs is set aside for as long as results are kept, and a new one begun."""
    try:
        return SQLiteDatabase(folder.database)
    except DatabaseDamaged:
        name = folder.set_aside()
        _log.error(
            "The list of jobs was damaged, so a new one was begun: what waited and was done is gone. "
            "The damaged one is kept for a while as %s in the data folder.",
            name,
        )
        return SQLiteDatabase(folder.database)


def _is_video(file: Path) -> bool:
    """By its first bytes; what is no video, and what is nothing at all, is quickly done with."""
    with file.open("rb") as stream:
        try:
            return sniff(stream.read(HEAD_BYTES)).kind == "video"
        except InputError:
            return False
