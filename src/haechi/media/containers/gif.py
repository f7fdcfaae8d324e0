"""The blocks of a GIF. Source: GIF89a."""

from __future__ import annotations

from collections.abc import Callable, Generator
from itertools import count

from haechi.media.containers.pieces import MAX_PIECES, Ending, Piece, Walk

EXTENSION, IMAGE, TRAILER = b"\x21", b"\x2c", b"\x3b"
#: The kind of an extension is its introducer with its label.
COMMENT = EXTENSION + b"\xfe"
_SCREEN_BYTES, _DESCRIPTOR_BYTES = 13, 10
_BETWEEN_CHECKS = 4096


def _nothing() -> None:
    """The check of a walk whose time is not limited."""


def blocks(data: bytes, check: Callable[[], None] = _nothing) -> Walk[bytes]:
    """Extensions, images (without their colour tables) and the trailer of a whole file; the payload of the
    first two is a chain of sub-blocks, each behind a byte with its length.

    A large picture has a great many sub-blocks, so that only the time for them can be limited: ``check`` is
    called now and then and may raise. Ends MARKED (by the trailer), CUT, BROKEN or TOO_MANY."""
    return Walk(_steps(data, check))


def _steps(data: bytes, check: Callable[[], None]) -> Generator[Piece[bytes], None, Ending]:
    at = _SCREEN_BYTES + _colour_table(data[10:11])
    for _ in range(MAX_PIECES):
        kind, start = data[at : at + 1], at
        if kind == TRAILER:
            yield Piece(TRAILER, at, at + 1, at + 1)
            return Ending.MARKED
        if kind == EXTENSION:
            kind, at = data[at : at + 2], at + 2
        elif kind == IMAGE:
            # Behind the descriptor a colour table perhaps, and the LZW code size.
            at += _DESCRIPTOR_BYTES + _colour_table(data[at + 9 : at + 10]) + 1
        elif kind == b"\x00":
            at += 1
            continue
        else:
            return Ending.BROKEN if kind else Ending.CUT
        end = _chain_end(data, at, check)
        yield Piece(kind, start, min(at, len(data)), len(data) if end is None else end, int(end is None))
        if end is None:
            return Ending.CUT
        at = end
    return Ending.TOO_MANY


def _colour_table(packed: bytes) -> int:
    """Bytes of the colour table that a packed field announces."""
    return 3 * 2 ** ((packed[0] & 7) + 1) if packed and packed[0] & 0x80 else 0


def _chain_end(data: bytes, at: int, check: Callable[[], None]) -> int | None:
    """Where a chain of sub-blocks ends; None when the data end before."""
    check()
    for n in count(1):
        if at >= len(data):
            break
        size = data[at]
        at += 1 + size
        if size == 0:
            return at
        if n % _BETWEEN_CHECKS == 0:
            check()
    return None
