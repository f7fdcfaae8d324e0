"""Known pictures: does this one lie near a fingerprint on a list that the user loaded.

Lists are CSV files of PDQ hashes as platforms exchange them: the hash is the field of 64 hexadecimal digits
in a line, or that in a column whose name says pdq; what else a line says is not kept. A match says that the
list holds this picture or a copy of it, not why; the name of the list is all that is known of the reason.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from haechi import regular_files
from haechi.claims.subject import Subject
from haechi.errors import UsageError
from haechi.media import display_name
from haechi.media.exif import clean
from haechi.settings import Settings
from haechi.types import Claim, Reason

if TYPE_CHECKING:
    from haechi import pdq

_FRAMES = 8
_MOST_LISTS, _MOST_HASHES, _MOST_BYTES = 100, 5_000_000, 1 << 30
_MOST_FACTS = 10
_HASH = re.compile(r"[0-9A-Fa-f]{64}")
_CURE = "name a CSV file of PDQ hashes, or a folder of such files, in HAECHI_KNOWN_FILES"


class KnownClaim:
    """Raises UsageError when a list cannot be read or holds no hash: no match may be missed unnoticed."""

    name = "known"
    version = "1"

    def __init__(self, settings: Settings) -> None:
        self._lists: list[tuple[str, pdq.Index]] = []
        if settings.known_files:
            from haechi.pdq import Index

            self._lists = [(name, Index(hashes)) for name, hashes in load_lists(settings.known_files)]

    def state(self, subject: Subject) -> Claim | None:
        """None when no list is loaded. Of a video a handful of frames are compared."""
        if not self._lists:
            return None
        from haechi.pdq import MATCH_AT, MIN_QUALITY, hash_rgb

        best: dict[str, tuple[int, float]] = {}
        quality = 0
        for frame in subject.media.frames(_FRAMES):
            fingerprint = hash_rgb(frame.rgb)
            quality = max(quality, fingerprint.quality)
            if fingerprint.quality < MIN_QUALITY:
                continue
            for name, index in self._lists:
                near = int(index.distances(fingerprint.hash).min())
                if near <= MATCH_AT and near < best.get(name, (MATCH_AT + 1, 0.0))[0]:
                    best[name] = near, frame.time_s
        if quality < MIN_QUALITY:
            reason = Reason("known_plain", {"quality": quality})
            return Claim(self.name, self.version, reason, outcome="unread")
        video = subject.media.kind == "video"
        facts = tuple(_match(name, *nearest, video) for name, nearest in sorted(best.items())[:_MOST_FACTS])
        count = sum(len(index) for _, index in self._lists)
        reason = Reason("known_match" if facts else "known_none", {"n": count})
        return Claim(self.name, self.version, reason, facts)


def _match(name: str, distance: int, time_s: float, video: bool) -> Reason:
    if video:
        return Reason("known_on_list_at", {"list": name, "distance": distance, "time": f"{time_s:.1f}"})
    return Reason("known_on_list", {"list": name, "distance": distance})


def load_lists(path: str) -> list[tuple[str, list[str]]]:
    """(name, hashes) of a CSV file, or of each in a folder, by name. Raises UsageError."""
    place = Path(path)
    try:
        files = sorted(place.glob("*.csv")) if place.is_dir() else [place]
        if not files or len(files) > _MOST_LISTS:
            raise UsageError(f"There is no list of known files, or more than {_MOST_LISTS}: {_CURE}.")
        lists = [(clean(display_name(file).removesuffix(".csv")), list(_hashes(file))) for file in files]
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(
            f"The lists of known files cannot be read ({type(error).__name__}): {_CURE}."
        ) from None
    if sum(len(hashes) for _, hashes in lists) > _MOST_HASHES:
        raise UsageError(f"The lists of known files hold more than {_MOST_HASHES:,} hashes: {_CURE}.")
    empty = [name for name, hashes in lists if not hashes]
    if empty:
        raise UsageError(f"The list {empty[0]} holds no PDQ hash of 64 hexadecimal digits: {_CURE}.")
    return lists


def _hashes(file: Path) -> Iterator[str]:
    column: int | None = None
    stream = regular_files.opened(file, _MOST_BYTES)
    with io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="") as lines:
        for number, row in enumerate(csv.reader(lines)):
            if number == 0:
                column = next((i for i, name in enumerate(row) if "pdq" in name.casefold()), None)
            if text := _hash_of(row, column):
                yield text


def _hash_of(row: list[str], column: int | None) -> str:
    """The PDQ hash of a line, empty without one. Raises UsageError where SHA-256, which has as many digits,
    cannot be told from it: taken for PDQ it would match nothing, and nobody would know."""
    fields = row if column is None else row[column : column + 1]
    hashes = [text for field in fields if _HASH.fullmatch(text := field.strip())]
    others = " ".join(field for field in row if len(field) < 40).casefold()
    if not hashes or ("sha" in others and "256" in others and "pdq" not in others):
        return ""
    if len(hashes) > 1:
        raise UsageError(f"A list of known files has several hashes in a line; call its column pdq: {_CURE}.")
    return hashes[0].lower()
