"""``haechi train synthesis``: generated faces against photographs, photographs against their redrawing.

A generator's pictures differ from photographs in size, sharpness and file format; a reconstruction differs
from its original in nothing but who drew the pixels. Both are learned from, under one law of scaling and
degradation.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from haechi.lab import augment
from haechi.lab.data import Item, Shards, file_hash, load_manifest, select
from haechi.lab.forge.reconstruct import aligned, file_of
from haechi.lab.forge.upsampled import upsampled
from haechi.lab.loop import Batch, Plan, fit
from haechi.lab.networks.synthesis import SynthesisNet
from haechi.lab.train_swap import correlation
from haechi.types import U8

WINDOW_PX = 160
REDRAWN, UPSAMPLED, GAN, DIFFUSION = 7, 2, 5, 3
"""Pairs of a batch: photograph and its reconstruction, photograph and its up-sampling, GAN face and
photograph, diffusion face and photograph."""
PAIRED = REDRAWN + UPSAMPLED
FIRST_STRENGTH, LAST_STRENGTH, HARDEST_AT = 0.15, 0.55, 1000
"""Degradation grows over the first steps, as in ``train_swap``."""


def rescale(images: list[U8], rng: np.random.Generator) -> list[U8]:
    """The same random size for all: pictures reach people at any size, and no size may mean forged."""
    side = min(min(i.shape[:2]) for i in images)
    low, high = WINDOW_PX / side, min(1.6, 1100 / side)
    if rng.random() < 0.35 or low >= high:
        f = max(1.0, low)
    else:
        f = float(np.exp(rng.uniform(np.log(low), np.log(max(high, low * 1.01)))))
    if f == 1.0:
        return images
    how = int(rng.choice([cv2.INTER_AREA, cv2.INTER_CUBIC, cv2.INTER_LINEAR])) if f < 1 else cv2.INTER_CUBIC
    sizes = [(max(WINDOW_PX, round(i.shape[1] * f)), max(WINDOW_PX, round(i.shape[0] * f))) for i in images]
    return [
        np.asarray(cv2.resize(i, s, interpolation=how), np.uint8) for i, s in zip(images, sizes, strict=True)
    ]


def window(images: list[U8], rng: np.random.Generator) -> list[U8]:
    """The same window out of all pictures of one size, mostly near the middle, where the face is."""
    h, w = images[0].shape[:2]
    y = int(np.clip(rng.normal(0.5, 0.22) * (h - WINDOW_PX), 0, h - WINDOW_PX))
    x = int(np.clip(rng.normal(0.5, 0.22) * (w - WINDOW_PX), 0, w - WINDOW_PX))
    flip = rng.random() < 0.5
    cuts = [i[y : y + WINDOW_PX, x : x + WINDOW_PX] for i in images]
    return [np.ascontiguousarray(c[:, ::-1] if flip else c) for c in cuts]


class SynthesisData:
    """Makes batches: x u8 (n, 160, 160, 3), y f32 (n,), nuisance f32 (n, 4); genuine and fake alternate."""

    def __init__(self, data: Path, reconstructed: Path, split: str = "train") -> None:
        shards, items = Shards(data), load_manifest(data)
        self.reconstructed = reconstructed

        def rgb(picked: list[Item]) -> list[U8]:
            return [shards.rgb(i.path) for i in picked]

        self.gan = rgb(select(items, split=split, source="ffhq-stylegan1", label="fake"))
        self.diffusion = rgb(select(items, split=split, source="sd21-faces"))
        self.real_items = {
            s: select(items, split=split, source=s, label="real")
            for s in ("ffhq-stylegan1", "lfw", "ffhq-1024")
        }
        dfdc = select(items, split=split, source="dfdc", label="real")
        self.real_items["dfdc"] = [i for i in dfdc if file_of(reconstructed, i).is_file()] or dfdc[:300]
        self.reals = {s: rgb(picked) for s, picked in self.real_items.items()}
        self.reals["scenes"] = [shards.rgb(p) for p in shards.paths(f"scenes/{split}")]

    def _pair(self, rng: np.random.Generator) -> tuple[Item, U8]:
        source = str(rng.choice(["ffhq-stylegan1", "lfw", "ffhq-1024", "dfdc"], p=[0.45, 0.25, 0.1, 0.2]))
        k = int(rng.integers(len(self.reals[source])))
        return self.real_items[source][k], self.reals[source][k]

    def redrawn(self, rng: np.random.Generator) -> tuple[U8, U8]:
        """A photograph and its reconstruction, now and then mixed, so that the trace may be faint."""
        for _ in range(30):
            item, rgb = self._pair(rng)
            file = file_of(self.reconstructed, item)
            if file.is_file():
                real = aligned(rgb)
                drawn = np.ascontiguousarray(np.asarray(cv2.imread(str(file)), np.uint8)[:, :, ::-1])
                if rng.random() < 0.25:
                    mixed = cv2.addWeighted(drawn, k := float(rng.uniform(0.5, 0.95)), real, 1 - k, 0)
                    drawn = np.asarray(mixed, np.uint8)
                return real, drawn
        return rgb, upsampled(rgb, rng)

    def batch(self, k: int, rng: np.random.Generator) -> Batch:
        x: list[U8] = []
        strength = FIRST_STRENGTH + (LAST_STRENGTH - FIRST_STRENGTH) * min(1.0, k / HARDEST_AT)
        for n in range(PAIRED):
            real, fake = self.redrawn(rng) if n < REDRAWN else (p := self._pair(rng)[1], upsampled(p, rng))
            x += augment.degrade(window(rescale([real, fake], rng), rng), rng, strength)
        for n in range(GAN + DIFFUSION):
            gan = n < GAN
            pool = self.gan if gan else self.diffusion
            fake = pool[rng.integers(len(pool))]
            odds = [0.6, 0.15, 0.05, 0.1, 0.1] if gan else [0.2, 0.2, 0.3, 0.15, 0.15]
            source = str(rng.choice(["ffhq-stylegan1", "lfw", "ffhq-1024", "dfdc", "scenes"], p=odds))
            real = self.reals[source][rng.integers(len(self.reals[source]))]
            cuts = [window(rescale([i], rng), rng)[0] for i in (real, fake)]
            x += augment.degrade(cuts, rng, strength)
        return {
            "x": torch.from_numpy(np.stack(x)),
            "y": torch.tensor([0.0, 1.0] * (len(x) // 2)),
            "nuisance": torch.from_numpy(np.stack([augment.nuisance(i) for i in x])),
        }


def synthesis_loss(model: nn.Module, batch: Batch) -> tuple[Tensor, Mapping[str, float]]:
    """Cross entropy, a margin inside each aligned pair, and a price on logits that follow the nuisances."""
    logit = model(batch["x"].permute(0, 3, 1, 2).float()).float()
    verdict = F.binary_cross_entropy_with_logits(logit, batch["y"] * 0.94 + 0.03)
    real, fake = logit[0::2], logit[1::2]
    paired = F.softplus(1.0 - (fake[:PAIRED] - real[:PAIRED])).mean()
    leak = (correlation(real, batch["nuisance"][0::2]) + correlation(fake, batch["nuisance"][1::2])) / 2
    with torch.no_grad():
        right = ((logit > 0) == (batch["y"] > 0.5)).float()
        parts = {
            "verdict": verdict.item(), "pair": paired.item(), "leak": leak.item(),
            "acc_pairs": float(right[: 2 * PAIRED].mean()),
            "acc_gan": float(right[2 * PAIRED : -2 * DIFFUSION].mean()),
            "acc_diffusion": float(right[-2 * DIFFUSION :].mean()),
        }  # fmt: skip
    return verdict + 0.3 * paired + 0.3 * leak, parts


def train(
    data: Path, reconstructed: Path, weights: Path, out: Path, plan: Plan
) -> tuple[SynthesisNet, float]:
    """Train on the train split and return the averaged network and the seconds it took."""
    torch.manual_seed(plan.seed)
    source = SynthesisData(data, reconstructed)
    model = SynthesisNet()
    first = torch.cat([source.batch(k, np.random.default_rng([plan.seed, k]))["x"] for k in range(4)])
    model.trunk.load_imagenet(weights, first.permute(0, 3, 1, 2).float())
    facts = {
        "task": "synthesis", "batch_of": [REDRAWN, UPSAMPLED, GAN, DIFFUSION],
        "data_sha256": file_hash([data / "manifest.csv", *sorted(data.glob("*.tar"))]),
    }  # fmt: skip
    average, seconds = fit(
        model, source.batch, synthesis_loss, plan, out, facts,
        lr_scale=lambda n: 0.5 if n.startswith("trunk") else 1.0,
    )  # fmt: skip
    assert isinstance(average, SynthesisNet)
    return average, seconds
