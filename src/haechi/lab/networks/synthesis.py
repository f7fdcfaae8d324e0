"""The synthesis network: reads windows of the picture at its native resolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from haechi.lab.networks.backbone import CHANNELS, Conv, EdgeTrunk


class SynthesisNet(nn.Module):
    """x f32 (n, 3, 160, 160) RGB 0..255, never resampled -> logit f32 (n,).

    Mean and deviation of the features over the window, at two strides: texture statistics, no layout.
    """

    def __init__(self, drop: float = 0.2) -> None:
        super().__init__()
        self.trunk = EdgeTrunk()
        self.fine = Conv(CHANNELS[16], 128, 1)
        self.coarse = Conv(CHANNELS[32], 256, 1)
        self.drop = nn.Dropout(drop)
        self.out = nn.Linear(2 * 128 + 256, 1)

    def forward(self, x: Tensor) -> Tensor:
        _, c16, c32 = self.trunk(x)
        fine = self.fine(c16)
        mean = fine.mean((2, 3))
        spread = ((fine - mean[:, :, None, None]) ** 2).mean((2, 3)).add(1e-4).sqrt()
        features = torch.cat([mean, spread, self.coarse(c32).mean((2, 3))], 1)
        out: Tensor = self.out(self.drop(features))[:, 0]
        return out
