"""``haechi train ablate generators``: how well the synthesis network tells pictures of a generator that it
never met. Short runs from the same start, each without one generator, judged on that generator's pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn

from haechi.bench.manifest import Item, Manifest, read_manifest
from haechi.bench.result import write_result
from haechi.bench.scores import Scored
from haechi.faces import FaceFinder
from haechi.settings import Settings
from haechi.types import U8
from haechi_lab.ablate.reporting_half import picture
from haechi_lab.data.augment import jpeg
from haechi_lab.inputs import native_piece, windows
from haechi_lab.pseudo_fakes.generator_pools import Nobody
from haechi_lab.training.loop import Plan
from haechi_lab.training.synthesis import MIX, train

STEPS = 400
QUALITY = 90
"""All pictures are saved anew as JPEG of this quality."""
KINDS = {"gan-face": "stylegan", "diffusion-face": "diffusion", "reconstructed": "redrawn", "own": "own_gan"}
"""Kinds of forgery in the manifest, and the part of the batch (``MIX``) that shows them in training."""
DIFFUSION_PX, OWN_PX = 224, 256
"""Sides to which the portraits of Stable Diffusion and the faces of our own GAN are brought, with the
photographs beside them."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One picture: what it is, and its windows u8 (n, 160, 160, 3)."""

    item: Item
    source: str
    kind: str
    cuts: list[U8]


def run(
    data: Path,
    out: Path,
    weights: Path,
    results: Path,
    threads: int = 1,
    log: Callable[[str], None] = print,
) -> None:
    """Train and judge ``full`` and one variant without each generator; a result that is there is left."""
    manifest = read_manifest(
        out / "val" / "val.csv",
        None,
        {"source": "ffhq-stylegan1|sd21-faces|lfw|pairs-reconstructed"},
        0,
        0,
    )
    exam = _exam(manifest, out)
    for part in ("", *KINDS.values()):
        note = f"without {next(k for k, v in KINDS.items() if v == part)}" if part else "full"
        file = results / f"{note.replace(' ', '-')}.json"
        if file.is_file():
            continue
        log(note)
        plan = Plan(
            steps=STEPS, batch=2 * sum(n for k, n in MIX.items() if k != part), lr=5e-4, warmup=40,
            threads=threads, checkpoint_s=900,
        )  # fmt: skip
        where = out / "ablate" / f"generators-{part or 'full'}"
        model = train(
            data,
            out,
            weights,
            where,
            plan,
            streams=("fine",),
            without=[part] if part else [],
            hardest_at=STEPS,
        )
        _write(file, note, _score(model, exam), manifest)


def _exam(manifest: Manifest, out: Path) -> list[Judged]:
    """StyleGAN's faces beside the photographs it learned from, as they are; those of Stable Diffusion beside
    press photographs, both at DIFFUSION_PX; reconstructions beside their originals; our own GAN's beside the
    photographs, both at OWN_PX."""
    finder = FaceFinder(Settings(threads=1))
    examples: list[Judged] = []
    photographs: list[tuple[Item, U8]] = []
    for item in manifest.items:
        rgb = picture(item.path)
        if item.source == "ffhq-stylegan1" and not item.fake:
            photographs.append((item, rgb))
        if item.source in ("sd21-faces", "lfw"):
            rgb = _square(rgb, DIFFUSION_PX)
        source = "diffusion" if item.source in ("sd21-faces", "lfw") else item.source
        examples.append(Judged(item, source, item.kind, _cuts(rgb, finder)))
    own = Nobody.open(out / "generators").faces["val"]
    for k, (item, rgb) in enumerate(photographs):
        side = own.shape[1]
        small = np.asarray(cv2.resize(_head(rgb), (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        for label, face in ((False, small), (True, np.asarray(own[k % len(own)]))):
            about = Item(f"own-{label}-{k}", item.path, label, "own" if label else "", "own", item.group, {})
            examples.append(Judged(about, "own", about.kind, _cuts(_square(face, OWN_PX), finder)))
    return [j for j in examples if j.cuts]


def _head(rgb: U8) -> U8:
    """The middle 70% of a head-and-shoulders portrait: what our GAN was taught to draw."""
    h, w = rgb.shape[:2]
    return rgb[round(0.15 * h) : round(0.85 * h), round(0.15 * w) : round(0.85 * w)]


def _square(rgb: U8, side: int) -> U8:
    how = cv2.INTER_AREA if min(rgb.shape[:2]) > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (side, side), interpolation=how), np.uint8)


def _cuts(rgb: U8, finder: FaceFinder) -> list[U8]:
    """The windows that a check would look at, around the largest face or the middle of a picture of one."""
    rgb = jpeg(rgb, QUALITY, subsample=True)
    faces = finder.detect(rgb)
    h, w = rgb.shape[:2]
    box = np.array([0.15 * w, 0.15 * h, 0.85 * w, 0.85 * h], np.float32)
    if len(faces):
        box = faces.boxes_xyxy[faces.largest()]
    return windows(native_piece(rgb, box))


@torch.inference_mode()
def _score(model: nn.Module, exam: list[Judged]) -> Scored:
    model.eval()
    values = []
    for one in exam:
        x = torch.from_numpy(np.stack(one.cuts)).permute(0, 3, 1, 2).float()
        values.append(round(float(model(x).mean()), 5))
    n = len(exam)
    items = [replace(j.item, source=j.source, kind=j.kind if j.item.fake else "") for j in exam]
    return Scored.of(
        items,
        rungs=("clean",),
        names=("synthesis",),
        values={("clean", "synthesis"): np.array(values)},
        ran={"clean": np.ones(n, bool)},
        levels={"clean": ("",) * n},
    )


def _write(file: Path, note: str, scored: Scored, manifest: Manifest) -> None:
    facts: dict[str, Any] = {
        "command": "haechi train ablate generators --data DIR --out DIR",
        "note": note,
        "manifest": {"name": manifest.name, "sha256": manifest.sha256, "n": len(manifest.items)},
        "steps": STEPS,
    }
    write_result(file, facts, scored, probabilities=(), resamples=200, seed=0)
