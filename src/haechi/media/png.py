"""The chunks of a PNG: is all of it there, and what does it promise. Source: PNG, third edition (W3C).

Decoders show the rows that arrived. Chunks can end properly after a third of the rows, so that what is
compressed is counted against what the header promises; the rows themselves are not kept.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from haechi.errors import DamagedFile
from haechi.media.clock import Clock
from haechi.media.exif import clean
from haechi.media.structure import MAX_CHUNKS, animation, cut_off, too_many
from haechi.types import Fact

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7: first column and row of each pass, and the steps to the next.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_IN_BYTES, _OUT_BYTES = 1 << 16, 1 << 20


@dataclass(slots=True)
class _Picture:
    """A picture or frame: where in the file its compressed bytes are."""

    width: int
    height: int
    spans: list[tuple[int, int]] = field(default_factory=list)


def png_facts(data: bytes, clock: Clock) -> dict[str, Fact]:
    """bit_depth, animated, frames, software. Raises DamagedFile without an IEND chunk, or when a picture has
    fewer bytes than its size asks for; OverLimit."""
    facts: dict[str, Fact] = {}
    at, animated, pictures = 8, False, 0
    header = b""
    found: list[_Picture] = []
    for _ in range(MAX_CHUNKS):
        clock.check()
        head = data[at : at + 8]
        if len(head) < 8:
            raise cut_off("PNG")
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        end = at + 12 + size
        if end > len(data):
            raise cut_off("PNG")
        body = at + 8
        if kind == b"IHDR" and size >= 13 and not header:
            header = data[body : body + 13]
            facts["bit_depth"] = header[8]
            found.append(_Picture(int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")))
        elif kind == b"acTL":
            animated = True
        elif kind in (b"fcTL", b"IDAT", b"fdAT") and found:
            _note(found, kind, data, body, end - 4)
        elif kind == b"tEXt" and data[body : body + 9] == b"Software\x00":
            facts["software"] = clean(data[body + 9 : min(end - 4, body + 300)])
        elif kind == b"IEND":
            break
        if kind == b"fcTL" or (kind == b"IDAT" and pictures == 0):
            # What acTL promises is not believed. A picture before the first fcTL is not part of the
            # animation, but what programs without animation show.
            pictures += 1
        at = end
    else:
        raise too_many("PNG", "chunks")
    for picture in found if animated else found[:1]:
        _check_whole(data, picture, header, clock)
    return facts | (animation(pictures) if animated else {})


def _note(found: list[_Picture], kind: bytes, data: bytes, start: int, end: int) -> None:
    """Takes down where a picture's bytes are, or that another one begins."""
    if kind != b"fcTL":
        found[-1].spans.append((start + (4 if kind == b"fdAT" else 0), end))
    elif found[-1].spans and end - start >= 12:
        wide, high = (int.from_bytes(data[start + n : start + n + 4], "big") for n in (4, 8))
        found.append(_Picture(wide, high))


def _check_whole(data: bytes, picture: _Picture, header: bytes, clock: Clock) -> None:
    """Raises DamagedFile when the compressed bytes of a picture unpack to fewer than it needs."""
    wanted = _needed(picture, header)
    unpack = zlib.decompressobj()
    count = 0
    try:
        for start, end in picture.spans:
            for at in range(start, end, _IN_BYTES):
                packed = data[at : min(end, at + _IN_BYTES)]
                while packed and count < wanted:
                    clock.check()
                    count += len(unpack.decompress(packed, _OUT_BYTES))
                    packed = unpack.unconsumed_tail
                if count >= wanted:
                    return
    except zlib.error as error:
        raise DamagedFile(
            "The PNG's compressed data are damaged: get the file again, or the original."
        ) from error
    if count < wanted:
        raise cut_off("PNG")


def _needed(picture: _Picture, header: bytes) -> int:
    """Bytes of a picture unpacked: a filter byte and the pixels of each row, of each pass if interlaced.
    0 where the header is none that a decoder takes: it will say so itself."""
    bits = header[8] * _CHANNELS.get(header[9], 0)
    width, height = picture.width, picture.height
    if header[12] != 1:
        return height * (1 + (width * bits + 7) // 8)
    needed = 0
    for x, y, across, down in _PASSES:
        columns, rows = max(0, -(-(width - x) // across)), max(0, -(-(height - y) // down))
        needed += rows * (1 + (columns * bits + 7) // 8) if columns else 0
    return needed
