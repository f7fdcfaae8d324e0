"""Reading what is put into a case: a file, or bytes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from haechi.case import atomic_io
from haechi.errors import InputError, NotAFile
from haechi.media.sniff import HEAD_BYTES, sniff

_SUFFIXES = frozenset({"pdf", "txt", "eml", "json", "csv", "mp3", "m4a", "wav", "ogg", "zip"})


def parts(source: Path | bytes) -> Iterator[bytes]:
    """Its bytes, a megabyte at a time. Raises NotAFile."""
    if isinstance(source, bytes):
        yield source
        return
    try:
        with _opened(source) as file:
            while part := file.read(atomic_io.CHUNK):
                yield part
    except OSError as error:
        raise _unreadable(error) from None


def suffix(source: Path | bytes) -> str:
    """How the copy of a source is to end."""
    if isinstance(source, bytes):
        return suffix_of(source[:HEAD_BYTES], "")
    try:
        with _opened(source) as file:
            return suffix_of(file.read(HEAD_BYTES), Path(source).name)
    except (OSError, NotAFile):
        return "bin"


def checked(source: Path | bytes) -> None:
    """Raises NotAFile unless the source is bytes or a regular file that can be read."""
    if not isinstance(source, bytes):
        try:
            _opened(source).close()
        except OSError as error:
            raise _unreadable(error) from None


def small(path: Path, most: int) -> bytes:
    """A file whole. Raises NotAFile, and InputError when it is larger than ``most`` bytes."""
    try:
        with _opened(path) as file:
            data = file.read(most + 1)
    except OSError as error:
        raise _unreadable(error) from None
    if len(data) > most:
        raise InputError(f"The file is larger than {most:,} bytes: it is not what was asked for.")
    return data


def _opened(source: Path) -> BinaryIO:
    """Links are followed: a person named them. Raises OSError, and NotAFile for a pipe, a device or a folder,
    which would be waited for or never end."""
    handle = os.open(source, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotAFile("This is no regular file but a folder, a pipe or a device: name the file itself.")
    return os.fdopen(handle, "rb")


def _unreadable(error: OSError) -> NotAFile:
    if isinstance(error, FileNotFoundError):
        return NotAFile("There is no such file: check its name.")
    return NotAFile(f"The file cannot be read ({error.strerror}): check its name and permissions.")


def suffix_of(head: bytes, name: str) -> str:
    """How a file is to end so that a double click opens it: by its first bytes, else by its name where that
    is one of a few harmless kinds."""
    try:
        return sniff(head[:HEAD_BYTES]).format
    except InputError:
        extension = Path(name).suffix[1:].lower()
        return extension if extension in _SUFFIXES else "bin"
