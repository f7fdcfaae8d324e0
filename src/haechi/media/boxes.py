"""The boxes inside the index of an MP4 or MOV. Source: ISO/IEC 14496-12, 4.2 and 8.4.3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]


def children(data: bytes, span: Span) -> Iterator[tuple[bytes, Span]]:
    """(kind, where its content lies) of each box directly inside the span, up to the first broken one."""
    at, end = span
    while at + 8 <= end:
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8 or at + size > end:
            return
        yield data[at + 4 : at + 8], (at + 8, at + size)
        at += size


def boxes(data: bytes, span: Span, kind: bytes) -> Iterator[Span]:
    """Where the contents of the boxes of this kind lie, directly inside the span."""
    return (content for found, content in children(data, span) if found == kind)


def first(data: bytes, span: Span, kind: bytes) -> Span:
    """The content of the first box of this kind, (0, 0) without one."""
    return next(boxes(data, span, kind), (0, 0))


def tracks(moov: bytes) -> Iterator[tuple[Span, bytes]]:
    """(content, handler such as b"vide") of each track; the handler is empty when it cannot be found."""
    for trak in boxes(moov, (0, len(moov)), b"trak"):
        start, end = first(moov, first(moov, trak, b"mdia"), b"hdlr")
        yield trak, moov[start + 8 : min(start + 12, end)]


def whole(moov: bytes) -> bool:
    """Whether the index can be followed: its boxes fill it, there are tracks, and each says what it is."""
    filled = max((end for _, (_, end) in children(moov, (0, len(moov)))), default=0)
    handlers = [handler for _, handler in tracks(moov)]
    # QuickTime may end a list of boxes with four zero bytes.
    return len(moov) - filled < 8 and bool(handlers) and all(handler.isalnum() for handler in handlers)
