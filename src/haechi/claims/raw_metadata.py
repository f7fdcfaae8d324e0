"""The metadata that cameras and programs leave in a file, found in its structure and not yet understood.

Damaged metadata is as good as none: nothing here raises on what a file holds, and what is read is bounded in
pieces, in bytes and in what compressed text may grow to.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Of one text, and of all metadata of a file together.
MOST_TEXT, MOST_ALL = 1 << 20, 8 << 20
MOST_TEXTS = 512
# The type of the JUMBF box that is a C2PA manifest store (C2PA 2.2, 11.1.4.2). It stands in the first bytes
# of the store, which no container cuts in two.
STORE = bytes.fromhex("63327061 0011 0010 8000 00AA00389B71")


@dataclass(slots=True)
class RawMetadata:
    """texts: (key, text) as stored, such as PNG's ``parameters``; comments have the key ``comment``.
    exif: TIFF structures. xmp: packets of XML. c2pa: there is a manifest store. passed_facebook: the mark
    that Facebook and Instagram put into pictures. readable: metadata are looked for in this format."""

    texts: list[tuple[str, str]] = field(default_factory=list)
    exif: list[bytes] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)
    c2pa: bool = False
    passed_facebook: bool = False
    readable: bool = True
    _room: int = MOST_ALL

    def add_text(self, key: str, value: bytes | str) -> None:
        if isinstance(value, bytes):
            value = value[:MOST_TEXT].decode("utf-8", "replace")
        if len(self.texts) < MOST_TEXTS and self._take(len(value)):
            self.texts.append((key[:100], value[:MOST_TEXT]))

    def add_exif(self, data: bytes) -> None:
        if len(self.exif) < 4 and self._take(len(data)):
            self.exif.append(data)

    def add_xmp(self, data: bytes) -> None:
        if len(self.xmp) < 8 and len(data) <= MOST_TEXT and self._take(len(data)):
            self.xmp.append(data)

    def _take(self, size: int) -> bool:
        """Whether there is room for so many bytes more; then they are taken."""
        if size > self._room:
            return False
        self._room -= size
        return True
