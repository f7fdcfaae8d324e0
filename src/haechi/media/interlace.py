"""Whether a video's pictures may be two interleaved halves of different moments (fields), from the parameter
sets of its bitstream.

Sources: ITU-T H.264, 7.3.2.1.1 (frame_mbs_only_flag); ITU-T H.265, 7.3.3 (general_interlaced_source_flag).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_START = re.compile(rb"\x00\x00\x01")
_ESCAPED = re.compile(rb"\x00\x00\x03")
_H264_SPS, _HEVC_SPS = 7, 33
# Profiles whose parameter sets tell of the kind of chroma, 7.3.2.1.1.
_CHROMA_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


def may_be_interlaced(codec: str, parameters: bytes) -> bool:
    """codec: h264 or hevc. parameters: the decoder's configuration (avcC or hvcC), or a piece of the
    bitstream with start codes, or one after the other. A set that is broken off tells nothing."""
    reads, kind = (_h264, _H264_SPS) if codec == "h264" else (_hevc, _HEVC_SPS)
    for unit in _units(codec, parameters):
        if len(unit) > 3 and (unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63) == kind:
            try:
                if reads(_Bits(_ESCAPED.sub(b"\x00\x00", unit))):
                    return True
            except IndexError:
                continue
    return False


def _units(codec: str, data: bytes) -> Iterator[bytes]:
    if data[:1] == b"\x01":
        yield from _avcc(data) if codec == "h264" else _hvcc(data)
    starts = [start.end() for start in _START.finditer(data)]
    yield from (data[at : at + 256] for at in starts)


def _avcc(data: bytes) -> Iterator[bytes]:
    """The sequence parameter sets of an avcC (ISO/IEC 14496-15, 5.3.3.1)."""
    at = 6
    for _ in range(data[5] & 31 if len(data) > 6 else 0):
        size = int.from_bytes(data[at : at + 2], "big")
        yield data[at + 2 : at + 2 + size]
        at += 2 + size


def _hvcc(data: bytes) -> Iterator[bytes]:
    """The parameter sets of an hvcC (ISO/IEC 14496-15, 8.3.3.1)."""
    at = 23
    for _ in range(data[22] if len(data) > 23 else 0):
        count = int.from_bytes(data[at + 1 : at + 3], "big")
        at += 3
        for _ in range(min(count, 64)):
            size = int.from_bytes(data[at : at + 2], "big")
            yield data[at + 2 : at + 2 + size]
            at += 2 + size


class _Bits:
    """Reads bits. Raises IndexError behind the end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def read(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self._data[self._at >> 3] >> (7 - (self._at & 7)) & 1
            self._at += 1
        return value

    def golomb(self) -> int:
        """An unsigned Exp-Golomb number, 9.1."""
        zeros = 0
        while not self.read(1):
            zeros += 1
        return (1 << zeros) - 1 + self.read(zeros)

    def signed(self) -> int:
        value = self.golomb()
        return (value + 1) // 2 if value % 2 else -value // 2


def _h264(bits: _Bits) -> bool:
    bits.read(8)
    profile = bits.read(8)
    bits.read(16)
    bits.golomb()  # the set's number
    if profile in _CHROMA_PROFILES:
        chroma = bits.golomb()
        if chroma == 3:
            bits.read(1)
        bits.golomb()
        bits.golomb()
        bits.read(1)
        if bits.read(1):
            for i in range(8 if chroma != 3 else 12):
                if bits.read(1):
                    _skip_scaling(bits, 16 if i < 6 else 64)
    bits.golomb()
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.read(1)
        bits.signed()
        bits.signed()
        for _ in range(min(bits.golomb(), 255)):
            bits.signed()
    bits.golomb()
    bits.read(1)
    bits.golomb()
    bits.golomb()
    return not bits.read(1)


def _skip_scaling(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed() + 256) % 256
        last = following or last


def _hevc(bits: _Bits) -> bool:
    bits.read(16 + 8)  # header; identifier, layers, nesting
    bits.read(8 + 32)  # profile and its compatibilities
    progressive, interlaced = bits.read(1), bits.read(1)
    return bool(interlaced) and not progressive
