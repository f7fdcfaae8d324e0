"""What calibration and the reports are measured on: validation pictures of every source, and pseudo-fakes
made of validation faces.

Everything is laid out as ordinary files with a manifest for ``haechi bench``, cut by persons into a selection
half, from which calibration and thresholds come, and a reporting half, from which figures come (val.csv holds
both)."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from haechi.errors import UsageError
from haechi.types import U8
from haechi_lab.data import corpus
from haechi_lab.data.corpus import Row
from haechi_lab.data.mixture import Mixture
from haechi_lab.data.packs import Reader, open_all
from haechi_lab.data.shards import Shards, half, load_manifest

COLUMNS = ("path", "label", "kind", "source", "group", "mask")
PAIRS = {
    "self_blend": 240, "imitate_swap": 240, "local_edit": 160, "expression": 160, "generated_face": 200,
    "upsampled_face": 140,
}  # fmt: skip
"""How many pairs of each family; ``mask`` names the picture of the share of the fake, pixel by pixel."""
KINDS = {"swap": "face-swap", "blended": "blended-gan-face"}
GENERATORS = {"sd21": "diffusion-face", "sfhq-t2i": "diffusion-face"}
"""Wholly drawn faces are of a GAN but for those of these sources."""
MOST = 300
"""Of a source and label, at most; a group after the other. All of what came in shards is taken."""


def _png(folder: Path, name: str, rgb: U8) -> str:
    cv2.imwrite(str(folder / name), np.ascontiguousarray(rgb[:, :, ::-1]))
    return name


def laid_out(out: Path) -> Path:
    """``out/val``. Raises UsageError when ``lay_out`` has not filled it."""
    folder = out / "val"
    if not (folder / "reporting.csv").is_file():
        raise UsageError(f"no val/reporting.csv in {out.name!r}: run haechi train samples first")
    return folder


def lay_out(data: Path, where: Path, packs_dir: Path, out: Path) -> Path:
    """Write ``out/val`` with the pictures and selection.csv, reporting.csv; does nothing when it is there.
    ``data``: the shards; ``where``: the checked-out repositories; ``packs_dir``: what train data filled."""
    folder = out / "val"
    if (folder / "reporting.csv").is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(_shard_files(folder, data))
    for entry in corpus.SOURCES:
        rows += _repository_files(folder, entry, where, data / "lists")
    rows += _pairs(folder, packs_dir)
    for part in ("selection", "reporting", "val"):
        with (folder / f"{part}.csv").open("w", newline="") as f:
            writer = csv.DictWriter(f, COLUMNS)
            writer.writeheader()
            writer.writerows(r for r in rows if part in (half(r["group"]), "val"))
    return folder


def _shard_files(folder: Path, data: Path) -> Iterator[dict[str, str]]:
    shards = Shards(data)
    for item in load_manifest(data):
        if item.split != "val":
            continue
        name = item.path.replace("/", "__")
        (folder / name).write_bytes(shards.read(item.path))
        yield {
            "path": name, "label": item.label, "kind": item.kind, "source": item.source, "group": item.group,
        }  # fmt: skip
    for n, path in enumerate(shards.paths("scenes/val")):
        name = f"scenes-{n:03d}.jpg"
        (folder / name).write_bytes(shards.read(path))
        yield {"path": name, "label": "real", "kind": "", "source": "scenes", "group": path}


def _repository_files(
    folder: Path, entry: corpus.Source, where: Path, lists: Path
) -> Iterator[dict[str, str]]:
    rows = [r for r in corpus.rows_of(entry, lists) if r.split == "val"]
    if not rows:
        return
    read = Reader(corpus.folder_of(where, entry))
    for n, row in enumerate(sorted(_some(rows), key=lambda r: r.file)):
        # A picture that lies in a sheet is written without loss; others keep their bytes.
        suffix = Path(row.file).suffix if row.box is None else ".png"
        name = f"{entry.name}-{row.label}-{n:04d}{suffix}"
        rgb = read(row)
        if rgb is None:
            continue
        if row.box is None:
            (folder / name).write_bytes((read.folder / row.file).read_bytes())
        else:
            _png(folder, name, rgb)
        yield {
            "path": name, "label": row.label, "kind": kind_of(row), "source": row.source, "group": row.group,
        }  # fmt: skip


def kind_of(row: Row) -> str:
    """What a manifest calls this kind of forgery; nothing for a genuine picture."""
    if row.label == "real":
        return ""
    return KINDS.get(row.kind) or GENERATORS.get(row.source, "gan-face")


def _some(rows: Sequence[Row]) -> list[Row]:
    """At most MOST of each label, by chance but always the same."""
    draw = np.random.default_rng(3)
    out: list[Row] = []
    for label in ("real", "fake"):
        mine = [r for r in rows if r.label == label]
        out += [mine[int(i)] for i in draw.permutation(len(mine))[:MOST]]
    return out


def _pairs(folder: Path, packs_dir: Path) -> Iterator[dict[str, str]]:
    """Pseudo-fakes of validation faces beside the genuine crops they were made of, by the same law."""
    mixture = Mixture(open_all(packs_dir), split="val")
    for family, count in PAIRS.items():
        for k in range(count):
            face, pair = mixture.pseudo_fake(np.random.default_rng([11, *family.encode(), k]), family)
            about = {"source": f"pairs-{family}", "group": face.group}
            stem = f"{family}-{k:03d}"
            real = _png(folder, f"{stem}-real.png", pair.real)
            fake = _png(folder, f"{stem}-fake.png", pair.fake)
            mask = f"{stem}-mask.png"
            cv2.imwrite(str(folder / mask), (pair.mask * 255 + 0.5).astype(np.uint8))
            yield {"path": real, "label": "real", "kind": "", "mask": "", **about}
            yield {"path": fake, "label": "fake", "kind": family, "mask": mask, **about}
