"""The outer structure of files other than JPEG and PNG: is the whole file there, and what does it promise.

Decoders are lenient and show the part that arrived; half a picture must not be judged as a whole one.
Each function reads only the frames of the structure (chunks, boxes, blocks), never the pixels.
Sources: GIF89a, RIFF, WebP (RFC 9649), ISO/IEC 14496-12, Matroska (RFC 9559).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from typing import BinaryIO

from haechi.errors import DamagedFile
from haechi.media.boxes import tracks, whole
from haechi.media.clock import Clock
from haechi.media.edits import hidden_s
from haechi.media.upright import Upright, display_matrix
from haechi.types import Fact

MAX_CHUNKS = 200_000
_MAX_MOOV = 64 * 1024**2
# DRM replaces the codec's name in the sample description by encv (ISO/IEC 14496-12, 8.12).
_ENCRYPTED = re.compile(rb"stsd.{12}encv", re.DOTALL)


def cut_off(name: str) -> DamagedFile:
    """The error for a file whose end is missing."""
    return DamagedFile(
        f"The {name} is cut off before its end, as after a broken download: get the whole file again."
    )


def too_many(name: str, parts: str) -> DamagedFile:
    """The error for a file of more parts than any honest one."""
    return DamagedFile(
        f"The {name} has more than {MAX_CHUNKS:,} {parts}, as only a file made to stall decoders has: "
        "save it anew with another program."
    )


def animation(frames: int) -> dict[str, Fact]:
    """The facts of a picture that moves; none for a single frame."""
    return {"animated": True, "frames": frames} if frames > 1 else {}


def gif_facts(data: bytes, clock: Clock) -> dict[str, Fact]:
    """animated and frames. Raises DamagedFile when the blocks do not reach the trailer, OverLimit."""
    frames = 0
    at = 13 + _colour_table(data[10:11])
    for _ in range(MAX_CHUNKS):
        kind = data[at : at + 1]
        if kind == b"\x3b":
            break
        if kind == b"\x21":
            at = _sub_blocks(data, at + 2, clock)
        elif kind == b"\x2c":
            frames += 1
            # Image descriptor: 10 bytes, a colour table perhaps, the LZW code size, the data.
            at = _sub_blocks(data, at + 11 + _colour_table(data[at + 9 : at + 10]), clock)
        elif kind == b"\x00":
            at += 1
        elif kind:
            raise DamagedFile("The GIF's blocks are damaged and cannot be followed: get the file again.")
        else:
            raise cut_off("GIF")
    else:
        raise too_many("GIF", "blocks")
    if frames == 0:
        raise DamagedFile("The GIF holds no picture at all: get the file again, or the original.")
    return animation(frames)


def _colour_table(packed: bytes) -> int:
    """Bytes of the colour table that a GIF's packed field announces."""
    return 3 * 2 ** ((packed[0] & 7) + 1) if packed and packed[0] & 0x80 else 0


def _sub_blocks(data: bytes, at: int, clock: Clock) -> int:
    """Where a chain of GIF sub-blocks ends. A large picture has a great many of them, so that only their
    time is limited."""
    clock.check()
    for n in count(1):
        if at >= len(data):
            break
        size = data[at]
        at += 1 + size
        if size == 0:
            return at
        if n % 4096 == 0:
            clock.check()
    raise cut_off("GIF")


def riff_check(head: bytes, size: int, name: str) -> None:
    """Raises DamagedFile when a RIFF file of ``size`` bytes announces more than it has. 0 and all ones
    are left by recorders that could not go back to write the length."""
    announced = int.from_bytes(head[4:8], "little")
    # One byte of slack: the padding of an odd chunk is often forgotten.
    if announced not in (0, 0xFFFFFFFF) and announced + 8 > size + 1:
        raise cut_off(name)


def webp_size(head: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels from the first chunk; None when it is not one that RFC 9649 knows."""
    chunk, body = head[12:16], head[20:30]
    if len(body) < 10:
        return None
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    return None


def matroska_check(head: bytes, size: int, name: str) -> None:
    """Raises DamagedFile when the Segment announces more bytes than the file has. A live recording leaves
    its length unknown, which is no fault."""
    header = _ebml_size(head, 4)
    if header is None or header[1] is None:
        return
    at = header[0] + header[1]
    if at + 12 > min(len(head), size):
        if at + 12 > size:
            raise cut_off(name)
        return
    if head[at : at + 4] != b"\x18\x53\x80\x67":
        return
    segment = _ebml_size(head, at + 4)
    if segment is not None and segment[1] is not None and segment[0] + segment[1] > size:
        raise cut_off(name)


def _ebml_size(data: bytes, at: int) -> tuple[int, int | None] | None:
    """An EBML length: (offset behind it, value or None when unknown); None when there is none."""
    if at >= len(data) or data[at] == 0:
        return None
    width = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
    return at + width, None if value == (1 << 7 * width) - 1 else value


@dataclass(frozen=True, slots=True)
class Boxes:
    """What the top level of an ISO base media file (MP4, MOV, AVIF) holds. has_video is None when the
    index was too large to look through; damaged: it cannot be followed. hidden_s: seconds of the video that
    its edit list leaves out. upright: how its frames are turned to be shown, None where it cannot be told."""

    has_index: bool
    has_video: bool | None
    encrypted: bool
    damaged: bool = False
    hidden_s: float = 0.0
    upright: Upright | None = None


_WHOLE = frozenset({b"ftyp", b"moov", b"mdat", b"moof", b"meta", b"free", b"skip", b"wide", b"uuid", b"sidx"})


def iso_boxes(file: BinaryIO, size: int, name: str) -> Boxes:
    """Walks the boxes of a file of ``size`` bytes. Raises DamagedFile when one reaches beyond the end;
    unknown bytes behind the last known box are let be."""
    at = 0
    moov: bytes | None = None
    has_index = False
    for _ in range(MAX_CHUNKS):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            break
        length, kind, skip = int.from_bytes(head[:4], "big"), head[4:8], 8
        if length == 1:
            length, skip = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:
            length = size - at
        if kind not in _WHOLE and at + length > size:
            break
        if length < skip:
            break
        if at + length > size:
            raise cut_off(name)
        if kind in (b"moov", b"meta"):
            has_index = True
        if kind == b"moov" and length <= _MAX_MOOV:
            file.seek(at + skip)
            moov = file.read(length - skip)
        at += length
    if moov is None:
        return Boxes(has_index, None, encrypted=False)
    encrypted = _ENCRYPTED.search(moov) is not None
    has_video = any(handler == b"vide" for _, handler in tracks(moov))
    return Boxes(has_index, has_video, encrypted, not whole(moov), hidden_s(moov), display_matrix(moov))
