"""The face finder: anchor-free, three strides, one box and five landmarks a cell.

Kin to YuNet (Wu et al. 2023), its teacher, in what it puts out; the trunk is our own: few channels where the
picture is large, 5x5 depthwise kernels where it is small, so that a face may fill the frame.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STRIDES = (8, 16, 32)
OUTPUTS = 1 + 4 + 10


def _conv(cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(cout),
        nn.ReLU(),
    )


class _Unit(nn.Module):
    """Depthwise, then pointwise; a shortcut where shapes allow."""

    def __init__(self, cin: int, cout: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(_conv(cin, cin, kernel, stride, cin), _conv(cin, cout, 1))
        self.shortcut = cin == cout and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        return x + y if self.shortcut else y


class FinderNet(nn.Module):
    """x f32 (n, 3, H, W), RGB 0..255, sides multiples of 32 -> f32 (n, cells, 15).

    Cells run over strides 8, 16, 32, each row by row. Columns: face logit; box centre offset from the cell's
    corner and log of its size, both in strides; five landmarks as offsets from the cell's corner in strides.
    """

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(3, 12, 3, 2), _conv(12, 24, 3, 2))
        self.s8 = nn.Sequential(_conv(24, width, 3, 2), _Unit(width, width, 3), _Unit(width, width, 3))
        self.s16 = nn.Sequential(_Unit(width, 80, 3, 2), *(_Unit(80, 80, 5) for _ in range(3)))
        self.s32 = nn.Sequential(_Unit(80, 112, 5, 2), *(_Unit(112, 112, 5) for _ in range(3)))
        self.lateral = nn.ModuleList(nn.Conv2d(c, width, 1) for c in (width, 80, 112))
        self.head = nn.ModuleList(
            nn.Sequential(_Unit(width, width, 3), nn.Conv2d(width, OUTPUTS, 1)) for _ in STRIDES
        )
        for h in self.head:
            nn.init.constant_(h[1].bias[:1], -4.0)  # type: ignore[index]

    def forward(self, x: Tensor) -> Tensor:
        c8 = self.s8(self.stem((x - 127.5) / 64))
        c16 = self.s16(c8)
        c32 = self.s32(c16)
        p32 = self.lateral[2](c32)
        p16 = self.lateral[1](c16) + F.interpolate(p32, scale_factor=2.0)
        p8 = self.lateral[0](c8) + F.interpolate(p16, scale_factor=2.0)
        maps = [h(p) for h, p in zip(self.head, (p8, p16, p32), strict=True)]
        return torch.cat([m.flatten(2) for m in maps], 2).transpose(1, 2)
