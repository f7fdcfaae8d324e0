"""The few Exif facts that matter here, read by hand: Pillow's reader follows every pointer of a hostile
file, and place and person have no business in a report."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

_ASCII, _SHORT, _LONG = 2, 3, 4
_MAX_ENTRIES = 512
_MAX_TEXT = 64
_MAX_PAGES = 10_000
_MAKE, _MODEL, _ORIENTATION, _SOFTWARE = 0x010F, 0x0110, 0x0112, 0x0131
_REDUCED, _MASK = 1, 4  # bits of the subfile type
_SUBFILE_TYPE, _EXIF, _DNG_VERSION = 0x00FE, 0x8769, 0xC612


@dataclass(frozen=True, slots=True)
class Exif:
    """orientation: 1 to 8, 1 when absent. raw_preview: this is a camera's raw file, whose first picture
    is a small preview. has_details: there is a directory of Exif proper, not only the TIFF's own tags."""

    orientation: int = 1
    make: str = ""
    model: str = ""
    software: str = ""
    raw_preview: bool = False
    has_details: bool = False


def clean(text: bytes | str) -> str:
    """One printable line of at most 64 characters: what a file says of itself may not steer a terminal."""
    if isinstance(text, bytes):
        text = text.split(b"\x00", 1)[0].decode("utf-8", "replace")
    line = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(line.split())[:_MAX_TEXT]


def read_exif(data: bytes) -> Exif:
    """Facts from the first directory of a TIFF structure (with or without the ``Exif`` prefix).

    Never raises: damaged metadata is as good as none. Source: TIFF 6.0, Exif 2.32."""
    data = data.removeprefix(b"Exif\x00\x00")
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(data[:4])
    if order is None:
        return Exif()
    values = _directory(data, order)
    orientation = values.get(_ORIENTATION, 1)
    return Exif(
        orientation=orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1,
        make=_line(values, _MAKE),
        model=_line(values, _MODEL),
        software=_line(values, _SOFTWARE),
        raw_preview=_DNG_VERSION in values or values.get(_SUBFILE_TYPE) == 1,
        has_details=_EXIF in values,
    )


def tiff_pages(data: bytes) -> int:
    """How many pictures a TIFF or BigTIFF holds in its chain of directories, at most 10,000. Smaller copies
    and masks of another picture do not count.

    Never raises: where the chain breaks or runs in a circle, what was found counts. Source: TIFF 6.0."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2], "<")
    big = data[2:4] in (b"\x2b\x00", b"\x00\x2b")
    wide, entry = (order + "Q", 20) if big else (order + "I", 12)
    seen: set[int] = set()
    pages = 0
    try:
        (at,) = struct.unpack_from(wide, data, 8 if big else 4)
        while at and at not in seen and len(seen) < _MAX_PAGES:
            seen.add(at)
            (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
            first = at + (8 if big else 2)
            (at,) = struct.unpack_from(wide, data, first + entry * count)
            kind = 0
            for i in range(min(count, 4)):  # entries are sorted, and this is the least of the usual tags
                tag, _ = struct.unpack_from(order + "HH", data, first + entry * i)
                if tag == _SUBFILE_TYPE:
                    (kind,) = struct.unpack_from(
                        order + "I", data, first + entry * i + entry - (8 if big else 4)
                    )
            pages += kind & (_REDUCED | _MASK) == 0
    except (struct.error, OverflowError):
        return pages
    return pages


def _line(values: Mapping[int, int | str], tag: int) -> str:
    value = values.get(tag, "")
    return value if isinstance(value, str) else ""


def _directory(data: bytes, order: str) -> dict[int, int | str]:
    """Tag -> text, or the first number; stops quietly where the data stop."""
    found: dict[int, int | str] = {}
    try:
        (at,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, at)
        for i in range(min(count, _MAX_ENTRIES)):
            entry = at + 2 + 12 * i
            tag, kind, n = struct.unpack_from(order + "HHI", data, entry)
            if kind == _ASCII:
                start = entry + 8 if n <= 4 else struct.unpack_from(order + "I", data, entry + 8)[0]
                found.setdefault(tag, clean(data[start : start + min(n, 4 * _MAX_TEXT)]))
            elif kind in (_SHORT, _LONG):
                found.setdefault(tag, struct.unpack_from(order + "HI"[kind - _SHORT], data, entry + 8)[0])
            else:
                found.setdefault(tag, 0)
    except struct.error:
        return found
    return found
