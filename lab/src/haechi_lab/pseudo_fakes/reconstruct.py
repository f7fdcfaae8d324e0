"""Self-reconstruction: a picture through the encoder and decoder of a latent diffusion model (TAEF2).

The person stays who they are; what changes is that every pixel was drawn by a decoder, which is what all
latent generators share (aligned reconstruction: Rajan et al. 2024). Slow, so the pictures are made once and
kept as lossless PNG under ``OUT/reconstructed``.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from haechi.types import U8
from haechi_lab.data.shards import Item, Shards, load_manifest, select
from haechi_lab.training.teachers import Taef2

MOST_PX = 512


def wanted(items: list[Item], seed: int = 7) -> list[Item]:
    """The genuine pictures that are reconstructed: fixed by the seed, train and val."""
    rng = np.random.default_rng(seed)
    out: list[Item] = []
    for split, plan in (
        ("train", {"ffhq-1024": 99, "ffhq-stylegan1": 700, "lfw": 450, "dfdc": 700}),
        ("val", {"ffhq-1024": 99, "ffhq-stylegan1": 120, "lfw": 100, "dfdc": 150}),
    ):
        for source, most in plan.items():
            pool = select(items, split=split, source=source, label="real")
            out += [pool[i] for i in rng.permutation(len(pool))[:most]]
    # Interleaved, so that a run that is cut short has some of everything.
    return [out[i] for i in rng.permutation(len(out))]


def aligned(rgb: U8) -> U8:
    """The middle of the picture, at most MOST_PX a side, sides multiples of 8: cut, never resized."""
    h, w = (min(n, MOST_PX) // 8 * 8 for n in rgb.shape[:2])
    y, x = (rgb.shape[0] - h) // 2, (rgb.shape[1] - w) // 2
    return np.ascontiguousarray(rgb[y : y + h, x : x + w])


def file_of(folder: Path, item: Item) -> Path:
    return file_at(folder, item.path)


def file_at(folder: Path, path: str) -> Path:
    """Where the reconstruction of the picture at a manifest's ``path`` lies."""
    return folder / (path.replace("/", "__").rsplit(".", 1)[0] + ".png")


def make(data: Path, weights: Path, out: Path, most: int = 10**9) -> None:
    """Reconstruct the first ``most`` of what is wanted, where they are not there yet."""
    shards, network = Shards(data), Taef2(weights)
    out.mkdir(parents=True, exist_ok=True)
    for item in wanted(load_manifest(data))[:most]:
        file = file_of(out, item)
        if file.is_file():
            continue
        x = torch.from_numpy(aligned(shards.rgb(item.path))).permute(2, 0, 1)[None].float() / 255
        with torch.autocast("cpu", torch.bfloat16):
            y = network(x.contiguous(memory_format=torch.channels_last))
        u8 = (y[0].float().permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
        part = file.with_suffix(".part.png")
        cv2.imwrite(str(part), u8[:, :, ::-1])
        part.replace(file)
