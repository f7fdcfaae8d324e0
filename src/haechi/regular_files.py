"""Files that a setting names: opened only when they are regular files, so that a pipe or a device in their
place is an error and is never waited for, nor read without end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def opened(path: Path, most_bytes: int) -> BinaryIO:
    """The file, to be read. Raises OSError when it cannot be opened, is no regular file or is too large."""
    _check(path.stat(), most_bytes)  # before it is opened: opening alone may do something to a device
    file = os.fdopen(os.open(path, _FLAGS), "rb")
    try:
        _check(os.fstat(file.fileno()), most_bytes)
    except OSError:
        file.close()
        raise
    return file


def read(path: Path, most_bytes: int) -> bytes:
    """All of the file. Raises OSError likewise, and when it grows meanwhile."""
    with opened(path, most_bytes) as file:
        # A byte more shows growth. ``most_bytes`` would be taken of the memory before anything is read.
        size = os.fstat(file.fileno()).st_size
        data = file.read(size + 1)
    if len(data) > size:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
    return data


def _check(about: os.stat_result, most_bytes: int) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    if about.st_size > most_bytes:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
