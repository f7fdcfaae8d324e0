"""Where the metadata lie in videos: user data of MP4 and MOV, the list INFO of AVI, the head of Matroska.

Only the frames of the structure are read, and what they hold of text; never the pictures.
Sources: ISO/IEC 14496-12 (boxes, uuid), QuickTime File Format (udta, keys, ilst), RIFF, RFC 9559 (Matroska),
C2PA 2.2 annex A.5.
"""

from __future__ import annotations

from typing import BinaryIO

from haechi.claims.raw_metadata import MOST_TEXT, STORE, RawMetadata
from haechi.media.containers import matroska, riff
from haechi.media.containers.boxes import BoxFile
from haechi.media.containers.pieces import Piece, Span

_MOST_BOXES = 20_000  # of one file, on all levels
_MOST_VALUE, _MOST_NAME = 1 << 16, 100
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
_RIFF_TEXTS = {b"ISFT": "software", b"ICMT": "comment"}
_MOST_LISTS = 4
_MKV_HEAD = 1 << 16


def video_metadata(file: BinaryIO, form: str) -> RawMetadata:
    """The metadata of a video of a format of ``sniff``. ``file`` can seek."""
    metadata = RawMetadata()
    if form in ("mp4", "mov"):
        _Movie(BoxFile(file, _MOST_BOXES), metadata).read()
    elif form == "avi":
        _riff(file, metadata)
    elif form in ("mkv", "webm"):
        file.seek(0)
        _matroska(file.read(_MKV_HEAD), metadata)
    return metadata


class _Movie:
    """The boxes of one MP4 or MOV that hold metadata."""

    def __init__(self, boxes: BoxFile, metadata: RawMetadata) -> None:
        self._boxes, self._metadata = boxes, metadata

    def read(self) -> None:
        for box in self._boxes.top():
            if box.kind == b"uuid":
                self._uuid(box.span)
            elif box.kind == b"moov":
                self._moov(box.span)

    def _uuid(self, span: Span) -> None:
        start, end = span
        kind = self._value(start, end, len(_XMP))
        if kind == _XMP:
            self._metadata.add_xmp(self._value(start + len(_XMP), end, MOST_TEXT))
        elif kind == _C2PA:
            self._metadata.c2pa |= STORE in self._value(start, end)

    def _moov(self, span: Span) -> None:
        for box in self._boxes.inside(span):
            if box.kind == b"meta":
                self._meta(box.span)
            elif box.kind == b"udta":
                self._udta(box.span)

    def _udta(self, span: Span) -> None:
        for box in self._boxes.inside(span):
            if box.kind == b"meta":
                self._meta(box.span)
            elif box.kind == b"XMP_":
                self._metadata.add_xmp(self._value(*box.span, MOST_TEXT))
            elif box.kind in _TEXTS:
                # QuickTime: length and language, two bytes each, then the text.
                self._metadata.add_text(_TEXTS[box.kind], self._value(box.offset + 4, box.end))

    def _meta(self, span: Span) -> None:
        """Items by their kinds (as iTunes keeps them), by numbered keys (as phones do), or by free names."""
        start, end = span
        # In ISO files four bytes of version stand before the first box, in QuickTime none do.
        start += 0 if self._value(start + 4, end, 4) == b"hdlr" else 4
        keys: list[str] = []
        for box in self._boxes.inside((start, end)):
            if box.kind == b"keys":
                inner = self._boxes.inside((box.offset + 8, box.end))
                keys = [_name(self._value(*key.span, _MOST_NAME)) for key in inner]
            elif box.kind == b"ilst":
                for item in self._boxes.inside(box.span):
                    number = int.from_bytes(item.kind, "big")
                    is_key = 1 <= number <= len(keys)
                    self._item(item.span, _KEYS.get(keys[number - 1]) if is_key else _TEXTS.get(item.kind))

    def _item(self, span: Span, key: str | None) -> None:
        for box in self._boxes.inside(span):
            if box.kind == b"name":
                key = _KEYS.get(_name(self._value(box.offset + 4, box.end, _MOST_NAME)))
            elif box.kind == b"data" and key:
                self._metadata.add_text(key, self._value(box.offset + 8, box.end))

    def _value(self, start: int, end: int, most: int = _MOST_VALUE) -> bytes:
        return self._boxes.read(start, min(end, start + most))


def _name(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _riff(file: BinaryIO, metadata: RawMetadata) -> None:
    """The chunks of an AVI, and those in its first lists INFO."""
    lists: list[Span] = []
    for chunk in riff.chunks(file):
        if chunk.kind == b"C2PA":
            metadata.c2pa |= STORE in _riff_value(file, chunk)
        elif chunk.kind == b"LIST" and _riff_value(file, chunk, 4) == b"INFO":
            lists.append((chunk.offset + 4, chunk.end))
    for chunk in (chunk for span in lists[:_MOST_LISTS] for chunk in riff.chunks(file, span)):
        if chunk.kind in _RIFF_TEXTS:
            metadata.add_text(_RIFF_TEXTS[chunk.kind], _riff_value(file, chunk).split(b"\x00")[0])


def _riff_value(file: BinaryIO, chunk: Piece[bytes], most: int = _MOST_VALUE) -> bytes:
    file.seek(chunk.offset)
    return file.read(min(chunk.length, most))


def _matroska(head: bytes, metadata: RawMetadata) -> None:
    """The programs that the element Info names, when it lies near the beginning, as it nearly always does."""
    span = (0, len(head))
    for kind in (matroska.SEGMENT, matroska.INFO):
        spans = (piece.span for piece in matroska.elements(head, span) if piece.kind == kind)
        span = next(spans, (0, 0))
    for piece in matroska.elements(head, span):
        if piece.kind in (matroska.MUXING_APP, matroska.WRITING_APP):
            metadata.add_text("software", piece.payload(head).split(b"\x00")[0])
