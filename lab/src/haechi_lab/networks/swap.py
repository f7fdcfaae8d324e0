"""The face network: streams that look in different ways, joined late into one logit and one map."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from haechi_lab.networks import backbone
from haechi_lab.networks.backbone import Conv, EdgeTrunk
from haechi_lab.networks.streams import LargeStream, ResidualStream, carry_over

STREAMS = ("fine", "large", "residual")
PARTS = ("trunk.", "beside.large.", "beside.residual.")
"""What the weights of each stream are called by."""
WIDTH = 64
FROZEN = ("nothing", "stem", "trunk")


def streams_in(weights: Iterable[str]) -> tuple[str, ...]:
    """The streams of a face network, from what its weights are called."""
    names = list(weights)
    return tuple(s for s, part in zip(STREAMS, PARTS, strict=True) if any(n.startswith(part) for n in names))


class SwapNet(nn.Module):
    """x f32 (n, 3, S, S) RGB 0..255 -> logit f32 (n,), map logits f32 (n, S / 8, S / 8), features f32 (n, F);
    S is 208 in use, 192 in training.

    The map is not a by-product: its features, pooled where it is bright, are part of what the verdict is made
    from, so that what is shown to the user is what was decided on. ``streams`` names those that are built;
    ``frozen`` the part of the fine stream that stays as it came.
    """

    def __init__(
        self,
        streams: tuple[str, ...] = STREAMS,
        frozen: str = "nothing",
        drop: float = 0.2,
    ) -> None:
        super().__init__()
        self.frozen, self.streams, width = frozen, streams, WIDTH
        channels = backbone.CHANNELS
        deepest, features = list(channels.values())[-1], 2 * width
        self.trunk: EdgeTrunk | None = None
        if "fine" in streams:
            self.trunk = EdgeTrunk()
            self.lateral = nn.ModuleList(nn.Conv2d(c, width, 1) for c in channels.values())
            self.wide = Conv(deepest, 512, 1)
            features += 512
        self.beside = nn.ModuleDict()
        self.reduce = nn.ModuleDict()
        for name, stream in (("large", LargeStream), ("residual", ResidualStream)):
            if name in streams:
                self.beside[name] = stream()
                self.reduce[name] = nn.Conv2d(stream.CHANNELS, width, 1)
                features += stream.FEATURES
        self.merge = Conv(width, width, 3)
        self.map = nn.Conv2d(width, 1, 1)
        self.drop = nn.Dropout(drop)
        self.out = nn.Linear(features, 1)
        if self.trunk is not None and frozen != "nothing":
            part = self.trunk.stem if frozen == "stem" else self.trunk
            part.requires_grad_(False)

    def train(self, mode: bool = True) -> SwapNet:
        super().train(mode)
        if self.trunk is not None and self.frozen != "nothing":
            (self.trunk.stem if self.frozen == "stem" else self.trunk).eval()
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        parts, vectors = [], []
        if self.trunk is not None:
            maps = self.trunk(x)
            size = maps[0].shape[-2:]
            parts.append(self.lateral[0](maps[0]))
            for lateral, c in zip(self.lateral[1:], maps[1:], strict=True):  # type: ignore[arg-type]
                parts.append(F.interpolate(lateral(c), size=size, mode="bilinear", align_corners=False))
            vectors.append(self.wide(maps[-1]).mean((2, 3)))
        beside = []
        for name, stream in self.beside.items():
            c8, vector = stream(x)
            parts.append(self.reduce[name](c8))
            beside.append(vector)
        p = self.merge(torch.stack(parts).sum(0) if len(parts) > 1 else parts[0])
        where = self.map(p)
        attention = torch.sigmoid(where) + 1e-3
        bright = (p * attention).sum((2, 3)) / attention.sum((2, 3))
        features = torch.cat([*vectors, bright, p.mean((2, 3)), *beside], 1)
        return self.out(self.drop(features))[:, 0], where[:, 0], features

    @torch.no_grad()
    def take_over(self, state: dict[str, Tensor]) -> list[str]:
        """Start from the weights of an earlier network of more or fewer streams; what is new adds next to
        nothing at first. Returns the names that were not in ``state``."""
        had = streams_in(state)
        then, now = _columns(had), _columns(self.streams)
        new = carry_over(self, self.out, state, [(now[n], then[n]) for n in now if n in then])
        for name, reduce in self.reduce.items():
            if f"reduce.{name}.weight" in new:
                assert isinstance(reduce, nn.Conv2d)
                reduce.weight.mul_(0.1)
        return new


def _columns(streams: Sequence[str]) -> dict[str, slice]:
    """Where each part of the features lies: of the fine stream, of the map, of the streams beside."""
    sizes = {
        "fine": 512, "map": 2 * WIDTH, "large": LargeStream.FEATURES, "residual": ResidualStream.FEATURES,
    }  # fmt: skip
    out, at = {}, 0
    for name, size in sizes.items():
        if name == "map" or name in streams:
            out[name] = slice(at, at + size)
            at += size
    return out
