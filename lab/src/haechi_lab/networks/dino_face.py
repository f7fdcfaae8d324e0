"""The second face network: DINOv2-S/14, its lower half as it came, its upper half tuned by low rank.

What it knows of the world was learned from 142 million pictures; a small network tuned on forgeries alone
errs elsewhere, so the two are joined (``haechi train left-out`` measures how). It begins as the network for
generated faces that ships, whose head was fitted on the frozen trunk, so that tuning adds to what is known.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from haechi_lab.networks.dino import PATCH_PX, WIDTH, Dino, LowRank
from haechi_lab.networks.dino_head import TAPS, Head, pooled

RANK, FIRST_TUNED = 8, 7
"""Of the low-rank change, and the first block that has one."""
BRIGHTEST = 16
"""Cells of the map whose mean goes into the logit (multiple-instance pooling)."""


class DinoFace(nn.Module):
    """x f32 (n, 3, S, S) RGB 0..255, S a multiple of 14 -> logit f32 (n,), map logits
    f32 (n, S / 14, S / 14), features f32 (n, d) of ``pooled``; S is 196."""

    def __init__(self, trunk: Dino, head: Head) -> None:
        super().__init__()
        self.trunk, self.head = trunk, head
        trunk.tune(RANK, FIRST_TUNED)
        head.requires_grad_(True)
        self.cell_norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in TAPS)
        self.cells = nn.Linear(WIDTH * len(TAPS), 1)
        self.share = nn.Parameter(torch.tensor(0.5))
        # At first the map says nothing, and the logit is the head's.
        nn.init.zeros_(self.cells.weight)
        nn.init.zeros_(self.cells.bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        side = x.shape[-1] // PATCH_PX
        tokens = self.trunk.taps(x, TAPS)
        features = pooled(tokens)
        cells = [norm(t[:, 1:]) for t, norm in zip(tokens, self.cell_norms, strict=True)]
        where = self.cells(torch.cat(cells, 2))[..., 0]
        brightest = where.topk(BRIGHTEST, 1).values.mean(1)
        logit = self.head(features) + self.share * brightest
        return logit, where.view(-1, side, side), features

    def tuned(self) -> dict[str, Tensor]:
        """What training changes or began from, a few MB: the rest is that of the file of the trunk."""
        learned = {name: p.detach() for name, p in self.named_parameters() if p.requires_grad}
        return learned | {f"head.{name}": b for name, b in self.head.named_buffers()}

    def plain(self) -> DinoFace:
        """A copy of the same function without low-rank parts, for the export."""
        out = copy.deepcopy(self)
        for module in list(out.modules()):
            for name, part in list(module.named_children()):
                if isinstance(part, LowRank):
                    setattr(module, name, part.merged())
        return out.eval()


def rate_share(name: str) -> float:
    """A parameter's share of the rate of learning: the head knows much already."""
    return 0.3 if name.startswith("head") else 1.0
