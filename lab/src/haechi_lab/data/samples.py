"""What calibration and the reports are measured on: the validation pictures, and pseudo-fakes made of them.

Everything is laid out as ordinary files with a manifest for ``haechi bench``, cut by persons into a selection
half, from which calibration and thresholds come, and a reporting half, from which figures come (val.csv holds
both)."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np

from haechi.types import U8
from haechi_lab.data.pairs import Prepared, SwapData
from haechi_lab.data.shards import Item, Shards, half, load_manifest, select
from haechi_lab.pseudo_fakes.reconstruct import aligned, file_of

COLUMNS = ("path", "label", "kind", "source", "group", "mask")
PAIRS = {
    "self_blend": 240, "imitate_swap": 240, "local_edit": 160, "expression": 160, "redrawn": 160,
    "autoencoder": 140, "adversarial": 140, "generated_face": 160, "gan_face": 140,
}  # fmt: skip
"""How many pairs of each family; ``mask`` names the picture of the share of the fake, pixel by pixel."""


def _png(folder: Path, name: str, rgb: U8) -> str:
    cv2.imwrite(str(folder / name), np.ascontiguousarray(rgb[:, :, ::-1]))
    return name


def lay_out(data: Path, out: Path) -> Path:
    """Write ``out/val`` with the pictures and selection.csv, reporting.csv; does nothing when it is there."""
    folder = out / "val"
    if (folder / "reporting.csv").is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    shards, items = Shards(data), load_manifest(data)
    rows = [_original(folder, shards, i) for i in select(items, split="val")]
    for n, path in enumerate(shards.paths("scenes/val")):
        name = f"scenes-{n:03d}.jpg"
        (folder / name).write_bytes(shards.read(path))
        rows.append({"path": name, "label": "real", "kind": "", "source": "scenes", "group": path})
    rows += _pairs(folder, Prepared.open(out))
    rows += _redrawn_whole(folder, shards, select(items, split="val", label="real"), out / "reconstructed")
    for part in ("selection", "reporting", "val"):
        with (folder / f"{part}.csv").open("w", newline="") as f:
            writer = csv.DictWriter(f, COLUMNS)
            writer.writeheader()
            writer.writerows(r for r in rows if part in (half(r["group"]), "val"))
    return folder


def _original(folder: Path, shards: Shards, item: Item) -> dict[str, str]:
    name = item.path.replace("/", "__")
    (folder / name).write_bytes(shards.read(item.path))
    return {"path": name, "label": item.label, "kind": item.kind, "source": item.source, "group": item.group}


def _pairs(folder: Path, prepared: Prepared) -> list[dict[str, str]]:
    """Pseudo-fakes of validation faces beside the genuine crops they were made of, by the same law."""
    data = SwapData(prepared, split="val")
    rows = []
    for family, count in PAIRS.items():
        for k in range(count):
            rng = np.random.default_rng([11, *family.encode(), k])
            i, pair = data.drawn_pair(rng, family)
            about = {"source": f"pairs-{family}", "group": str(prepared.rows[i]["group"])}
            stem = f"{family}-{k:03d}"
            real = _png(folder, f"{stem}-real.png", pair.real)
            fake = _png(folder, f"{stem}-fake.png", pair.fake)
            mask = f"{stem}-mask.png"
            cv2.imwrite(str(folder / mask), (pair.mask * 255 + 0.5).astype(np.uint8))
            rows.append({"path": real, "label": "real", "kind": "", "mask": "", **about})
            rows.append({"path": fake, "label": "fake", "kind": family, "mask": mask, **about})
    return rows


def _redrawn_whole(
    folder: Path, shards: Shards, items: list[Item], reconstructed: Path
) -> list[dict[str, str]]:
    """Whole pictures through the latent decoder, beside the part of the original that was drawn."""
    rows = []
    for item in items:
        file = file_of(reconstructed, item)
        if item.source == "dfdc" or not file.is_file():
            continue
        redrawing = np.asarray(cv2.imread(str(file)), np.uint8)[:, :, ::-1]
        for label, rgb in (("real", aligned(shards.rgb(item.path))), ("fake", redrawing)):
            name = _png(folder, f"whole-{Path(item.path).stem}-{label}.png", rgb)
            rows.append(
                {
                    "path": name,
                    "label": label,
                    "kind": "reconstructed" if label == "fake" else "",
                    "source": "pairs-reconstructed",
                    "group": item.group,
                }
            )
    return rows
