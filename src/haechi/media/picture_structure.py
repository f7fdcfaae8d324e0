"""The outer structure of pictures other than JPEG: is the whole file there, and what does it promise.

Decoders are lenient and show the part that arrived; half a picture must not be judged as a whole one. Here
the pieces of a file are looked at (chunks, boxes, blocks), never its pixels.
"""

from __future__ import annotations

import io

from haechi.errors import DamagedFile, UnknownFormat
from haechi.media.clock import Clock
from haechi.media.containers import gif, png, riff
from haechi.media.containers.boxes import BoxFile
from haechi.media.containers.items import last_parts
from haechi.media.containers.pieces import Ending, Span
from haechi.media.damage import cut_off, too_many
from haechi.media.exif import clean, read_exif, tiff_pages
from haechi.media.iso_structure import iso_structure
from haechi.media.limits import check_memory, check_pixels
from haechi.media.png_rows import PngPicture, check_rows
from haechi.media.sniff import RAW
from haechi.settings import Settings
from haechi.types import Fact

# A download that reserved its room and stopped ends in zeros.
_ZEROS = 128
_MAX_TEXT = 300


def structure_facts(data: bytes, form: str, settings: Settings) -> dict[str, Fact]:
    """Facts from the outer structure of a picture of a format of ``sniff``; no pixel is decoded.

    Raises DamagedFile when the file is not all there, OverLimit, UnknownFormat."""
    facts: dict[str, Fact] = {"format": form}
    clock = Clock(settings.decode_timeout_s, "save the picture anew with another program")
    if form == "png":
        facts |= _png_facts(data, clock)
    elif form == "gif":
        facts |= _gif_facts(data, clock) | {"bit_depth": 8}
    elif form == "webp":
        _check_webp(data, settings)
        facts["bit_depth"] = 8
    elif form in ("avif", "heic"):
        iso_structure(BoxFile(data), form.upper())
        for span in last_parts(data):
            _check_end(data, span, form.upper())
    elif form == "tiff":
        if read_exif(data).raw_preview:
            raise UnknownFormat(RAW)
        if (pages := tiff_pages(data)) > 1:
            facts["frames"] = pages
    return facts


def _animation_facts(frames: int) -> dict[str, Fact]:
    """The facts of a picture that moves; none for a single frame."""
    return {"animated": True, "frames": frames} if frames > 1 else {}


def _png_facts(data: bytes, clock: Clock) -> dict[str, Fact]:
    """bit_depth, animated, frames, software. Raises DamagedFile without an IEND chunk, or when a picture has
    fewer bytes than its size asks for; OverLimit."""
    facts: dict[str, Fact] = {}
    animated, frames = False, 0
    header = b""
    pictures: list[PngPicture] = []
    walk = png.chunks(data)
    for chunk in walk:
        clock.check()
        kind = chunk.kind
        if kind == b"IHDR" and chunk.length >= 13 and not header:
            header = chunk.payload(data, 13)
            facts["bit_depth"] = header[8]
            pictures.append(_png_picture(header))
        elif kind == b"acTL":
            animated = True
        elif kind == b"fcTL" and pictures:
            if pictures[-1].spans and chunk.length >= 12:
                pictures.append(_png_picture(chunk.payload(data)[4:]))
        elif kind in (b"IDAT", b"fdAT") and pictures:
            pictures[-1].spans.append((chunk.offset + (4 if kind == b"fdAT" else 0), chunk.end))
        elif kind == b"tEXt" and chunk.payload(data, 9) == b"Software\x00":
            facts["software"] = clean(chunk.payload(data, _MAX_TEXT)[9:])
        if kind == b"fcTL" or (kind == b"IDAT" and frames == 0):
            # What acTL promises is not believed. A picture before the first fcTL is not part of the
            # animation, but what programs without animation show.
            frames += 1
    if walk.ending is not Ending.MARKED:
        raise too_many("PNG", "chunks") if walk.ending is Ending.TOO_MANY else cut_off("PNG")
    for picture in pictures if animated else pictures[:1]:
        check_rows(data, picture, header, clock)
    return facts | (_animation_facts(frames) if animated else {})


def _png_picture(size: bytes) -> PngPicture:
    """A picture by the bytes that begin with its width and height."""
    return PngPicture(int.from_bytes(size[:4], "big"), int.from_bytes(size[4:8], "big"))


def _gif_facts(data: bytes, clock: Clock) -> dict[str, Fact]:
    """animated and frames. Raises DamagedFile when the blocks do not reach the trailer, OverLimit."""
    walk = gif.blocks(data, clock.check)
    frames = sum(block.kind == gif.IMAGE for block in walk)
    if walk.ending is Ending.BROKEN:
        raise DamagedFile("The GIF's blocks are damaged and cannot be followed: get the file again.")
    if walk.ending is not Ending.MARKED:
        raise too_many("GIF", "blocks") if walk.ending is Ending.TOO_MANY else cut_off("GIF")
    if frames == 0:
        raise DamagedFile("The GIF holds no picture at all: get the file again, or the original.")
    return _animation_facts(frames)


def _check_webp(data: bytes, settings: Settings) -> None:
    """Raises DamagedFile when the end of the file, or of its pixels, is missing; OverLimit."""
    if riff.cut(data, len(data)):
        raise cut_off("WebP")
    for chunk in riff.chunks(io.BytesIO(data)):
        # The end of lossy pixels (VP8) may well be zeros, where the picture is flat.
        if chunk.kind == b"VP8L":
            _check_end(data, chunk.span, "WebP")
    # Pillow's reader sets aside room for the whole canvas before it tells its size.
    if size := webp_size(data):
        check_pixels(*size, settings)
        check_memory("webp", *size, len(data), settings)


def _check_end(data: bytes, span: Span, name: str) -> None:
    """Raises DamagedFile when coded pixels end in zeros, which decoders of lossless WebP, AVIF and HEIC take
    for more of the picture. What they decode never ends in many of them (HEVC cannot hold four on end)."""
    start, end = span
    tail = data[max(start, end - _ZEROS) : end]
    if tail and not any(tail):
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
