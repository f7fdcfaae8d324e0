"""Where the notes lie in pictures: segments of a JPEG, chunks of a PNG or WebP, tags of a TIFF.

Sources: ITU-T T.81 annex B; PNG (ISO/IEC 15948) 11.3; RFC 9649 (WebP); TIFF 6.0; XMP Specification part 3,
whose packets may be found by their marks in any file; C2PA 2.2 annex A (where a manifest store lies).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

from haechi.claims.notes import MOST_TEXT, STORE, Notes

_MOST_SEGMENTS = 4096
_MOST_CHUNKS = 200_000
_MOST_PACKED = 64  # texts that are unpacked
_NO_FILL = re.compile(rb"[^\xff]")
_XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\x00"
_IPTC_HEAD = b"Photoshop 3.0\x00"
_FACEBOOK = b"FBMD"
_TIFF_XMP = 700
_NOTHING_BEHIND = frozenset({0x01, *range(0xD0, 0xD9)})


def picture_notes(data: bytes, form: str) -> Notes:
    """The notes of a whole picture of a format of ``sniff``."""
    notes = Notes(c2pa=STORE in data)
    if form == "jpeg":
        _jpeg(data, notes)
    elif form == "png":
        _png(data, notes)
    elif form == "webp":
        _webp(data, notes)
    elif form == "gif":
        _gif(data, notes)
    elif form == "tiff":
        notes.add_exif(data)
        _packet(data, notes)
    elif form in ("avif", "heic", "jxl"):
        at = data.find(b"Exif\x00\x00")
        if at >= 0:
            notes.add_exif(data[at : at + MOST_TEXT])
        _packet(data, notes)
    else:
        notes.readable = False
    return notes


def _jpeg(data: bytes, notes: Notes) -> None:
    """The segments before the first scan."""
    for marker, start, end in _segments(data):
        body = data[start : min(end, start + 64)]
        if marker == 0xE1 and body.startswith(b"Exif\x00\x00"):
            notes.add_exif(data[start + 6 : end])
        elif marker == 0xE1 and body.startswith(_XMP_HEAD):
            notes.add_xmp(data[start + len(_XMP_HEAD) : end])
        elif marker == 0xED and body.startswith(_IPTC_HEAD):
            notes.passed_facebook |= data.find(_FACEBOOK, start, end) >= 0
        elif marker == 0xFE:
            notes.add_text("comment", data[start:end])


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of each segment's content, up to the first scan."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        fill = data.find(b"\xff", at)
        behind = _NO_FILL.search(data, fill) if fill >= 0 else None
        if behind is None or data[behind.start()] in (0xDA, 0xD9):
            return
        marker, at = data[behind.start()], behind.end()
        if marker in _NOTHING_BEHIND or marker == 0:
            continue
        length = int.from_bytes(data[at : at + 2], "big")
        if length < 2:
            return
        yield marker, at + 2, min(at + length, len(data))
        at += length


def notes_end(data: bytes) -> int:
    """Up to which byte a JPEG holds nothing but its mark, segments of applications and comments, without a
    gap: nothing from which a picture could be made."""
    end = 2
    for marker, start, stop in _segments(data):
        if start - 4 != end or not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            break
        end = stop
    return end


def _png(data: bytes, notes: Notes) -> None:
    at, packed = 8, 0
    for _ in range(_MOST_CHUNKS):
        size = int.from_bytes(data[at : at + 4], "big")
        kind, start, end = data[at + 4 : at + 8], at + 8, at + 8 + size
        if len(kind) < 4 or end > len(data) or kind == b"IEND":
            return
        packed += kind in (b"zTXt", b"iTXt")
        if kind == b"tEXt" or (kind in (b"zTXt", b"iTXt") and packed <= _MOST_PACKED):
            _png_text(kind, data[start : min(end, start + MOST_TEXT)], notes)
        elif kind == b"eXIf":
            notes.add_exif(data[start:end])
        at = end + 4


def _png_text(kind: bytes, body: bytes, notes: Notes) -> None:
    """Keyword, and text as it is, compressed, or in any language (PNG 11.3.3)."""
    name, _, rest = body.partition(b"\x00")
    if kind == b"zTXt":
        rest = _inflated(rest[1:])
    elif kind == b"iTXt":
        packed, rest = rest[:1] == b"\x01", rest[2:]
        rest = rest.partition(b"\x00")[2].partition(b"\x00")[2]  # language, keyword in that language
        rest = _inflated(rest) if packed else rest
    key = name.decode("latin-1")
    if key == "XML:com.adobe.xmp":
        notes.add_xmp(rest)
    else:
        notes.add_text(key, rest)


def _inflated(data: bytes) -> bytes:
    """The text, at most MOST_TEXT of it, however much was packed into the chunk."""
    try:
        return zlib.decompressobj().decompress(data, MOST_TEXT)
    except zlib.error:
        return b""


def _webp(data: bytes, notes: Notes) -> None:
    at = 12
    for _ in range(_MOST_SEGMENTS):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        start, end = at + 8, at + 8 + size
        if len(kind) < 4 or end > len(data):
            return
        if kind == b"EXIF":
            notes.add_exif(data[start:end].removeprefix(b"Exif\x00\x00"))
        elif kind == b"XMP ":
            notes.add_xmp(data[start:end])
        at = end + size % 2


def _gif(data: bytes, notes: Notes) -> None:
    """The first comments, and the packet of XMP."""
    at = -1
    for _ in range(8):
        at = data.find(b"\x21\xfe", at + 1, 1 << 16)
        if at < 0:
            break
        notes.add_text("comment", data[at + 3 : at + 3 + data[at + 2]] if at + 2 < len(data) else b"")
    _packet(data, notes)


def _packet(data: bytes, notes: Notes) -> None:
    """The first packet of XMP, found by its outermost element."""
    start = data.find(b"<x:xmpmeta")
    end = data.find(b"</x:xmpmeta>", start, start + MOST_TEXT) if start >= 0 else -1
    if end >= 0:
        notes.add_xmp(data[start : end + 12])


_WANTED = {0x010E: "description", 0x010F: "make", 0x0110: "model", 0x0131: "software", 0x013C: "software"}
_USER_COMMENT, _XP_COMMENT, _EXIF_DIRECTORY = 0x9286, 0x9C9C, 0x8769
_ENTRIES, _MOST_EXIF, _LONGEST = 512, 16, 1 << 18


def exif_texts(data: bytes) -> list[tuple[str, str]]:
    """(key, text) of the notes in a TIFF structure: description, make, model, software, comment. Nothing else
    is read: no place, no time, no name.

    Never raises. Source: TIFF 6.0; Exif 2.32, 4.6.5 (8 bytes before a UserComment name its letters)."""
    data = data.removeprefix(b"Exif\x00\x00")
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(data[:4])
    if order is None:
        return []
    found: list[tuple[str, str]] = []
    try:
        directories = [struct.unpack_from(order + "I", data, 4)[0]]
        for place in range(2):
            if place < len(directories):
                directories += _directory(data, order, directories[place], found)
    except (struct.error, OverflowError):
        return found
    return found


def _directory(data: bytes, order: str, at: int, found: list[tuple[str, str]]) -> list[int]:
    """Adds the notes of one directory to ``found``; says where that of Exif proper lies, if it is named."""
    (count,) = struct.unpack_from(order + "H", data, at)
    further: list[int] = []
    for i in range(min(count, _ENTRIES)):
        tag, kind, n = struct.unpack_from(order + "HHI", data, at + 2 + 12 * i)
        where = at + 10 + 12 * i
        if tag == _EXIF_DIRECTORY:
            further += struct.unpack_from(order + "I", data, where)
        elif (tag in _WANTED and kind == 2) or tag in (_USER_COMMENT, _XP_COMMENT):
            start = where if n <= 4 else struct.unpack_from(order + "I", data, where)[0]
            if len(found) < _MOST_EXIF:
                found.append(
                    (_WANTED.get(tag, "comment"), _decoded(data[start : start + min(n, _LONGEST)], tag))
                )
    return further[:1]


def _decoded(raw: bytes, tag: int) -> str:
    if tag == _XP_COMMENT:
        return raw.decode("utf-16-le", "replace").split("\x00")[0]
    if tag == _USER_COMMENT:
        head, raw = raw[:8], raw[8:]
        if head == b"UNICODE\x00":
            # Which byte comes first is not said, and programs differ; Latin text tells.
            big = raw[:200:2].count(0) >= raw[1:200:2].count(0)
            return raw.decode("utf-16-be" if big else "utf-16-le", "replace")
    return raw.split(b"\x00", 1)[0].decode("utf-8", "replace")
