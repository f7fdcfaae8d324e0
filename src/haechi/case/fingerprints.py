"""What identifies a file's content: the fingerprints that an entry of a case keeps and that a match
compares, made here or, by ``FingerprintProcess``, in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from haechi import pdq
from haechi.case.records import fingerprints_from, fingerprints_record
from haechi.case.types import Fingerprints, NoFingerprint
from haechi.errors import Crashed, DamagedFile, InputError, NotAFile, OverLimit, UnknownFormat, UsageError
from haechi.isolated.process import Process
from haechi.media import open_media
from haechi.settings import Settings
from haechi.types import U8

#: Margins cut off at each of the four sides, as parts of the picture's height or width.
CUTS = (0.0, 0.03, 0.06, 0.09)
_SIDE_PX, _LEAST_PX = 256, 8
_TARGET = "haechi.case.fingerprints:FingerprintChild"
# What an answer provokes that was not made by our own code, but by what took the child over.
_NONSENSE = (KeyError, TypeError, ValueError, UsageError)


@dataclass(frozen=True, slots=True)
class Views:
    """What is compared of a candidate: of a picture one view, of a video each distinct frame. ``hashes``: of
    each view in the order of ``pdq.TURNS``; ``qualities``: from 0 to 100."""

    video: bool
    hashes: tuple[tuple[str, ...], ...]
    qualities: tuple[int, ...]


class FingerprintMaker(Protocol):
    """Makes fingerprints. ``fingerprints`` is told by ``fingerprints_of``; ``views`` raises InputError."""

    def fingerprints(self, source: Path | bytes) -> Fingerprints: ...

    def views(self, path: Path) -> Views: ...


class LocalFingerprints:
    """Decodes in this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def fingerprints(self, source: Path | bytes) -> Fingerprints:
        return fingerprints_of(source, self._settings)

    def views(self, path: Path) -> Views:
        media = open_media(path, self._settings)
        if media.kind == "image":
            pictures = (frame.rgb for frame in media.frames(1))
        else:
            pictures = (rgb for rgb, _ in pdq.distinct_frames(media))
        turns = [pdq.dihedral(rgb) for rgb in pictures]
        return Views(media.kind == "video", tuple(h for h, _ in turns), tuple(q for _, q in turns))


class FingerprintProcess:
    """Decodes in a process of its own: what crashes a decoder takes neither this process nor the keys of its
    cases with it. ``lasting``: the child is kept for the next file, for callers that stay in one thread."""

    def __init__(self, settings: Settings, *, lasting: bool = False, target: str = _TARGET) -> None:
        self._settings, self._lasting, self._target = settings, lasting, target
        self._process = Process(target, settings)

    def fingerprints(self, source: Path | bytes) -> Fingerprints:
        if isinstance(source, bytes):
            raise TypeError("a process of its own is given files, not bytes")
        try:
            return fingerprints_from(self._ask("fingerprints", source))
        except Crashed:
            return Fingerprints("other", "damaged")  # the file is kept as it is, without a fingerprint
        except _NONSENSE:
            raise _nonsense() from None

    def views(self, path: Path) -> Views:
        try:
            return _views_from(self._ask("views", path))
        except _NONSENSE:
            raise _nonsense() from None

    def _ask(self, what: str, path: Path) -> Mapping[str, Any]:
        # The child ends with the thread that started it: without a lasting caller each file has its own.
        process = self._process if self._lasting else Process(self._target, self._settings)
        try:
            _, data = process.ask({"do": what, "path": str(path)}, lambda _stage, _part: None)
            answer: Mapping[str, Any] = json.loads(data)
            return answer
        finally:
            if not self._lasting:
                process.stop()


class FingerprintChild:
    """The child's half: a target of ``haechi.isolated.child``."""

    def __init__(self, settings: Settings) -> None:
        self._here = LocalFingerprints(settings)

    def answer(
        self, request: Mapping[str, Any], _tell: Callable[[str, float], None]
    ) -> tuple[Mapping[str, Any], bytes]:
        path = Path(request["path"])
        if request["do"] == "fingerprints":
            facts = fingerprints_record(self._here.fingerprints(path))
        else:
            views = self._here.views(path)
            facts = {"video": views.video, "hashes": views.hashes, "qualities": views.qualities}
        return {}, json.dumps(facts).encode()


def _nonsense() -> DamagedFile:
    return DamagedFile("The decoder of this file answered nonsense: the file may be made to do harm.")


def _views_from(facts: Mapping[str, Any]) -> Views:
    hashes = tuple(tuple(pdq.checked(h) for h in view) for view in facts["hashes"])
    qualities = tuple(int(q) for q in facts["qualities"])
    if len(hashes) != len(qualities) or any(len(view) != len(pdq.TURNS) for view in hashes):
        raise ValueError("views without all their hashes")
    return Views(bool(facts["video"]), hashes, qualities)


def fingerprints_of(source: Path | bytes, settings: Settings, *, parts: bool = True) -> Fingerprints:
    """The fingerprints of a picture or video; of anything else those that say why there are none. Raises
    NotAFile when it cannot be opened, for then nothing is known of it."""
    try:
        media = open_media(source, settings)
        if media.kind == "video":
            moments = pdq.hash_frames(media)
            return Fingerprints("video", "" if moments else "plain", moments=moments)
        rgb = next(media.frames(1)).rgb
    except NotAFile:
        raise
    except InputError as error:
        return Fingerprints("other", _why(error))
    whole = pdq.hash_rgb(rgb)
    if whole.quality < pdq.MIN_QUALITY:
        return Fingerprints("image", "plain", quality=whole.quality)
    return Fingerprints("image", "", whole.hash, whole.quality, crop_hashes(rgb) if parts else ())


def crop_hashes(rgb: U8) -> tuple[str, ...]:
    """Hashes of the picture less every combination of CUTS, the whole one left out: a copy that lost up to
    about a tenth at any side mostly lies within MATCH_AT of one of them. They are made from a small copy,
    which costs a few bits and saves seconds; those of low quality are left out."""
    scale = min(_SIDE_PX / max(rgb.shape[:2]), 1.0)
    size = (max(round(rgb.shape[1] * scale), 1), max(round(rgb.shape[0] * scale), 1))
    grey = cv2.cvtColor(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    if min(height, width) < _LEAST_PX:
        return ()
    crops = []
    for top, bottom, left, right in product(CUTS, repeat=4):
        if top + bottom + left + right:
            rows = slice(round(height * top), round(height * (1 - bottom)))
            columns = slice(round(width * left), round(width * (1 - right)))
            crops.append(cv2.resize(grey[rows, columns], (64, 64), interpolation=cv2.INTER_AREA))
    hashes = pdq.hash_samples(np.stack(crops).astype(np.float32))
    return tuple(dict.fromkeys(p.hash for p in hashes if p.quality >= pdq.MIN_QUALITY))


def _why(error: InputError) -> NoFingerprint:
    if isinstance(error, OverLimit):
        return "over_limit"
    return "not_media" if isinstance(error, UnknownFormat) else "damaged"
