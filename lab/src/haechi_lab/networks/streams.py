"""The two streams beside the fine one: very large kernels that see the whole face, and noise residuals.

Both put out features at stride 8 (for the map) and one vector a picture (for the verdict).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from haechi.types import F32
from haechi_lab.networks.backbone import Conv

SRM_LIMIT = 3.0
"""Residuals are cut at three steps of their quantisation, as in Fridrich & Kodovsky (2012) with T = 2 to 3:
beyond it stand edges of the scene, not noise."""


@torch.no_grad()
def carry_over(
    model: nn.Module, out: nn.Linear, state: dict[str, Tensor], columns: Sequence[tuple[slice, slice]]
) -> list[str]:
    """Copy into ``model`` what an earlier network of other streams had, by name and shape. Its last layer
    ``out`` (name "out") takes the old weights for the features that were there, ``columns`` being (where they
    are now, where they were), and none for the others. Returns the names that were not in ``state``."""
    own = model.state_dict()
    shared = {n: t for n, t in state.items() if n in own and own[n].shape == t.shape}
    model.load_state_dict(shared, strict=False)
    weight = torch.zeros_like(out.weight)
    for now, then in columns:
        weight[:, now] = state["out.weight"][:, then]
    out.weight.copy_(weight)
    return sorted(set(own) - set(shared))


class LargeKernel(nn.Module):
    """Depthwise k x k beside a depthwise 5 x 5, each with its batch norm; folded into one kernel at export
    (Ding et al. 2022, RepLKNet): the small one teaches the large one what is near."""

    def __init__(self, channels: int, kernel: int, small: int = 5) -> None:
        super().__init__()
        self.large = nn.Conv2d(channels, channels, kernel, 1, kernel // 2, groups=channels, bias=False)
        self.small: nn.Conv2d | None = nn.Conv2d(
            channels, channels, small, 1, small // 2, groups=channels, bias=False
        )
        self.large_norm: nn.Module = nn.BatchNorm2d(channels, momentum=0.05)
        self.small_norm: nn.Module = nn.BatchNorm2d(channels, momentum=0.05)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.large_norm(self.large(x))
        return y if self.small is None else y + self.small_norm(self.small(x))

    @torch.no_grad()
    def fold(self) -> None:
        """Become one convolution with a bias; the function stays the same (in evaluation mode)."""
        if self.small is None:
            return
        large, small = self.large, self.small
        weight, bias = _scaled(large, self.large_norm)
        inner, inner_bias = _scaled(small, self.small_norm)
        margin = (large.kernel_size[0] - small.kernel_size[0]) // 2
        weight = weight + F.pad(inner, (margin,) * 4)
        side, channels = large.kernel_size[0], large.in_channels
        self.large = nn.Conv2d(channels, channels, side, 1, side // 2, groups=channels)
        self.large.weight.copy_(weight)
        assert self.large.bias is not None
        self.large.bias.copy_(bias + inner_bias)
        self.large_norm, self.small_norm, self.small = nn.Identity(), nn.Identity(), None


def _scaled(conv: nn.Conv2d, norm: nn.Module) -> tuple[Tensor, Tensor]:
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return conv.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale


class _Whole(nn.Module):
    """Large kernel, then a pointwise pair that widens and narrows, each with a shortcut."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.before = Conv(channels, channels, 1)
        self.spread = LargeKernel(channels, kernel)
        self.mix = nn.Sequential(Conv(channels, 2 * channels, 1), Conv(2 * channels, channels, 1, relu=False))

    def forward(self, x: Tensor) -> Tensor:
        x = x + F.relu(self.spread(self.before(x)))
        y: Tensor = x + self.mix(x)
        return y


class LargeStream(nn.Module):
    """x f32 (n, 3, S, S) RGB 0..255 -> f32 (n, 48, S / 8, S / 8), f32 (n, 80).

    At stride 16 a 224-px crop is 14 cells wide: a kernel of 27 lets every cell see every other one."""

    CHANNELS, FEATURES = 48, 80

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            Conv(3, 16, 3, 2), Conv(16, 32, 3, 2), Conv(32, 32, 3, 1, 32), Conv(32, self.CHANNELS, 3, 2)
        )
        self.s8 = _Whole(self.CHANNELS, 13)
        self.s16 = nn.Sequential(
            Conv(self.CHANNELS, self.FEATURES, 3, 2), _Whole(self.FEATURES, 27), _Whole(self.FEATURES, 27)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        c8 = self.s8(self.stem(x / 127.5 - 1))
        return c8, self.s16(c8).mean((2, 3))


def srm_bank() -> F32:
    """The 30 linear residual filters of the spatial rich model, f32 (30, 5, 5), each scaled to its centre.

    Eight first-order (to each neighbour), four second-order (both neighbours on a line), eight third-order,
    one 3 x 3 and one 5 x 5 square, four 3 x 3 and four 5 x 5 edges (Fridrich & Kodovsky 2012).
    """
    around = [(0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1)]
    bank: list[F32] = []

    def line(values: dict[int, float], dy: int, dx: int, over: int = 1) -> F32:
        k = np.zeros((5, 5), np.float32)
        for step, value in values.items():
            k[2 + step * dy, 2 + step * dx] = value
        return (k / over).astype(np.float32)

    bank += [line({0: -1, 1: 1}, *d) for d in around]
    bank += [line({-1: 1, 0: -2, 1: 1}, *d, over=2) for d in around[:4]]
    bank += [line({-1: 1, 0: -3, 1: 3, 2: -1}, *d, over=3) for d in around]
    square3 = np.zeros((5, 5), np.float32)
    square3[1:4, 1:4] = np.array([[-1, 2, -1], [2, -4, 2], [-1, 2, -1]]) / 4
    outer = np.array([-1, 2, -2, 2, -1], np.float32)
    square5 = np.array(
        [outer, [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2], outer], np.float32
    )  # fmt: skip
    square5 = (square5 / 12).astype(np.float32)
    bank += [square3, square5]
    for square in (square3, square5):
        edge = square.copy()
        edge[3:] = 0  # the half on one side of the centre line, the centre line kept
        bank += [np.ascontiguousarray(np.rot90(edge, q)) for q in range(4)]
    return np.stack(bank)


class ResidualStream(nn.Module):
    """x f32 (n, 3, S, S) RGB 0..255 -> f32 (n, 48, S / 8, S / 8), f32 (n, 2 x 96): noise residuals of the
    brightness, fixed filters first and learned ones behind, mean and deviation over the crop."""

    CHANNELS, FEATURES = 48, 192

    def __init__(self) -> None:
        super().__init__()
        bank = torch.from_numpy(srm_bank()[:, None])
        self.filters = nn.Conv2d(1, len(bank), 5, 1, 2, bias=False)
        self.filters.weight = nn.Parameter(bank, requires_grad=False)
        self.learned = nn.Sequential(
            Conv(len(bank), 32, 3, 2), Conv(32, 32, 3, 2), Conv(32, 64, 3, 1), Conv(64, self.CHANNELS, 3, 2)
        )
        self.last = nn.Sequential(Conv(self.CHANNELS, 96, 3, 2), Conv(96, 96, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        grey = 0.299 * x[:, :1] + 0.587 * x[:, 1:2] + 0.114 * x[:, 2:]
        c8 = self.learned(self.filters(grey).clamp(-SRM_LIMIT, SRM_LIMIT))
        y = self.last(c8)
        mean = y.mean((2, 3))
        spread = ((y - mean[:, :, None, None]) ** 2).mean((2, 3)).add(1e-4).sqrt()
        return c8, torch.cat([mean, spread], 1)
