"""What a photograph's file holds besides the picture that is shown: a motion photo's video, further pictures,
a gain map. It is not examined, and therefore named.

Sources: CIPA DC-007 (MPO), Motion Photo format 1.0 and Ultra HDR (Android), ISO/IEC 14496-12 (boxes).
Samsung puts the video behind a trailer, Google behind the picture or in a box ``mpvd``: in each case it
begins with a box ``ftyp``, by which it is found.
"""

from __future__ import annotations

import struct

from haechi.types import Fact

_MOVIES = (
    b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"qt  ", b"3gp4", b"3gp5",
    b"M4V ", b"MSNV",
)  # fmt: skip
_LONGEST_FTYP = 512
_MOST_PICTURES = 1000
_GAIN_MAPS = (b"hdrgainmap", b"hdrgm:", b"HDRGainMap")
_SOI = b"\xff\xd8\xff"
_HEAD_BYTES = 65_536
_ENTRIES, _ENTRY_BYTES, _THUMBNAIL = 0xB002, 16, 0x01


def attached_facts(data: bytes, behind: int, mpf: bytes = b"") -> dict[str, Fact]:
    """attached_video, and attached_video_s where its length is told; further_pictures; gain_map.

    ``behind``: where the picture ends. ``mpf``: the index of further pictures in a JPEG, without its name.
    Never raises: what cannot be read is not named."""
    facts: dict[str, Fact] = {}
    start = _movie(data, behind)
    if start is not None:
        facts["attached_video"] = True
        if seconds := _length_s(data, start):
            facts["attached_video_s"] = seconds
    further = _further(data, behind, mpf)
    maps = sum(_is_gain_map(data, at) for at in further)
    if maps:
        facts["gain_map"] = True
    if len(further) > maps:
        facts["further_pictures"] = len(further) - maps
    return facts


def _movie(data: bytes, start: int) -> int | None:
    at = data.find(b"ftyp", start)
    while at >= 4:
        size = int.from_bytes(data[at - 4 : at], "big")
        if 8 <= size <= _LONGEST_FTYP and data[at + 4 : at + 8] in _MOVIES:
            return at - 4
        at = data.find(b"ftyp", at + 4)
    return None


def _length_s(data: bytes, start: int) -> float | None:
    """Seconds by the movie's header (mvhd); None where there is none that can be read."""
    at = data.find(b"mvhd", start)
    try:
        wide = data[at + 4] == 1
        scale, length = struct.unpack_from(">IQ" if wide else ">II", data, at + (24 if wide else 16))
    except (struct.error, IndexError):
        return None
    return round(length / scale, 2) if at >= 0 and scale and 0 < length / scale < 86_400 else None


def _further(data: bytes, behind: int, mpf: bytes) -> list[int]:
    """Where further pictures begin: by the index, else right behind the first one. Reduced copies of the
    first do not count."""
    found = [at for at in _indexed(data, mpf) if at >= behind and data[at : at + 3] == _SOI]
    if found:
        return found
    at = behind
    while data[at : at + 1] == b"\x00":
        at += 1
    return [at] if data[at : at + 3] == _SOI else []


def _indexed(data: bytes, mpf: bytes) -> list[int]:
    """Offsets in the file, by the index's own."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(mpf[:4])
    base = data.find(b"MPF\x00" + mpf[:32]) + 4
    if order is None or base < 4:
        return []
    places: list[int] = []
    try:
        (at,) = struct.unpack_from(order + "I", mpf, 4)
        (count,) = struct.unpack_from(order + "H", mpf, at)
        for i in range(min(count, 16)):
            tag, _, size, value = struct.unpack_from(order + "HHII", mpf, at + 2 + 12 * i)
            if tag != _ENTRIES:
                continue
            for n in range(min(size // _ENTRY_BYTES, _MOST_PICTURES)):
                kind, _, offset = struct.unpack_from(order + "III", mpf, value + _ENTRY_BYTES * n)
                if offset and kind >> 16 & 0xFF != _THUMBNAIL:
                    places.append(base + offset)
    except struct.error:
        return places
    return places


def _is_gain_map(data: bytes, at: int) -> bool:
    head = data[at : at + _HEAD_BYTES]
    return any(name in head for name in _GAIN_MAPS)
