"""The swap network: one trunk, one logit, and a localisation map learned from the blending masks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from haechi.lab.networks.backbone import CHANNELS, Conv, EdgeTrunk


class SwapNet(nn.Module):
    """x f32 (n, 3, S, S) RGB 0..255 -> logit f32 (n,), map logits f32 (n, S / 8, S / 8); S is 224 in use, 192
    in training.

    The map is not a by-product: its features, pooled where it is bright, are half of what the verdict is made
    from, so that what is shown to the user is what was decided on.
    """

    def __init__(self, width: int = 64, drop: float = 0.2) -> None:
        super().__init__()
        self.trunk = EdgeTrunk()
        self.lateral = nn.ModuleList(nn.Conv2d(c, width, 1) for c in CHANNELS.values())
        self.merge = Conv(width, width, 3)
        self.map = nn.Conv2d(width, 1, 1)
        self.wide = Conv(CHANNELS[32], 512, 1)
        self.drop = nn.Dropout(drop)
        self.out = nn.Linear(512 + 2 * width, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        c8, c16, c32 = self.trunk(x)
        p = self.lateral[0](c8)
        for lateral, c in zip(self.lateral[1:], (c16, c32), strict=True):  # type: ignore[arg-type]
            p = p + F.interpolate(lateral(c), size=c8.shape[-2:], mode="bilinear", align_corners=False)
        p = self.merge(p)
        where = self.map(p)
        attention = torch.sigmoid(where) + 1e-3
        bright = (p * attention).sum((2, 3)) / attention.sum((2, 3))
        features = torch.cat([self.wide(c32).mean((2, 3)), bright, p.mean((2, 3))], 1)
        return self.out(self.drop(features))[:, 0], where[:, 0]
