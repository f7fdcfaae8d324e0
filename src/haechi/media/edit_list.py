"""Edit lists: what of an MP4 or MOV is stored but not shown, as after trimming on a phone.

Source: ISO/IEC 14496-12, 8.6.6 (elst), 8.4.2 (mdhd), 8.2.2 (mvhd).
"""

from __future__ import annotations

from collections.abc import Iterator

from haechi.media.containers.boxes import BoxFile
from haechi.media.containers.pieces import Span

_MAX_EDITS = 1000


def hidden_s(moov: bytes) -> float:
    """Seconds of the video track that its edit list leaves out, 0 without a list or when it cannot be read.

    ``moov``: the content of the index box."""
    boxes = BoxFile(moov)
    movie = (0, boxes.size)
    movie_scale = boxes.timing(boxes.first(movie, b"mvhd"))[0]
    for track, handler in boxes.tracks(movie):
        if handler != b"vide":
            continue
        scale, length = boxes.timing(boxes.first(boxes.first(track, b"mdia"), b"mdhd"))
        edits = boxes.first(boxes.first(track, b"edts"), b"elst")
        visible_length = sum(_shown(moov, edits))
        if scale and movie_scale and visible_length:
            return max(0.0, length / scale - visible_length / movie_scale)
    return 0.0


def _shown(data: bytes, span: Span) -> Iterator[int]:
    """Lengths, in units of the movie, of the edits that show something; an empty edit is only a pause."""
    at, end = span
    if end - at < 8:
        return
    wide = data[at] == 1
    width = 8 if wide else 4
    for _ in range(min(int.from_bytes(data[at + 4 : at + 8], "big"), _MAX_EDITS)):
        entry = data[at + 8 : at + 8 + 2 * width]
        if len(entry) < 2 * width or at + 8 + 2 * width > end:
            return
        if int.from_bytes(entry[width:], "big", signed=True) >= 0:
            yield int.from_bytes(entry[:width], "big")
        at += 2 * width + 4
