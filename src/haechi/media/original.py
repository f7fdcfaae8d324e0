"""The source of a check, to be read again: its bytes as they were when it was opened, and no others."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeAlias

from haechi.errors import DamagedFile

_Stamp: TypeAlias = tuple[int, int, int, int]


class Changed(DamagedFile):
    """The file is no longer the one that was opened: what is read from it now is said of another."""

    code = "changed"


@dataclass(frozen=True, slots=True)
class Original:
    """A path, or the bytes of a file; of a path also what told it apart (device, inode, size, time of the
    last change) before it was opened to be judged."""

    source: Path | bytes = field(repr=False)
    stamp: _Stamp | None = None

    @classmethod
    def of(cls, source: str | os.PathLike[str] | bytes) -> Original:
        """Never raises: a source that cannot be read is refused by whoever opens it."""
        if isinstance(source, bytes | bytearray | memoryview):
            return cls(bytes(source))
        path = Path(source)
        try:
            return cls(path, _stamp(path.stat()))
        except (OSError, ValueError):
            return cls(path)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file, to read and to seek in. Raises Changed when it is another than the one that was opened,
        also when it becomes so on the way: then nothing that was read counts."""
        if isinstance(self.source, bytes):
            yield io.BytesIO(self.source)
            return
        # Without waiting: a pipe may have been put in the file's place.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            handle = os.open(self.source, flags)
        except (OSError, ValueError) as error:
            raise _changed() from error
        with os.fdopen(handle, "rb") as file:
            self._hold(file)
            yield file
            self._hold(file)

    def _hold(self, file: BinaryIO) -> None:
        now = os.fstat(file.fileno())
        if not stat.S_ISREG(now.st_mode) or _stamp(now) != self.stamp:
            raise _changed()


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _changed() -> Changed:
    return Changed("The file was changed or taken away while it was checked: check it again.")
