"""What a photograph's file holds besides the picture that is shown: a motion photo's video, further pictures,
a gain map. It is not examined, and therefore named.

Sources: CIPA DC-007 (MPO), Motion Photo format 1.0 and Ultra HDR (Android), ISO/IEC 14496-12 (boxes).
Samsung puts the video behind a trailer, Google behind the picture or in a box ``mpvd``: in each case it
begins with a box ``ftyp``, by whose name it is found, as is its header.
"""

from __future__ import annotations

import struct

from haechi.media.containers.boxes import BoxFile, brands
from haechi.media.containers.jpeg import MPF_NAME
from haechi.media.containers.tiff import Tiff
from haechi.types import Fact

_MOVIES = frozenset({
    b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"qt  ", b"3gp4", b"3gp5",
    b"M4V ", b"MSNV",
})  # fmt: skip
_LONGEST_FTYP = 512
_LONGEST_S = 86_400
_MAX_PICTURES, _MAX_CANDIDATES = 1000, 100_000
_GAIN_MAPS = (b"hdrgainmap", b"hdrgm:", b"HDRGainMap")
_SOI = b"\xff\xd8\xff"
_HEAD_BYTES = 65_536
_ENTRIES, _ENTRY_BYTES, _THUMBNAIL = 0xB002, 16, 0x01


def attachment_facts(data: bytes, behind: int, mpf: bytes = b"") -> dict[str, Fact]:
    """attached_video, and attached_video_s where its length is told; further_pictures; gain_map.

    ``behind``: where the picture ends. ``mpf``: the index of further pictures in a JPEG, without its name.
    Never raises: what cannot be read is not named."""
    facts: dict[str, Fact] = {}
    start = _movie(data, behind)
    if start is not None:
        facts["attached_video"] = True
        if length_s := _length_s(data, start):
            facts["attached_video_s"] = length_s
    further = _further(data, behind, mpf)
    maps = sum(_is_gain_map(data, at) for at in further)
    if maps:
        facts["gain_map"] = True
    if len(further) > maps:
        facts["further_pictures"] = len(further) - maps
    return facts


def _movie(data: bytes, start: int) -> int | None:
    at = data.find(b"ftyp", start)
    for _ in range(_MAX_CANDIDATES):
        if at < 4:
            break
        head = data[at - 4 : at + 8]
        if 8 <= int.from_bytes(head[:4], "big") <= _LONGEST_FTYP and brands(head)[0] in _MOVIES:
            return at - 4
        at = data.find(b"ftyp", at + 4)
    return None


def _length_s(data: bytes, start: int) -> float | None:
    """Seconds by the movie's header (mvhd); None where there is none that can be read."""
    at = data.find(b"mvhd", start)
    scale, length = BoxFile(data).timing((at + 4, len(data))) if at >= 0 else (0, 0)
    return round(length / scale, 2) if scale and 0 < length / scale < _LONGEST_S else None


def _further(data: bytes, behind: int, mpf: bytes) -> list[int]:
    """Where further pictures begin: by the index, else right behind the first one. Reduced copies of the
    first do not count."""
    places = [at for at in _indexed(data, mpf) if at >= behind and data[at : at + 3] == _SOI]
    if places:
        return places
    at = behind
    while data[at : at + 1] == b"\x00":
        at += 1
    return [at] if data[at : at + 3] == _SOI else []


def _indexed(data: bytes, mpf: bytes) -> list[int]:
    """Offsets in the file, by the index's own, which count from the index."""
    index = Tiff.of(mpf)
    base = data.find(MPF_NAME + mpf[:32]) + len(MPF_NAME)
    directory = next(index.directories(), None) if index is not None and not index.big else None
    if index is None or directory is None or base < len(MPF_NAME):
        return []
    places: list[int] = []
    for entry in index.entries(directory):
        if entry.tag != _ENTRIES:
            continue
        values = index.raw(entry, _ENTRY_BYTES * _MAX_PICTURES) or b""
        whole = len(values) // _ENTRY_BYTES * _ENTRY_BYTES
        for kind, _, offset, _ in struct.iter_unpack(index.order + "IIII", values[:whole]):
            if offset and kind >> 16 & 0xFF != _THUMBNAIL:
                places.append(base + offset)
    return places


def _is_gain_map(data: bytes, at: int) -> bool:
    head = data[at : at + _HEAD_BYTES]
    return any(name in head for name in _GAIN_MAPS)
