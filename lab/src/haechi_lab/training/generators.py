"""``haechi train generators``: the generators whose drawings the detectors learn to tell.

Three of them, on genuine faces of the training persons alone: a bottleneck autoencoder (it may only give back
the person it was shown), the same against a discriminator, and a small GAN that makes faces of nobody from
noise. None of them leaves the lab; what they drew is kept by :mod:`haechi_lab.pseudo_fakes.generate_pools`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from haechi.types import F32, U8
from haechi_lab.data.shards import file_hash
from haechi_lab.networks.autoencoder import SIDES, UPS, AutoEncoder, likeness
from haechi_lab.networks.backbone import EdgeTrunk
from haechi_lab.networks.gan import (
    Discriminator,
    Generator,
    altered,
    not_fooled,
    told_apart,
)
from haechi_lab.pseudo_fakes.align import POINTS, askew, cut_face, frame
from haechi_lab.pseudo_fakes.generate_pools import fill_nobody, fill_redrawn
from haechi_lab.training.adversarial import Players, Turn, duel
from haechi_lab.training.loop import Batch, Plan
from haechi_lab.training.teachers import FaceMesh

COUNTS = {64: 32, 96: 16, 128: 9, 160: 6}
"""Faces in a batch by working size, so that every step costs about the same."""
ELSEWHERE = 0.4
"""Share of a batch that does not come from DFDC, which is dark and blurred and six times as large."""

STEPS = {"autoencoder": 220, "adversarial": 110, "gan": 200}
"""About five minutes each of one core that others use as well."""
FIRST, CODES = 600, 4000
"""Faces whose patches give the autoencoder its start, and whose codes give the GAN its."""
ADVERSARY = 0.03
"""Weight of the discriminator's opinion beside the likeness to the face that was shown."""
CALMED = 0.5
"""How far from its start the GAN draws the pool: all the way it puts the same violet marks on every face."""
LIT = 45.0
"""Mean grey below which a face is too dark to learn drawing from."""


@dataclass(frozen=True, slots=True)
class Faces:
    """The genuine faces of one split of the folder that ``lab.prepare`` fills, upright when asked for."""

    crops: U8
    mesh: F32
    rows: np.ndarray
    from_dfdc: np.ndarray
    sha256: str

    @classmethod
    def open(cls, prepared: Path, split: str, presence: float = 0.9) -> Faces:
        table = json.loads((prepared / "table.json").read_text())
        rows = [
            i for i, r in enumerate(table)
            if r["label"] == "real" and r["split"] == split and r["presence"] >= presence
        ]  # fmt: skip
        return cls(
            np.load(prepared / "crops.npy", mmap_mode="r"),
            np.load(prepared / "mesh.npy", mmap_mode="r"),
            np.array(rows),
            np.array([table[i]["source"] == "dfdc" for i in rows]),
            file_hash([prepared / "table.json"]),
        )

    def draw(self, count: int, rng: np.random.Generator) -> list[int]:
        """Rows at random, with :data:`ELSEWHERE` of them from other sources than DFDC."""
        own, other = self.rows[self.from_dfdc], self.rows[~self.from_dfdc]
        pick = [
            other if len(other) and (not len(own) or rng.random() < ELSEWHERE) else own for _ in range(count)
        ]
        return [int(rng.choice(p)) for p in pick]

    def upright(self, row: int, side: int, rng: np.random.Generator | None = None, widen: float = 1.0) -> U8:
        """The face of a row, u8 (side, side, 3); with ``rng`` a little off its place, mirrored half the time
        and in a slightly different light."""
        mesh = np.array(self.mesh[row])
        if rng is None:
            return cut_face(self.crops[row], frame(mesh, side, widen), side)
        reach = float(np.ptp(mesh[POINTS], axis=0).max())
        mesh[POINTS] += rng.normal(0, 0.015 * reach, (len(POINTS), 2)).astype(np.float32)
        face = cut_face(self.crops[row], frame(mesh, side, widen * float(rng.uniform(0.94, 1.08))), side)
        if rng.random() < 0.5:
            face = np.ascontiguousarray(face[:, ::-1])
        gain, shift = float(np.exp(rng.normal(0, 0.1))), float(rng.normal(0, 6))
        return np.clip(face * np.float32(gain) + np.float32(shift), 0, 255).astype(np.uint8)

    def frontal(self, most: float = 0.035) -> list[int]:
        """Rows whose face looks about into the camera."""
        return [int(i) for i in self.rows if askew(self.mesh[i]) < most]


