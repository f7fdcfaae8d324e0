"""A small head on the frozen DINOv2-S/14: what it sees of a face at five depths -> one logit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from haechi.types import F32, F64
from haechi_lab.networks.dino import PATCH_PX, WIDTH, Dino

TAPS = (4, 6, 8, 10, 12)
"""Blocks after which the tokens are looked at: traces of up-sampling lie low, faces high."""
SIDE_PX = 14 * PATCH_PX
"""196: of a crop of 224 the middle, less a patch on every side."""
FEATURES = 3 * WIDTH * len(TAPS)
HIDDEN, DROP = 128, 0.3


def pooled(taps: Sequence[Tensor]) -> Tensor:
    """Tokens (n, 1 + patches, WIDTH) of each tap -> (n, FEATURES): the class token, and the mean and the
    deviation of the patches, of one tap after the other."""
    parts: list[Tensor] = []
    for tokens in taps:
        patches = tokens[:, 1:].float()
        mean = patches.mean(1)
        variance = ((patches - mean[:, None]) ** 2).sum(1) / (patches.shape[1] - 1)
        parts += [tokens[:, 0].float(), mean, variance.sqrt()]
    return torch.cat(parts, 1)


class Head(nn.Module):
    """Features (n, d), standardised by ``mean`` and ``spread`` (d,) -> logit (n,), of one hidden layer."""

    mean: Tensor
    spread: Tensor

    def __init__(self, mean: Tensor, spread: Tensor, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)
        self.layers = nn.Sequential(
            nn.Dropout(DROP), nn.Linear(len(mean), hidden), nn.GELU(), nn.Dropout(DROP), nn.Linear(hidden, 1)
        )

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.layers((features - self.mean) / self.spread)[:, 0]
        return out

    @torch.inference_mode()
    def logits(self, features: F32) -> F64:
        """f64 (n,) of f32 (n, d), without dropout."""
        self.eval()
        return np.asarray(self(torch.from_numpy(features)).numpy(), np.float64)

    @staticmethod
    @torch.no_grad()
    def mean_of(heads: Sequence[Head]) -> Head:
        """The head whose logit is the mean of theirs; all standardise alike."""
        first, parts = heads[0], [[m for m in h.layers if isinstance(m, nn.Linear)] for h in heads]
        out = Head(first.mean, first.spread, HIDDEN * len(heads))
        wide, last = (m for m in out.layers if isinstance(m, nn.Linear))
        wide.weight.copy_(torch.cat([p[0].weight for p in parts]))
        wide.bias.copy_(torch.cat([p[0].bias for p in parts]))
        last.weight.copy_(torch.cat([p[1].weight for p in parts], 1) / len(heads))
        last.bias.copy_(torch.stack([p[1].bias for p in parts]).mean(0))
        return out.eval()


class GeneratedFace(nn.Module):
    """x f32 (n, 3, SIDE_PX, SIDE_PX) RGB 0..255 -> logit f32 (n,)."""

    def __init__(self, trunk: Dino, head: Head) -> None:
        super().__init__()
        self.trunk, self.head = trunk, head

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(pooled(self.trunk.taps(x, TAPS)))
        return out
