"""Pictures whose end is nothing but zeros: a download that reserved its room and stopped.

The decoders of lossless WebP, AVIF and HEIC take zeros for more of the picture and make
something up. What they decode never ends in many zeros (HEVC cannot hold four on end). That of lossy WebP
does, where a picture is flat, and is let be.
Sources: RFC 9649 (WebP), ISO/IEC 14496-12, 8.11 (items of AVIF and HEIC).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from haechi.media.structure import cut_off

_ZEROS = 128
_CODED = frozenset({b"hvc1", b"hev1", b"av01", b"lhv1", b"avc1", b"jpeg"})
_MOST_BOXES = 100_000
_Span = tuple[int, int]


def check_not_hollow(data: bytes, form: str, name: str) -> None:
    """Raises DamagedFile when coded pixels of a WebP, AVIF or HEIC end in zeros. Where the structure cannot
    be followed it does nothing: the decoder will say so."""
    for start, end in _webp(data) if form == "webp" else _items(data):
        tail = data[max(start, end - _ZEROS) : end]
        if tail and not any(tail):
            raise cut_off(name)


def _webp(data: bytes) -> Iterator[_Span]:
    at = 12
    for _ in range(_MOST_BOXES):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if len(kind) < 4:
            return
        if kind == b"VP8L":
            yield at + 8, min(at + 8 + size, len(data))
        at += 8 + size + size % 2


def _items(data: bytes) -> Iterator[_Span]:
    """Where in the file the parts of coded pictures are."""
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind != b"meta":
            continue
        inner = {kind: (a, b) for kind, a, b in _boxes(data, start + 4, end)}
        try:
            yield from _extents(data, inner[b"iloc"][0], _coded(data, inner[b"iinf"]))
        except (struct.error, KeyError, IndexError):
            return


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    at = start
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        size, kind, skip = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if size == 1:
            size, skip = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        stop = end if size == 0 else at + size
        if stop < at + skip or stop > end:
            return
        yield kind, at + skip, stop
        at = stop


def _coded(data: bytes, iinf: _Span) -> set[int]:
    """Numbers of the items that are coded pictures, and not notes or instructions."""
    start = iinf[0] + (6 if data[iinf[0]] == 0 else 8)
    found = set()
    for kind, at, _ in _boxes(data, start, iinf[1]):
        wide = data[at] >= 3
        (number,) = struct.unpack_from(">I" if wide else ">H", data, at + 4)
        place = at + (10 if wide else 8)
        if kind == b"infe" and data[place : place + 4] in _CODED:
            found.add(number)
    return found


def _extents(data: bytes, at: int, wanted: set[int]) -> Iterator[_Span]:
    version, sizes = data[at], data[at + 4 : at + 6]
    widths = (sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4, sizes[1] & 15 if version else 0)
    offset_w, length_w, base_w, index_w = widths
    (count,) = struct.unpack_from(">H" if version < 2 else ">I", data, at + 6)
    at += 8 if version < 2 else 10
    for _ in range(min(count, _MOST_BOXES)):
        (number,) = struct.unpack_from(">H" if version < 2 else ">I", data, at)
        at += 2 if version < 2 else 4
        in_file = True
        if version:
            in_file = data[at + 1] & 15 == 0
            at += 2
        base = int.from_bytes(data[at + 2 : at + 2 + base_w], "big")
        at += 2 + base_w
        (parts,) = struct.unpack_from(">H", data, at)
        at += 2
        for part in range(parts):
            at += index_w
            start = base + int.from_bytes(data[at : at + offset_w], "big")
            length = int.from_bytes(data[at + offset_w : at + offset_w + length_w], "big")
            at += offset_w + length_w
            # The pixels of an item are one stream: only its last part may show an end.
            if number in wanted and in_file and part == parts - 1:
                yield start, min(start + length, len(data)) if length else len(data)
