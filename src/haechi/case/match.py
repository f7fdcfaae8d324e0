"""Copies of a case's entries among other files: resized, encoded again, cropped a little, mirrored, turned.

A picture is hashed in its eight turns and mirrorings and each is looked up among the entries' hashes, whole
and less their margins; of a video each distinct frame, about one a second. At most ``MATCH_AT`` bits apart is
a copy. Two videos match when half of the distinct frames of either are found in the other: so does a clip
that was cut out of a longer one, and a longer one that holds a clip.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from haechi import pdq
from haechi.case import atomic_io
from haechi.case.fingerprints import FingerprintMaker, Views
from haechi.case.types import Entry, How, Match, Skipped
from haechi.errors import InputError, NotAFile, UnknownFormat, UsageError
from haechi.folders import files_in

SHARE = 0.5
"""Of the distinct frames of one video, to be found in the other."""
_FLAT = frozenset({"as_is", "flip_columns"})


@dataclass(frozen=True, slots=True)
class _Seen:
    """One look-up that hit: an entry's hash lies within reach of a candidate's."""

    entry: int
    how: How
    turn: str
    distance: int
    frame: int
    moment: int


class Known:
    """The hashes of the entries in one index."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.by_hash: dict[str, list[int]] = defaultdict(list)
        self.sizes = {entry.size for entry in entries}
        self.moments = {entry.number: len(entry.fingerprints.moments) for entry in entries}
        self._of: list[tuple[int, How, int]] = []
        hashes: list[str] = []
        for entry in entries:
            self.by_hash[entry.sha256].append(entry.number)
            prints = entry.fingerprints
            for how, own in (
                ("picture", [prints.pdq] if prints.pdq else []),
                ("part", prints.parts),
                ("video", [m.hash for m in prints.moments]),
            ):
                hashes += own
                self._of += [(entry.number, how, i) for i in range(len(own))]  # type: ignore[misc]
        self._index = pdq.Index(hashes)

    def seen(self, hashes: Sequence[str], frame: int = 0) -> Iterator[_Seen]:
        """Hits of a picture's hashes in the order of ``pdq.TURNS``."""
        for turn, query in zip(pdq.TURNS, hashes, strict=True):
            for position, distance in self._index.search(query):
                number, how, moment = self._of[position]
                yield _Seen(number, how, turn, distance, frame, moment)


def match(
    entries: Sequence[Entry], folder: Path, maker: FingerprintMaker, skip: Path | None = None
) -> Iterator[Match | Skipped]:
    """See ``Case.match``. Raises UsageError when the folder is none."""
    if not folder.is_dir():
        raise UsageError("There is no such folder to search: check its name.")
    return _search(Known(entries), folder, maker, skip)


def _search(
    index: Known, folder: Path, maker: FingerprintMaker, skip: Path | None
) -> Iterator[Match | Skipped]:
    for path in files_in(folder, skip):
        try:
            yield from _compare(index, path, maker)
        except NotAFile:
            yield Skipped(path, "skip_unreadable")
        except UnknownFormat:
            yield Skipped(path, "skip_not_media")
        except InputError:
            yield Skipped(path, "skip_damaged")
        except OSError:
            yield Skipped(path, "skip_unreadable")


def _compare(index: Known, path: Path, maker: FingerprintMaker) -> Iterator[Match | Skipped]:
    same = []
    if path.stat().st_size in index.sizes:
        same = index.by_hash.get(atomic_io.measure(path)[0], [])
        yield from (Match(path, number, "same_file") for number in same)
    try:
        views = maker.views(path)
    except UnknownFormat:
        if same:
            return  # a text, say, of which the case holds the very same
        raise
    hits: list[_Seen] = []
    for number, (hashes, quality) in enumerate(zip(views.hashes, views.qualities, strict=True), 1):
        if quality < pdq.MIN_QUALITY:
            yield Skipped(path, "skip_plain", {"quality": quality, "least": pdq.MIN_QUALITY})
            return
        hits += index.seen(hashes, number)
    for entry in dict.fromkeys(s.entry for s in hits if s.entry not in same):
        match_ = _judged(index, path, entry, [s for s in hits if s.entry == entry], views)
        if match_ is not None:
            yield match_


def _judged(index: Known, path: Path, number: int, hits: list[_Seen], views: Views) -> Match | None:
    """The one match of a candidate with an entry; None when too few frames agree."""
    nearest = min(hits, key=lambda s: (s.distance, s.how != "picture", pdq.TURNS.index(s.turn)))
    share, how = 1.0, nearest.how
    if views.video:
        how = "video"
        of_candidate = len({s.frame for s in hits}) / max(len(views.hashes), 1)
        of_entry = len({s.moment for s in hits}) / max(index.moments[number], 1)
        share = of_candidate if nearest.how != "video" else max(of_candidate, of_entry)
        if nearest.how == "video" and share < SHARE:
            return None
    return Match(
        path,
        number,
        how,
        nearest.distance,
        min(share, 1.0),
        mirrored=nearest.turn in pdq.MIRRORED,
        turned=nearest.turn not in _FLAT,
    )
