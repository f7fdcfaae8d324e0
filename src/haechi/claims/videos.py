"""Where the notes lie in videos: user data of MP4 and MOV, the list INFO of AVI, the head of Matroska.

Only the frames of the structure are read, and what they hold of text; never the pictures.
Sources: ISO/IEC 14496-12 (boxes, uuid), QuickTime File Format (udta, keys, ilst), RIFF, RFC 9559 (Matroska),
C2PA 2.2 annex A.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from haechi.claims.notes import MOST_TEXT, STORE, Notes

_MOST_BOXES = 20_000  # of one file, on all levels
_MOST_VALUE = 1 << 16
_XMP = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
_C2PA = bytes.fromhex("D8FEC3D61B0E483C92975828877EC481")
_TEXTS = {
    b"\xa9too": "software",
    b"\xa9swr": "software",
    b"\xa9enc": "software",
    b"\xa9mak": "make",
    b"\xa9mod": "model",
    b"\xa9cmt": "comment",
    b"\xa9inf": "comment",
    b"AIGC": "AIGC",
}
_KEYS = {
    "com.apple.quicktime.make": "make",
    "com.apple.quicktime.model": "model",
    "com.apple.quicktime.software": "software",
    "com.android.manufacturer": "make",
    "com.android.model": "model",
    "comment": "comment",
    "encoder": "software",
    "AIGC": "AIGC",
}
_MKV_HEAD = 1 << 16
_MUXER, _WRITER = 0x4D80, 0x5741
_Span = tuple[int, int]


def video_notes(file: BinaryIO, form: str) -> Notes:
    """The notes of a video of a format of ``sniff``. ``file`` can seek."""
    notes = Notes()
    size = file.seek(0, 2)
    if form in ("mp4", "mov"):
        _Movie(file, notes).read(size)
    elif form == "avi":
        _riff(file, 12, size, notes)
    elif form in ("mkv", "webm"):
        file.seek(0)
        _matroska(file.read(_MKV_HEAD), notes)
    return notes


def _read(file: BinaryIO, start: int, end: int, most: int = _MOST_VALUE) -> bytes:
    file.seek(start)
    return file.read(max(0, min(end - start, most)))


class _Movie:
    """The boxes of one MP4 or MOV that hold notes."""

    def __init__(self, file: BinaryIO, notes: Notes) -> None:
        self._file, self._notes, self._left = file, notes, _MOST_BOXES

    def read(self, size: int) -> None:
        for kind, start, end in self._boxes(0, size):
            if kind == b"uuid":
                self._uuid(start, end)
            elif kind == b"moov":
                self._moov(start, end)

    def _boxes(self, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
        """(kind, start, end) of the content of each box between ``at`` and ``end``."""
        while self._left > 0:
            self._left -= 1
            head = _read(self._file, at, end, 16)
            if len(head) < 8:
                return
            length, kind, skip = int.from_bytes(head[:4], "big"), head[4:8], 8
            if length == 1 and len(head) == 16:
                length, skip = int.from_bytes(head[8:], "big"), 16
            elif length == 0:
                length = end - at
            if length < skip:
                return
            yield kind, at + skip, min(at + length, end)
            at += length

    def _uuid(self, start: int, end: int) -> None:
        kind = _read(self._file, start, end, 16)
        if kind == _XMP:
            self._notes.add_xmp(_read(self._file, start + 16, end, MOST_TEXT))
        elif kind == _C2PA:
            self._notes.c2pa |= STORE in _read(self._file, start, end)

    def _moov(self, start: int, end: int) -> None:
        for kind, a, b in self._boxes(start, end):
            if kind == b"meta":
                self._meta(a, b)
            elif kind == b"udta":
                self._udta(a, b)

    def _udta(self, start: int, end: int) -> None:
        for kind, a, b in self._boxes(start, end):
            if kind == b"meta":
                self._meta(a, b)
            elif kind == b"XMP_":
                self._notes.add_xmp(_read(self._file, a, b, MOST_TEXT))
            elif kind in _TEXTS:
                # QuickTime: length and language, two bytes each, then the text.
                self._notes.add_text(_TEXTS[kind], _read(self._file, a + 4, b))

    def _meta(self, start: int, end: int) -> None:
        """Items by their kinds (as iTunes keeps them), by numbered keys (as phones do), or by free names."""
        # In ISO files four bytes of version stand before the first box, in QuickTime none do.
        start += 0 if _read(self._file, start + 4, end, 4) == b"hdlr" else 4
        keys: list[str] = []
        for kind, a, b in self._boxes(start, end):
            if kind == b"keys":
                keys = [_name(_read(self._file, c, d, 100)) for _, c, d in self._boxes(a + 8, b)]
            elif kind == b"ilst":
                for item, c, d in self._boxes(a, b):
                    number = int.from_bytes(item, "big")
                    named = _KEYS.get(keys[number - 1]) if 1 <= number <= len(keys) else _TEXTS.get(item)
                    self._item(c, d, named)

    def _item(self, start: int, end: int, named: str | None) -> None:
        for kind, a, b in self._boxes(start, end):
            if kind == b"name":
                named = _KEYS.get(_name(_read(self._file, a + 4, b, 100)))
            elif kind == b"data" and named:
                self._notes.add_text(named, _read(self._file, a + 8, b))


def _name(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _riff(file: BinaryIO, at: int, size: int, notes: Notes) -> None:
    for _ in range(_MOST_BOXES):
        head = _read(file, at, size, 12)
        if len(head) < 8:
            return
        length = int.from_bytes(head[4:8], "little")
        if head[:4] == b"C2PA":
            notes.c2pa |= STORE in _read(file, at + 8, min(at + 8 + length, size))
        if head[:4] == b"LIST" and head[8:] == b"INFO":
            at += 12
            continue
        if head[:4] in (b"ISFT", b"ICMT"):
            key = "software" if head[:4] == b"ISFT" else "comment"
            notes.add_text(key, _read(file, at + 8, at + 8 + length).split(b"\x00")[0])
        at += 8 + length + length % 2


def _matroska(head: bytes, notes: Notes) -> None:
    """The programs that the element Info names, when it lies near the beginning, as it nearly always does."""
    spans = [(0, len(head))]
    for wanted in (0x18538067, 0x1549A966):  # Segment, then Info
        spans = [span for outer in spans for ident, span in _elements(head, outer) if ident == wanted][:1]
    for outer in spans:
        for ident, (a, b) in _elements(head, outer):
            if ident in (_MUXER, _WRITER):
                notes.add_text("software", head[a:b].split(b"\x00")[0])


def _elements(data: bytes, span: _Span) -> Iterator[tuple[int, _Span]]:
    """(identifier, span of the content) of the EBML elements directly in a span."""
    at, end = span
    for _ in range(_MOST_BOXES):
        if at >= end or data[at] == 0:
            return
        width = 9 - data[at].bit_length()
        ident = int.from_bytes(data[at : at + width], "big")
        at += width
        if width > 4 or at >= end or data[at] == 0:
            return
        width = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
        at += width
        if size == (1 << 7 * width) - 1:
            size = end - at
        yield ident, (at, min(at + size, end))
        at += size
