"""The directories of a TIFF structure: a TIFF file, Exif, the index of further pictures in a JPEG.

Every place is looked at before it is read: a hostile file's pointers lead nowhere. Sources: TIFF 6.0,
BigTIFF, Exif 2.32.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

ASCII, SHORT, LONG = 2, 3, 4
_HEADS = {
    b"II*\x00": ("<", False), b"MM\x00*": (">", False), b"II+\x00": ("<", True), b"MM\x00+": (">", True),
}  # fmt: skip
_MAX_DIRECTORIES, _MAX_ENTRIES = 10_000, 512


class Entry(NamedTuple):
    """A tag: the type and number of its values, and where the field is that holds them or points at them."""

    tag: int
    type: int
    values: int
    field: int


class Directory(NamedTuple):
    """places: where its entries lie, at most 512. next: where the next directory lies, 0 when this is the
    last, None when that cannot be read."""

    places: range
    next: int | None


@dataclass(frozen=True, slots=True)
class Tiff:
    """order: that of bytes, as ``struct`` writes it. big: its numbers have 64 bits."""

    data: bytes
    order: str
    big: bool

    @classmethod
    def of(cls, data: bytes) -> Tiff | None:
        """None when the data do not begin as a TIFF structure does."""
        head = _HEADS.get(data[:4])
        return None if head is None else cls(data, *head)

    def directories(self) -> Iterator[Directory]:
        """The chain of directories, each once, as far as it can be followed."""
        at = self.number(8 if self.big else 4, self._word)
        visited: set[int] = set()
        while at and at not in visited and len(visited) < _MAX_DIRECTORIES:
            visited.add(at)
            directory = self.directory(at)
            if directory is None:
                return
            yield directory
            at = directory.next

    def directory(self, at: int) -> Directory | None:
        """The directory at a place; None when there is none. Entries that the data do not hold are left
        out."""
        count = self.number(at, "Q" if self.big else "H")
        if count is None:
            return None
        first, size = at + (8 if self.big else 2), 20 if self.big else 12
        there = min(count, _MAX_ENTRIES, (len(self.data) - first) // size)
        return Directory(
            range(first, first + size * there, size), self.number(first + size * count, self._word)
        )

    def entries(self, directory: Directory) -> Iterator[Entry]:
        form, width = (self.order + "HHQ", 12) if self.big else (self.order + "HHI", 8)
        for at in directory.places:
            tag, kind, values = struct.unpack_from(form, self.data, at)
            yield Entry(tag, kind, values, at + width)

    def first_number(self, entry: Entry) -> int | None:
        """The first of an entry's values; None when it is no SHORT or LONG, or not there."""
        form = {SHORT: "H", LONG: "I"}.get(entry.type)
        return None if form is None else self.number(entry.field, form)

    def raw(self, entry: Entry, most: int) -> bytes | None:
        """The values of an entry of single bytes, at most ``most``; None when what points at them cannot be
        read."""
        inside = entry.values <= (8 if self.big else 4)
        at = entry.field if inside else self.number(entry.field, self._word)
        return None if at is None else self.data[at : at + min(entry.values, most)]

    def number(self, at: int, form: str) -> int | None:
        """The number at a place, by its letter in ``struct``; None when the data end before."""
        if not 0 <= at <= len(self.data) - struct.calcsize(form):
            return None
        value: int = struct.unpack_from(self.order + form, self.data, at)[0]
        return value

    @property
    def _word(self) -> str:
        """The letter of a number that points into the data."""
        return "Q" if self.big else "I"
