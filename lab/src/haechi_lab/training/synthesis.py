"""``haechi train synthesis``: generated faces against photographs, photographs against their redrawing.

A generator's pictures differ from photographs in size, sharpness and file format; a reconstruction differs
from its original in nothing but who drew the pixels. Both are learned from, under one law of scaling and
degradation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from haechi.types import U8
from haechi_lab.data import augment
from haechi_lab.data.shards import Item, Shards, file_hash, load_manifest, select
from haechi_lab.inputs import CROP_PX
from haechi_lab.networks.synthesis import STREAMS, SynthesisNet
from haechi_lab.pseudo_fakes.generator_pools import Nobody
from haechi_lab.pseudo_fakes.reconstruct import aligned, file_of
from haechi_lab.pseudo_fakes.upsampled import upsampled
from haechi_lab.training.loop import Batch, Plan, fit
from haechi_lab.training.swap import correlation

WINDOW_PX = 160
MIX = {"redrawn": 7, "upsampled": 2, "stylegan": 4, "own_gan": 2, "diffusion": 3}
"""Pairs of a batch: a photograph and its reconstruction or its up-sampling, which are aligned, come first;
then a generated face and some photograph: StyleGAN's, our own small GAN's, Stable Diffusion's."""
ALIGNED = ("redrawn", "upsampled")
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
    """Makes batches: x u8 (n, 160, 160, 3), y f32 (n,), confounder f32 (n, 4); genuine and fake alternate."""

    def __init__(
        self, data: Path, out: Path, mix: Mapping[str, int] = MIX, hardest_at: int = HARDEST_AT
    ) -> None:
        """Reads the train split. ``mix``: pairs of each kind in a batch, in the order of MIX."""
        shards, items = Shards(data), load_manifest(data)
        self.mix, self.hardest_at = dict(mix), hardest_at
        self.reconstructed = out / "reconstructed"

        def rgb(picked: list[Item]) -> list[U8]:
            return [shards.rgb(i.path) for i in picked]

        self.generated: dict[str, Sequence[U8]] = {}
        if "stylegan" in mix:
            self.generated["stylegan"] = rgb(
                select(items, split="train", source="ffhq-stylegan1", label="fake")
            )
        if "diffusion" in mix:
            self.generated["diffusion"] = rgb(select(items, split="train", source="sd21-faces"))
        if "own_gan" in mix:
            self.generated["own_gan"] = list(Nobody.open(out / "generators").faces["train"])
        self.real_items = {
            s: select(items, split="train", source=s, label="real")
            for s in ("ffhq-stylegan1", "lfw", "ffhq-1024")
        }
        dfdc = select(items, split="train", source="dfdc", label="real")
        self.real_items["dfdc"] = [i for i in dfdc if file_of(self.reconstructed, i).is_file()] or dfdc[:300]
        self.reals = {s: rgb(picked) for s, picked in self.real_items.items()}
        self.reals["scenes"] = [shards.rgb(p) for p in shards.paths("scenes/train")]

    def _pair(self, rng: np.random.Generator) -> tuple[Item, U8]:
        source = str(rng.choice(["ffhq-stylegan1", "lfw", "ffhq-1024", "dfdc"], p=[0.45, 0.25, 0.1, 0.2]))
        k = int(rng.integers(len(self.reals[source])))
        return self.real_items[source][k], self.reals[source][k]

    def redrawn(self, rng: np.random.Generator) -> tuple[U8, U8]:
        """A photograph and its reconstruction, now and then mixed, pixel by pixel or by taking only the fine
        detail from the decoder, so that the trace may be faint."""
        for _ in range(30):
            item, rgb = self._pair(rng)
            file = file_of(self.reconstructed, item)
            if file.is_file():
                real = aligned(rgb)
                redrawing = np.ascontiguousarray(np.asarray(cv2.imread(str(file)), np.uint8)[:, :, ::-1])
                return real, _mixed(real, redrawing, rng)
        return rgb, upsampled(rgb, rng)

    def _aligned(self, kind: str, rng: np.random.Generator) -> list[U8]:
        if kind == "redrawn":
            real, fake = self.redrawn(rng)
        else:
            real = self._pair(rng)[1]
            fake = upsampled(real, rng)
        return window(rescale([real, fake], rng), rng)

    def _generated(self, kind: str, rng: np.random.Generator) -> list[U8]:
        """Windows of a photograph and of a generated face: nothing but their treatment is common to both."""
        pool = self.generated[kind]
        fake = pool[int(rng.integers(len(pool)))]
        source = str(rng.choice(list(BESIDE[kind]), p=list(BESIDE[kind].values())))
        real = self.reals[source][rng.integers(len(self.reals[source]))]
        if kind == "own_gan":
            # Its faces are small: the photograph is cut to its face and brought to that size first.
            real = _like(real, fake.shape[0])
        return [window(rescale([i], rng), rng)[0] for i in (real, fake)]

    def batch(self, k: int, rng: np.random.Generator) -> Batch:
        x: list[U8] = []
        strength = FIRST_STRENGTH + (LAST_STRENGTH - FIRST_STRENGTH) * min(1.0, k / self.hardest_at)
        for kind, count in self.mix.items():
            make = self._aligned if kind in ALIGNED else self._generated
            for _ in range(count):
                x += augment.degrade(make(kind, rng), rng, strength)
        aligned_pairs = sum(n for kind, n in self.mix.items() if kind in ALIGNED)
        return {
            "x": torch.from_numpy(np.stack(x)),
            "y": torch.tensor([0.0, 1.0] * (len(x) // 2)),
            "aligned": torch.arange(len(x) // 2) < aligned_pairs,
            "confounder": torch.from_numpy(np.stack([augment.confounder(i) for i in x])),
        }


BESIDE = {
    kind: dict(zip(("ffhq-stylegan1", "lfw", "ffhq-1024", "dfdc", "scenes"), odds, strict=True))
    for kind, odds in {
        "stylegan": (0.6, 0.15, 0.05, 0.1, 0.1),
        "own_gan": (0.4, 0.2, 0.05, 0.35, 0.0),
        "diffusion": (0.2, 0.2, 0.3, 0.15, 0.15),
    }.items()
}
"""Where the photograph beside a generated face comes from: sources near to it in size and sharpness first."""


def _mixed(real: U8, redrawing: U8, rng: np.random.Generator) -> U8:
    how = rng.random()
    if how < 0.2:
        k = float(rng.uniform(0.5, 0.95))
        return np.asarray(cv2.addWeighted(redrawing, k, real, 1 - k, 0), np.uint8)
    if how < 0.4:
        sigma = float(rng.uniform(1.0, 4.0))
        low, own = (cv2.GaussianBlur(i, (0, 0), sigma).astype(np.float32) for i in (real, redrawing))
        return np.clip(low + redrawing - own + 0.5, 0, 255).astype(np.uint8)
    return redrawing


def _like(rgb: U8, side: int) -> U8:
    """The middle 70% of a picture (a head fills it in all sources but the DFDC crops), at ``side`` px."""
    share = 0.7 if rgb.shape[0] != CROP_PX else 1.0
    h, w = (int(n * share) for n in rgb.shape[:2])
    y, x = (rgb.shape[0] - h) // 2, (rgb.shape[1] - w) // 2
    return np.asarray(
        cv2.resize(rgb[y : y + h, x : x + w], (side, side), interpolation=cv2.INTER_AREA), np.uint8
    )


def synthesis_loss(model: nn.Module, batch: Batch) -> tuple[Tensor, Mapping[str, float]]:
    """Cross entropy, a margin inside each aligned pair, and a price on logits that follow the confounders."""
    logit = model(batch["x"].permute(0, 3, 1, 2).float()).float()
    verdict = F.binary_cross_entropy_with_logits(logit, batch["y"] * 0.94 + 0.03)
    real, fake, aligned_pair = logit[0::2], logit[1::2], batch["aligned"]
    paired = F.softplus(1.0 - (fake - real)[aligned_pair]).mean() if aligned_pair.any() else verdict * 0
    leak = (correlation(real, batch["confounder"][0::2]) + correlation(fake, batch["confounder"][1::2])) / 2
    with torch.no_grad():
        right = ((logit > 0) == (batch["y"] > 0.5)).float().view(-1, 2).mean(1)
        parts = {
            "verdict": verdict.item(), "pair": paired.item(), "leak": leak.item(),
            "acc_aligned": float(right[aligned_pair].mean()) if aligned_pair.any() else 0.0,
            "acc_generated": float(right[~aligned_pair].mean()) if (~aligned_pair).any() else 0.0,
        }  # fmt: skip
    return verdict + 0.3 * paired + 0.3 * leak, parts


def train(
    data: Path,
    out: Path,
    weights: Path,
    run: Path,
    plan: Plan,
    *,
    streams: tuple[str, ...] = STREAMS,
    without: Sequence[str] = (),
    start: Path | None = None,
    hardest_at: int = HARDEST_AT,
) -> SynthesisNet:
    """Train on the train split and return the averaged network.

    ``out`` holds the reconstructions and the faces of ``train generators``; ``without`` names kinds of MIX to
    leave out, ``start`` a checkpoint whose averaged weights are taken over; ``hardest_at`` the step
    from which degradation grows no more; with a ``start``, the first one."""
    torch.manual_seed(plan.seed)
    mix = {kind: count for kind, count in MIX.items() if kind not in without}
    source = SynthesisData(data, out, mix, 1 if start else hardest_at)
    model = SynthesisNet(streams)
    if start is not None:
        model.take_over(torch.load(start, map_location="cpu", weights_only=True)["average"])
    elif model.trunk is not None:
        first = torch.cat([source.batch(k, np.random.default_rng([plan.seed, k]))["x"] for k in range(4)])
        model.trunk.load_imagenet(weights, first.permute(0, 3, 1, 2).float())
    facts = {
        "task": "synthesis", "streams": list(streams), "mix": mix,
        "start": start.parent.name if start else "imagenet",
        "data_sha256": file_hash([data / "manifest.csv", *sorted(data.glob("*.tar"))]),
    }  # fmt: skip
    average, _ = fit(
        model, source.batch, synthesis_loss, plan, run, facts,
        lr_scale=lambda n: 0.5 if n.startswith("trunk") else 1.0,
    )  # fmt: skip
    assert isinstance(average, SynthesisNet)
    return average
