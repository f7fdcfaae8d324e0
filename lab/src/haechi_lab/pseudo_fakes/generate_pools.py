"""Fills the pools that :mod:`generator_pools` reads: what the trained generators draw, made once."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import torch

from haechi.types import F32, U8
from haechi_lab.networks.autoencoder import SIDES, UPS, AutoEncoder
from haechi_lab.networks.gan import Generator
from haechi_lab.pseudo_fakes.align import askew, cut_face, frame, put_back
from haechi_lab.training.teachers import FaceMesh

COUNTS = {"train": 1600, "val": 300}
"""Rows of each split that are redrawn, half from DFDC and half from elsewhere where there are so many."""
CALM = 0.9
"""Noise is drawn this much nearer to the middle than in training: fewer odd faces, less variety (the
truncation of Brock et al. 2019)."""
PRESENCE, ASKEW = 0.9, 0.06
"""What counts as a face that came out: the mesh is sure of it, and its points stand where they should."""
AROUND = 1.4
"""The mesh expects a square this much larger than the aligned one; what is missing repeats the edge."""


def chosen(prepared: Path, seed: int = 7) -> list[int]:
    """Rows of genuine faces, train and val, fixed by the seed."""
    table = json.loads((prepared / "table.json").read_text())
    rng = np.random.default_rng(seed)
    rows: list[int] = []
    for split, count in COUNTS.items():
        real = [
            i for i, r in enumerate(table)
            if r["label"] == "real" and r["split"] == split and r["presence"] >= PRESENCE
        ]  # fmt: skip
        own = [i for i in real if table[i]["source"] == "dfdc"]
        other = [i for i in real if table[i]["source"] != "dfdc"]
        for part, most in ((own, count // 2), (other, count - count // 2)):
            rows += [part[k] for k in sorted(rng.permutation(len(part))[:most])]
    return rows


def picture(output: torch.Tensor) -> U8:
    """f32 (3, S, S) in about [0, 1] -> u8 (S, S, 3)."""
    return (output.float().clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


@torch.inference_mode()
def redraw(model: AutoEncoder, rgb: U8, mesh: F32, side: int, up: str) -> U8:
    """The crop with its face through the network at a working size and put back, u8 of its own shape."""
    m = frame(mesh, side)
    face = torch.from_numpy(cut_face(rgb, m, side)).permute(2, 0, 1)[None].float() / 255
    return put_back(rgb, picture(model(face, up)[0]), m)


def fill_redrawn(model: AutoEncoder, kind: str, prepared: Path, out: Path, seed: int = 7) -> None:
    """Write ``KIND.npy`` and ``KIND.json``; size and up-sampler are drawn for each row."""
    crops, mesh = (np.load(prepared / f"{name}.npy", mmap_mode="r") for name in ("crops", "mesh"))
    # The same sizes for every kind: what differs between the pools is the network alone.
    rows, rng = chosen(prepared), np.random.default_rng([seed, 11])
    px = [int(rng.choice(SIDES)) for _ in rows]
    ups = [str(rng.choice(UPS)) for _ in rows]
    out.mkdir(parents=True, exist_ok=True)
    part = out / f"{kind}.part.npy"
    pool = np.lib.format.open_memmap(part, "w+", np.uint8, (len(rows), *crops.shape[1:]))
    model.eval()
    for place, (row, side, up) in enumerate(zip(rows, px, ups, strict=True)):
        pool[place] = redraw(model, np.array(crops[row]), np.array(mesh[row]), side, up)
    pool.flush()
    part.replace(out / f"{kind}.npy")
    (out / f"{kind}.json").write_text(json.dumps({"rows": rows, "px": px, "ups": ups}))


def measured(teacher: FaceMesh, faces: U8) -> tuple[F32, F32]:
    """Aligned faces u8 (n, S, S, 3) -> their meshes f32 (n, 468, 2) in their pixels, presence f32 (n,)."""
    side = faces.shape[1]
    edge = round(side * (AROUND - 1) / 2)
    wide = [cv2.copyMakeBorder(f, edge, edge, edge, edge, cv2.BORDER_REPLICATE) for f in faces]
    whole = wide[0].shape[0]
    small = np.stack([cv2.resize(w, (192, 192), interpolation=cv2.INTER_CUBIC) for w in wide])
    points, presence = teacher(torch.from_numpy(small))
    return points.numpy() * np.float32(whole / 192) - np.float32(edge), presence.numpy()


@torch.inference_mode()
def fill_nobody(
    model: Generator, teacher: FaceMesh, out: Path, least: int = 1500, seed: int = 7, batch: int = 50
) -> None:
    """Write ``gan.npy``, ``gan_mesh.npy`` and ``gan.json``: faces that the mesh knows for such, at most three
    seeds tried for each one wanted."""
    faces: list[U8] = []
    meshes: list[F32] = []
    tried = 0
    model.eval()
    rng = np.random.default_rng([seed, 1])
    while len(faces) < least and tried < 3 * least:
        noise = CALM * rng.standard_normal((batch, model.code.in_features), np.float32)
        batch_rgb = np.stack([picture(d) for d in model(torch.from_numpy(noise))])
        points, presence = measured(teacher, batch_rgb)
        good = [k for k in range(batch) if presence[k] >= PRESENCE and askew(points[k]) < ASKEW]
        faces += [batch_rgb[k] for k in good]
        meshes += [points[k] for k in good]
        tried += batch
    out.mkdir(parents=True, exist_ok=True)
    count, side = min(len(faces), least), model.shape[-1] * 16
    pictures = np.stack(faces[:count]) if count else np.zeros((0, side, side, 3), np.uint8)
    points = np.stack(meshes[:count]) if count else np.zeros((0, 468, 2), np.float32)
    for name, array in (("gan", pictures), ("gan_mesh", points.astype(np.float32))):
        np.save(out / f"{name}.part.npy", array)
        (out / f"{name}.part.npy").replace(out / f"{name}.npy")  # whoever reads the old one keeps it
    first = count * 4 // 5
    facts = {"drawn": tried, "kept": len(faces), "pool": count, "train": first, "val": count - first}
    (out / "gan.json").write_text(
        json.dumps({**facts, "side": side, "presence": PRESENCE, "askew": ASKEW, "calm": CALM, "seed": seed})
    )
