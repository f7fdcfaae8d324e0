"""Reading the training pictures where they lie: uncompressed tar shards beside a manifest.

A shard is never unpacked: its index is read once and each picture is cut out of the file by offset, so that
the data stay as few files as they came in and may lie on a read-only disk.
"""

from __future__ import annotations

import csv
import hashlib
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from haechi.errors import UsageError
from haechi.types import U8

_COLUMNS = ("path", "label", "kind", "split", "source", "group")


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the manifest. ``group`` is one person or one original; a group is never split.
    ``original``: of a swap, the genuine video of the same scene."""

    path: str
    label: str
    kind: str
    split: str
    source: str
    group: str
    original: str = ""

    @property
    def fake(self) -> bool:
        return self.label == "fake"


class Shards:
    """Pictures by their path inside the tar shards of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._where: dict[str, tuple[Path, int, int]] = {}
        shards = sorted(folder.glob("*.tar"))
        if not shards:
            raise UsageError(
                f"no *.tar shards in {folder.name!r}: point --data at the folder that holds them"
            )
        for shard in shards:
            with tarfile.open(shard, "r:") as tar:
                for member in tar:
                    if member.isfile():
                        self._where[member.name] = (shard, member.offset_data, member.size)

    def paths(self, prefix: str = "") -> list[str]:
        return sorted(p for p in self._where if p.startswith(prefix))

    def read(self, path: str) -> bytes:
        shard, offset, size = self._where[path]
        with shard.open("rb") as f:
            f.seek(offset)
            return f.read(size)

    def rgb(self, path: str) -> U8:
        """The picture as u8 (H, W, 3) RGB."""
        bgr = cv2.imdecode(np.frombuffer(self.read(path), np.uint8), cv2.IMREAD_COLOR)
        if bgr is None:
            raise UsageError(f"{path}: no picture that can be decoded")
        return np.ascontiguousarray(bgr[:, :, ::-1])


def load_manifest(folder: Path) -> list[Item]:
    """Every line of ``manifest.csv``."""
    file = folder / "manifest.csv"
    if not file.is_file():
        raise UsageError(
            f"no manifest.csv in {folder.name!r}: it lists path, label, kind, split, source, group"
        )
    with file.open(newline="") as f:
        return [
            Item(**{k: line[k] for k in _COLUMNS}, original=line.get("original", ""))
            for line in csv.DictReader(f)
        ]


def select(
    items: Iterable[Item], *, split: str, source: str | None = None, label: str | None = None
) -> list[Item]:
    return [
        i
        for i in items
        if i.split == split and (source is None or i.source == source) and (label is None or i.label == label)
    ]


def half(group: str) -> str:
    """Cuts the validation data by person: thresholds and calibration come from ``selection``, figures that
    are reported come from ``reporting``. A hash, so that no one can choose who falls where."""
    return "selection" if hashlib.sha256(group.encode()).digest()[0] % 2 == 0 else "reporting"


def file_hash(paths: Iterable[Path]) -> str:
    """One SHA-256 over the contents of files, in the order given."""
    digest = hashlib.sha256()
    for p in paths:
        with p.open("rb") as f:
            while block := f.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
