"""What the boxes of an ISO base media file (MP4, MOV, HEIC, AVIF) say of it as a whole: is it all there, and
what does its index tell. Source: ISO/IEC 14496-12."""

from __future__ import annotations

import re
from dataclasses import dataclass

from haechi.media.containers.boxes import BoxFile
from haechi.media.damage import cut_off
from haechi.media.edit_list import hidden_s
from haechi.media.orientation import Orientation, display_matrix

_MAX_MOOV_BYTES = 64 * 1024**2
# DRM replaces the codec's name in the sample description by encv (ISO/IEC 14496-12, 8.12).
_ENCRYPTED = re.compile(rb"stsd.{12}encv", re.DOTALL)
# Boxes that must be whole; unknown bytes behind the last known box are let be.
_KNOWN = frozenset({b"ftyp", b"moov", b"mdat", b"moof", b"meta", b"free", b"skip", b"wide", b"uuid", b"sidx"})


@dataclass(frozen=True, slots=True)
class IsoStructure:
    """has_video is None when there is no index, or it was too large to look through; damaged: it cannot be
    followed. hidden_s: seconds of the video that its edit list leaves out. orientation: how its frames are
    turned to be shown, None where it cannot be told."""

    has_index: bool
    has_video: bool | None
    encrypted: bool
    damaged: bool = False
    hidden_s: float = 0.0
    orientation: Orientation | None = None


def iso_structure(file: BoxFile, name: str) -> IsoStructure:
    """Walks the boxes of a file. Raises DamagedFile when a known one reaches beyond the end."""
    moov: bytes | None = None
    has_index = False
    for box in file.top():
        if box.missing:
            if box.kind in _KNOWN:
                raise cut_off(name)
            break
        has_index = has_index or box.kind in (b"moov", b"meta")
        if box.kind == b"moov" and box.end - box.start <= _MAX_MOOV_BYTES:
            moov = file.read(*box.span)
    if moov is None:
        return IsoStructure(has_index, None, encrypted=False)
    encrypted = _ENCRYPTED.search(moov) is not None
    boxes = BoxFile(moov)
    handlers = [handler for _, handler in boxes.tracks((0, boxes.size))]
    damaged = not (_filled(boxes) and handlers and all(handler.isalnum() for handler in handlers))
    has_video = b"vide" in handlers
    return IsoStructure(has_index, has_video, encrypted, damaged, hidden_s(moov), display_matrix(moov))


def _filled(moov: BoxFile) -> bool:
    """Whether boxes fill an index, but for the four zero bytes with which QuickTime may end a list."""
    return moov.size - max((box.end for box in moov.whole_inside((0, moov.size))), default=0) < 8
