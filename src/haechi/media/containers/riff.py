"""The chunks of a RIFF file: WebP and AVI. Sources: RIFF (Microsoft), RFC 9649 (WebP)."""

from __future__ import annotations

from collections.abc import Generator
from typing import BinaryIO

from haechi.media.containers.pieces import Ending, Piece, Span, Walk

_HEAD_BYTES = 8
_BODY = 12  # behind RIFF, the length and the form
# Of the two lengths, recorders that could not go back to write one leave either.
_UNKNOWN_LENGTHS = frozenset({0, 0xFFFFFFFF})
_MAX_CHUNKS = 20_000


def chunks(file: BinaryIO, span: Span | None = None) -> Walk[bytes]:
    """The chunks of a file that can seek, or of a span in it (of a LIST, behind its form). The length that
    the file's head announces is not asked (``cut``). Ends UNMARKED, CUT or TOO_MANY."""
    start, end = span or (_BODY, file.seek(0, 2))
    return Walk(_steps(file, start, end))


def _steps(file: BinaryIO, at: int, end: int) -> Generator[Piece[bytes], None, Ending]:
    for _ in range(_MAX_CHUNKS):
        file.seek(at)
        head = file.read(max(0, min(_HEAD_BYTES, end - at)))
        if len(head) < _HEAD_BYTES:
            return Ending.CUT if head else Ending.UNMARKED
        offset, length = at + _HEAD_BYTES, int.from_bytes(head[4:], "little")
        missing = max(0, offset + length - end)
        yield Piece(head[:4], at, offset, min(offset + length, end), missing)
        if missing:
            return Ending.CUT
        at = offset + length + length % 2
    return Ending.TOO_MANY


def cut(head: bytes, size: int) -> bool:
    """Whether a file of ``size`` bytes, that begins with ``head``, announces more than it has."""
    announced = int.from_bytes(head[4:8], "little")
    # One byte of slack: the padding of an odd chunk is often forgotten.
    return announced not in _UNKNOWN_LENGTHS and announced + 8 > size + 1
