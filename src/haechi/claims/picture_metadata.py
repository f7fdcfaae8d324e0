"""Where the metadata lie in pictures: segments of a JPEG, chunks of a PNG or WebP, tags of a TIFF.

Sources: ITU-T T.81 annex B; PNG (ISO/IEC 15948) 11.3; RFC 9649 (WebP); TIFF 6.0; XMP Specification part 3,
whose packets may be found by their marks in any file; C2PA 2.2 annex A (where a manifest store lies).
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from itertools import islice

from haechi.claims.raw_metadata import MOST_TEXT, STORE, RawMetadata
from haechi.media.containers import gif, jpeg, png, riff
from haechi.media.containers.tiff import ASCII, Directory, Tiff

_MOST_PACKED = 64  # texts that are unpacked
_MOST_COMMENTS, _GIF_BYTES = 8, 1 << 16
_MOST_SEGMENTS, _HEAD_BYTES = 4096, 64
_FACEBOOK = b"FBMD"


def picture_metadata(data: bytes, form: str) -> RawMetadata:
    """The metadata of a whole picture of a format of ``sniff``."""
    metadata = RawMetadata(c2pa=STORE in data)
    if form == "jpeg":
        _jpeg(data, metadata)
    elif form == "png":
        _png(data, metadata)
    elif form == "webp":
        _webp(data, metadata)
    elif form == "gif":
        _gif(data, metadata)
    elif form == "tiff":
        metadata.add_exif(data)
        _packet(data, metadata)
    elif form in ("avif", "heic", "jxl"):
        at = data.find(jpeg.EXIF_NAME)
        if at >= 0:
            metadata.add_exif(data[at : at + MOST_TEXT])
        _packet(data, metadata)
    else:
        metadata.readable = False
    return metadata


def _jpeg(data: bytes, metadata: RawMetadata) -> None:
    """The segments before the first scan."""
    for piece in islice(jpeg.segments(data), _MOST_SEGMENTS):
        if piece.kind == jpeg.SOS:
            return
        head = piece.payload(data, _HEAD_BYTES)
        if piece.kind == jpeg.APP1 and head.startswith(jpeg.EXIF_NAME):
            metadata.add_exif(piece.payload(data)[len(jpeg.EXIF_NAME) :])
        elif piece.kind == jpeg.APP1 and head.startswith(jpeg.XMP_NAME):
            metadata.add_xmp(piece.payload(data)[len(jpeg.XMP_NAME) :])
        elif piece.kind == jpeg.APP13 and head.startswith(jpeg.PHOTOSHOP_NAME):
            metadata.passed_facebook |= _FACEBOOK in piece.payload(data)
        elif piece.kind == jpeg.COM:
            metadata.add_text("comment", piece.payload(data))


def metadata_end(data: bytes) -> int:
    """Up to which byte a JPEG holds nothing but its mark, segments of applications and comments, without a
    gap: nothing from which a picture could be made."""
    end = 2
    for piece in islice(jpeg.segments(data), _MOST_SEGMENTS):
        if piece.start != end or not (jpeg.APP0 <= piece.kind <= jpeg.APP15 or piece.kind == jpeg.COM):
            break
        end = piece.end
    return end


def _png(data: bytes, metadata: RawMetadata) -> None:
    texts = 0
    for chunk in png.chunks(data):
        if chunk.missing:
            return
        texts += chunk.kind in (b"zTXt", b"iTXt")
        if chunk.kind == b"tEXt" or (chunk.kind in (b"zTXt", b"iTXt") and texts <= _MOST_PACKED):
            _png_text(chunk.kind, chunk.payload(data, MOST_TEXT), metadata)
        elif chunk.kind == b"eXIf":
            metadata.add_exif(chunk.payload(data))


def _png_text(kind: bytes, body: bytes, metadata: RawMetadata) -> None:
    """Keyword, and text as it is, compressed, or in any language (PNG 11.3.3)."""
    name, _, rest = body.partition(b"\x00")
    if kind == b"zTXt":
        rest = _inflated(rest[1:])
    elif kind == b"iTXt":
        is_compressed, rest = rest[:1] == b"\x01", rest[2:]
        rest = rest.partition(b"\x00")[2].partition(b"\x00")[2]  # language, keyword in that language
        rest = _inflated(rest) if is_compressed else rest
    key = name.decode("latin-1")
    if key == "XML:com.adobe.xmp":
        metadata.add_xmp(rest)
    else:
        metadata.add_text(key, rest)


def _inflated(data: bytes) -> bytes:
    """The text, at most MOST_TEXT of it, however much was packed into the chunk."""
    try:
        return zlib.decompressobj().decompress(data, MOST_TEXT)
    except zlib.error:
        return b""


def _webp(data: bytes, metadata: RawMetadata) -> None:
    for chunk in riff.chunks(io.BytesIO(data)):
        if chunk.missing:
            return
        if chunk.kind == b"EXIF":
            metadata.add_exif(chunk.payload(data).removeprefix(jpeg.EXIF_NAME))
        elif chunk.kind == b"XMP ":
            metadata.add_xmp(chunk.payload(data))


def _gif(data: bytes, metadata: RawMetadata) -> None:
    """The beginnings of the first comments, and the packet of XMP."""
    comments = (block for block in gif.blocks(data[:_GIF_BYTES]) if block.kind == gif.COMMENT)
    for comment in islice(comments, _MOST_COMMENTS):
        block = comment.payload(data)
        metadata.add_text("comment", block[1 : 1 + block[0]] if block else b"")
    _packet(data, metadata)


def _packet(data: bytes, metadata: RawMetadata) -> None:
    """The first packet of XMP, found by its outermost element."""
    start = data.find(b"<x:xmpmeta")
    end = data.find(b"</x:xmpmeta>", start, start + MOST_TEXT) if start >= 0 else -1
    if end >= 0:
        metadata.add_xmp(data[start : end + 12])


_WANTED = {0x010E: "description", 0x010F: "make", 0x0110: "model", 0x0131: "software", 0x013C: "software"}
_USER_COMMENT, _XP_COMMENT, _EXIF_DIRECTORY = 0x9286, 0x9C9C, 0x8769
_MOST_EXIF, _LONGEST = 16, 1 << 18


def exif_texts(data: bytes) -> list[tuple[str, str]]:
    """(key, text) of the texts in a TIFF structure: description, make, model, software, comment. Nothing else
    is read: no place, no time, no name.

    Never raises. Source: TIFF 6.0; Exif 2.32, 4.6.5 (8 bytes before a UserComment name its letters)."""
    tiff = Tiff.of(data.removeprefix(jpeg.EXIF_NAME))
    first = next(tiff.directories(), None) if tiff is not None and not tiff.big else None
    if tiff is None or first is None:
        return []
    texts = list(_directory_texts(tiff, first))
    links = (tiff.number(entry.field, "I") for entry in tiff.entries(first) if entry.tag == _EXIF_DIRECTORY)
    link = next(links, None)
    if link and (inner := tiff.directory(link)) is not None:
        texts += _directory_texts(tiff, inner)
    return texts[:_MOST_EXIF]


def _directory_texts(tiff: Tiff, directory: Directory) -> Iterator[tuple[str, str]]:
    """The texts of one directory, as far as the data go."""
    texts = (
        entry
        for entry in tiff.entries(directory)
        if (entry.tag in _WANTED and entry.type == ASCII) or entry.tag in (_USER_COMMENT, _XP_COMMENT)
    )
    for entry in islice(texts, _MOST_EXIF):
        raw = tiff.raw(entry, _LONGEST)
        if raw is None:
            return
        yield _WANTED.get(entry.tag, "comment"), _decoded(raw, entry.tag)


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
