"""``haechi train swap``: the face network, on DFDC swaps and the families of pseudo-fakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from haechi_lab.data.pairs import DRAWN, HARDEST_AT, MIX, PAIRS, SWAPS, TWINS, Prepared, SwapData
from haechi_lab.data.shards import file_hash
from haechi_lab.inputs import CROP_PX
from haechi_lab.networks.swap import STREAMS, SwapNet
from haechi_lab.training.distillation import Guidance
from haechi_lab.training.loop import Batch, Plan, fit

TRAIN_PX, CELL_PX = 192, 8
"""Side of the window of the crop that a training step sees, drawn anew each step: cheaper than what the
detector looks at, and larger at test than in training is the better way round (Touvron et al. 2019). And that
of a cell of the map."""


def swap_loss(
    model: nn.Module,
    batch: Batch,
    side_px: int = TRAIN_PX,
    cell_px: int = CELL_PX,
    /,
    *,
    paired: float = 0.3,
    leak: float = 0.3,
    drift: float = 0.1,
) -> tuple[Tensor, Mapping[str, float]]:
    """Of a window of the crops, drawn anew each step: cross entropy, a margin inside each pair, the map, a
    price on logits that follow the confounders, and one on logits that differ between a picture and the same
    one more degraded. ``paired``, ``leak`` and ``drift`` weigh the margin and the two prices; the window is
    ``side_px`` wide, a cell of the model's map ``cell_px``."""
    top, left = (int(torch.randint((CROP_PX - side_px) // cell_px + 1, ())) for _ in range(2))
    x = batch["x"][:, top * cell_px :, left * cell_px :][:, :side_px, :side_px]
    cells = side_px // cell_px
    mask = F.adaptive_avg_pool2d(batch["mask"], CROP_PX // cell_px)
    mask = mask[:, top : top + cells, left : left + cells]
    logit, where, _ = model(x.permute(0, 3, 1, 2).float())
    logit, where = logit.float(), where.float()
    y, has_mask = batch["y"], batch["known"]
    verdict = F.binary_cross_entropy_with_logits(logit, y * 0.92 + 0.04)
    real, fake = logit[0::2], logit[1::2]
    margin = F.softplus(1.0 - (fake[:PAIRS] - real[:PAIRS])).mean()
    area = F.binary_cross_entropy_with_logits(where[has_mask], mask[has_mask]) + 0.25 * overlap_loss(
        where[1 : 2 * PAIRS : 2], mask[1 : 2 * PAIRS : 2]
    )
    follows = (
        correlation(real, batch["confounder"][0::2]) + correlation(fake, batch["confounder"][1::2])
    ) / 2
    clean, hard = logit[: 2 * TWINS], logit[2 * (PAIRS - TWINS) : 2 * PAIRS]
    drifts = F.smooth_l1_loss(hard, clean.detach())
    loss = verdict + paired * margin + area + leak * follows + drift * drifts
    with torch.no_grad():
        right = ((logit > 0) == (y > 0.5)).float()
        parts = {
            "verdict": verdict.item(), "pair": margin.item(), "map": area.item(), "leak": follows.item(),
            "drift": drifts.item(), "acc_pairs": float(right[: 2 * PAIRS].mean()),
            "acc_swaps": float(right[2 * PAIRS : 2 * (PAIRS + SWAPS)].mean()),
        }  # fmt: skip
    return loss, parts


def rate_share(name: str) -> float:
    """A parameter's share of the rate of learning: the trunk knows much already."""
    return 0.6 if name.startswith("trunk") else 1.0


def overlap_loss(where: Tensor, mask: Tensor) -> Tensor:
    """One less the soft Dice overlap of map logits and masks, both (n, H, W) (Milletari et al. 2016): cross
    entropy alone is content to see the middle of a large region and nothing of a small one."""
    area = torch.sigmoid(where)
    return (1 - (2 * (area * mask).sum((1, 2)) + 1) / (area.sum((1, 2)) + mask.sum((1, 2)) + 1)).mean()


def correlation(logit: Tensor, confounder: Tensor) -> Tensor:
    """Mean squared correlation of logits (n,) with confounders (n, k), less that of chance, 1 / (n - 1)."""
    a = logit - logit.mean()
    b = confounder - confounder.mean(0)
    r2 = (a[:, None] * b).mean(0) ** 2 / (a.var(correction=0) * b.var(0, correction=0) + 1e-4)
    return (r2 - 1 / (len(logit) - 1)).clamp(min=0).mean()


def train(
    out: Path,
    weights: Path,
    run: Path,
    plan: Plan,
    *,
    streams: tuple[str, ...] = STREAMS,
    frozen: str = "nothing",
    without: Sequence[str] = (),
    start: Path | None = None,
    mined: bool = False,
) -> SwapNet:
    """Train on the train split; return the averaged network.

    ``out`` holds what ``prepare`` and ``train generators`` made, ``run`` takes the checkpoint. ``without``
    names families of pseudo-fakes and kinds of degradation to leave out, ``start`` a checkpoint whose
    averaged weights are taken over. ``mined``: the calibrated models in ``out`` decide how often each
    swap is drawn (``distillation``). Raises ModelError where they are missing."""
    torch.manual_seed(plan.seed)
    mix = {name: odds for name, odds in MIX.items() if name not in without}
    data = SwapData(Prepared.open(out), mix=mix, hardest_at=1 if start else HARDEST_AT, without=without)
    if mined:
        Guidance.of(data.p, out / "models", plan.threads).steer(data)
    model = SwapNet(streams, frozen)
    if start is not None:
        model.take_over(torch.load(start, map_location="cpu", weights_only=True)["average"])
    elif model.trunk is not None:
        first = torch.cat([data.batch(k, np.random.default_rng([plan.seed, k]))["x"] for k in range(4)])
        model.trunk.load_imagenet(weights, first.permute(0, 3, 1, 2).float())
    facts = {
        "task": "swap", "streams": list(streams), "frozen": frozen, "families": mix,
        "left_out": sorted(without), "mined": mined,
        "batch_of": [PAIRS, TWINS, SWAPS, DRAWN], "start": start.parent.name if start else "imagenet",
        "data_sha256": file_hash([out / "prepared" / "table.json"]),
    }  # fmt: skip
    average, _ = fit(
        model, data.batch, swap_loss, plan, run, facts,
        lr_scale=rate_share,
    )  # fmt: skip
    assert isinstance(average, SwapNet)
    return average
