"""MobileNet-EdgeTPU 0.75 (google-coral/edgetpu, Apache-2.0) as a trunk that can be trained further.

The published weights have batch normalisation folded in. Trained on like that they collapse, so each
convolution gets a batch norm whose scale and shift are the deviation and mean measured on real pictures: the
function is unchanged, the gradients are not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from haechi.errors import UsageError

CHANNELS = {8: 40, 16: 72, 32: 144}
WEIGHTS = "mobilenet_edgetpu_0.75_imagenet_fp16.npz"


class Conv(nn.Module):
    """Convolution with TensorFlow's SAME padding, batch norm, and a ReLU where asked."""

    def __init__(
        self, cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1, relu: bool = True
    ) -> None:
        super().__init__()
        self.uneven = stride == 2
        padding = 0 if self.uneven else kernel // 2
        self.kernel = kernel
        self.conv = nn.Conv2d(cin, cout, kernel, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(cout, momentum=0.05)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        if (
            self.uneven
        ):  # SAME padding of an even side at stride 2 is uneven: the extra pixel lies right and below
            before = (self.kernel - 2) // 2
            x = F.pad(x, (before, self.kernel - 2 - before) * 2)
        y: Tensor = self.norm(self.conv(x))
        return F.relu(y, inplace=True) if self.relu else y


class Fused(nn.Module):
    """Full convolution that widens, pointwise that narrows."""

    def __init__(self, cin: int, wide: int, cout: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(Conv(cin, wide, 3, stride), Conv(wide, cout, 1, relu=False))
        self.shortcut = cin == cout and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        return x + y if self.shortcut else y


class Inverted(nn.Module):
    """Pointwise that widens, depthwise, pointwise that narrows."""

    def __init__(
        self, cin: int, wide: int, cout: int, kernel: int, stride: int = 1, shortcut: bool = True
    ) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Conv(cin, wide, 1), Conv(wide, wide, kernel, stride, wide), Conv(wide, cout, 1, relu=False)
        )
        self.shortcut = shortcut and cin == cout and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        return x + y if self.shortcut else y


class EdgeTrunk(nn.Module):
    """x f32 (n, 3, H, W) RGB 0..255 -> features at strides 8 (40 channels), 16 (72) and 32 (144)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            Conv(3, 24, 3, 2),
            Conv(24, 16, 1, relu=False),
            Fused(16, 128, 24, 2),
            *(Fused(24, 96, 24) for _ in range(3)),
        )
        self.s8 = nn.Sequential(Fused(24, 192, 40, 2), *(Fused(40, 160, 40) for _ in range(3)))
        self.s16 = nn.Sequential(
            Inverted(40, 320, 72, 3, 2), *(Inverted(72, 288, 72, 3) for _ in range(3)),
            Inverted(72, 576, 72, 3, shortcut=False), *(Inverted(72, 288, 72, 3) for _ in range(3)),
        )  # fmt: skip
        self.s32 = nn.Sequential(
            Inverted(72, 576, 120, 5, 2),
            *(Inverted(120, 480, 120, 5) for _ in range(3)),
            Inverted(120, 960, 144, 3),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        c8 = self.s8(self.stem(x / 127.5 - 1))
        c16 = self.s16(c8)
        return c8, c16, self.s32(c16)

    def load_imagenet(self, weights: Path, pictures: Tensor) -> None:
        """Load the folded weights; put batch norms behind them, measured on pictures (n, 3, H, W) 0..255."""
        file = weights / WEIGHTS
        if not file.is_file():
            raise UsageError(
                f"{WEIGHTS} is not in {weights.name!r}: point --weights at the folder that holds it"
            )
        with np.load(file) as arrays:
            names = sorted({n[:-2] for n in arrays.files})
            convs = [m for m in self.modules() if isinstance(m, Conv)]
            folded = [
                (arrays[f"{n}_w"].astype(np.float32), arrays[f"{n}_b"].astype(np.float32)) for n in names
            ]
        hooks = []
        for module, (weight, bias) in zip(convs, folded, strict=False):
            depthwise = module.conv.groups > 1
            w = weight.transpose(3, 0, 1, 2) if depthwise else weight.transpose(0, 3, 1, 2)
            module.conv.weight.data.copy_(torch.from_numpy(np.ascontiguousarray(w)))
            hooks.append(
                module.conv.register_forward_hook(measured_norm(module.norm, torch.from_numpy(bias)))
            )
        self.eval()
        with torch.no_grad():
            self(pictures)
        for h in hooks:
            h.remove()
        self.train()


def measured_norm(norm: nn.BatchNorm2d, bias: Tensor):  # type: ignore[no-untyped-def]
    def hook(_: nn.Module, __: object, y: Tensor) -> None:
        mean, var = y.mean((0, 2, 3)), y.var((0, 2, 3)).clamp(min=1e-4)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(var)
        norm.weight.copy_((var + norm.eps).sqrt())
        norm.bias.copy_(mean + bias)

    return hook
