"""The files of a case: written whole or not at all, readable by their owner alone, never through a link, and
only regular ones: a pipe or a device in the place of a file is an error and never waited for.

A new file is written beside its place under a name that begins with ``.new-``, pushed to the disk and then
renamed, so that a loss of power leaves either the old state or the new one.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from haechi.errors import CaseError

CHUNK = 1024 * 1024
UNFINISHED = ".new-"
LOCK = ".lock"
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
"""``O_NONBLOCK``: opening a pipe that nobody writes into would wait for ever."""
_OWNER = 0o600


def io_error(what: str, error: OSError) -> CaseError:
    """The system's words without the path."""
    return CaseError(
        f"{what} ({os.strerror(error.errno) if error.errno else 'input/output error'}): "
        "check the free space and the permissions of the case folder."
    )


def open_regular(path: Path, flags: int = os.O_RDONLY) -> BinaryIO:
    """A regular file, opened by flags of ``os.open``: no link, pipe or device. Raises OSError."""
    handle = os.open(path, flags | _NO_LINK)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        return os.fdopen(handle, "rb" if flags == os.O_RDONLY else "ab")
    except BaseException:
        os.close(handle)
        raise


def open_private(path: Path, flags: int = os.O_EXCL) -> BinaryIO:
    """A file to write that its owner alone can read; with ``O_TRUNC`` in place of what is there. Raises
    OSError."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | flags | _NO_LINK, _OWNER)
    if flags & os.O_TRUNC and hasattr(os, "fchmod"):
        os.fchmod(handle, _OWNER)  # it may have been there before, open to others
    return os.fdopen(handle, "w+b")


def is_file(path: Path) -> bool:
    """Whether a regular file is there, not a link to one."""
    return _mode(path, stat.S_ISREG)


def is_folder(path: Path) -> bool:
    return _mode(path, stat.S_ISDIR)


def _mode(path: Path, is_kind: object) -> bool:
    try:
        return bool(is_kind(path.lstat().st_mode))  # type: ignore[operator]
    except (OSError, ValueError):
        return False


def make_folder(path: Path) -> Path:
    """The folder, made for its owner alone when it is not there. Raises CaseError when it is something
    else."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise io_error("A folder of the case cannot be made", error) from None
    if not is_folder(path):
        raise CaseError("A folder of the case is a link or a file: put the folder back in its place.")
    return path


def read(path: Path, most: int) -> bytes:
    """A small file whole. Raises CaseError when it is missing, a link, or larger than ``most``."""
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(min(size, most) + 1)  # Python sets aside all that is asked for
    except OSError as error:
        if error.errno != errno.ENOENT and not is_file(path):
            raise CaseError(
                f"{path.name} of the case is a link, a pipe or a folder: put the file back in its place."
            ) from None
        raise io_error(f"{path.name} of the case cannot be read", error) from None
    if len(data) > most:
        raise CaseError(f"{path.name} of the case is larger than any that Haechi writes: it was changed.")
    return data


def pieces(path: Path) -> Iterator[bytes]:
    """A file of a case, a megabyte at a time. Raises OSError, also for what is no regular file."""
    with open_regular(path) as file:
        while piece := file.read(CHUNK):
            yield piece


def measure(path: Path) -> tuple[str, int]:
    """The SHA-256 and the size in bytes of a file, which is never in memory as a whole. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    for piece in pieces(path):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


class Unfinished:
    """A file on its way into a folder: ``write``, then ``keep`` under its name or ``drop``. Used as a
    context, which drops what was not kept. ``sha256`` and ``size`` are those of what was written so far."""

    def __init__(self, where: Path) -> None:
        self.path = where / (UNFINISHED + secrets.token_hex(8))
        self._digest, self.size, self._is_complete = hashlib.sha256(), 0, False
        try:
            self._file = open_private(self.path)
        except OSError as error:
            raise io_error("A file of the case cannot be written", error) from None

    def __enter__(self) -> Unfinished:
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, parts: Iterable[bytes]) -> None:
        try:
            for part in parts:
                self._file.write(part)
                self._digest.update(part)
                self.size += len(part)
        except OSError as error:
            raise io_error("A file of the case cannot be written", error) from None

    def hold(self) -> None:
        """Push it to the disk; from here on it is no longer dropped. What names it may be written."""
        try:
            if not self._file.closed:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                sync_folder(self.path.parent)
        except OSError as error:
            raise io_error("A file of the case cannot be written", error) from None
        self._is_complete = True

    def keep(self, path: Path) -> None:
        """Push it to the disk and put it at ``path``, in place of what is there."""
        self.hold()
        try:
            self.path.replace(path)
            sync_folder(path.parent)
        except OSError as error:
            raise io_error("A file of the case cannot be written", error) from None

    def drop(self) -> None:
        with suppress(OSError):
            self._file.close()
        if not self._is_complete:
            with suppress(OSError):
                self.path.unlink()


def delete(path: Path) -> None:
    """Delete a file of the case if it is there. Raises CaseError when that fails."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise io_error("A file of the case cannot be deleted", error) from None


def unfinished(place: Path) -> list[Path]:
    """What writers that were ended by force left in a folder."""
    return sorted(p for p in place.glob(f"{UNFINISHED}*") if is_file(p)) if is_folder(place) else []


def replace(path: Path, data: bytes) -> None:
    """Write a small file whole, in place of the one that is there."""
    with Unfinished(path.parent) as new:
        new.write([data])
        new.keep(path)


def sync_folder(path: Path) -> None:
    """Push to the disk which files a folder holds; Windows does so by itself."""
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def writer_lock(case: Path) -> Iterator[None]:
    """Hold the case against every other writer, in this process or another. The system lets go of the lock
    when a process ends, however it ends. Raises CaseError at once when somebody else writes."""
    try:
        handle = os.open(case / LOCK, os.O_RDWR | os.O_CREAT | _NO_LINK, _OWNER)
    except OSError as error:
        raise io_error("The case cannot be held for writing", error) from None
    try:
        _hold(handle)
        yield
    finally:
        os.close(handle)


def _hold(handle: int) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise in_use() from None


def in_use() -> CaseError:
    return CaseError(
        "Another program is writing into this case at this moment: wait until it is done, then try again."
    )


def is_locked(case: Path) -> bool:
    """Whether somebody holds the case for writing; never known on Windows and of a copy without a lock."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        handle = os.open(case / LOCK, os.O_RDONLY | _NO_LINK)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False
