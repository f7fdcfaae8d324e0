"""The data folder: made for this program, marked as its own, and never cleared of anything else.

    DATA_DIR/haechi.folder    says that the folder is ours; without it only an empty folder is taken
    DATA_DIR/haechi.db*       jobs and reports
    DATA_DIR/uploads/         originals on their way, under names of the patterns below
    DATA_DIR/scratch/         temporary files of the processes that check
    DATA_DIR/cases/           one folder a case
    DATA_DIR/phone.pem        certificate and key for a phone, see ``haechi.web.lan``

Only files that bear one of our own names are deleted, links are never followed, and modes are set only when
we make a file or folder ourselves. A folder of a version before the mark is known by its database.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import stat
import time
from collections.abc import Collection
from pathlib import Path

from haechi.errors import UsageError
from haechi.isolated.process import PREFIX
from haechi.web.jobs.directory import NO_LINK, Directory, mode_of

MARK = "haechi.folder"
DATABASE = "haechi.db"
UPLOADS = "uploads"
SCRATCH = "scratch"
_MARK_TEXT = b"This folder belongs to Haechi, which deletes files of its own in it.\n"
_SQLITE = b"SQLite format 3\x00"
#: What systems put into folders and volumes that their users call empty.
_SYSTEM = {"lost+found", ".DS_Store", "desktop.ini", "Thumbs.db", ".Trash-1000"}

_ORIGINAL = re.compile(r"([A-Za-z0-9_-]{24})\.original")
_PART = re.compile(r"[0-9a-f]{32}\.part")
_SEARCH = re.compile(r"[0-9a-f]{32}\.search")
_CHILD = re.compile(rf"{PREFIX}[a-z0-9_]{{8}}")
CANDIDATE = "found"
"""The one file in a folder for the search for copies."""
_DAMAGED = re.compile(r"haechi\.db(-wal|-shm)?\.damaged-[0-9a-f]{16}")
#: Names that versions before the mark gave; a bare identifier was an original.
_OLD_PART = re.compile(r"\.[0-9a-f]{32}")
_OLD_SEARCH = re.compile(r"\.match-[A-Za-z0-9_]{8}")
_OLD_BUNDLE = re.compile(r"\.bundle-[0-9a-f]{16}")
_OLD_BUNDLED = re.compile(r"bundle\.zip|\.new-[0-9a-f]{16}")
_OLD_ORIGINAL = re.compile(r"[A-Za-z0-9_-]{24}")

_log = logging.getLogger("haechi.web")


class DataFolder:
    """Opens the data folder and makes what is missing in it. Raises UsageError when it cannot be made, or
    when it is somebody else's."""

    def __init__(self, data_dir: Path) -> None:
        try:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A link given by the user may lead here; from here on none is followed.
            self.path = data_dir.resolve(strict=True)
            self._unmarked = self._known_without_mark()
            if mode_of(self.database) and not stat.S_ISREG(mode_of(self.database)):
                raise UsageError(
                    f"`{DATABASE}` in the data folder is no file: remove it, or set HAECHI_DATA_DIR to a new "
                    "folder."
                )
            _make(self.path / UPLOADS)
            _make(self.path / SCRATCH)
            self._uploads = Directory(self.path / UPLOADS)
            self._scratch = Directory(self.path / SCRATCH)
            self._top = Directory(self.path)
        except OSError as error:
            raise UsageError(
                f"The data folder cannot be made ({error.strerror}): set HAECHI_DATA_DIR to one of yours."
            ) from None

    def close(self) -> None:
        self._uploads.close()
        self._scratch.close()
        self._top.close()

    @property
    def database(self) -> Path:
        return self.path / DATABASE

    @property
    def uploads(self) -> Path:
        return self.path / UPLOADS

    @property
    def scratch(self) -> Path:
        return self.path / SCRATCH

    def original(self, id_: str) -> Path:
        """Where the upload of a job lies."""
        return self.uploads / f"{id_}.original"

    def part(self) -> Path:
        """A new place for a file on its way in."""
        return self.uploads / f"{secrets.token_hex(16)}.part"

    def search(self) -> Path:
        """A new place for a folder in which one file, ``CANDIDATE``, is compared with a case."""
        return self.uploads / f"{secrets.token_hex(16)}.search"

    def delete(self, file: Path) -> None:
        """Delete a file of the uploads when it is there. Raises OSError."""
        self._uploads.delete(file.name)

    def sweep(self, needed: Collection[str]) -> None:
        """Delete what a process that ended left of its own, but the originals of the ``needed`` jobs. What
        cannot be deleted is logged, and hinders nobody."""
        for name in self._uploads.names():
            original = _ORIGINAL.fullmatch(name)
            old = self._unmarked and _OLD_ORIGINAL.fullmatch(name)
            if old and name in needed:
                (self.uploads / name).rename(self.original(name))
            elif old or (original and original[1] not in needed) or _any(name, _PART, _OLD_PART):
                _delete(self._uploads, name)
            elif _any(name, _SEARCH, _OLD_SEARCH):
                _empty(self._uploads, name, re.compile(CANDIDATE))
        for name in self._scratch.names():
            if _CHILD.fullmatch(name):
                self._scratch.remove_tree(name)
        for name in self._top.names():
            if _OLD_BUNDLE.fullmatch(name):
                _empty(self._top, name, _OLD_BUNDLED)
        if self._unmarked:  # only now: broken off before, the next start knows the folder by its database
            self._set_mark()

    def set_aside(self) -> str:
        """Give the database another name, under which it stays for a while; that name."""
        tag = f".damaged-{secrets.token_hex(8)}"
        for ending in ("-wal", "-shm", ""):  # the database last: interrupted, it is set aside the next time
            file = self.path / f"{DATABASE}{ending}"
            if stat.S_ISREG(mode_of(file)):
                os.utime(file)
                file.rename(f"{file}{tag}")
        return f"{DATABASE}{tag}"

    def forget_set_aside(self, before_s: float) -> None:
        """Delete databases that were set aside before this time: there are pictures in them."""
        for name in self._top.names():
            if _DAMAGED.fullmatch(name):
                age = self._top.modified_s(name)
                if age < before_s or age > time.time():  # a clock that was set back keeps nothing for years
                    _delete(self._top, name)

    def _known_without_mark(self) -> bool:
        """Mark the folder when it is new; True when it has no mark but was ours before there were marks.
        Raises UsageError when it is neither marked, nor empty, nor known."""
        kind = mode_of(self.path / MARK)
        if stat.S_ISREG(kind):
            return False
        names = {file.name for file in self.path.iterdir()} - _SYSTEM
        if not kind and self._known(names):
            return True
        if kind or names:
            raise UsageError(
                "The data folder holds files that are not Haechi's, so it is left alone: set HAECHI_DATA_DIR "
                "to a new or an empty folder."
            )
        self._set_mark()
        return False

    def _set_mark(self) -> None:
        handle = os.open(self.path / MARK, os.O_WRONLY | os.O_CREAT | NO_LINK, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(_MARK_TEXT)

    def _known(self, names: set[str]) -> bool:
        """Whether this is the data folder of a version that set no mark."""
        if not stat.S_ISREG(mode_of(self.path / DATABASE)):
            return False
        with os.fdopen(os.open(self.path / DATABASE, os.O_RDONLY | NO_LINK), "rb") as file:
            if file.read(len(_SQLITE)) == _SQLITE:
                return True
        ours = {DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", UPLOADS, "cases"}
        return all(name in ours or _OLD_BUNDLE.fullmatch(name) for name in names)


def _make(folder: Path) -> None:
    """Make a folder for this user alone where there is none; the mode of one that is there is its owner's."""
    if not mode_of(folder):
        folder.mkdir(mode=0o700)


def _delete(folder: Directory, name: str) -> None:
    try:
        folder.delete(name)
    except OSError as error:
        _log.error("a file that was left behind cannot be deleted (%s)", error.strerror)


def _empty(folder: Directory, name: str, ours: re.Pattern[str]) -> None:
    """Delete our files in a folder of ours, and the folder unless something else is in it."""
    if not folder.is_folder(name):
        return
    try:
        inner = folder.inner(name)
        try:
            for file in filter(ours.fullmatch, inner.names()):
                _delete(inner, file)
            empty = not inner.names()
        finally:
            inner.close()
        if empty:
            folder.remove_folder(name)
    except (OSError, UsageError) as error:
        _log.error("a folder that was left behind cannot be deleted (%s)", type(error).__name__)


def _any(name: str, *patterns: re.Pattern[str]) -> bool:
    return any(pattern.fullmatch(name) for pattern in patterns)
