"""The elements of a Matroska or WebM file. Source: RFC 8794 (EBML), RFC 9559 (Matroska)."""

from __future__ import annotations

from collections.abc import Generator

from haechi.media.containers.pieces import Ending, Piece, Span, Walk

EBML, SEGMENT, INFO, MUXING_APP, WRITING_APP = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x4D80, 0x5741
_CLUSTER = 0x1F43B675
_MAX_ELEMENTS = 20_000
_WIDEST_IDENTIFIER, _SEGMENT_HEAD_BYTES = 4, 12


def elements(head: bytes, span: Span) -> Walk[int]:
    """The elements directly in a span of a file of which ``head`` is the beginning, as far as that reaches.
    A live recording leaves the lengths of Segment and Clusters unknown: such an element reaches to the end
    of the span. Ends UNMARKED, CUT, BROKEN or TOO_MANY."""
    return Walk(_steps(head, *span))


def _steps(head: bytes, at: int, end: int) -> Generator[Piece[int], None, Ending]:
    for _ in range(_MAX_ELEMENTS):
        if at >= end:
            return Ending.UNMARKED
        start, identifier = at, _number(head, at, end)
        if identifier is None or identifier[1] - at > _WIDEST_IDENTIFIER:
            return Ending.BROKEN
        at = identifier[1]
        length = _number(head, at, end)
        if length is None:
            return Ending.BROKEN
        kind = int.from_bytes(head[start:at], "big")
        unknown = length[0] == (1 << 7 * (length[1] - at)) - 1
        if unknown and kind not in (SEGMENT, _CLUSTER):
            return Ending.BROKEN
        at = length[1]
        behind = end if unknown else at + length[0]
        yield Piece(kind, start, at, max(at, min(behind, end)), max(0, behind - end))
        if behind > end:
            return Ending.CUT
        at = behind
    return Ending.TOO_MANY


def _number(head: bytes, at: int, end: int) -> tuple[int, int] | None:
    """A number of variable width without the bits that tell the width, and where it ends; None when there is
    none."""
    room = min(end, len(head))
    if at >= room or head[at] == 0:
        return None
    width = 9 - head[at].bit_length()
    if at + width > room:
        return None
    return int.from_bytes(head[at : at + width], "big") & ((1 << 7 * width) - 1), at + width


def cut(head: bytes, size: int) -> bool:
    """Whether the Segment of a file of ``size`` bytes, that begins with ``head``, announces more than there
    is, or is not there at all."""
    for element in elements(head, (0, size)):
        if element.kind != EBML:
            return element.kind == SEGMENT and element.missing > 0
        if element.missing or element.end + _SEGMENT_HEAD_BYTES > size:
            return True
    return False