def tensor(faces: list[U8]) -> Tensor:
    """f32 (n, 3, S, S) in [0, 1], channels last in memory."""
    x = torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2)
    return x.float().div(255)


def _faces_batch(faces: Faces, rng: np.random.Generator) -> Batch:
    side = int(rng.choice(SIDES))
    x = tensor([faces.upright(row, side, rng) for row in faces.draw(COUNTS[side], rng)])
    return {"faces": x, "up": torch.tensor(int(rng.integers(len(UPS))))}


def autoencoder(prepared: Path, out: Path, plan: Plan) -> tuple[AutoEncoder, float]:
    """The network and the seconds it took; L1, structural similarity and edges are what it is held to."""
    faces = Faces.open(prepared, "train")
    torch.manual_seed(plan.seed)
    network, rng = AutoEncoder(), np.random.default_rng(plan.seed)
    network.begin(tensor([faces.upright(row, 96, rng) for row in faces.draw(FIRST, rng)]))

    def loss(players: Players, batch: Batch) -> tuple[Tensor, Mapping[str, float]]:
        output = players["autoencoder"](batch["faces"], UPS[int(batch["up"])])
        return likeness(output, batch["faces"])

    model, seconds = duel(
        {"autoencoder": network}, (Turn("autoencoder", loss),), "autoencoder",
        lambda _, rng: _faces_batch(faces, rng), plan, out,
        {"task": "autoencoder", "faces": len(faces.rows), "data_sha256": faces.sha256},
    )  # fmt: skip
    assert isinstance(model, AutoEncoder)
    return model, seconds


def _judged(judge: nn.Module, genuine: Tensor, fake: Tensor) -> tuple[Tensor, Mapping[str, float]]:
    real, own = judge(genuine), judge(fake)
    return told_apart(real, own), {"genuine": real.mean().item(), "drawn": own.mean().item()}


def _judge(weights: Path, pictures: Tensor, peers: bool) -> Discriminator:
    trunk = EdgeTrunk()
    trunk.load_imagenet(weights, pictures * 255)
    return Discriminator(trunk, pictures, peers)


def adversarial(
    prepared: Path, weights: Path, start: AutoEncoder, out: Path, plan: Plan
) -> tuple[AutoEncoder, float]:
    """The autoencoder trained on from ``start`` against a discriminator that sees patches (Isola et al.
    2017): it draws detail that is not the person's own, in order to look real."""
    faces = Faces.open(prepared, "train")
    torch.manual_seed(plan.seed)
    network, rng = copy.deepcopy(start), np.random.default_rng(plan.seed)
    judge = _judge(weights, tensor([faces.upright(row, 96, rng) for row in faces.draw(64, rng)]), peers=False)

    def judging(players: Players, batch: Batch) -> tuple[Tensor, Mapping[str, float]]:
        batch["drawn"] = players["generator"](batch["faces"], UPS[int(batch["up"])])
        return _judged(players["discriminator"], batch["faces"], batch["drawn"].detach())

    def drawing(players: Players, batch: Batch) -> tuple[Tensor, Mapping[str, float]]:
        value, parts = likeness(batch["drawn"], batch["faces"])
        fooled = not_fooled(players["discriminator"](batch["drawn"]))
        return value + ADVERSARY * fooled, {**parts, "adversarial": fooled.item()}

    model, seconds = duel(
        {"generator": network, "discriminator": judge},
        (Turn("discriminator", judging), Turn("generator", drawing, still=("discriminator",), share=0.5)),
        "generator", lambda _, rng: _faces_batch(faces, rng), plan, out,
        {"task": "adversarial", "faces": len(faces.rows), "data_sha256": faces.sha256, "weight": ADVERSARY},
    )  # fmt: skip
    assert isinstance(model, AutoEncoder)
    return model, seconds


