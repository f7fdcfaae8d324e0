"""The boxes of ISO base media files: MP4, MOV, HEIC, AVIF. Source: ISO/IEC 14496-12, 4.2 and 8.4.3."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator
from typing import BinaryIO

from haechi.media.containers.pieces import MAX_PIECES, Ending, Piece, Span, Walk

_HEAD_BYTES, _WIDE_HEAD_BYTES = 8, 16
NOWHERE: Span = (0, 0)


class BoxFile:
    """A file, or bytes, made of boxes. ``most``: how many boxes are followed, on all levels together."""

    def __init__(self, file: BinaryIO | bytes, most: int = MAX_PIECES) -> None:
        self._file = io.BytesIO(file) if isinstance(file, bytes) else file
        self._left = most
        self.size = self._file.seek(0, 2)

    def read(self, start: int, end: int) -> bytes:
        """The bytes [start, end), as far as they are there."""
        self._file.seek(start)
        return self._file.read(max(0, end - start))

    def top(self) -> Walk[bytes]:
        """The boxes of the file itself, of which the last may leave its length open. Ends UNMARKED, CUT,
        BROKEN (a length that cannot be) or TOO_MANY."""
        return Walk(self._steps(0, self.size, True))

    def inside(self, span: Span) -> Walk[bytes]:
        """The boxes directly inside a span. Ends as ``top`` does."""
        return Walk(self._steps(*span, False))

    def whole_inside(self, span: Span) -> Iterator[Piece[bytes]]:
        """The boxes directly inside a span, but for a last one that is not all in it."""
        return (box for box in self.inside(span) if not box.missing)

    def first(self, span: Span, kind: bytes) -> Span:
        """The content of the first box of this kind directly inside a span, NOWHERE without one."""
        return next((box.span for box in self.whole_inside(span) if box.kind == kind), NOWHERE)

    def tracks(self, movie: Span) -> Iterator[tuple[Span, bytes]]:
        """(content, handler such as b"vide") of each track inside a moov; the handler is empty when it
        cannot be found."""
        for box in self.whole_inside(movie):
            if box.kind == b"trak":
                start, end = self.first(self.first(box.span, b"mdia"), b"hdlr")
                yield box.span, self.read(start + 8, min(start + 12, end))

    def timing(self, span: Span) -> tuple[int, int]:
        """(units a second, length in units) of the content of an mvhd or mdhd; (0, 0) if it is too short."""
        start, end = span
        wide = self.read(start, min(end, start + 1)) == b"\x01"
        at, width = (start + 20, 8) if wide else (start + 12, 4)
        if end < at + 4 + width:
            return 0, 0
        numbers = self.read(at, at + 4 + width)
        return int.from_bytes(numbers[:4], "big"), int.from_bytes(numbers[4:], "big")

    def _steps(self, at: int, end: int, top: bool) -> Generator[Piece[bytes], None, Ending]:
        while self._left > 0:
            self._left -= 1
            head = self.read(at, min(end, at + _WIDE_HEAD_BYTES))
            if len(head) < _HEAD_BYTES:
                return Ending.CUT if head else Ending.UNMARKED
            length, skip = int.from_bytes(head[:4], "big"), _HEAD_BYTES
            if length == 1 and len(head) == _WIDE_HEAD_BYTES:
                length, skip = int.from_bytes(head[8:], "big"), _WIDE_HEAD_BYTES
            elif length == 0 and top:
                length = end - at
            if length < skip:
                return Ending.BROKEN
            missing = max(0, at + length - end)
            yield Piece(head[4:8], at, at + skip, min(at + length, end), missing)
            if missing:
                return Ending.CUT
            at += length
        return Ending.TOO_MANY


def brands(head: bytes) -> tuple[bytes, frozenset[bytes]]:
    """The major brand of a file that begins with a box ftyp, and all brands that it names."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    major = head[8:12]
    return major, frozenset((major, *(head[at : at + 4] for at in range(16, size - 3, 4))))
