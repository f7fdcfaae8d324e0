"""Edit lists: what of an MP4 or MOV is stored but not shown, as after trimming on a phone.

Source: ISO/IEC 14496-12, 8.6.6 (elst), 8.4.2 (mdhd), 8.2.2 (mvhd).
"""

from __future__ import annotations

from collections.abc import Iterator

_Span = tuple[int, int]


def hidden_s(moov: bytes) -> float:
    """Seconds of the video track that its edit list leaves out, 0 without a list or when it cannot be read.

    ``moov``: the content of the index box."""
    whole = (0, len(moov))
    movie_scale = _scale(moov, _first(moov, whole, b"mvhd"))[0]
    for trak in _boxes(moov, whole, b"trak"):
        mdia = _first(moov, trak, b"mdia")
        hdlr = _first(moov, mdia, b"hdlr")
        if moov[hdlr[0] + 8 : hdlr[0] + 12] != b"vide":
            continue
        scale, length = _scale(moov, _first(moov, mdia, b"mdhd"))
        elst = _first(moov, _first(moov, trak, b"edts"), b"elst")
        shown = sum(_shown(moov, elst))
        if scale and movie_scale and shown:
            return max(0.0, length / scale - shown / movie_scale)
    return 0.0


def _boxes(data: bytes, span: _Span, kind: bytes) -> Iterator[_Span]:
    """Where the contents of the boxes of this kind lie, directly inside the span."""
    at, end = span
    while at + 8 <= end:
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8 or at + size > end:
            return
        if data[at + 4 : at + 8] == kind:
            yield at + 8, at + size
        at += size


def _first(data: bytes, span: _Span, kind: bytes) -> _Span:
    return next(_boxes(data, span, kind), (0, 0))


def _scale(data: bytes, span: _Span) -> tuple[int, int]:
    """(units a second, length in units) of an mvhd or mdhd box; (0, 0) when it is not there."""
    at, end = span
    if end - at < 20:
        return 0, 0
    wide = data[at] == 1
    at += 20 if wide else 12
    return int.from_bytes(data[at : at + 4], "big"), int.from_bytes(
        data[at + 4 : at + (12 if wide else 8)], "big"
    )


def _shown(data: bytes, span: _Span) -> Iterator[int]:
    """Lengths, in units of the movie, of the edits that show something; an empty edit is only a pause."""
    at, end = span
    if end - at < 8:
        return
    wide = data[at] == 1
    width = 8 if wide else 4
    for _ in range(min(int.from_bytes(data[at + 4 : at + 8], "big"), 1000)):
        entry = data[at + 8 : at + 8 + 2 * width]
        if len(entry) < 2 * width or at + 8 + 2 * width > end:
            return
        if int.from_bytes(entry[width:], "big", signed=True) >= 0:
            yield int.from_bytes(entry[:width], "big")
        at += 2 * width + 4