def gan(
    prepared: Path, weights: Path, start: AutoEncoder, out: Path, plan: Plan, side: int = 96
) -> tuple[Generator, float]:
    """The network that makes faces from noise; begins with the decoder of ``start`` and the principal
    components of its codes, on faces that look about into the camera."""
    faces = Faces.open(prepared, "train")
    upright = {row: faces.upright(row, side) for row in faces.frontal()}
    rows = [row for row, face in upright.items() if face.mean() > LIT]
    pictures = np.stack([upright[row] for row in rows])
    weight = np.where(np.isin(rows, faces.rows[faces.from_dfdc]), 1.0, 3.0)
    weight /= weight.sum()
    torch.manual_seed(plan.seed)
    network = Generator(side=side)
    judge = _judge(weights, tensor(list(pictures[::100])), peers=True)
    rng = np.random.default_rng(plan.seed)
    with torch.inference_mode():
        picked = rng.choice(len(rows), min(len(rows), CODES), replace=False, p=weight)
        codes = torch.cat([start.encode(tensor(list(part))) for part in np.array_split(pictures[picked], 40)])
    network.begin(start, codes.clone())

    def make(_: int, rng: np.random.Generator) -> Batch:
        some = pictures[rng.choice(len(rows), plan.batch, p=weight)]
        flipped = [np.ascontiguousarray(f[:, ::-1]) if rng.random() < 0.5 else f for f in some]
        noise = rng.standard_normal((plan.batch, network.code.in_features), np.float32)
        return {"faces": tensor(flipped), "noise": torch.from_numpy(noise)}

    def judging(players: Players, batch: Batch) -> tuple[Tensor, Mapping[str, float]]:
        batch["drawn"] = players["generator"](batch["noise"])
        return _judged(players["discriminator"], altered(batch["faces"]), altered(batch["drawn"].detach()))

    def drawing(players: Players, batch: Batch) -> tuple[Tensor, Mapping[str, float]]:
        value = not_fooled(players["discriminator"](altered(batch["drawn"])))
        return value, {"spread": batch["drawn"].detach().std(0).mean().item()}

    model, seconds = duel(
        {"generator": network, "discriminator": judge},
        (Turn("discriminator", judging), Turn("generator", drawing, still=("discriminator",), share=0.2)),
        "generator", make, plan, out,
        {"task": "gan", "faces": len(rows), "side": side, "data_sha256": faces.sha256},
    )  # fmt: skip
    assert isinstance(model, Generator)
    return model, seconds


def make(prepared: Path, weights: Path, out: Path, share: float = 1.0, threads: int = 1) -> None:
    """Train the three, one after the other, and fill the pools under ``out``; what is done is not done again.

    ``share`` scales the steps."""

    def plan(kind: str, batch: int, lr: float, ema: float) -> Plan:
        steps = max(2, round(STEPS[kind] * share))
        return Plan(steps, batch, lr, 0.0, min(30, steps), ema, workers=0, threads=threads, checkpoint_s=60.0)

    start, _ = autoencoder(prepared, out / "autoencoder", plan("autoencoder", 16, 1e-3, 0.99))
    if not (out / "autoencoder.json").is_file():
        fill_redrawn(start, "autoencoder", prepared, out)
    rival, _ = adversarial(prepared, weights, start, out / "adversarial", plan("adversarial", 16, 1e-3, 0.98))
    if not (out / "adversarial.json").is_file():
        fill_redrawn(rival, "adversarial", prepared, out)
    maker, _ = gan(prepared, weights, start, out / "gan", plan("gan", 12, 8e-4, 0.98))
    if not (out / "gan.json").is_file():
        fill_nobody(maker.calmed(start, CALMED), FaceMesh(weights), out)
