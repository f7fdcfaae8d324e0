"""Reading what is put into a case: a file, or bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from haechi.case import disk
from haechi.errors import InputError, NotAFile
from haechi.media.sniff import HEAD_BYTES, sniff

_SUFFIXES = frozenset({"pdf", "txt", "eml", "json", "csv", "mp3", "m4a", "wav", "ogg", "zip"})


def parts(source: Path | bytes) -> Iterator[bytes]:
    """Its bytes, a megabyte at a time. Raises NotAFile."""
    if isinstance(source, bytes):
        yield source
        return
    try:
        with Path(source).open("rb") as file:
            while part := file.read(disk.CHUNK):
                yield part
    except OSError as error:
        raise NotAFile(
            f"The file cannot be read ({error.strerror}): check its name and permissions."
        ) from None


def suffix(source: Path | bytes) -> str:
    """How the copy of a source is to end."""
    if isinstance(source, bytes):
        return suffix_of(source[:HEAD_BYTES], "")
    try:
        with Path(source).open("rb") as file:
            return suffix_of(file.read(HEAD_BYTES), Path(source).name)
    except OSError:
        return "bin"


def suffix_of(head: bytes, name: str) -> str:
    """How a file is to end so that a double click opens it: by its first bytes, else by its name where that
    is one of a few harmless kinds."""
    try:
        return sniff(head[:HEAD_BYTES]).format
    except InputError:
        named = Path(name).suffix[1:].lower()
        return named if named in _SUFFIXES else "bin"
