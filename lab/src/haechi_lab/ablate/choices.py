"""``haechi train ablate choices``: what each part of the training of the face network is worth.

All runs start from one short run that saw DFDC swaps and drawn faces alone, so that a family left out has
never been met, and differ in one thing from the run with everything. They are far shorter than the training
of what ships: they tell which way a choice leads, and how far an unknown family lies from the known ones, not
how good the shipped network is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from haechi_lab.ablate.reporting_half import Exam, stem, write
from haechi_lab.data import augment
from haechi_lab.data.pairs import BATCH, DRAWN, MIX, SWAPS, Prepared, SwapData
from haechi_lab.data.samples import laid_out
from haechi_lab.inputs import CROP_PX
from haechi_lab.networks.swap import SwapNet
from haechi_lab.training.distillation import Guidance
from haechi_lab.training.loop import Batch, Loss, Plan, fit
from haechi_lab.training.swap import TRAIN_PX, correlation, swap_loss

BASE_STEPS, STEPS = 400, 120
FINE = ("fine",)


@dataclass(frozen=True, slots=True)
class Variant:
    """What is different from the run with everything; ``note`` names it in the table."""

    note: str
    without: tuple[str, ...] = ()
    frozen: str = "stem"
    side_px: int = CROP_PX
    weights: Mapping[str, float] = field(default_factory=dict)
    mined: bool = False


VARIANTS = (
    Variant("full"),
    *(Variant(f"without {name}", (name,)) for name in MIX),
    Variant("whole trunk frozen", frozen="trunk"),
    Variant("nothing frozen", frozen="nothing"),
    Variant("without consistency", weights={"drift": 0.0}),
    Variant("without pair margin", weights={"paired": 0.0}),
    Variant("without price on quality", weights={"leak": 0.0}),
    *(Variant(f"without {name}", (name,)) for name in augment.KINDS),
    Variant("with mining by cluster", mined=True),
    Variant("160 px", side_px=160),
    Variant("320 px", side_px=320),
)


class AtSide(nn.Module):
    """A face network that sees the crop resized to ``side_px``; its map keeps the cells of the crop."""

    def __init__(self, net: SwapNet, side_px: int) -> None:
        super().__init__()
        self.net, self.factor = net, side_px / CROP_PX

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        size = [8 * round(s * self.factor / 8) for s in x.shape[-2:]]
        resized = F.interpolate(x, size=size, mode="bilinear", align_corners=False, antialias=True)
        logit, where, features = self.net(resized)
        cells = [s // 8 for s in x.shape[-2:]]
        where = F.interpolate(where[:, None], size=cells, mode="bilinear", align_corners=False)
        return logit, where[:, 0], features


def base_loss(model: nn.Module, batch: Batch) -> tuple[Tensor, Mapping[str, float]]:
    """Cross entropy and the price on quality: a batch without pairs holds no mask."""
    top, left = (8 * int(torch.randint((CROP_PX - TRAIN_PX) // 8 + 1, ())) for _ in range(2))
    x = batch["x"][:, top : top + TRAIN_PX, left : left + TRAIN_PX]
    logit = model(x.permute(0, 3, 1, 2).float())[0].float()
    verdict = F.binary_cross_entropy_with_logits(logit, batch["y"] * 0.92 + 0.04)
    leak = (
        correlation(logit[0::2], batch["confounder"][0::2])
        + correlation(logit[1::2], batch["confounder"][1::2])
    ) / 2
    return verdict + 0.3 * leak, {"verdict": verdict.item()}


def run(
    out: Path,
    weights: Path,
    results: Path,
    only: Callable[[str], bool] = lambda _: True,
    threads: int = 1,
    log: Callable[[str], None] = print,
) -> None:
    """Train and judge every variant that ``only`` takes; one that has its result in ``results`` is left."""
    prepared = Prepared.open(out)
    exam = Exam.open(laid_out(out) / "reporting.csv", out / "ablate" / "pictures")
    command = "haechi train ablate choices --data DIR --out DIR"
    base = _base(prepared, weights, out / "ablate" / "base", threads)
    write(results, "swaps alone", exam.judge(base), exam, command, [BASE_STEPS])
    start, steps = base.state_dict(), [BASE_STEPS, STEPS]
    for variant in (v for v in VARIANTS if only(v.note)):
        if (results / f"{stem(variant.note)}.json").is_file():
            continue
        log(variant.note)
        mix = {name: odds for name, odds in MIX.items() if name not in variant.without}
        source = SwapData(prepared, mix=mix, hardest_at=1, without=variant.without)
        if variant.mined:
            Guidance.of(prepared, out / "models", threads).steer(source)
        net = SwapNet(FINE, variant.frozen)
        net.take_over(start)
        model = net if variant.side_px == CROP_PX else AtSide(net, variant.side_px)
        plan = Plan(steps=STEPS, batch=BATCH, lr=4e-4, warmup=15, threads=threads, checkpoint_s=900)
        facts = {"task": "ablate", "note": variant.note, "families": mix}
        average, _ = fit(
            model, source.batch, _loss(variant.weights), plan, out / "ablate" / stem(variant.note), facts,
            lr_scale=lambda n: 0.6 if "trunk" in n else 1.0,
        )  # fmt: skip
        write(results, variant.note, exam.judge(average), exam, command, steps)
        if variant.note == "full":
            write(results, "without moving average", exam.judge(model), exam, command, steps)


def _loss(weights: Mapping[str, float]) -> Loss:
    return lambda model, batch: swap_loss(model, batch, **weights)


def _base(prepared: Prepared, weights: Path, run: Path, threads: int) -> nn.Module:
    """The network of BASE_STEPS that saw no pseudo-fake."""
    source = SwapData(prepared, mix={}, hardest_at=BASE_STEPS)
    net = SwapNet(FINE)
    assert net.trunk is not None
    first = torch.cat([source.batch(k, np.random.default_rng([7, k]))["x"] for k in range(6)])
    net.trunk.load_imagenet(weights, first.permute(0, 3, 1, 2).float())
    plan = Plan(steps=BASE_STEPS, batch=2 * (SWAPS + DRAWN), lr=5e-4, warmup=50, threads=threads)
    average, _ = fit(
        net, source.batch, base_loss, plan, run, {"task": "ablate", "note": "swaps alone"},
        lr_scale=lambda n: 0.6 if n.startswith("trunk") else 1.0,
    )  # fmt: skip
    return average
