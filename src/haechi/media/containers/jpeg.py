"""The segments of a JPEG, and the coded data of its scans. Source: ITU-T T.81 annex B."""

from __future__ import annotations

import re
from collections.abc import Generator

from haechi.media.containers.pieces import MAX_PIECES, Ending, Piece, Walk

#: The kind of a piece that is no segment but the coded data behind a start of scan.
SCAN = 0x00
SOI, EOI, SOS, DQT, DRI, DHT, DAC = 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0xC4, 0xCC
APP0, APP1, APP2, APP13, APP14, APP15, COM = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xEF, 0xFE
SOF = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
#: What the payloads of application segments begin with.
EXIF_NAME, XMP_NAME, ICC_NAME = b"Exif\x00\x00", b"http://ns.adobe.com/xap/1.0/\x00", b"ICC_PROFILE\x00"
MPF_NAME, PHOTOSHOP_NAME = b"MPF\x00", b"Photoshop 3.0\x00"

_TEM, _RST0 = 0x01, 0xD0
_PADDING = 8  # zeros on end that are no picture
# Inside a scan, FF 00 is a stuffed byte and FF D0..D7 a restart; any other marker ends the scan. Fill bytes
# (a run of FF) before a marker are let be: "FF+" would try every start of a run that leads to no marker.
_NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_NO_FILL = re.compile(rb"[^\xff]")


def segments(data: bytes) -> Walk[int]:
    """The pieces of a whole file by their markers, up to the end marker or, behind a scan, the file's end.

    Markers without a payload are passed over, but for EOI. Behind each SOS comes a piece SCAN. Ends MARKED,
    UNMARKED (only fill is left behind a scan), CUT, BROKEN or TOO_MANY; what lies behind the end marker (a
    motion photo's video, a second picture) is not looked at."""
    return Walk(_steps(data))


def _steps(data: bytes) -> Generator[Piece[int], None, Ending]:
    at, scanned = 2, False
    for _ in range(MAX_PIECES):
        if scanned and _NO_FILL.search(data, at) is None:
            return Ending.UNMARKED
        place = _marker(data, at)
        if place is None:
            return Ending.CUT
        marker, at = data[place], place + 1
        if marker == EOI:
            yield Piece(EOI, place - 1, at, at)
            return Ending.MARKED
        if marker == _TEM or _RST0 <= marker <= SOI:
            continue
        length = int.from_bytes(data[at : at + 2], "big")
        if length < 2:
            return Ending.BROKEN
        missing = max(0, at + length - len(data))
        yield Piece(marker, place - 1, min(at + 2, len(data)), min(at + length, len(data)), missing)
        if missing:
            return Ending.CUT
        at += length
        if marker == SOS:
            end, following = _scan_end(data, at)
            yield Piece(SCAN, at, at, end)
            at, scanned = following, True
    return Ending.TOO_MANY


def _marker(data: bytes, at: int) -> int | None:
    """Where the second byte of the next marker is, its first being FF; fill bytes are skipped. None at the
    end of the data."""
    if data[at : at + 1] != b"\xff":
        # Stray bytes between segments occur in the wild; decoders skip to the next marker.
        following = _NEXT_MARKER.search(data, at)
        if following is None:
            return None
        at = following.start()
    behind = _NO_FILL.search(data, at)
    return None if behind is None else behind.start()


def _scan_end(data: bytes, start: int) -> tuple[int, int]:
    """Where the bytes of a scan end, and where its next marker is, or the end of the file. Between the two
    are fill bytes only: an FF that belongs to the scan is followed by 00."""
    following = _NEXT_MARKER.search(data, start)
    if following is None:
        return _end_of_data(data, start), len(data)
    at = end = following.start()
    while end > start:
        block = data[max(start, end - 65_536) : end]
        coded = len(block.rstrip(b"\xff"))
        end -= len(block) - coded
        if coded:
            break
    return end, at


def _end_of_data(data: bytes, start: int) -> int:
    """Where a scan ends behind which there is no marker: before the zeros of room that a download had
    reserved, which a decoder would take for more of the picture."""
    unfilled = len(data.rstrip(b"\xff"))
    coded = len(data[:unfilled].rstrip(b"\x00"))
    if unfilled - coded < _PADDING:
        return max(unfilled, start)
    # An FF that belongs to the scan is followed by 00.
    return max(coded + (data[coded - 1 : coded] == b"\xff"), start)
