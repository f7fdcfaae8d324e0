"""Where training faces come from: every source once, with what it may be used for, as rows.

A source is the folder of shards that came with the project, or a public repository, checked out at the commit
given into ``FROM/OWNER+NAME``. Which of its files may be used, and in which split, is said by
``LISTS/NAME.csv``; a file that no list names is never read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from haechi.errors import UsageError
from haechi_lab.data.shards import load_manifest

Kind = Literal["genuine", "swap", "blended", "generated"]
"""``swap``: another person's face in a video; ``blended``: a generated face set into a photograph;
``generated``: drawn as a whole."""
Framing = Literal["crop", "picture"]
"""``crop``: cut by our crop rule already; ``picture``: the face is looked for and cut."""


@dataclass(frozen=True, slots=True)
class Source:
    """A public repository, and what may be read of it. ``label`` and ``split`` hold where its list has no
    such column; ``folder`` comes before the list's file names. ``terms`` is what a card repeats."""

    name: str
    repository: str
    commit: str
    fake_kind: Kind
    framing: Framing = "picture"
    folder: str = ""
    label: str = ""
    split: str = ""
    terms: str = "research"
    least_sharpness: float = 0.0


SOURCES = (
    Source("dfdc-more", "i-Shreyansh/DeepFake-Detection", "3972853", "swap", "crop", "faces_224/",
           "fake", "train", "DFDC, research terms; crops Apache-2.0"),
    Source("openforensics", "ARYAHARIDAS06/DEEPFAKE", "3bcf12f", "blended", terms="OpenForensics, research",
           least_sharpness=20.0),
    Source("lfw", "braun-steven/dfi-tensorflow", "0a86d9a", "generated", terms="LFW, research"),
    Source("sd21", "gebaltso/SDFD", "3b44460", "generated", label="fake", terms="SDFD, research"),
    Source("sfhq-t2i", "SelfishGene/SFHQ-T2I-dataset", "a806447", "generated", label="fake", terms="MIT"),
    Source("gan1024", "roeishc/real-or-fake-face-image-classification", "e8193b3", "generated",
           terms="FFHQ CC BY-NC-SA and generated faces"),
    Source("stylegan2-512", "BaseMax/FakeFaces", "bb509d9", "generated", label="fake", terms="generated"),
)  # fmt: skip

SHARDS = "shards"
"""The name of the source that lies in tar shards beside ``manifest.csv``."""
_SHARD_KINDS: dict[str, Kind] = {"dfdc": "swap"}


_SAME = {"dfdc-more": "dfdc", "sd21-faces": "sd21", "ffhq-1024": "ffhq-stylegan1"}


def origin(source: str) -> str:
    """The one name of a source that comes under two: leaving out one of them alone would leave it in."""
    return _SAME.get(source, source)


@dataclass(frozen=True, slots=True)
class Row:
    """One face to be cut. ``file``: below the source's folder. ``box``: the part of the file that is the
    picture, xyxy in pixels, None for all of it. ``original``: the genuine crop of the scene, or empty."""

    file: str
    source: str
    label: Literal["real", "fake"]
    kind: Kind
    split: Literal["train", "val"]
    group: str
    framing: Framing
    original: str = ""
    box: tuple[int, int, int, int] | None = None


def source(name: str) -> Source:
    """Raises UsageError for a name that is not listed."""
    for each in SOURCES:
        if each.name == name:
            return each
    raise UsageError(f"there is no source {name!r}: choose from {', '.join(s.name for s in SOURCES)}")


def folder_of(where: Path, entry: Source) -> Path:
    """The checked-out repository. Raises UsageError, naming what to fetch, when it is not there."""
    folder = where / entry.repository.replace("/", "+")
    if not folder.is_dir():
        raise UsageError(
            f"{entry.name} is missing: check out {entry.repository} at {entry.commit} into "
            f"{folder.parent.name}/{folder.name}, or leave it out with --without {entry.name}"
        )
    return folder


def rows_of(entry: Source, lists: Path) -> Iterator[Row]:
    """The rows that the source's list allows."""
    file = lists / f"{entry.name}.csv"
    if not file.is_file():
        raise UsageError(f"no {file.name} in {lists.name!r}: the lists say which files may be used")
    with file.open(newline="") as lines:
        for line in csv.DictReader(lines):
            yield _row(entry, line)


def _row(entry: Source, line: dict[str, str]) -> Row:
    name = line.get("file") or line["sheet"]
    box = tuple(int(line[k]) for k in ("x0", "y0", "x1", "y1")) if "x0" in line else None
    where = name if box is None else "{}#{},{}".format(name, *box[:2])
    label = line.get("label") or entry.label
    split = line.get("split") or entry.split
    if label not in ("real", "fake") or split not in ("train", "val"):
        raise UsageError(f"{entry.name}.csv: {name} has label {label!r} and split {split!r}")
    return Row(
        file=entry.folder + name,
        source=entry.name,
        label="fake" if label == "fake" else "real",
        kind=entry.fake_kind if label == "fake" else "genuine",
        split="val" if split == "val" else "train",
        group=line.get("group") or where,
        framing=entry.framing,
        original=line.get("original", ""),
        box=None if box is None else (box[0], box[1], box[2], box[3]),
    )


def shard_rows(data: Path) -> Iterator[Row]:
    """The rows of ``manifest.csv``; each keeps the name of its own source."""
    for item in load_manifest(data):
        kind: Kind = _SHARD_KINDS.get(item.source, "generated") if item.fake else "genuine"
        yield Row(
            file=item.path,
            source=item.source,
            label="fake" if item.fake else "real",
            kind=kind,
            split="val" if item.split == "val" else "train",
            group=item.group,
            framing="crop" if item.source == "dfdc" else "picture",
            original=item.original,
        )
