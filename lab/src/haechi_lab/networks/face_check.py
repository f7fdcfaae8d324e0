"""The second look: whether what the finder pointed at is a face, and which way up it is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from haechi_lab.networks.finder import _conv, _Unit


class FaceCheckNet(nn.Module):
    """x f32 (n, 3, 64, 64), RGB 0..255 -> f32 (n, 3): the logit that this is a face, and cosine and sine, up
    to a common factor, of the angle by which it is turned clockwise from upright."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv(3, 16, 3, 2), _conv(16, 32, 3, 2), _conv(32, 48, 3, 2), _Unit(48, 48, 3), _Unit(48, 48, 3),
            _Unit(48, 96, 5, 2), _Unit(96, 96, 5), _Unit(96, 96, 5),
        )  # fmt: skip
        # Where in the crop a feature lies tells which way up it is: places are weighed, not averaged.
        self.gather = nn.Sequential(
            nn.Conv2d(96, 96, 4, groups=96, bias=False), nn.BatchNorm2d(96), nn.ReLU()
        )
        self.head = nn.Linear(192, 3)

    def forward(self, x: Tensor) -> Tensor:
        features = self.body((x - 127.5) / 64)
        both = torch.cat([self.gather(features).flatten(1), features.mean((2, 3))], 1)
        out: Tensor = self.head(both)
        return out
