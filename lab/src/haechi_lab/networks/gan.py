"""A small generative adversarial network (Goodfellow et al. 2014) that makes faces of nobody from noise, and
the discriminator that the adversarial autoencoder meets as well.

A GAN from nothing needs days of a graphics card. This one begins where the autoencoder ended: noise becomes a
code through the principal components of the codes of real faces, the autoencoder's decoder draws it, and the
game between the two players has only to mend what a straight line through faces gets wrong. The faces belong
to no one: noise is drawn anew, and no person's code is kept.
"""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from haechi_lab.networks.autoencoder import PATCH, SLOPE, AutoEncoder, Residual
from haechi_lab.networks.backbone import EdgeTrunk


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

    def __init__(self, noise: int = 192, side: int = 96, bottleneck: int = 64, up: str = "shuffle") -> None:
        super().__init__()
        self.shape, self.up = (bottleneck, side // PATCH, side // PATCH), up
        size = bottleneck * (side // PATCH) ** 2
        self.code = nn.Linear(noise, size)
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
        # The straight line stays: free to move, it fooled the discriminator with the edges of its patches.
        self.code.requires_grad_(False)
        self.decoder.expand.requires_grad_(False)

    @torch.no_grad()
    def calmed(self, autoencoder: AutoEncoder, share: float) -> Generator:
        """A copy with its weights this share of the way from its start (the decoder of ``autoencoder``) to
        where it is (network interpolation, Wang et al. 2018, ESRGAN): marks that the game left in the same
        place of every face go first, what it mended goes last."""
        out = deepcopy(self)
        before = autoencoder.state_dict()
        for name, now in out.decoder.state_dict().items():
            now.copy_(before[name].lerp(now, share))
        for excite in out.excite:
            assert isinstance(excite, Excite)
            for parameter in excite.gate.parameters():  # began at 0
                parameter.mul_(share)
        return out

    def forward(self, noise: Tensor) -> Tensor:
        code = self.code(noise).reshape(-1, *self.shape)
        x = F.leaky_relu(self.decoder.open(code), SLOPE)
        for k, (widen, body) in enumerate(zip(self.decoder.ups, self.decoder.bodies, strict=True)):
            x = body(widen(x, self.up))
            if k < len(self.excite):
                x = self.excite[k](x, noise)
        return self.decoder.draw(x) + self.decoder.expand(code)


PLACES = 3
"""Logits a side that a scale is brought to."""


class Discriminator(nn.Module):
    """Pictures f32 (n, 3, H, W) in [0, 1] -> logits f32 (n, k), one a place and scale, above 0 for genuine.

    It looks through a trunk that knows photographs already and stays as it is, and learns only what to make
    of its features at strides 4 to 32 (projected GANs, Sauer et al. 2021). From nothing, held by spectral
    norms or by the slope of its logits, it could still not tell after 170 steps; a processor has no time for
    that. With ``peers`` it also sees how the pictures of a batch differ, so that a generator with one face
    for all noise is found out (Karras et al. 2018)."""

    def __init__(self, trunk: EdgeTrunk, pictures: Tensor, peers: bool = False, width: int = 48) -> None:
        super().__init__()
        # In a tuple the trunk is no part of this network: not trained, not moved by the optimiser, not saved.
        self.eyes, self.peers = (trunk.eval().requires_grad_(False),), peers
        with torch.inference_mode():
            levels = self._seen(pictures)
        for k, features in enumerate(levels):
            self.register_buffer(f"mean{k}", features.mean((0, 2, 3), keepdim=True).clone())
            self.register_buffer(f"scale{k}", features.std((0, 2, 3), keepdim=True).clone() + 1e-3)
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(f.shape[1] + int(peers), width, 1), nn.LeakyReLU(0.2),
                nn.Conv2d(width, width, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(width, 1, 1),
            )
            for f in levels
        )  # fmt: skip

    def _seen(self, pictures: Tensor) -> tuple[Tensor, ...]:
        (trunk,) = self.eyes
        c4 = trunk.stem(pictures * 2 - 1)
        c8 = trunk.s8(c4)
        c16 = trunk.s16(c8)
        return c4, c8, c16, trunk.s32(c16)

    def forward(self, pictures: Tensor) -> Tensor:
        logits = []
        for k, (features, head) in enumerate(zip(self._seen(pictures), self.heads, strict=True)):
            x = (features - getattr(self, f"mean{k}")) / getattr(self, f"scale{k}")
            if self.peers:
                differ = x.var(0, unbiased=False).add(1e-6).sqrt().mean().expand(len(x), 1, *x.shape[2:])
                x = torch.cat([x, differ], 1)
            logits.append(F.adaptive_avg_pool2d(head(x), PLACES).flatten(1))  # each scale has the same say
        return torch.cat(logits, 1)


def told_apart(genuine: Tensor, fake: Tensor) -> Tensor:
    """Logistic loss of the discriminator from its logits for both; 2 ln 2 = 1.39 when it cannot tell."""
    return F.softplus(-genuine).mean() + F.softplus(fake).mean()


def not_fooled(fake: Tensor) -> Tensor:
    """Loss of the generator, non-saturating (Goodfellow et al. 2014); ln 2 = 0.69 when neither is ahead."""
    return F.softplus(-fake).mean()


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
    views = torch.stack(
        [p[:, dy : dy + height, dx : dx + width] for p, (dy, dx) in zip(padded, moves, strict=True)]
    )
    hole = torch.ones(n, 1, height, width, device=device)
    for mask, (top, left) in zip(hole, torch.randint(0, height, (n, 2)).tolist(), strict=True):
        mask[:, top : top + height // 3, left : left + width // 3] = 0
    return views * hole
