"""The networks that Haechi's pace is set against, built from their published descriptions with random
weights: what they find is not compared, only what they cost.

All are in the form in which one would run them: batch norms folded into their convolutions, large kernels
merged with the small ones that taught them. Inputs are f32 (n, 3, S, S).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ANCHOR_PX, B4_PX = 512, 380


class _LayerNorm(nn.Module):
    """Layer norm over the channels of (n, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class _ConvNeXtBlock(nn.Module):
    """Depthwise 7 x 7, layer norm, and two linear layers with GELU between, all beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.widen = nn.Linear(channels, 4 * channels)
        self.narrow = nn.Linear(4 * channels, channels)
        self.scale = nn.Parameter(torch.full((channels,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.scale * self.narrow(F.gelu(self.widen(y)))
        return x + y.permute(0, 3, 1, 2)


class ConvNeXtBase(nn.Module):
    """ConvNeXt-Base (Liu et al. 2022, "A ConvNet for the 2020s"): 89 M parameters and 15.4 G multiply-adds at
    224 px with 1,000 classes."""

    DEPTHS, WIDTHS = (3, 3, 27, 3), (128, 256, 512, 1024)

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, self.WIDTHS[0], 4, 4), _LayerNorm(self.WIDTHS[0])]
        before = self.WIDTHS[0]
        for stage, (depth, width) in enumerate(zip(self.DEPTHS, self.WIDTHS, strict=True)):
            if stage:
                layers += [_LayerNorm(before), nn.Conv2d(before, width, 2, 2)]
            layers += [_ConvNeXtBlock(width) for _ in range(depth)]
            before = width
        self.body = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(before, eps=1e-6)
        self.head = nn.Linear(before, classes)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.norm(self.body(x).mean((2, 3))))
        return y


def _conv(cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution with its batch norm folded in: that is what its bias is."""
    return nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups)


class _RepLKBlock(nn.Module):
    """The large kernel between two pointwise convolutions, then a feed-forward pair; each with a shortcut."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.spread = nn.Sequential(
            _conv(channels, channels, 1), nn.ReLU(), _conv(channels, channels, kernel, 1, channels),
            nn.ReLU(), _conv(channels, channels, 1),
        )  # fmt: skip
        self.mix = nn.Sequential(
            _conv(channels, 4 * channels, 1), nn.GELU(), _conv(4 * channels, channels, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.spread(x)
        y: Tensor = x + self.mix(x)
        return y


class RepLKNet31B(nn.Module):
    """RepLKNet-31B (Ding et al. 2022, "Scaling Up Your Kernels to 31x31"), kernels merged: 79 M parameters
    and 15.3 G multiply-adds at 224 px with 1,000 classes."""

    KERNELS, DEPTHS, WIDTHS = (31, 29, 27, 13), (2, 2, 18, 2), (128, 256, 512, 1024)

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        c = self.WIDTHS[0]
        layers: list[nn.Module] = [
            _conv(3, c, 3, 2), nn.ReLU(), _conv(c, c, 3, 1, c), nn.ReLU(), _conv(c, c, 1), nn.ReLU(),
            _conv(c, c, 3, 2, c), nn.ReLU(),
        ]  # fmt: skip
        for kernel, depth, width in zip(self.KERNELS, self.DEPTHS, self.WIDTHS, strict=True):
            if width != c:
                layers += [_conv(c, width, 1), nn.ReLU(), _conv(width, width, 3, 2, width), nn.ReLU()]
                c = width
            layers += [_RepLKBlock(c, kernel) for _ in range(depth)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(c, classes)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.body(x).mean((2, 3)))
        return y


class AnchorHalf(nn.Module):
    """One of the two networks that the third of the Inclusion 2024 deepfake challenge asks about a face
    (VisionRush, DeepFakeDefenders): three SRM filters beside the colours, six channels to three, the network,
    softmax. The answer is the mean over both halves and six views.

    x f32 (n, 3, 512, 512) -> probabilities f32 (n, 2)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.noise = nn.Conv2d(3, 3, 5, padding=2, bias=False)
        self.join = nn.Conv2d(6, 3, 1)
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.network(self.join(torch.cat([x, self.noise(x).clamp(-3, 3)], 1)))
        return torch.softmax(y, 1)


def views(picture: Tensor) -> Tensor:
    """picture (3, S, S) -> its four quarter turns and two mirror images, (6, 3, S, S)."""
    turned = [torch.rot90(picture, k, (1, 2)) for k in range(4)]
    return torch.stack([*turned, picture.flip(2), picture.flip(1)])


class _Squeeze(nn.Module):
    """Squeeze and excitation: channels weighed by what the whole picture shows of them."""

    def __init__(self, channels: int, least: int) -> None:
        super().__init__()
        self.narrow, self.widen = nn.Conv2d(channels, least, 1), nn.Conv2d(least, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.widen(F.silu(self.narrow(x.mean((2, 3), keepdim=True)))))


class _Inverted(nn.Module):
    """Widen, depthwise convolution, squeeze and excitation, narrow; a shortcut where sizes agree."""

    def __init__(self, cin: int, cout: int, widen: int, kernel: int, stride: int) -> None:
        super().__init__()
        c = cin * widen
        layers: list[nn.Module] = [_conv(cin, c, 1), nn.SiLU()] if widen > 1 else []
        layers += [
            _conv(c, c, kernel, stride, c),
            nn.SiLU(),
            _Squeeze(c, max(1, cin // 4)),
            _conv(c, cout, 1),
        ]
        self.body, self.shortcut = nn.Sequential(*layers), stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        return x + y if self.shortcut else y


class EfficientNetB4(nn.Module):
    """EfficientNet-B4 (Tan & Le 2019): B0 with 1.4 times the width and 1.8 times the depth, 19 M parameters
    and, as published, 4.2 G multiply-adds at 380 px with 1,000 classes."""

    WIDTH, DEPTH = 1.4, 1.8
    B0 = (
        (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3),
        (6, 5, 2, 192, 4), (6, 3, 1, 320, 1),
    )  # fmt: skip
    """Widening, kernel, stride, channels and layers of the stages of B0."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        c = self._wide(32)
        layers: list[nn.Module] = [_conv(3, c, 3, 2), nn.SiLU()]
        for widen, kernel, stride, channels, depth in self.B0:
            for k in range(math.ceil(depth * self.DEPTH)):
                layers.append(_Inverted(c, self._wide(channels), widen, kernel, 1 if k else stride))
                c = self._wide(channels)
        layers += [_conv(c, self._wide(1280), 1), nn.SiLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(self._wide(1280), classes)

    def _wide(self, channels: int) -> int:
        """Channels of this width, to the next multiple of 8 that is not less than nine tenths."""
        scaled = channels * self.WIDTH
        eights = max(8, int(scaled + 4) // 8 * 8)
        return eights + 8 if eights < 0.9 * scaled else eights

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.body(x).mean((2, 3)))
        return y
