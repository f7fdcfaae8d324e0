"""The few Exif facts that matter here, read by hand: Pillow's reader follows every pointer of a hostile
file, and place and person have no business in a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from haechi.media.containers.jpeg import EXIF_NAME
from haechi.media.containers.tiff import ASCII, Directory, Tiff

_MAX_TEXT = 64
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
    tiff = Tiff.of(data.removeprefix(EXIF_NAME))
    # Exif has 32-bit numbers; the tags of a BigTIFF are left aside.
    directory = next(tiff.directories(), None) if tiff is not None and not tiff.big else None
    if tiff is None or directory is None:
        return Exif()
    values = _values(tiff, directory)
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

    Never raises: where the chain breaks or runs in a circle, what was found counts."""
    tiff = Tiff.of(data)
    if tiff is None:
        return 0
    pages = 0
    for directory in tiff.directories():
        if directory.next is None:
            break
        # Entries are sorted, and this is the least of the usual tags.
        least = islice(tiff.entries(directory), 4)
        kinds = (tiff.first_number(entry) for entry in least if entry.tag == _SUBFILE_TYPE)
        pages += (next(kinds, 0) or 0) & (_REDUCED | _MASK) == 0
    return pages


def _line(values: Mapping[int, int | str], tag: int) -> str:
    value = values.get(tag, "")
    return value if isinstance(value, str) else ""


def _values(tiff: Tiff, directory: Directory) -> dict[int, int | str]:
    """Tag -> text, or the first number, 0 for what is neither; stops where the data stop."""
    values: dict[int, int | str] = {}
    for entry in tiff.entries(directory):
        if entry.type == ASCII:
            text = tiff.raw(entry, 4 * _MAX_TEXT)
            if text is None:
                break
            values.setdefault(entry.tag, clean(text))
        else:
            values.setdefault(entry.tag, tiff.first_number(entry) or 0)
    return values
