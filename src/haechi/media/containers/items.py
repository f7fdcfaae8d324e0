"""Where the coded pictures of a HEIC or AVIF lie. Source: ISO/IEC 14496-12, 8.11 (meta, iinf, iloc)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from haechi.media.containers.boxes import BoxFile
from haechi.media.containers.pieces import Span

_CODED = frozenset({b"hvc1", b"hev1", b"av01", b"lhv1", b"avc1", b"jpeg"})
_MAX_ITEMS = 100_000


def last_parts(data: bytes) -> Iterator[Span]:
    """The last part of the coded data of each picture of a whole file. Where the structure cannot be followed
    it stops."""
    file = BoxFile(data)
    for box in file.top():
        if box.kind != b"meta":
            continue
        inner = {child.kind: child.span for child in file.whole_inside((box.offset + 4, box.end))}
        try:
            yield from _extents(data, inner[b"iloc"][0], _coded(file, data, inner[b"iinf"]))
        except (struct.error, KeyError, IndexError):
            return


def _coded(file: BoxFile, data: bytes, iinf: Span) -> set[int]:
    """Numbers of the items that are coded pictures, and not notes or instructions."""
    start = iinf[0] + (6 if data[iinf[0]] == 0 else 8)
    numbers = set()
    for box in file.whole_inside((start, iinf[1])):
        wide = data[box.offset] >= 3
        (number,) = struct.unpack_from(">I" if wide else ">H", data, box.offset + 4)
        kind = box.offset + (10 if wide else 8)
        if box.kind == b"infe" and data[kind : kind + 4] in _CODED:
            numbers.add(number)
    return numbers


def _extents(data: bytes, at: int, pictures: set[int]) -> Iterator[Span]:
    version, sizes = data[at], data[at + 4 : at + 6]
    widths = (sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4, sizes[1] & 15 if version else 0)
    offset_w, length_w, base_w, index_w = widths
    wide = version >= 2
    (count,) = struct.unpack_from(">I" if wide else ">H", data, at + 6)
    at += 10 if wide else 8
    for _ in range(min(count, _MAX_ITEMS)):
        (number,) = struct.unpack_from(">I" if wide else ">H", data, at)
        at += 4 if wide else 2
        in_file = True
        if version:
            in_file = data[at + 1] & 15 == 0
            at += 2
        base = int.from_bytes(data[at + 2 : at + 2 + base_w], "big")
        at += 2 + base_w
        (parts,) = struct.unpack_from(">H", data, at)
        # The pixels of an item are one stream: only its last part may show an end.
        last = at + 2 + (index_w + offset_w + length_w) * (parts - 1) + index_w
        at += 2 + (index_w + offset_w + length_w) * parts
        if number in pictures and in_file and parts:
            start = base + int.from_bytes(data[last : last + offset_w], "big")
            length = int.from_bytes(data[last + offset_w : last + offset_w + length_w], "big")
            yield start, min(start + length, len(data)) if length else len(data)
