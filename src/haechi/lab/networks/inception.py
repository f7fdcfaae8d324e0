"""Inception-v3 up to ``mixed_7`` (Szegedy et al. 2016; weights Google, Apache-2.0): a heavier trunk.

The published weights have batch normalisation folded in; it is put back as in ``backbone``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from haechi.errors import UsageError
from haechi.lab.networks.backbone import measured_norm

WEIGHTS = "inception_v3_to_mixed_7_imagenet_fp16.npz"
CHANNELS = {8: 288, 16: 768}


class Conv(nn.Module):
    """Convolution, batch norm, ReLU; its name in the published graph is kept for loading."""

    def __init__(
        self, name: str, cin: int, cout: int, kernel: int | tuple[int, int], stride: int = 1, pad: bool = True
    ) -> None:
        super().__init__()
        self.published = name
        kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
        self.conv = nn.Conv2d(cin, cout, (kh, kw), stride, (kh // 2, kw // 2) if pad else 0, bias=False)
        self.norm = nn.BatchNorm2d(cout, momentum=0.05)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)), inplace=True)


class Block(nn.Module):
    """Towers side by side, joined by channel; a tower may begin with a pooling."""

    def __init__(self, *towers: nn.Module) -> None:
        super().__init__()
        self.towers = nn.ModuleList(towers)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([t(x) for t in self.towers], 1)


def _block35(name: str, cin: int, pool: int) -> Block:
    return Block(
        Conv(f"{name}_conv", cin, 64, 1),
        nn.Sequential(Conv(f"{name}_tower_conv", cin, 48, 1), Conv(f"{name}_tower_conv_1", 48, 64, 5)),
        nn.Sequential(
            Conv(f"{name}_tower_1_conv", cin, 64, 1),
            Conv(f"{name}_tower_1_conv_1", 64, 96, 3),
            Conv(f"{name}_tower_1_conv_2", 96, 96, 3),
        ),
        nn.Sequential(
            nn.AvgPool2d(3, 1, 1, count_include_pad=False), Conv(f"{name}_tower_2_conv", cin, pool, 1)
        ),
    )


def _block17(name: str, wide: int) -> Block:
    tall, flat = (7, 1), (1, 7)
    return Block(
        Conv(f"{name}_conv", 768, 192, 1),
        nn.Sequential(
            Conv(f"{name}_tower_conv", 768, wide, 1),
            Conv(f"{name}_tower_conv_1", wide, wide, flat),
            Conv(f"{name}_tower_conv_2", wide, 192, tall),
        ),
        nn.Sequential(
            Conv(f"{name}_tower_1_conv", 768, wide, 1),
            Conv(f"{name}_tower_1_conv_1", wide, wide, tall),
            Conv(f"{name}_tower_1_conv_2", wide, wide, flat),
            Conv(f"{name}_tower_1_conv_3", wide, wide, tall),
            Conv(f"{name}_tower_1_conv_4", wide, 192, flat),
        ),
        nn.Sequential(
            nn.AvgPool2d(3, 1, 1, count_include_pad=False), Conv(f"{name}_tower_2_conv", 768, 192, 1)
        ),
    )


class InceptionTrunk(nn.Module):
    """x f32 (n, 3, H, W) RGB 0..255, sides multiples of 16 -> features at strides 8 (288 channels), 16 (768).

    The published graph leaves its first convolutions and poolings unpadded; here all are padded, so that a
    map of S / 8 cells lies over the picture without an offset. The weights bear it: only borders differ.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            Conv("conv", 3, 32, 3, 2),
            Conv("conv_1", 32, 32, 3),
            Conv("conv_2", 32, 64, 3),
            nn.MaxPool2d(3, 2, 1),
            Conv("conv_3", 64, 80, 1),
            Conv("conv_4", 80, 192, 3),
            nn.MaxPool2d(3, 2, 1),
        )
        self.s8 = nn.Sequential(
            _block35("mixed", 192, 32), _block35("mixed_1", 256, 64), _block35("mixed_2", 288, 64)
        )
        self.s16 = nn.Sequential(
            Block(
                Conv("mixed_3_conv", 288, 384, 3, 2),
                nn.Sequential(
                    Conv("mixed_3_tower_conv", 288, 64, 1),
                    Conv("mixed_3_tower_conv_1", 64, 96, 3),
                    Conv("mixed_3_tower_conv_2", 96, 96, 3, 2),
                ),
                nn.MaxPool2d(3, 2, 1),
            ),
            _block17("mixed_4", 128),
            _block17("mixed_5", 160),
            _block17("mixed_6", 160),
            _block17("mixed_7", 192),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        c8 = self.s8(self.stem((x - 128) / 128))
        return c8, self.s16(c8)

    def load_imagenet(self, weights: Path, pictures: Tensor) -> None:
        """Load the folded weights; put batch norms behind them, measured on pictures (n, 3, H, W) 0..255."""
        file = weights / WEIGHTS
        if not file.is_file():
            raise UsageError(
                f"{WEIGHTS} is not in {weights.name!r}: point --weights at the folder that holds it"
            )
        hooks = []
        with np.load(file) as stored:
            for module in (m for m in self.modules() if isinstance(m, Conv)):
                weight, bias = (
                    torch.from_numpy(stored[f"{module.published}.{k}"].astype(np.float32))
                    for k in ("weight", "bias")
                )
                module.conv.weight.data.copy_(weight)
                hooks.append(module.conv.register_forward_hook(measured_norm(module.norm, bias)))
        self.eval()
        with torch.no_grad():
            self(pictures)
        for h in hooks:
            h.remove()
        self.train()
