"""What ``haechi batch SOURCE`` names -> a ``Source``: a folder, a glob, a list of paths, a CSV, a tar."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from haechi.batch.items import Item, Source, Wanted, chosen
from haechi.batch.lists import CsvColumn, PathList
from haechi.batch.tars import Tar, is_tar
from haechi.errors import NotAFile, UsageError
from haechi.folders import files_in

STDIN = "-"
COLUMN = "path"
_LISTS = (".txt", ".list", ".lst")
_CURE = (
    "give a folder, a glob in quotes, a list (.txt), a CSV, a tar or - for standard input; say which it "
    "is by --from where its name does not tell"
)


class Kind(StrEnum):
    """What a source is."""

    folder = "folder"
    glob = "glob"
    list = "list"
    csv = "csv"
    tar = "tar"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a source is read. kind: None goes by its name and content · column: of a CSV · by_zero: a list has
    a zero byte behind each path · skip: a folder that is left out, of the results · scratch: a folder for
    copies of members, of at most ``most_bytes`` · unlisted: told of each folder that cannot be listed."""

    scratch: Path
    most_bytes: int
    kind: Kind | None = None
    column: str = COLUMN
    by_zero: bool = False
    skip: Path | None = None
    unlisted: Callable[[OSError], None] | None = None


class Folder:
    """Every regular file in a folder and the folders in it."""

    def __init__(self, path: Path, skip: Path | None, unlisted: Callable[[OSError], None] | None) -> None:
        self._path, self._skip, self._unlisted = path.absolute(), skip, unlisted

    def items(self, is_wanted: Wanted) -> Iterator[Item]:
        return chosen(map(Item.at, files_in(self._path, self._skip, self._unlisted)), is_wanted)

    def count(self) -> int | None:
        return sum(1 for _ in files_in(self._path, self._skip))


class Glob:
    """Every regular file of a pattern of the shell's, in which ``**`` stands for any number of folders."""

    def __init__(self, pattern: str, skip: Path | None) -> None:
        self._pattern, self._skip = pattern, skip

    def items(self, is_wanted: Wanted) -> Iterator[Item]:
        return chosen(map(Item.at, self._paths()), is_wanted)

    def count(self) -> int | None:
        return sum(1 for _ in self._paths())

    def _paths(self) -> Iterator[Path]:
        own = None if self._skip is None else self._skip.resolve()
        for name in glob.iglob(self._pattern, recursive=True, include_hidden=True):  # noqa: PTH207  (any root)
            path = Path(name)
            if path.is_file() and (own is None or own not in path.resolve().parents):
                yield path


def open_source(text: str, how: Reading) -> Source:
    """Raises UsageError when it is none of these, NotAFile when it cannot be read."""
    if text == STDIN:
        return PathList.of_stdin(by_zero=how.by_zero)
    path, kind = Path(text), how.kind or _kind(text)
    if kind is Kind.glob:
        return Glob(text, how.skip)
    if kind is Kind.folder:
        if not path.is_dir():
            raise NotAFile("The source is no folder: check its name.")
        return Folder(path, how.skip, how.unlisted)
    if kind is Kind.tar:
        return Tar(path, how.scratch, how.most_bytes)
    if kind is Kind.csv:
        return CsvColumn(path, how.column)
    return PathList.of_file(path, by_zero=how.by_zero)


def is_glob(text: str) -> bool:
    """Whether a text is a pattern, and not the name of something that is there."""
    return glob.has_magic(text) and not Path(text).exists()


def _kind(text: str) -> Kind:
    """What a source is by its name, and whether it is a tar by its content."""
    path = Path(text)
    if path.is_dir():
        return Kind.folder
    if is_glob(text):
        return Kind.glob
    if not path.exists():
        raise NotAFile(f"There is no such source: {_CURE}.")
    suffix = path.suffix.lower()
    if suffix in _LISTS or suffix == ".csv":
        return Kind.csv if suffix == ".csv" else Kind.list
    if is_tar(path):
        return Kind.tar
    raise UsageError(f"This file is no source of many: {_CURE}. `haechi check` looks at single files.")
