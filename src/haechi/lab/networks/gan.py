"""A small generative adversarial network (Goodfellow et al. 2014) that makes faces of nobody from noise, and
the discriminator that the adversarial autoencoder meets as well.

A GAN from nothing needs days of a graphics card. This one begins where the autoencoder ended: noise becomes a
code through the principal components of the codes of real faces, the autoencoder's decoder draws it, and the
game between the two players has only to mend what a straight line through faces gets wrong. The faces belong
to no one: noise is drawn anew, and no person's code is kept.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from haechi.lab.networks.autoencoder import PATCH, SLOPE, AutoEncoder, Residual


def _silence(layer: nn.Module) -> None:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


class Excite(nn.Module):
    """Skip-layer excitation (Liu et al. 2021, FastGAN): the code says how loud each channel of a late, large
    layer is. Begins at 1 everywhere."""

    def __init__(self, cin: int, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(cin, channels)
        self.gate = nn.Linear(channels, channels)
        _silence(self.gate)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        gate = 2 * torch.sigmoid(self.gate(F.leaky_relu(self.squeeze(style), SLOPE)))
        return x * gate[:, :, None, None]


class Generator(nn.Module):
    """Noise f32 (n, ``noise``), standard normal -> faces f32 (n, 3, side, side), about [0, 1], unclipped."""

    def __init__(
        self, noise: int = 192, side: int = 96, bottleneck: int = 64, up: str = "shuffle", hidden: int = 256
    ) -> None:
        super().__init__()
        self.shape, self.up = (bottleneck, side // PATCH, side // PATCH), up
        size = bottleneck * (side // PATCH) ** 2
        self.code = nn.Linear(noise, size)
        self.bend = nn.Sequential(
            nn.Linear(noise, hidden), nn.LeakyReLU(SLOPE), nn.Linear(hidden, hidden), nn.LeakyReLU(SLOPE),
            nn.Linear(hidden, size),
        )  # fmt: skip
        _silence(self.bend[-1])
        self.decoder = AutoEncoder(bottleneck)
        del self.decoder.encoder, self.decoder.project
        widths = [body.conv.out_channels for body in self.decoder.bodies if isinstance(body, Residual)]
        self.excite = nn.ModuleList(Excite(noise, width) for width in widths)

    @torch.no_grad()
    def begin(self, autoencoder: AutoEncoder, codes: Tensor) -> None:
        """Take over the decoder, and the principal components of codes (n, bottleneck, S / 16, S / 16).

        Raises ValueError when there are fewer codes than dimensions of noise."""
        noise = self.code.in_features
        if len(codes) <= noise:
            raise ValueError(f"{len(codes)} codes give no {noise} components")
        flat = codes.reshape(len(codes), -1).float()
        mean = flat.mean(0)
        _, spread, axes = torch.svd_lowrank(flat - mean, q=noise, niter=4)
        self.code.weight.copy_(axes * (spread / len(codes) ** 0.5))
        self.code.bias.copy_(mean)
        own = self.decoder.state_dict()
        own.update({k: v for k, v in autoencoder.state_dict().items() if k in own})
        self.decoder.load_state_dict(own)

    def forward(self, noise: Tensor) -> Tensor:
        code = (self.code(noise) + self.bend(noise)).reshape(-1, *self.shape)
        x = F.leaky_relu(self.decoder.open(code), SLOPE)
        for k, (widen, body) in enumerate(zip(self.decoder.ups, self.decoder.bodies, strict=True)):
            x = body(widen(x, self.up))
            if k < len(self.excite):
                x = self.excite[k](x, noise)
        return self.decoder.draw(x) + self.decoder.expand(code)


class Discriminator(nn.Module):
    """Pictures f32 (n, 3, H, W) in [0, 1] -> one logit a patch, f32 (n, h, w), above 0 for genuine.

    Spectral norms keep it from running away (Miyato et al. 2018). With ``peers`` it also sees how much the
    pictures of a batch differ: a generator with one face for all noise is found out (Karras et al. 2018)."""

    def __init__(self, widths: tuple[int, ...] = (24, 48, 96, 160), peers: bool = False) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for cin, cout in zip((3, *widths), widths, strict=False):
            stages += [spectral_norm(nn.Conv2d(cin, cout, 4, 2, 1)), nn.LeakyReLU(0.2)]
            if cin > 3 and cout < 128:
                stages += [spectral_norm(nn.Conv2d(cout, cout, 3, 1, 1)), nn.LeakyReLU(0.2)]
        self.body, self.peers = nn.Sequential(*stages), peers
        last = widths[-1]
        self.head = nn.Sequential(
            spectral_norm(nn.Conv2d(last + int(peers), last, 3, 1, 1)), nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(last, 1, 3, 1, 1)),
        )  # fmt: skip

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.body(pictures * 2 - 1)
        if self.peers:
            differ = x.var(0, unbiased=False).add(1e-6).sqrt().mean().expand(len(x), 1, *x.shape[2:])
            x = torch.cat([x, differ], 1)
        return self.head(x)[:, 0]


def told_apart(genuine: Tensor, drawn: Tensor) -> Tensor:
    """Hinge loss of the discriminator from its logits for both (Lim & Ye 2017)."""
    return F.relu(1 - genuine).mean() + F.relu(1 + drawn).mean()


def altered(pictures: Tensor) -> Tensor:
    """Random light, colour, place and a hole, through which gradients pass. Genuine and drawn pictures
    undergo it alike, lest the discriminator learn the few genuine ones by heart (Zhao et al. 2020)."""
    n, _, height, width = pictures.shape
    device = pictures.device

    def drawn(low: float, high: float) -> Tensor:
        return torch.rand(n, 1, 1, 1, device=device) * (high - low) + low

    x = pictures + drawn(-0.2, 0.2)
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * drawn(0.5, 1.5)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * drawn(0.7, 1.3)
    reach = height // 12
    padded = F.pad(x, (reach,) * 4)
    moves = torch.randint(0, 2 * reach + 1, (n, 2)).tolist()
    moved = torch.stack(
        [p[:, dy : dy + height, dx : dx + width] for p, (dy, dx) in zip(padded, moves, strict=True)]
    )
    hole = torch.ones(n, 1, height, width, device=device)
    for mask, (top, left) in zip(hole, torch.randint(0, height, (n, 2)).tolist(), strict=True):
        mask[:, top : top + height // 3, left : left + width // 3] = 0
    return moved * hole
