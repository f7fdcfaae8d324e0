"""What the generators trained here have drawn, read from disk by the families that use it.

A pool is made once by ``haechi train generators``, because drawing is slow and training asks for the same
pictures again and again:

    autoencoder.npy, adversarial.npy   u8 (n, 224, 224, 3) RGB: a crop with its face redrawn
    autoencoder.json, adversarial.json {"rows": of prepared/table.json, "px": working sizes, "ups": how}
    gan.npy        u8 (n, S, S, 3) RGB: faces of nobody     gan_mesh.npy  f32 (n, 468, 2) in their pixels
    gan.json       {"drawn": seeds tried, "kept": n, "train": how many of the first are for training, ...}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from haechi.errors import UsageError
from haechi.types import F32, U8

KINDS = ("autoencoder", "adversarial")


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise UsageError(
            f"no {name} in {folder.name!r}: make it with haechi train generators --data DIR --out DIR"
        )
    return path


@dataclass(frozen=True, slots=True)
class Pool:
    """Crops redrawn by one generator; ``pictures`` u8 (n, 224, 224, 3) stay on disk until asked for."""

    kind: str
    pictures: U8
    where: Mapping[int, int]
    px: Mapping[int, int]
    """Working size of the generator, by row."""

    @classmethod
    def open(cls, folder: Path, kind: str) -> Pool:
        """The pool of a kind of :data:`KINDS` in OUT/generators; raises UsageError when it was not made."""
        pictures = np.load(_file(folder, f"{kind}.npy"), mmap_mode="r")
        facts = json.loads(_file(folder, f"{kind}.json").read_text())
        rows = [int(row) for row in facts["rows"]]
        return cls(
            kind,
            pictures,
            {row: place for place, row in enumerate(rows)},
            dict(zip(rows, map(int, facts["px"]), strict=True)),
        )

    @property
    def rows(self) -> tuple[int, ...]:
        """Rows of the prepared table that were redrawn, train and val."""
        return tuple(self.where)

    def drawn(self, row: int) -> U8 | None:
        """The crop of a row of the prepared table with its face redrawn, u8 (224, 224, 3), a copy; None when
        the pool does not have that row."""
        place = self.where.get(row)
        return None if place is None else np.array(self.pictures[place])


@dataclass(frozen=True, slots=True)
class Nobody:
    """Faces that the GAN made from noise, by split: ``faces["train"]`` u8 (n, S, S, 3) and
    ``meshes["train"]`` f32 (n, 468, 2) in their pixels; likewise "val". No seed is in both."""

    faces: Mapping[str, U8]
    meshes: Mapping[str, F32]

    @classmethod
    def open(cls, folder: Path) -> Nobody:
        """The pool in OUT/generators; raises UsageError when it was not made."""
        faces = np.load(_file(folder, "gan.npy"), mmap_mode="r")
        meshes = np.load(_file(folder, "gan_mesh.npy"), mmap_mode="r")
        first = int(json.loads(_file(folder, "gan.json").read_text())["train"])
        return cls(
            {"train": faces[:first], "val": faces[first:]}, {"train": meshes[:first], "val": meshes[first:]}
        )
