"""The bottleneck autoencoder of the classic deepfake, with ONE decoder for everybody: it can give back the
person it was shown, softly, and cannot turn one person into another.

The deepfakes of 2018 shared an encoder between two persons and gave each a decoder of their own; what they
left in a picture is the bottleneck's loss of detail and the lattice of the up-sampler. Both are here. How the
decoder doubles its grid is chosen at each call, so that no one lattice is learned: pixel shuffle (Shi et al.
2016), nearest neighbour and convolution, or a transposed convolution (Odena et al. 2016).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

UPS = ("shuffle", "nearest", "transposed")
SIDES = (64, 96, 128, 160)
"""Working sizes in pixels; any multiple of 16 will do."""
PATCH = 16
"""Pixels a side that one place of the code stands for."""
SLOPE = 0.1


class Up(nn.Module):
    """Twice the grid, in one of three ways, each with weights of its own."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.shuffle = nn.Conv2d(cin, 4 * cout, 3, 1, 1)
        self.nearest = nn.Conv2d(cin, cout, 3, 1, 1)
        self.transposed = nn.ConvTranspose2d(cin, cout, 4, 2, 1)

    def forward(self, x: Tensor, up: str) -> Tensor:
        if up == "shuffle":
            y = F.pixel_shuffle(self.shuffle(x), 2)
        elif up == "nearest":
            y = self.nearest(F.interpolate(x, scale_factor=2.0))
        elif up == "transposed":
            y = self.transposed(x)
        else:
            raise ValueError(f"no up-sampler {up!r}: {', '.join(UPS)}")
        return F.leaky_relu(y, SLOPE)


class Residual(nn.Module):
    """x plus what a convolution makes of it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + F.leaky_relu(self.conv(x), SLOPE)


class AutoEncoder(nn.Module):
    """Faces f32 (n, 3, S, S) in [0, 1] -> the same faces redrawn, f32 of the same shape, not yet clipped.

    S is a multiple of 16. The code is (n, ``bottleneck``, S / 16, S / 16), a twelfth of the numbers that went
    in (at 64 px 1024, as in the deepfakes of 2018). Beside the convolutions runs a straight line, patch to
    code to patch, which :meth:`begin` sets to the principal components of real faces: without it the first
    ten minutes of a processor go by before a face appears."""

    def __init__(self, bottleneck: int = 64, widths: tuple[int, int, int, int] = (24, 48, 96, 160)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.project = nn.Conv2d(3, bottleneck, PATCH, PATCH)
        self.encoder = nn.Sequential(
            nn.Conv2d(3, a, 5, 2, 2), nn.LeakyReLU(SLOPE), nn.Conv2d(a, b, 5, 2, 2), nn.LeakyReLU(SLOPE),
            nn.Conv2d(b, c, 5, 2, 2), nn.LeakyReLU(SLOPE), nn.Conv2d(c, d, 5, 2, 2), nn.LeakyReLU(SLOPE),
            nn.Conv2d(d, bottleneck, 1),
        )  # fmt: skip
        self.open = nn.Conv2d(bottleneck, d, 3, 1, 1)
        steps = ((d, c), (c, b), (b, b // 3 * 2), (b // 3 * 2, a // 3 * 2))
        self.ups = nn.ModuleList(Up(i, o) for i, o in steps)
        self.bodies = nn.ModuleList(
            [*(Residual(o) for _, o in steps[:-1]), nn.Identity()]  # at full size a convolution is dear
        )
        self.draw = nn.Conv2d(steps[-1][1], 3, 3, 1, 1)
        self.expand = nn.ConvTranspose2d(bottleneck, 3, PATCH, PATCH)
        for m in self.modules():
            if isinstance(m, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(m.weight, SLOPE, nonlinearity="leaky_relu")
                if m.bias is not None:
                    nn.init.zeros_(m.bias)
            if isinstance(m, Up):
                m.transposed.weight.data *= 2  # only a quarter of its taps meet in a pixel
            if isinstance(m, Residual):
                m.conv.weight.data *= 0.3
        with torch.no_grad():  # next to the straight line the convolutions begin quietly
            for parameter in self.encoder[-1].parameters():
                parameter.mul_(0.1)
            self.draw.weight.mul_(0.02)

    @torch.no_grad()
    def begin(self, faces: Tensor) -> None:
        """Set the straight line to the principal components of the patches of faces f32 (n, 3, S, S), each of
        unit variance in the code. Raises ValueError when there are too few patches."""
        flat = F.unfold(faces * 2 - 1, PATCH, stride=PATCH).transpose(1, 2).reshape(-1, 3 * PATCH * PATCH)
        count = self.project.out_channels
        if len(flat) <= count:
            raise ValueError(f"{len(flat)} patches give no {count} components")
        mean = flat.mean(0)
        values, axes = torch.linalg.eigh((flat - mean).T @ (flat - mean) / len(flat))
        deviation = values[-count:].clamp(min=1e-6).sqrt()
        axes = axes[:, -count:].T
        shape = self.project.weight.shape
        self.project.weight.copy_((axes / deviation[:, None]).reshape(shape))
        self.project.bias = nn.Parameter(-(axes / deviation[:, None]) @ mean)
        self.expand.weight.copy_((axes * deviation[:, None]).reshape(shape) / 2)
        self.expand.bias = nn.Parameter(((mean + 1) / 2).reshape(3, -1).mean(1))

    def encode(self, faces: Tensor) -> Tensor:
        x = faces * 2 - 1
        return self.project(x) + self.encoder(x)

    def decode(self, code: Tensor, up: str) -> Tensor:
        x = F.leaky_relu(self.open(code), SLOPE)
        for widen, body in zip(self.ups, self.bodies, strict=True):
            x = body(widen(x, up))
        return self.draw(x) + self.expand(code)

    def forward(self, faces: Tensor, up: str = "shuffle") -> Tensor:
        return self.decode(self.encode(faces), up)


def ssim(a: Tensor, b: Tensor, size: int = 7) -> Tensor:
    """Mean structural similarity of pictures (n, c, H, W) in [0, 1], in square windows (Wang et al. 2004)."""

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, size, 1)

    ma, mb = mean(a), mean(b)
    va, vb, both = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    c1, c2 = 0.01**2, 0.03**2
    return (((2 * ma * mb + c1) * (2 * both + c2)) / ((ma * ma + mb * mb + c1) * (va + vb + c2))).mean()


def gradient_gap(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference of the steps between neighbouring pixels: edges that were lost."""
    d = a - b
    return (d[..., 1:] - d[..., :-1]).abs().mean() + (d[..., 1:, :] - d[..., :-1, :]).abs().mean()


def likeness(output: Tensor, faces: Tensor) -> tuple[Tensor, dict[str, float]]:
    """What the redrawn faces lack, as one number to lessen, and its parts by name."""
    l1, same, edges = (output - faces).abs().mean(), ssim(output, faces), gradient_gap(output, faces)
    parts = {"l1": l1.item(), "ssim": same.item(), "gradient": edges.item()}
    return l1 + 0.15 * (1 - same) + 0.5 * edges, parts
