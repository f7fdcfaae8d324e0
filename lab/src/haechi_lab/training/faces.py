"""``haechi train faces``: the face finder, taught by YuNet on composed pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from haechi_lab.data.composites import Composer, targets
from haechi_lab.data.shards import Shards, file_hash, load_manifest, select
from haechi_lab.networks.finder import STRIDES, FinderNet
from haechi_lab.training.loop import Batch, Plan, fit
from haechi_lab.training.teachers import YuNet

SIDE = 320
RANGES = ((0.0, 56.0), (40.0, 150.0), (110.0, 1e9))
"""Face sizes in px (root of the area) that a stride answers for, overlapping so that none falls between."""


def cell_grid(side_h: int, side_w: int) -> tuple[Tensor, Tensor, Tensor]:
    """Corner of every cell f32 (cells, 2) in px, its stride f32 (cells,), its level i64 (cells,)."""
    corners, strides, levels = [], [], []
    for level, stride in enumerate(STRIDES):
        h, w = side_h // stride, side_w // stride
        y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
        corners.append(torch.stack([x, y], -1).reshape(-1, 2).float() * stride)
        strides.append(torch.full((h * w,), float(stride)))
        levels.append(torch.full((h * w,), level))
    return torch.cat(corners), torch.cat(strides), torch.cat(levels)


def assign(values: Tensor, state: Tensor, grid: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """values (n, most, 14), state (n, most) -> index of the face each cell answers for i64 (n, cells), and
    its role (n, cells): 1 face, 0 background, -1 neither."""
    corner, stride, level = grid
    middle = corner + stride[:, None] / 2
    lo = torch.tensor([r[0] for r in RANGES], device=level.device)[level]
    hi = torch.tensor([r[1] for r in RANGES], device=level.device)[level]
    x1, y1, x2, y2 = (values[:, None, :, k] for k in range(4))
    cx, cy, w, h = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
    size = (w * h).clamp(min=1e-6).sqrt()
    dx, dy = (middle[None, :, None, 0] - cx).abs(), (middle[None, :, None, 1] - cy).abs()
    reach = stride[None, :, None]
    near = (dx < torch.minimum(1.5 * reach, 0.3 * w).clamp(min=0.51 * reach)) & (
        dy < torch.minimum(1.5 * reach, 0.3 * h).clamp(min=0.51 * reach)
    )
    fits = (size >= lo[None, :, None]) & (size < hi[None, :, None])
    present = state[:, None, :] != 0
    core = (dx < 0.3 * w) & (dy < 0.3 * h) & present
    candidates = near & fits & (state[:, None, :] == 1)
    distance = torch.where(candidates, (dx + dy) / size, torch.inf)
    nearest, which = distance.min(2)
    role = torch.zeros_like(which)
    # Around a doubtful face nothing is asked; in the middle of a sure one nothing is punished.
    role[core.any(2)] = -1
    role[nearest < torch.inf] = 1
    return which, role


def decode(raw: Tensor, corner: Tensor, stride: Tensor) -> tuple[Tensor, Tensor]:
    """Network rows (..., 15) -> boxes (..., 4) xyxy px and points (..., 10) px."""
    centre = corner + raw[..., 1:3] * stride[:, None]
    size = raw[..., 3:5].clamp(max=6).exp() * stride[:, None]
    points = raw[..., 5:] * stride[:, None] + corner.repeat(1, 5)
    return torch.cat([centre - size / 2, centre + size / 2], -1), points


def giou(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Paired xyxy boxes (n, 4) -> generalised IoU (Rezatofighi et al. 2019) and plain IoU, (n,) each."""
    inter = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(1)
    area_a, area_b = ((x[:, 2:] - x[:, :2]).clamp(min=0).prod(1) for x in (a, b))
    union = area_a + area_b - inter + 1e-6
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).clamp(min=0).prod(1) + 1e-6
    plain = inter / union
    return plain - (hull - union) / hull, plain


class FinderLoss:
    """Quality focal loss on the logit (Li et al. 2020: its target is the IoU), GIoU, landmarks over size."""

    def __init__(self, side: int) -> None:
        self.grid = cell_grid(side, side)

    def __call__(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Mapping[str, float]]:
        x, values, state = batch["x"], batch["values"], batch["state"]
        grid = tuple(g.to(x.device) for g in self.grid)
        raw = model(x.permute(0, 3, 1, 2).float()).float()
        which, role = assign(values, state, grid)  # type: ignore[arg-type]
        boxes, points = decode(raw, grid[0], grid[1])
        face = role == 1
        goal = torch.gather(values, 1, which[:, :, None].expand(-1, -1, 14))[face]
        g, plain = giou(boxes[face], goal[:, :4])
        size = (goal[:, 2:4] - goal[:, :2]).prod(1).clamp(min=1).sqrt()
        offset = (points[face] - goal[:, 4:]) / size[:, None]
        n = max(int(face.sum()), 1)
        box_loss = (1 - g).sum() / n
        point_loss = F.smooth_l1_loss(offset, torch.zeros_like(offset), beta=0.02, reduction="sum") / n
        target = torch.zeros_like(raw[..., 0])
        target[face] = plain.detach().clamp(0, 1)
        p = raw[..., 0].sigmoid()
        focal = (
            F.binary_cross_entropy_with_logits(raw[..., 0], target, reduction="none")
            * (target - p).abs() ** 2
        )
        score_loss = focal[role >= 0].sum() / n
        return score_loss + 2 * (box_loss + point_loss), {
            "score": score_loss.item(), "box": box_loss.item(), "points": point_loss.item(),
            "iou": plain.mean().item(),
        }  # fmt: skip


def train(data: Path, weights: Path, out: Path, plan: Plan) -> tuple[FinderNet, float]:
    """Train on the train split and return the averaged network and the seconds it took."""
    rng = np.random.default_rng(plan.seed)
    shards, items = Shards(data), load_manifest(data)
    dfdc = select(items, split="train", source="dfdc")
    some = [dfdc[i] for i in rng.permutation(len(dfdc))[:3000]]
    others = [i for i in select(items, split="train") if i.source != "dfdc"]
    composer = Composer(shards, some + others, YuNet(weights, SIDE), SIDE)

    def make(_: int, r: np.random.Generator) -> Batch:
        pictures = [composer.picture(r) for _ in range(plan.batch)]
        values, state = zip(*(targets(labels, SIDE) for _, labels in pictures), strict=True)
        return {
            "x": torch.from_numpy(np.stack([rgb for rgb, _ in pictures])),
            "values": torch.stack(values), "state": torch.stack(state),
        }  # fmt: skip

    facts = {"task": "faces", "data_sha256": file_hash([data / "manifest.csv", *sorted(data.glob("*.tar"))])}
    model, seconds = fit(FinderNet(), make, FinderLoss(SIDE), plan, out, facts)
    assert isinstance(model, FinderNet)
    return model, seconds
