"""What identifies a file's content: the fingerprints that an entry of a case keeps and that a match
compares."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import cv2
import numpy as np

from haechi import pdq
from haechi.case.kinds import NoPrint, Prints
from haechi.errors import InputError, NotAFile, OverLimit, UnknownFormat
from haechi.media import open_media
from haechi.settings import Settings
from haechi.types import U8

#: Margins cut off at each of the four sides, as parts of the picture's height or width.
CUTS = (0.0, 0.03, 0.06, 0.09)
_SIDE_PX, _LEAST_PX = 256, 8


def prints_of(source: Path | bytes, settings: Settings, *, parts: bool = True) -> Prints:
    """The fingerprints of a picture or video; of anything else Prints that say why there are none. Raises
    NotAFile when it cannot be opened, for then nothing is known of it."""
    try:
        media = open_media(source, settings)
        if media.kind == "video":
            moments = pdq.hash_frames(media)
            return Prints("video", "" if moments else "plain", moments=moments)
        rgb = next(media.frames(1)).rgb
    except NotAFile:
        raise
    except InputError as error:
        return Prints("other", _why(error))
    made = pdq.hash_rgb(rgb)
    if made.quality < pdq.MIN_QUALITY:
        return Prints("image", "plain", quality=made.quality)
    return Prints("image", "", made.hash, made.quality, parts_of(rgb) if parts else ())


def parts_of(rgb: U8) -> tuple[str, ...]:
    """Hashes of the picture less every combination of CUTS, the whole one left out: a copy that lost up to
    about a tenth at any side mostly lies within MATCH_AT of one of them. They are made from a small copy,
    which costs a few bits and saves seconds; those of low quality are left out."""
    scale = min(_SIDE_PX / max(rgb.shape[:2]), 1.0)
    size = (max(round(rgb.shape[1] * scale), 1), max(round(rgb.shape[0] * scale), 1))
    grey = cv2.cvtColor(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    if min(height, width) < _LEAST_PX:
        return ()
    cut = []
    for top, bottom, left, right in product(CUTS, repeat=4):
        if top + bottom + left + right:
            rows = slice(round(height * top), round(height * (1 - bottom)))
            columns = slice(round(width * left), round(width * (1 - right)))
            cut.append(cv2.resize(grey[rows, columns], (64, 64), interpolation=cv2.INTER_AREA))
    made = pdq.hash_samples(np.stack(cut).astype(np.float32))
    return tuple(dict.fromkeys(p.hash for p in made if p.quality >= pdq.MIN_QUALITY))


def _why(error: InputError) -> NoPrint:
    if isinstance(error, OverLimit):
        return "over_limit"
    return "not_media" if isinstance(error, UnknownFormat) else "damaged"
