"""Just enough of DER (X.690) to put the certificates of a time-stamp answer in order.

DER wants the members of a SET sorted; many authorities send them as they come, and ``rfc3161-client`` refuses
that. The order of certificates is not signed, so it can be put right without touching anything that is."""

from __future__ import annotations

from collections.abc import Iterator

_CERTIFICATES = (0x30, 0x30, 0xA0, 0x30, 0xA0)
"""Tags on the way: TimeStampResp, its token, [0] content, SignedData, [0] certificates."""


def sorted_certificates(answer: bytes) -> bytes:
    """The same bytes with the certificates in the order of DER; as they are where there is no such place.
    Raises ValueError for lengths that lie outside."""
    start, end = 0, len(answer)
    for depth, tag in enumerate(_CERTIFICATES):
        # The status is of the same tag as the token, which is the last on its level.
        places = [(a, b) for tag_, a, b in _members(answer, start, end) if tag_ == tag]
        if not places:
            return answer
        start, end = places[-1] if depth == 1 else places[0]
    parts = sorted(answer[a:b] for a, b in _whole(answer, start, end))
    return answer[:start] + b"".join(parts) + answer[end:]


def _members(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Tag, and begin and end of the content, of each value between two places."""
    at = start
    while at < end:
        first, last = _content(data, at, end)
        yield data[at], first, last
        at = last


def _whole(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each value, tag and length included."""
    at = start
    while at < end:
        last = _content(data, at, end)[1]
        yield at, last
        at = last


def _content(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Begin and end of the content of the value at a place."""
    if at + 2 > end:
        raise ValueError("a value without a length")
    length, first = data[at + 1], at + 2
    if length >= 0x80:
        count = length & 0x7F
        length, first = int.from_bytes(data[first : first + count]), first + count
        if not 0 < count <= 4:
            raise ValueError("a length that DER does not know")
    if first + length > end:
        raise ValueError("a value that is longer than what holds it")
    return first, first + length
