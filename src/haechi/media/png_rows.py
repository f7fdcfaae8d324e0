"""Whether a PNG holds all the rows that its header promises.

Decoders show the rows that arrived. Chunks can end properly after a third of the rows, so that what is
compressed is counted against what the header promises; the rows themselves are not kept.
Source: PNG, third edition (W3C), 7 to 10.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from haechi.errors import DamagedFile
from haechi.media.clock import Clock
from haechi.media.containers.pieces import Span
from haechi.media.damage import cut_off

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7: first column and row of each pass, and the steps to the next.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_IN_BYTES, _OUT_BYTES = 1 << 16, 1 << 20


@dataclass(slots=True)
class PngPicture:
    """A picture or frame: where in the file its compressed bytes are."""

    width: int
    height: int
    spans: list[Span] = field(default_factory=list)


def check_rows(data: bytes, picture: PngPicture, header: bytes, clock: Clock) -> None:
    """Raises DamagedFile when the compressed bytes of a picture unpack to fewer than it needs, OverLimit when
    the time is used up. ``header``: the 13 bytes of IHDR."""
    needed = _needed(picture, header)
    unpack = zlib.decompressobj()
    count = 0
    try:
        for start, end in picture.spans:
            for at in range(start, end, _IN_BYTES):
                block = data[at : min(end, at + _IN_BYTES)]
                while block and count < needed:
                    clock.check()
                    count += len(unpack.decompress(block, _OUT_BYTES))
                    block = unpack.unconsumed_tail
                if count >= needed:
                    return
    except zlib.error as error:
        raise DamagedFile(
            "The PNG's compressed data are damaged: get the file again, or the original."
        ) from error
    if count < needed:
        raise cut_off("PNG")


def _needed(picture: PngPicture, header: bytes) -> int:
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
