"""The second face network: DINOv2-S/14, its lower half as it came, its upper half tuned by low rank.

What it knows of the world was learned from 142 million pictures; a small network tuned on forgeries alone
errs elsewhere, so the two are joined (``haechi train left-out`` measures how).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from haechi_lab.networks.dino import PATCH_PX, WIDTH, Dino
from haechi_lab.networks.dino_head import TAPS

RANK, FIRST_TUNED = 8, 7
"""Of the low-rank change, and the first block that has one."""
HIDDEN, BRIGHTEST = 128, 16
"""BRIGHTEST: cells of the map whose mean goes into the logit (multiple-instance pooling)."""


class DinoFace(nn.Module):
    """x f32 (n, 3, S, S) RGB 0..255, S a multiple of 14 -> logit f32 (n,), map logits
    f32 (n, S / 14, S / 14), features f32 (n, HIDDEN); S is 196."""

    def __init__(self, trunk: Dino, drop: float = 0.2) -> None:
        super().__init__()
        self.trunk = trunk
        trunk.tune(RANK, FIRST_TUNED)
        self.norms = nn.ModuleList(nn.LayerNorm(3 * WIDTH) for _ in TAPS)
        self.hidden = nn.Sequential(nn.Dropout(drop), nn.Linear(3 * WIDTH * len(TAPS), HIDDEN), nn.GELU())
        self.drop = nn.Dropout(drop)
        self.out = nn.Linear(HIDDEN, 1)
        self.cell_norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in TAPS)
        self.cells = nn.Linear(WIDTH * len(TAPS), 1)
        self.share = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        side = x.shape[-1] // PATCH_PX
        tokens = self.trunk.taps(x, TAPS)
        pooled, cells = [], []
        for t, norm, cell_norm in zip(tokens, self.norms, self.cell_norms, strict=True):
            patches = t[:, 1:]
            middle = patches.mean(1)
            spread = ((patches - middle[:, None]) ** 2).mean(1).add(1e-6).sqrt()
            pooled.append(norm(torch.cat([t[:, 0], middle, spread], 1)))
            cells.append(cell_norm(patches))
        features = self.hidden(torch.cat(pooled, 1))
        where = self.cells(torch.cat(cells, 2))[..., 0]
        brightest = where.topk(BRIGHTEST, 1).values.mean(1)
        logit = self.out(self.drop(features))[:, 0] + self.share * brightest
        return logit, where.view(-1, side, side), features

    def tuned(self) -> dict[str, Tensor]:
        """What training changes, a few MB: the rest is that of the file that it began from."""
        return {name: p.detach() for name, p in self.named_parameters() if p.requires_grad}


def rate_share(name: str) -> float:
    """A parameter's share of the rate of learning: the trunk knows much already."""
    return 0.5 if name.startswith("trunk") else 1.0
