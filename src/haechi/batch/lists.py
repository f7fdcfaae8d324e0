"""Lists of paths: one a line, one before each zero byte, or in a column of a CSV.

Names are bytes, and need not be UTF-8. A list by lines cannot hold a name with a line break in it; by zero
bytes (``find -print0``) and in quotes in a CSV every name can stand."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from haechi.batch.items import Item, Wanted, chosen
from haechi.errors import NotAFile, UsageError

_MOST_BYTES = 64 * 1024
"""Of one path; file systems allow 4096."""
_BOM = b"\xef\xbb\xbf"


class PathList:
    """A list file, or standard input. ``base``: where relative paths start."""

    def __init__(self, opener: Callable[[], AbstractContextManager[IO[bytes]]], base: Path, *, by_zero: bool):
        self._opener, self._base, self._by_zero = opener, base, by_zero
        self._is_stream = False

    @classmethod
    def of_file(cls, path: Path, *, by_zero: bool) -> PathList:
        return cls(lambda: _opened(path), path.absolute().parent, by_zero=by_zero)

    @classmethod
    def of_stdin(cls, *, by_zero: bool) -> PathList:
        """Paths as they come; how many cannot be known before."""
        paths = cls(_own_stdin, Path.cwd(), by_zero=by_zero)
        paths._is_stream = True
        return paths

    def items(self, is_wanted: Wanted) -> Iterator[Item]:
        return chosen(map(Item.at, self._paths()), is_wanted)

    def count(self) -> int | None:
        return None if self._is_stream else sum(1 for _ in self._paths())

    def _paths(self) -> Iterator[Path]:
        with self._opener() as file:
            for line in _records(file) if self._by_zero else _lines(file):
                if line:
                    yield self._base / _name(line)


class CsvColumn:
    """A CSV with the paths in one of its columns; relative ones start at the folder of the CSV."""

    def __init__(self, path: Path, column: str) -> None:
        self._path, self._column = path, column

    def items(self, is_wanted: Wanted) -> Iterator[Item]:
        return chosen(map(Item.at, self._paths()), is_wanted)

    def count(self) -> int | None:
        return sum(1 for _ in self._paths())

    def _paths(self) -> Iterator[Path]:
        base = self._path.absolute().parent
        with _opened(self._path) as file:
            # Bytes that are no UTF-8 go through unchanged, as they do in names from the system.
            text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
            rows = csv.reader(text, strict=True)
            try:
                at = self._position(next(rows, []))
                for row in rows:
                    if len(row) > at and row[at]:
                        yield base / row[at]
                    elif row and len(row) <= at:
                        raise UsageError(
                            f"{self._path.name}, line {rows.line_num}: it has fewer fields than the first "
                            "line; quote commas in names."
                        )
            except csv.Error as error:
                raise UsageError(
                    f"{self._path.name}, line {rows.line_num}: this is no CSV ({error}); close its quotes, "
                    "and write quotes in a name twice."
                ) from None

    def _position(self, columns: list[str]) -> int:
        if self._column not in columns:
            raise UsageError(
                f"{self._path.name}, line 1: there is no column {self._column!r}; name the one that "
                f"holds the paths by --column: {', '.join(columns) or 'the file is empty'}."
            )
        return columns.index(self._column)


def _own_stdin() -> IO[bytes]:
    """Standard input by a reader of our own: Python cannot end while a thread waits in the common one."""
    try:
        return os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    except (AttributeError, OSError, ValueError):
        raise NotAFile("There is no standard input: give a list of paths as a file.") from None


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise NotAFile(f"The list cannot be read ({reason}): check its name.") from None


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Lines without their ends, of which Windows has two bytes; less the mark of UTF-8 before the first."""
    is_first = True
    while line := file.readline(_MOST_BYTES):
        if not line.endswith(b"\n") and len(line) == _MOST_BYTES:
            raise _too_long()
        yield line.removeprefix(_BOM if is_first else b"").removesuffix(b"\n").removesuffix(b"\r")
        is_first = False


def _records(file: IO[bytes]) -> Iterator[bytes]:
    """What stands between zero bytes."""
    rest = b""
    # Of a stream not more than has come: it would wait for what may never do so.
    read = getattr(file, "read1", file.read)
    while piece := read(_MOST_BYTES):
        *whole, rest = (rest + piece).split(b"\0")
        yield from whole
        if len(rest) > _MOST_BYTES:
            raise _too_long()
    yield rest


def _name(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape")


def _too_long() -> UsageError:
    return UsageError(
        f"The list has a path of more than {_MOST_BYTES:,} bytes: write one path a line, or with --null one "
        "before each zero byte."
    )
