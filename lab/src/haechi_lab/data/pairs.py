"""What the face network learns from: DFDC swaps, drawn faces and pseudo-fakes, in pairs under one law."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from haechi.faces import cut
from haechi.types import F32, F64, U8
from haechi_lab.data import augment
from haechi_lab.inputs import CROP_PX
from haechi_lab.pseudo_fakes import FAMILIES
from haechi_lab.pseudo_fakes.generator_pools import Nobody, Pool
from haechi_lab.pseudo_fakes.pair import Pair
from haechi_lab.pseudo_fakes.reconstruct import file_at
from haechi_lab.pseudo_fakes.synthetic_identity import alike, poses
from haechi_lab.training.loop import Batch

PAIRS, TWINS, SWAPS, DRAWN = 8, 2, 10, 2
"""A batch: pairs (genuine, its pseudo-fake), of which the last TWINS are the first ones degraded anew, for
the consistency loss; swaps and as many genuine pictures; drawn faces likewise."""
BATCH = 2 * (PAIRS + SWAPS + DRAWN)
FIRST_STRENGTH, LAST_STRENGTH, HARDEST_AT = 0.2, 0.45, 1000
"""Degradation grows over the first steps: under full degradation from the start nothing was learned in 200 of
them."""
OCCLUDED, FILMED = 0.15, 0.3
"""Share of the pairs behind a rectangle, and of those through H.264 (a fifth left 0.05 of AUC at CRF 32)."""
MIX = {
    "self_blend": 0.26, "imitate_swap": 0.15, "generated_face": 0.14, "gan_face": 0.05, "local_edit": 0.1,
    "expression": 0.1, "redrawn": 0.08, "autoencoder": 0.06, "adversarial": 0.06,
}  # fmt: skip
"""Share of each family among the pairs."""


@dataclass(slots=True)
class Prepared:
    """What ``lab.prepare`` cut (folder ``prepared`` of a run), and what the generators drew beside it."""

    folder: Path
    rows: list[dict[str, object]]
    crops: np.ndarray
    mesh: np.ndarray

    @staticmethod
    def open(out: Path) -> Prepared:
        folder = out / "prepared"
        rows = json.loads((folder / "table.json").read_text())
        return Prepared(out, rows, np.load(folder / "crops.npy", "r"), np.load(folder / "mesh.npy", "r"))

    def where(self, **values: object) -> list[int]:
        return [i for i, r in enumerate(self.rows) if all(r[k] == v for k, v in values.items())]

    def face(self, i: int) -> tuple[U8, F32]:
        """Crop u8 (224, 224, 3) and mesh f32 (468, 2) of row i."""
        return np.asarray(self.crops[i]), np.asarray(self.mesh[i])

    def redrawn(self, i: int) -> U8 | None:
        """The reconstruction of row i cut to the same crop, or None where none was made."""
        row = self.rows[i]
        file = file_at(self.folder / "reconstructed", str(row["path"]))
        if not file.is_file():
            return None
        picture = np.asarray(cv2.imread(str(file)), np.uint8)[:, :, ::-1]
        # The reconstruction is the middle of the picture (reconstruct.aligned); DFDC crops are whole.
        size = {"lfw": 250, "ffhq-stylegan1": 256, "ffhq-1024": 1024}.get(str(row["source"]), CROP_PX)
        off = np.array([(size - picture.shape[1]) // 2, (size - picture.shape[0]) // 2] * 2, np.float32)
        square = np.asarray(row["crop"], np.float32) - off
        if square.min() < -0.1 * CROP_PX or square.max() > picture.shape[0] + 0.1 * CROP_PX:
            return None
        return cut(np.ascontiguousarray(picture), square, CROP_PX)


def matched_weights(prepared: Prepared, real: list[int], fake: list[int]) -> np.ndarray:
    """Sampling weights that give the genuine DFDC crops the sharpness and light of the swapped ones.

    Odds of a logistic regression on the confounder features (propensity weighting, Rosenbaum & Rubin 1983).
    """
    x = np.stack([augment.confounder(prepared.crops[i]) for i in real + fake])
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


def _cells(mask: F32) -> F32:
    """A mask f32 (224, 224) as the map should show it, f32 (28, 28): scaled to its own maximum, for the map
    says where something was changed, and a blend of a quarter is as much a change as a whole one."""
    small = np.asarray(cv2.resize(mask, (28, 28), interpolation=cv2.INTER_AREA), np.float32)
    top = float(small.max())
    return small / top if top > 0.03 else small


class Strangers:
    """Faces of nobody, to be found by pose: generated ones of the data, or those of our own GAN."""

    def __init__(self, faces: Sequence[np.ndarray] | np.ndarray, meshes: np.ndarray) -> None:
        """faces n of u8 (S, S, 3), meshes f32 (n, 468, 2)."""
        self.faces, self.meshes = faces, meshes
        self.poses = poses(meshes)

    def like(self, mesh: F32, rng: np.random.Generator) -> tuple[U8, F32]:
        """One of the faces of nearly the pose of a mesh f32 (468, 2), with its own mesh."""
        k = alike(poses(mesh[None])[0], self.poses, rng)
        return np.asarray(self.faces[k]), np.asarray(self.meshes[k])


@dataclass(slots=True)
class Made:
    """A genuine picture and a forged one u8 (224, 224, 3), the share of the fake f32 (224, 224) where it is
    known, and whether H.264 is still to come."""

    real: U8
    fake: U8
    mask: F32 | None
    filmed: bool


def spoilt(
    real: U8,
    fake: U8,
    mask: F32 | None,
    rng: np.random.Generator,
    strength: float,
    *,
    clear: bool = False,
    without: Collection[str] = (),
) -> Made:
    """Both under one law; what will be filmed, and what is to stay ``clear``, is spoilt half as much."""
    filmed = rng.random() < FILMED and not clear and "video" not in without
    real, fake = augment.degrade([real, fake], rng, strength * (0.5 if clear or filmed else 1.0), without)
    if rng.random() < OCCLUDED and "occlusion" not in without:
        real, fake = augment.occlude([real, fake], rng)
    return Made(real, fake, mask, filmed)


def collate(pairs: Sequence[Made], rng: np.random.Generator) -> Batch:
    """A batch of pairs, genuine and fake in turn; what is to be filmed goes through H.264 here, together."""
    x = [picture for m in pairs for picture in (m.real, m.fake)]
    filmed = [i for k, m in enumerate(pairs) if m.filmed for i in (2 * k, 2 * k + 1)]
    if filmed:
        for i, picture in zip(filmed, augment.film([x[i] for i in filmed], rng), strict=True):
            x[i] = picture
    nothing = np.zeros((28, 28), np.float32)
    masks = [cells for m in pairs for cells in (nothing, nothing if m.mask is None else _cells(m.mask))]
    has_mask = [has_mask for m in pairs for has_mask in (True, m.mask is not None)]
    return {
        "x": torch.from_numpy(np.stack(x)),
        "y": torch.tensor([0.0, 1.0]).repeat(len(pairs)),
        "mask": torch.from_numpy(np.stack(masks)),
        "known": torch.tensor(has_mask),
        "confounder": torch.from_numpy(np.stack([augment.confounder(p) for p in x])),
    }


class SwapData:
    """Makes batches: x u8 (n, 224, 224, 3), y f32 (n,), mask f32 (n, 28, 28), known bool (n,), confounder
    f32 (n, 4)."""

    def __init__(
        self,
        prepared: Prepared,
        split: str = "train",
        mix: Mapping[str, float] = MIX,
        hardest_at: int = HARDEST_AT,
        without: Collection[str] = (),
    ) -> None:
        """``mix``: the share of each family of FAMILIES; none of them makes batches without pairs.
        ``without``: kinds of degradation left out. Raises UsageError when a pool is missing.

        ``swap_odds`` f64 (n of ``swaps``,) may be set afterwards: how often each swap is drawn
        (``lab.guidance``)."""
        self.p, self.mix, self.hardest_at, self.without = prepared, dict(mix), hardest_at, frozenset(without)
        self.swaps = prepared.where(split=split, source="dfdc", label="fake")
        self.reals = prepared.where(split=split, source="dfdc", label="real")
        self.weights = matched_weights(prepared, self.reals, self.swaps)
        self.swap_odds: F64 | None = None
        self.bases = {
            s: prepared.where(split=split, source=s, label="real")
            for s in ("ffhq-stylegan1", "lfw", "ffhq-1024")
        }
        fakes = prepared.where(split=split, label="fake")
        self.generated = [i for i in fakes if prepared.rows[i]["source"] != "dfdc"]
        self.pools: dict[str, Pool] = {}
        self.strangers: dict[str, Strangers] = {}
        for kind in {FAMILIES[name].needs for name in self.mix} - {None, "taef2"}:
            assert kind is not None
            if kind == "generated":
                faces = [prepared.crops[i] for i in self.generated]
                self.strangers[kind] = Strangers(faces, np.asarray(prepared.mesh[self.generated]))
            elif kind == "gan":
                own = Nobody.open(prepared.folder / "generators")
                self.strangers[kind] = Strangers(own.faces[split], np.asarray(own.meshes[split]))
            else:
                self.pools[kind] = Pool.open(prepared.folder / "generators", kind)
        genuine = set(prepared.where(split=split, label="real"))
        self.redrawable = {kind: [i for i in pool.rows if i in genuine] for kind, pool in self.pools.items()}

    def _base(self, rng: np.random.Generator) -> int:
        u = rng.random()
        if u < 0.5:
            return int(self.reals[rng.integers(len(self.reals))])
        pool = self.bases["ffhq-stylegan1" if u < 0.76 else "lfw" if u < 0.9 else "ffhq-1024"]
        return int(pool[rng.integers(len(pool))])

    def drawn_pair(self, rng: np.random.Generator, family: str) -> tuple[int, Pair]:
        """A random row and its pseudo-fake of ``family``; only rows that its pool holds are drawn."""
        function, needs = FAMILIES[family].function, FAMILIES[family].needs
        if needs == "taef2":
            redrawing = None
            while redrawing is None:
                redrawing = self.p.redrawn(i := self._base(rng))
            rgb, mesh = self.p.face(i)
            return i, function(rgb, redrawing, mesh, rng)
        if needs in self.pools:
            rows = self.redrawable[needs]
            i = rows[rng.integers(len(rows))]
            rgb, mesh = self.p.face(i)
            redrawing = self.pools[needs].drawn(i)
            assert redrawing is not None
            return i, function(rgb, redrawing, mesh, rng)
        rgb, mesh = self.p.face(i := self._base(rng))
        if needs in self.strangers:
            return i, function(rgb, mesh, *self.strangers[needs].like(mesh, rng), rng)
        return i, function(rgb, mesh, rng)

    def _pairs(self, rng: np.random.Generator, strength: float) -> list[Made]:
        """PAIRS pairs; the last TWINS repeat the first, which are spoilt less."""
        names, odds = list(self.mix), np.array(list(self.mix.values()))
        pairs: list[Made] = []
        first: list[list[np.ndarray]] = []
        for k in range(PAIRS):
            if k < PAIRS - TWINS:
                _, pair = self.drawn_pair(rng, names[rng.choice(len(names), p=odds / odds.sum())])
                framed = augment.frame([pair.real, pair.fake, pair.mask], rng)
                first.append(framed)
            else:
                framed = first[k - (PAIRS - TWINS)]
            real, fake, mask = framed
            pairs.append(spoilt(real, fake, mask, rng, strength, clear=k < TWINS, without=self.without))
        return pairs

    def batch(self, k: int, rng: np.random.Generator) -> Batch:
        """Batch k: pairs, then swaps and drawn faces beside genuine ones; genuine and fake in turn."""
        strength = FIRST_STRENGTH + (LAST_STRENGTH - FIRST_STRENGTH) * min(1.0, k / self.hardest_at)
        pairs = self._pairs(rng, strength) if self.mix else []
        swaps = [int(i) for i in rng.choice(self.swaps, SWAPS, p=self.swap_odds)]
        reals = [int(i) for i in rng.choice(self.reals, SWAPS, p=self.weights)]
        generated = [int(self.generated[i]) for i in rng.integers(len(self.generated), size=DRAWN)]
        others = [
            int(self.bases[s][rng.integers(len(self.bases[s]))])
            for s in rng.choice(list(self.bases), DRAWN, p=[0.6, 0.2, 0.2])
        ]
        for fake_i, real_i in zip(swaps + generated, reals + others, strict=True):
            a, b = augment.frame([np.asarray(self.p.crops[fake_i]), np.asarray(self.p.crops[real_i])], rng)
            pairs.append(spoilt(b, a, None, rng, strength, without=self.without))
        return collate(pairs, rng)
