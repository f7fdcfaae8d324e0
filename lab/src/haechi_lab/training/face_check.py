"""``haechi train face-check``: whether a finding is a face, and which way up it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from haechi.types import U8
from haechi_lab.data.composites import photograph
from haechi_lab.data.face_patches import PATCH_PX, PATCH_SCALE, Patches, collect
from haechi_lab.data.shards import file_hash
from haechi_lab.inputs import LOOK_PX, LOOK_SCALE
from haechi_lab.networks.face_check import FaceCheckNet
from haechi_lab.training.loop import Batch, Plan, fit

SCALE = LOOK_PX / (PATCH_PX * LOOK_SCALE / PATCH_SCALE)
ROLL_SHARE = 0.5
"""What the angle counts for beside the question whether there is a face."""


def framed(patch: U8, rng: np.random.Generator) -> U8:
    """As if the picture ended near the face: its edge repeats beyond a random frame. Tight crops of faces are
    common and must not tell faces by their border; so is every other patch treated, of whatever class."""
    low = rng.uniform(0.0, 0.28, 4) * (rng.random(4) < 0.6)
    top, bottom, left, right = (int(v * PATCH_PX) for v in low)
    inner = patch[top : PATCH_PX - bottom, left : PATCH_PX - right]
    return np.asarray(cv2.copyMakeBorder(inner, top, bottom, left, right, cv2.BORDER_REPLICATE), np.uint8)


def covered(rgb: U8, rng: np.random.Generator) -> U8:
    """Something before it: a plain shape over a part, as masks, hands, glasses and microphones are."""
    out = rgb.copy()
    w, h = (int(v * LOOK_PX) for v in rng.uniform(0.15, 0.55, 2))
    x, y = (int(rng.uniform(0, LOOK_PX - n)) for n in (w, h))
    tint = [int(v) for v in rng.integers(0, 256, 3)]
    if rng.random() < 0.5:
        cv2.rectangle(out, (x, y), (x + w, y + h), tint, -1)
    else:
        cv2.ellipse(out, (x + w // 2, y + h // 2), (w // 2 + 1, h // 2 + 1), 0, 0, 360, tint, -1)
    return out


def seen(patch: U8, roll_deg: float, rng: np.random.Generator) -> tuple[U8, float]:
    """A patch as the second look may meet it, u8 (64, 64, 3), and its roll: turned by any angle, off centre,
    mirrored, reduced, dark, blurred, partly covered."""
    if rng.random() < 0.5:
        patch, roll_deg = np.ascontiguousarray(patch[:, ::-1]), -roll_deg
    if rng.random() < 0.5:
        patch = framed(patch, rng)
    turn = float(rng.uniform(-180, 180) if rng.random() < 0.6 else rng.normal(0, 12))
    scale = SCALE * float(np.exp(rng.normal(0, 0.09)))
    # OpenCV turns counter-clockwise.
    m = cv2.getRotationMatrix2D((PATCH_PX / 2, PATCH_PX / 2), -turn, scale)
    m[:, 2] += (rng.normal(0, 2.0, 2) + (LOOK_PX - PATCH_PX) / 2).tolist()
    out = np.asarray(
        cv2.warpAffine(patch, m, (LOOK_PX, LOOK_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )
    if rng.random() < 0.15:
        out = covered(out, rng)
    if rng.random() < 0.25:
        small = int(rng.integers(18, 48))
        reduced = cv2.resize(out, (small, small), interpolation=cv2.INTER_AREA)
        out = np.asarray(cv2.resize(reduced, (LOOK_PX, LOOK_PX), interpolation=cv2.INTER_LINEAR), np.uint8)
    return photograph(out, rng), (roll_deg + turn + 180) % 360 - 180


def loss(model: nn.Module, batch: Batch) -> tuple[Tensor, Mapping[str, float]]:
    """Cross-entropy on the question, one minus the cosine of the error on the angle of faces."""
    out = model(batch["x"].permute(0, 3, 1, 2).float()).float()
    face, angle = batch["face"], torch.deg2rad(batch["roll"])
    face_loss = F.binary_cross_entropy_with_logits(out[:, 0], face)
    goal = torch.stack([torch.cos(angle), torch.sin(angle)], 1)
    off = 1 - (F.normalize(out[:, 1:], dim=1) * goal).sum(1)
    rolled = (off * face).sum() / face.sum().clamp(min=1)
    right = ((out[:, 0] > 0) == (face > 0.5)).float().mean()
    return face_loss + ROLL_SHARE * rolled, {
        "asked": face_loss.item(),
        "roll": rolled.item(),
        "right": right.item(),
    }


def batches(patches: Patches, size: int) -> object:
    """What makes batch k: as many faces as others."""
    at, none = np.flatnonzero(patches.face), np.flatnonzero(~patches.face)

    def make(_: int, rng: np.random.Generator) -> Batch:
        sample = np.concatenate([rng.choice(at, size // 2), rng.choice(none, size - size // 2)])
        views = [seen(patches.rgb[i], float(patches.rolls_deg[i]), rng) for i in sample]
        return {
            "x": torch.from_numpy(np.stack([rgb for rgb, _ in views])),
            "face": torch.from_numpy(patches.face[sample].astype(np.float32)),
            "roll": torch.tensor([r for _, r in views], dtype=torch.float32),
        }

    return make


def train(
    data: Path, weights: Path, out: Path, plan: Plan, folder: Path | None, more: Path | None
) -> tuple[FaceCheckNet, float]:
    """The averaged network and the seconds that it took."""
    patches = collect(data, weights, out, folder, more)
    facts = {
        "task": "face_check",
        "data_sha256": file_hash([data / "manifest.csv", *sorted(data.glob("*.tar"))]),
        "patches": {"faces": int(patches.face.sum()), "none": int((~patches.face).sum())},
    }
    make = batches(patches, plan.batch)
    model, seconds = fit(FaceCheckNet(), make, loss, plan, out, facts)  # type: ignore[arg-type]
    assert isinstance(model, FaceCheckNet)
    return model, seconds
