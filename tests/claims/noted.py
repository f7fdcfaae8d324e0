"""Files with notes in them, put together byte by byte."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence

from PIL import Image

from haechi.report import LANGUAGES
from haechi.report.messages import catalogue, sentence
from haechi.types import Claim

EXIF, XMP = b"Exif\x00\x00", b"http://ns.adobe.com/xap/1.0/\x00"


def drawn(form: str = "JPEG") -> bytes:
    """A small picture without any notes."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((160, 120)).convert("RGB").save(out, form)
    return out.getvalue()


def jpeg(*segments: tuple[int, bytes]) -> bytes:
    """A JPEG with segments (marker, content) behind its first mark."""
    data = drawn()
    parts = (bytes((0xFF, m)) + (len(body) + 2).to_bytes(2, "big") + body for m, body in segments)
    return data[:2] + b"".join(parts) + data[2:]


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG with chunks behind its header."""
    data = drawn("PNG")
    return data[:33] + b"".join(chunk(*c) for c in chunks) + data[33:]


def png_text(key: str, text: str) -> bytes:
    return png((b"tEXt", key.encode("latin-1") + b"\x00" + text.encode("latin-1", "replace")))


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    data = drawn("WEBP") + b"".join(
        kind + struct.pack("<I", len(body)) + body + b"\x00" * (len(body) % 2) for kind, body in chunks
    )
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def tiff(tags: dict[int, bytes], inner: dict[int, bytes] | None = None, order: str = "<") -> bytes:
    """A TIFF structure: texts by tag, and those of the directory of Exif proper."""

    def directory(at: int, entries: dict[int, bytes], link: int | None) -> bytes:
        items = [(tag, 7 if tag == 0x9286 else 2, text) for tag, text in entries.items()]
        count = len(items) + (link is not None)
        body, rest = b"", b""
        behind = at + 2 + 12 * count + 4
        for tag, kind, text in sorted(items):
            value = text.ljust(4, b"\x00") if len(text) <= 4 else struct.pack(order + "I", behind + len(rest))
            body += struct.pack(order + "HHI", tag, kind, len(text)) + value
            rest += text if len(text) > 4 else b""
        if link is not None:
            body += struct.pack(order + "HHII", 0x8769, 4, 1, link)
        return struct.pack(order + "H", count) + body + b"\x00" * 4 + rest

    head = (b"II*\x00" if order == "<" else b"MM\x00*") + struct.pack(order + "I", 8)
    if inner is None:
        return head + directory(8, tags, None)
    first = len(directory(8, tags, 0))
    return head + directory(8, tags, 8 + first) + directory(8 + first, inner, None)


def xmp(inside: str = "", attributes: str = "") -> bytes:
    """A packet with the usual names for namespaces."""
    spaces = {
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "xmp": "http://ns.adobe.com/xap/1.0/",
        "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
        "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
        "photoshop": "http://ns.adobe.com/photoshop/1.0/",
        "dc": "http://purl.org/dc/elements/1.1/",
        "exif": "http://ns.adobe.com/exif/1.0/",
        "ext": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
        "TC260": "http://www.tc260.org.cn/ns/AIGC/1.0/",
    }
    names = " ".join(f'xmlns:{short}="{name}"' for short, name in spaces.items())
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {names}><rdf:Description {attributes}>{inside}'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def full_meta(items: Sequence[bytes], keys: Sequence[bytes] = ()) -> bytes:
    """A box ``meta`` with a list of items, and the keys that number them."""
    listed = struct.pack(">II", 0, len(keys)) + b"".join(box(b"mdta", key) for key in keys)
    inside = box(b"hdlr", b"\x00" * 8 + b"mdta" + b"\x00" * 12)
    inside += (box(b"keys", listed) if keys else b"") + box(b"ilst", b"".join(items))
    return box(b"meta", b"\x00" * 4 + inside)


def item(kind: bytes, text: bytes) -> bytes:
    return box(kind, box(b"data", struct.pack(">II", 1, 0) + text))


def spoken(said: Claim) -> Claim:
    """What a claim says, every sentence of it tried in every language."""
    for reason in (said.reason, *said.facts):
        assert reason.code in catalogue("en")
        for lang in LANGUAGES:
            assert "?" not in sentence(reason, lang)
    return said
