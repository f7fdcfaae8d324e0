"""What a JPEG says before its pixels are touched: size, tables, metadata, and whether its end is there.

Decoders fill the missing part of a cut JPEG with grey and say nothing, so that the end is looked for here.
Neither does an end marker prove that all is there (one may have been put behind a cut), nor its absence
that something is missing (many phones leave it out): what counts is that every coefficient was coded in
some pass (``JpegHeader.covered``), and that the decoder wants no more bytes (``JpegHeader.prolonged``).
Source: ITU-T T.81 annex B (markers), annex G (passes).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

import numpy as np

from haechi.errors import DamagedFile
from haechi.media.jpeg_quality import estimate_quality, subsampling_name

_MAX_SCANS = 200
_MAX_SEGMENTS = 200_000
_PADDING = 8  # zeros on end that are no picture
_SOF = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_HUFFMAN = frozenset({0xC0, 0xC1, 0xC2})
_PROGRESSIVE = frozenset({0xC2, 0xCA})
_SOI, _EOI, _SOS, _DQT, _DRI, _DHT, _DAC = 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0xC4, 0xCC
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_ICC = b"ICC_PROFILE\x00"
# Inside a scan, FF 00 is a stuffed byte and FF D0..D7 a restart; any other marker ends the scan. Fill bytes
# (a run of FF) before a marker are let be: "FF+" would try every start of a run that leads to no marker.
_NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_NO_FILL = re.compile(rb"[^\xff]")
_Tables = dict[int, np.ndarray[tuple[int], np.dtype[np.int64]]]
_CUT = "The JPEG is cut off before its end, as after a broken download: get the whole file again."
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
    kept: coefficients that a decoder holds to the end, none where one pass brings all.
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
    kept: int

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


class _Walk:
    """What is gathered on the way from marker to marker."""

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
        self.ended = True

    def segment(self, marker: int, body: bytes) -> None:
        if marker in _SOF and self.frame is None:
            self.frame = (marker, body)
        elif marker == _DQT:
            _read_tables(body, self.tables)
        elif marker == _APP1 and not self.exif and body[:6] == b"Exif\x00\x00":
            self.exif = body
        elif marker == _APP2 and body.startswith(_ICC) and len(body) > 14:
            self.icc.setdefault(body[12], body[14:])
        elif marker == _APP2 and not self.mpf and body[:4] == b"MPF\x00":
            self.mpf = body[4:]
        elif marker == _SOS:
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
        wanted = range(64) if marker in _PROGRESSIVE else range(1)
        return all(
            self.missing.get((component, k)) == 0
            for component in body[6 : 6 + 3 * body[5] : 3]
            for k in wanted
        )


def read_header(data: bytes) -> JpegHeader:
    """Follows the markers of a whole file to its end marker, or to the end of the file behind a scan. What
    comes after it (a motion photo's video, a second picture) is not looked at. Raises DamagedFile when the
    file ends before there is a scan."""
    walk = _Walk()
    at = 2
    view = memoryview(data)
    for _ in range(_MAX_SEGMENTS):
        if walk.scans and _rests(data, at):
            walk.ended = False
            break
        marker, at = _marker(data, at)
        if marker == _EOI:
            break
        if marker == 0x01 or 0xD0 <= marker <= _SOI:
            continue
        length = int.from_bytes(data[at : at + 2], "big")
        body = data[at + 2 : at + length]
        if len(body) != length - 2:
            raise DamagedFile(_CUT if length >= 2 else _BROKEN)
        if _for_decoder(marker, body):
            walk.core += [bytes((0xFF, marker)), view[at : at + length]]
        at += length
        walk.segment(marker, body)
        if marker == _SOS:
            end, following = _scan_end(data, at)
            walk.core.append(view[at:end])
            walk.core_end = sum(map(len, walk.core))
            at = following
    else:
        raise DamagedFile(_BROKEN)
    return _header(walk, at)


def _for_decoder(marker: int, body: bytes) -> bool:
    """Whether a segment bears on the pixels. Of the metadata only two do, which tell the colour space;
    the rest has led decoders astray often enough."""
    if marker == _APP0:
        return body[:5] == b"JFIF\x00" and len(body) >= 14
    if marker == _APP14:
        return body[:5] == b"Adobe" and len(body) >= 12
    return marker in _SOF or marker in (_DQT, _DHT, _DAC, _DRI, _SOS)


def _rests(data: bytes, at: int) -> bool:
    """Whether nothing but fill is left behind a scan: the file ends without an end marker."""
    return _NO_FILL.search(data, at) is None


def _scan_end(data: bytes, start: int) -> tuple[int, int]:
    """Where the bytes of a scan end, and where its next marker is, or the end of the file. Between the two
    are fill bytes only: an FF that belongs to the scan is followed by 00."""
    found = _NEXT_MARKER.search(data, start)
    if found is None:
        return _end_of_data(data, start), len(data)
    at = end = found.start()
    while end > start:
        block = data[max(start, end - 65_536) : end]
        kept = len(block.rstrip(b"\xff"))
        end -= len(block) - kept
        if kept:
            break
    return end, at


def _end_of_data(data: bytes, start: int) -> int:
    """Where a scan ends behind which there is no marker: before the zeros of room that a download had
    reserved, which a decoder would take for more of the picture."""
    kept = len(data.rstrip(b"\xff"))
    packed = len(data[:kept].rstrip(b"\x00"))
    if kept - packed < _PADDING:
        return max(kept, start)
    # An FF that belongs to the scan is followed by 00.
    return max(packed + (data[packed - 1 : packed] == b"\xff"), start)


def _next_marker(data: bytes, at: int) -> int:
    found = _NEXT_MARKER.search(data, at)
    if found is None:
        raise DamagedFile(_CUT)
    return found.start()


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker at ``at`` and where its content begins; fill bytes (FF) are skipped."""
    if at >= len(data):
        raise DamagedFile(_CUT)
    if data[at] != 0xFF:
        # Stray bytes between segments occur in the wild; decoders skip to the next marker.
        at = _next_marker(data, at)
    behind = _NO_FILL.search(data, at)
    if behind is None:
        raise DamagedFile(_CUT)
    return data[behind.start()], behind.end()


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


def _header(walk: _Walk, end: int) -> JpegHeader:
    if walk.frame is None or walk.scans == 0:
        raise DamagedFile(_BROKEN)
    marker, body = walk.frame
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
    held = sum(h * v for h, v in factors) * width * height // max(most, 1)
    luma = walk.tables.get(body[8])
    return JpegHeader(
        width_px=width,
        height_px=height,
        bit_depth=depth,
        components=components,
        quality=None if luma is None else estimate_quality(luma),
        subsampling=subsampling_name(factors),
        exif=walk.exif,
        core=b"".join((*walk.core, b"\xff\xd9")),
        core_end=walk.core_end,
        scans=walk.scans,
        huffman=marker in _HUFFMAN,
        progressive=marker in _PROGRESSIVE,
        end=end,
        ended=walk.ended,
        covered=walk.covered,
        icc=b"".join(part for _, part in sorted(walk.icc.items())),
        mpf=walk.mpf,
        kept=held if marker in _PROGRESSIVE or walk.scans > 1 else 0,
    )
