"""The synthesis network: reads windows of the picture at its native resolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from haechi_lab.networks.backbone import CHANNELS, Conv, EdgeTrunk
from haechi_lab.networks.streams import LargeStream, ResidualStream, carry_over

STREAMS = ("fine", "residual")
"""Those of use: a window of 160 px shows no whole face for the large kernels to see."""


class SynthesisNet(nn.Module):
    """x f32 (n, 3, 160, 160) RGB 0..255, never resampled -> logit f32 (n,).

    Mean and deviation of the features over the window, at two strides: texture statistics, no layout; beside
    them noise residuals.
    """

    def __init__(self, streams: tuple[str, ...] = STREAMS, drop: float = 0.2) -> None:
        super().__init__()
        self.trunk: EdgeTrunk | None = None
        features = 0
        if "fine" in streams:
            self.trunk = EdgeTrunk()
            self.fine = Conv(CHANNELS[16], 128, 1)
            self.coarse = Conv(CHANNELS[32], 256, 1)
            features += 2 * 128 + 256
        self.beside = nn.ModuleDict()
        for name, stream in (("large", LargeStream), ("residual", ResidualStream)):
            if name in streams:
                self.beside[name] = stream()
                features += stream.FEATURES
        self.drop = nn.Dropout(drop)
        self.out = nn.Linear(features, 1)

    def forward(self, x: Tensor) -> Tensor:
        vectors = []
        if self.trunk is not None:
            _, c16, c32 = self.trunk(x)
            fine = self.fine(c16)
            mean = fine.mean((2, 3))
            spread = ((fine - mean[:, :, None, None]) ** 2).mean((2, 3)).add(1e-4).sqrt()
            vectors += [mean, spread, self.coarse(c32).mean((2, 3))]
        vectors += [stream(x)[1] for stream in self.beside.values()]
        out: Tensor = self.out(self.drop(torch.cat(vectors, 1)))[:, 0]
        return out

    def take_over(self, state: dict[str, Tensor]) -> list[str]:
        """Start from the weights of an earlier network of fewer streams; what is new adds nothing at first.
        Returns the names that were not in ``state``."""
        then = slice(0, state["out.weight"].shape[1])
        return carry_over(self, self.out, state, [(then, then)])
