"""``haechi train swap``: DFDC swaps and pseudo-fakes together, in pairs, under one law of degradation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from haechi.faces import CROP_PX, cut
from haechi.lab import augment, forge
from haechi.lab.data import file_hash
from haechi.lab.forge.pair import Pair
from haechi.lab.forge.reconstruct import file_at
from haechi.lab.loop import Batch, Plan, fit
from haechi.lab.networks.swap import SwapNet
from haechi.types import F32, U8

PAIRS, SWAPS, DRAWN = 8, 8, 2
"""A batch: pairs (genuine, its pseudo-fake), swaps and as many genuine pictures, drawn faces likewise."""
TRAIN_PX = 192
"""Side of the window of the crop that a training step sees, drawn anew each step: a quarter cheaper than the
whole, and larger at test than in training is the better way round (Touvron et al. 2019)."""
FIRST_STRENGTH, LAST_STRENGTH, HARDEST_AT = 0.2, 0.45, 1000
"""Degradation grows over the first steps: under full degradation from the start nothing was learned in 200 of
them."""
FAMILIES = {"self_blend": 0.45, "imitate_swap": 0.25, "redrawn": 0.15, "local_edit": 0.15}


@dataclass(slots=True)
class Prepared:
    """The folder that ``lab.prepare`` fills, and the reconstructions beside it."""

    folder: Path
    reconstructed: Path
    rows: list[dict[str, object]]
    crops: np.ndarray
    mesh: np.ndarray

    @staticmethod
    def open(folder: Path, reconstructed: Path) -> Prepared:
        rows = json.loads((folder / "table.json").read_text())
        return Prepared(
            folder, reconstructed, rows, np.load(folder / "crops.npy", "r"), np.load(folder / "mesh.npy", "r")
        )

    def where(self, **wanted: object) -> list[int]:
        return [i for i, r in enumerate(self.rows) if all(r[k] == v for k, v in wanted.items())]

    def redrawn(self, i: int) -> U8 | None:
        """The reconstruction of row i cut to the same crop, or None where none was made."""
        row = self.rows[i]
        file = file_at(self.reconstructed, str(row["path"]))
        if not file.is_file():
            return None
        drawn = np.asarray(cv2.imread(str(file)), np.uint8)[:, :, ::-1]
        # The reconstruction is the middle of the picture (forge.reconstruct.aligned); DFDC crops are whole.
        size = {"lfw": 250, "ffhq-stylegan1": 256, "ffhq-1024": 1024}.get(str(row["source"]), CROP_PX)
        off = np.array([(size - drawn.shape[1]) // 2, (size - drawn.shape[0]) // 2] * 2, np.float32)
        square = np.asarray(row["crop"], np.float32) - off
        if square.min() < -0.1 * CROP_PX or square.max() > drawn.shape[0] + 0.1 * CROP_PX:
            return None
        return cut(np.ascontiguousarray(drawn), square, CROP_PX)


def matched_weights(prepared: Prepared, real: list[int], fake: list[int]) -> np.ndarray:
    """Sampling weights that give the genuine DFDC crops the sharpness and light of the swapped ones.

    Odds of a logistic regression on the nuisance features (propensity weighting, Rosenbaum & Rubin 1983).
    """
    x = np.stack([augment.nuisance(prepared.crops[i]) for i in real + fake])
    x = (x - x.mean(0)) / x.std(0)
    x = np.concatenate([x, x**2, np.ones((len(x), 1))], 1)
    y = np.r_[np.zeros(len(real)), np.ones(len(fake))]
    w = np.zeros(x.shape[1])
    for _ in range(25):
        p = 1 / (1 + np.exp(-x @ w))
        w += np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + 1e-2 * np.eye(len(w)), x.T @ (y - p))
    odds = np.exp(np.clip(x[: len(real)] @ w, -2.5, 2.5))
    out: np.ndarray = odds / odds.sum()
    return out


class SwapData:
    """Makes batches: x u8 (n, 224, 224, 3), y f32 (n,), mask f32 (n, 28, 28), known bool (n,), nuisance
    f32 (n, 4)."""

    def __init__(
        self, prepared: Prepared, split: str = "train", families: Mapping[str, float] = FAMILIES
    ) -> None:
        self.p = prepared
        self.families = families
        self.swaps = prepared.where(split=split, source="dfdc", label="fake")
        self.reals = prepared.where(split=split, source="dfdc", label="real")
        self.weights = matched_weights(prepared, self.reals, self.swaps)
        self.bases = {
            s: prepared.where(split=split, source=s, label="real")
            for s in ("ffhq-stylegan1", "lfw", "ffhq-1024")
        }
        self.drawn = [
            i for i in prepared.where(split=split, label="fake") if prepared.rows[i]["source"] != "dfdc"
        ]

    def _base(self, rng: np.random.Generator) -> int:
        u = rng.random()
        if u < 0.5:
            return int(self.reals[rng.integers(len(self.reals))])
        pool = self.bases["ffhq-stylegan1" if u < 0.76 else "lfw" if u < 0.9 else "ffhq-1024"]
        return int(pool[rng.integers(len(pool))])

    def drawn_pair(self, rng: np.random.Generator, family: str) -> tuple[int, Pair]:
        """A random row and its pseudo-fake. ``redrawn`` needs a reconstruction: twenty draws seek one."""
        for _ in range(20):
            i = self._base(rng)
            rgb, mesh = np.asarray(self.p.crops[i]), np.asarray(self.p.mesh[i])
            if family != "redrawn":
                return i, forge.FAMILIES[family].function(rgb, mesh, rng)
            drawn = self.p.redrawn(i)
            if drawn is not None:
                return i, forge.FAMILIES[family].function(rgb, drawn, mesh, rng)
        return i, forge.FAMILIES["self_blend"].function(rgb, mesh, rng)

    def batch(self, k: int, rng: np.random.Generator) -> Batch:
        made: list[tuple[U8, float, F32 | None]] = []
        strength = FIRST_STRENGTH + (LAST_STRENGTH - FIRST_STRENGTH) * min(1.0, k / HARDEST_AT)
        names, odds = list(self.families), np.array(list(self.families.values()))
        for _ in range(PAIRS):
            _, pair = self.drawn_pair(rng, names[rng.choice(len(names), p=odds / odds.sum())])
            real, fake, mask = augment.frame([pair.real, pair.fake, pair.mask], rng)
            real, fake = augment.degrade([real, fake], rng, strength)
            if rng.random() < 0.15:
                real, fake = augment.occlude([real, fake], rng)
            made += [(real, 0.0, np.zeros_like(mask)), (fake, 1.0, mask)]
        swaps = [int(self.swaps[i]) for i in rng.integers(len(self.swaps), size=SWAPS)]
        reals = [int(i) for i in rng.choice(self.reals, SWAPS, p=self.weights)]
        drawn = [int(self.drawn[i]) for i in rng.integers(len(self.drawn), size=DRAWN)]
        others = [
            int(self.bases[s][rng.integers(len(self.bases[s]))])
            for s in rng.choice(list(self.bases), DRAWN, p=[0.6, 0.2, 0.2])
        ]
        for fake_i, real_i in zip(swaps + drawn, reals + others, strict=True):
            a, b = augment.frame([np.asarray(self.p.crops[fake_i]), np.asarray(self.p.crops[real_i])], rng)
            a, b = augment.degrade([a, b], rng, strength)
            if rng.random() < 0.15:
                a, b = augment.occlude([a, b], rng)
            made += [(b, 0.0, np.zeros((CROP_PX, CROP_PX), np.float32)), (a, 1.0, None)]
        masks = [
            np.zeros((28, 28), np.float32)
            if m is None
            else cv2.resize(m, (28, 28), interpolation=cv2.INTER_AREA)
            for _, _, m in made
        ]
        return {
            "x": torch.from_numpy(np.stack([m[0] for m in made])),
            "y": torch.tensor([m[1] for m in made]),
            "mask": torch.from_numpy(np.stack(masks)),
            "known": torch.tensor([m[2] is not None for m in made]),
            "nuisance": torch.from_numpy(np.stack([augment.nuisance(m[0]) for m in made])),
        }


def swap_loss(model: nn.Module, batch: Batch) -> tuple[Tensor, Mapping[str, float]]:
    """Cross entropy, a margin inside each pair, the map, and a price on logits that follow the nuisances."""
    top, left = (8 * int(torch.randint((CROP_PX - TRAIN_PX) // 8 + 1, ())) for _ in range(2))
    x = batch["x"][:, top : top + TRAIN_PX, left : left + TRAIN_PX]
    cells = TRAIN_PX // 8
    batch["mask"] = batch["mask"][:, top // 8 : top // 8 + cells, left // 8 : left // 8 + cells]
    logit, where = model(x.permute(0, 3, 1, 2).float())
    logit, where = logit.float(), where.float()
    y = batch["y"]
    verdict = F.binary_cross_entropy_with_logits(logit, y * 0.92 + 0.04)
    real, fake = logit[0::2], logit[1::2]
    paired = F.softplus(1.0 - (fake[:PAIRS] - real[:PAIRS])).mean()
    known = batch["known"]
    area = F.binary_cross_entropy_with_logits(where[known], batch["mask"][known])
    leak = (correlation(real, batch["nuisance"][0::2]) + correlation(fake, batch["nuisance"][1::2])) / 2
    loss = verdict + 0.3 * paired + 1.0 * area + 0.3 * leak
    with torch.no_grad():
        right = ((logit > 0) == (y > 0.5)).float()
        parts = {
            "verdict": verdict.item(), "pair": paired.item(), "map": area.item(), "leak": leak.item(),
            "acc_pairs": float(right[: 2 * PAIRS].mean()),
            "acc_swaps": float(right[2 * PAIRS : 2 * (PAIRS + SWAPS)].mean()),
        }  # fmt: skip
    return loss, parts


def correlation(logit: Tensor, nuisance: Tensor) -> Tensor:
    """Mean squared correlation of logits (n,) with nuisances (n, k), less what chance gives, 1 / (n - 1)."""
    a = logit - logit.mean()
    b = nuisance - nuisance.mean(0)
    r2 = (a[:, None] * b).mean(0) ** 2 / (a.var(correction=0) * b.var(0, correction=0) + 1e-4)
    return (r2 - 1 / (len(logit) - 1)).clamp(min=0).mean()


def train(
    prepared: Path, reconstructed: Path, weights: Path, out: Path, plan: Plan, without: Sequence[str] = ()
) -> tuple[SwapNet, float]:
    """Train on the train split, without some families of pseudo-fakes, and return the averaged network
    and the seconds it took."""
    torch.manual_seed(plan.seed)
    families = {name: odds for name, odds in FAMILIES.items() if name not in without}
    data = SwapData(Prepared.open(prepared, reconstructed), families=families)
    model = SwapNet()
    first = torch.cat([data.batch(k, np.random.default_rng([plan.seed, k]))["x"] for k in range(4)])
    model.trunk.load_imagenet(weights, first.permute(0, 3, 1, 2).float())
    facts = {
        "task": "swap", "families": dict(data.families), "batch_of": [PAIRS, SWAPS, DRAWN],
        "data_sha256": file_hash([prepared / "table.json"]),
    }  # fmt: skip
    average, seconds = fit(
        model,
        data.batch,
        swap_loss,
        plan,
        out,
        facts,
        lr_scale=lambda n: 0.6 if n.startswith("trunk") else 1.0,
    )
    assert isinstance(average, SwapNet)
    return average, seconds
