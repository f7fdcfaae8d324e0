"""What a JPEG says before its pixels are touched: size, tables, metadata, and whether its end is there.

Decoders fill the missing part of a cut JPEG with grey and say nothing, so that the end is looked for here.
Neither does an end marker prove that all is there (one may have been put behind a cut), nor its absence
that something is missing (many phones leave it out): what counts is that every coefficient was coded in
some pass (``JpegHeader.covered``), and that the decoder wants no more bytes (``JpegHeader.prolonged``).
Source: ITU-T T.81 annex B (segments), annex G (passes).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from haechi.errors import DamagedFile
from haechi.media.containers import jpeg
from haechi.media.containers.pieces import Ending
from haechi.media.damage import cut_off
from haechi.media.jpeg_quality import estimate_quality, subsampling_name

_MAX_SCANS = 200
_HUFFMAN = frozenset({0xC0, 0xC1, 0xC2})
_PROGRESSIVE = frozenset({0xC2, 0xCA})
_Tables = dict[int, np.ndarray[tuple[int], np.dtype[np.int64]]]
_BROKEN = "The JPEG's structure is damaged and cannot be followed: get the file again, or the original."

# Upper bounds of the seconds that a pixel and a byte cost in each pass, on one core of an ordinary computer.
_S_PER_PIXEL, _S_PER_BYTE = 2e-9, 5e-8
# What is put behind a scan to see whether the decoder still wants bytes there: anything but markers.
_FILLER = bytes(byte % 255 for byte in hashlib.shake_256(b"more of a scan").digest(512))


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """quality: 1 to 100, the IJG scaling of table K.1 nearest to the luma table; None without a table.
    core: the JPEG without metadata and without what comes behind its end, for the decoder.
    core_end: where the last scan of ``core`` ends. scans: passes over the picture. end: where it
    ends in the file. ended: there is an end marker. covered: its passes leave no bit of any
    coefficient out.
    huffman: coded in the common way (baseline or progressive), not arithmetically or without loss.
    held_coefficients: those that a decoder holds to the end, none where one pass brings all.
    icc, mpf: the colour profile, the index of further pictures; or empty."""

    width_px: int
    height_px: int
    bit_depth: int
    components: int
    quality: int | None
    subsampling: str
    exif: bytes
    core: bytes
    core_end: int
    scans: int
    huffman: bool
    progressive: bool
    end: int
    ended: bool
    covered: bool
    icc: bytes
    mpf: bytes
    held_coefficients: int

    @property
    def decoding_s(self) -> float:
        """Seconds that decoding takes at most, roughly: a progressive one is decoded twice."""
        once = self.scans * self.width_px * self.height_px * _S_PER_PIXEL + len(self.core) * _S_PER_BYTE
        return once * (2 if self.progressive else 1)

    def prolonged(self) -> bytes:
        """``core`` with more bytes at the end of its last scan (only where ``huffman``).

        A decoder that had all of the picture passes them over; one that ran out of bytes and made up the
        rest takes them, and shows another picture. Arithmetic coding may end early by design."""
        last = max(range(8), key=lambda n: self.core.rfind(bytes((0xFF, 0xD0 + n)), 0, self.core_end))
        restarts = [bytes((0xFF, 0xD0 + (last + 1 + n) % 8)) for n in range(8)]
        more = _FILLER + b"".join(restart + _FILLER for restart in restarts)
        return b"".join((self.core[: self.core_end], more, self.core[self.core_end :]))


class _Contents:
    """What is gathered on the way from segment to segment."""

    def __init__(self) -> None:
        self.tables: _Tables = {}
        self.frame: tuple[int, bytes] | None = None
        self.exif = self.mpf = b""
        self.icc: dict[int, bytes] = {}
        self.scans = 0
        # (component, coefficient) -> the bit from which on it is not coded yet; 0 when all of it is.
        self.missing: dict[tuple[int, int], int] = {}
        self.core: list[bytes | memoryview] = [b"\xff\xd8"]
        self.core_end = 0

    def take(self, marker: int, body: bytes) -> None:
        if marker in jpeg.SOF and self.frame is None:
            self.frame = (marker, body)
        elif marker == jpeg.DQT:
            _read_tables(body, self.tables)
        elif marker == jpeg.APP1 and not self.exif and body.startswith(jpeg.EXIF_NAME):
            self.exif = body
        elif marker == jpeg.APP2 and body.startswith(jpeg.ICC_NAME) and len(body) > 14:
            self.icc.setdefault(body[12], body[14:])
        elif marker == jpeg.APP2 and not self.mpf and body.startswith(jpeg.MPF_NAME):
            self.mpf = body[len(jpeg.MPF_NAME) :]
        elif marker == jpeg.SOS:
            self._scan(body)

    def _scan(self, body: bytes) -> None:
        """Notes which bits of which coefficients a scan codes (T.81 B.2.3, G.1.2)."""
        self.scans += 1
        if self.scans > _MAX_SCANS:
            raise DamagedFile(
                f"The JPEG has more than {_MAX_SCANS} passes, as only a file made to stall decoders has: "
                "save it anew with another program."
            )
        count = body[0] if body else 0
        if len(body) < 4 + 2 * count:
            raise DamagedFile(_BROKEN)
        first, last, low = body[1 + 2 * count], body[2 + 2 * count], body[3 + 2 * count] & 15
        if self.frame is None or self.frame[0] not in _PROGRESSIVE:
            first, last, low = 0, 0, 0
        for component in body[1 : 1 + 2 * count : 2]:
            for k in range(first, min(last, 63) + 1):
                self.missing[component, k] = low

    @property
    def covered(self) -> bool:
        """Whether every component was coded, and where that is done in passes, down to its last bit."""
        if self.frame is None:
            return False
        marker, body = self.frame
        needed = range(64) if marker in _PROGRESSIVE else range(1)
        return all(
            self.missing.get((component, k)) == 0
            for component in body[6 : 6 + 3 * body[5] : 3]
            for k in needed
        )


def read_header(data: bytes) -> JpegHeader:
    """Follows the segments of a whole file to its end marker, or to the end of the file behind a scan. What
    comes after it (a motion photo's video, a second picture) is not looked at. Raises DamagedFile when the
    file ends before there is a scan."""
    contents = _Contents()
    view = memoryview(data)
    walk = jpeg.segments(data)
    end = len(data)
    for piece in walk:
        if piece.missing:
            raise cut_off("JPEG")
        if piece.kind == jpeg.SCAN:
            contents.core.append(view[piece.offset : piece.end])
            contents.core_end = sum(map(len, contents.core))
        elif piece.kind == jpeg.EOI:
            end = piece.end
        else:
            body = piece.payload(data)
            if _for_decoder(piece.kind, body):
                contents.core += [bytes((0xFF, piece.kind)), view[piece.offset - 2 : piece.end]]
            contents.take(piece.kind, body)
    if walk.ending is Ending.CUT:
        raise cut_off("JPEG")
    if walk.ending not in (Ending.MARKED, Ending.UNMARKED):
        raise DamagedFile(_BROKEN)
    return _header(contents, end, walk.ending is Ending.MARKED)


def _for_decoder(marker: int, body: bytes) -> bool:
    """Whether a segment bears on the pixels. Of the metadata only two do, which tell the colour space;
    the rest has led decoders astray often enough."""
    if marker == jpeg.APP0:
        return body[:5] == b"JFIF\x00" and len(body) >= 14
    if marker == jpeg.APP14:
        return body[:5] == b"Adobe" and len(body) >= 12
    return marker in jpeg.SOF or marker in (jpeg.DQT, jpeg.DHT, jpeg.DAC, jpeg.DRI, jpeg.SOS)


def _read_tables(body: bytes, tables: _Tables) -> None:
    at = 0
    while at < len(body):
        wide, number = body[at] >> 4, body[at] & 15
        size = 128 if wide else 64
        raw = body[at + 1 : at + 1 + size]
        if len(raw) < size:
            raise DamagedFile(_BROKEN)
        tables.setdefault(number, np.frombuffer(raw, ">u2" if wide else np.uint8).astype(np.int64))
        at += 1 + size


def _header(contents: _Contents, end: int, ended: bool) -> JpegHeader:
    if contents.frame is None or contents.scans == 0:
        raise DamagedFile(_BROKEN)
    marker, body = contents.frame
    if len(body) < 6 or len(body) < 6 + 3 * body[5] or body[5] == 0:
        raise DamagedFile(_BROKEN)
    depth, components = body[0], body[5]
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    if width == 0 or height == 0:
        raise DamagedFile(
            "The JPEG says that it is 0 pixels wide or high: get the file again, or the original."
        )
    factors = [(body[7 + 3 * i] >> 4, body[7 + 3 * i] & 15) for i in range(components)]
    most = max(h for h, _ in factors) * max(v for _, v in factors)
    coefficients = sum(h * v for h, v in factors) * width * height // max(most, 1)
    luma = contents.tables.get(body[8])
    return JpegHeader(
        width_px=width,
        height_px=height,
        bit_depth=depth,
        components=components,
        quality=None if luma is None else estimate_quality(luma),
        subsampling=subsampling_name(factors),
        exif=contents.exif,
        core=b"".join((*contents.core, b"\xff\xd9")),
        core_end=contents.core_end,
        scans=contents.scans,
        huffman=marker in _HUFFMAN,
        progressive=marker in _PROGRESSIVE,
        end=end,
        ended=ended,
        covered=contents.covered,
        icc=b"".join(part for _, part in sorted(contents.icc.items())),
        mpf=contents.mpf,
        held_coefficients=coefficients if marker in _PROGRESSIVE or contents.scans > 1 else 0,
    )
