"""What a walker yields: pieces of a file, and how its structure ends."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from enum import Enum, auto
from typing import Generic, NamedTuple, TypeAlias, TypeVar

#: More pieces than any honest file has: only one that is made to stall readers has them.
MAX_PIECES = 200_000
#: Where a content lies: [start, end) in bytes of the file.
Span: TypeAlias = tuple[int, int]
Kind = TypeVar("Kind")


class Piece(NamedTuple, Generic[Kind]):
    """A segment, chunk, block, box or element.

    start: where its head begins. offset, end: its payload lies in the bytes [offset, end), as far as the file
    has it. missing: how many of the bytes that it announces the file, or the box around it, has not."""

    kind: Kind
    start: int
    offset: int
    end: int
    missing: int = 0

    @property
    def length(self) -> int:
        """Bytes of the payload that are there."""
        return self.end - self.offset

    @property
    def span(self) -> Span:
        return self.offset, self.end

    def payload(self, data: bytes, most: int | None = None) -> bytes:
        """The payload, or the first ``most`` bytes of it, out of the whole file's bytes."""
        return data[self.offset : self.end if most is None else min(self.end, self.offset + most)]


class Ending(Enum):
    """How the structure of a file ends."""

    OPEN = auto()  # nobody has walked to its end
    MARKED = auto()  # with the mark that its format ends with
    UNMARKED = auto()  # where another piece could begin, but none does
    CUT = auto()  # inside a piece, or before one that must come
    BROKEN = auto()  # with something that is no piece
    TOO_MANY = auto()  # not within the number of pieces that are followed


class Walk(Generic[Kind]):
    """The pieces of a file, to be iterated once; ``ending`` says how they ended when they have run out. A
    piece of which bytes are missing is the last one."""

    def __init__(self, steps: Generator[Piece[Kind], None, Ending]) -> None:
        self._steps = steps
        self.ending = Ending.OPEN

    def __iter__(self) -> Iterator[Piece[Kind]]:
        self.ending = yield from self._steps
