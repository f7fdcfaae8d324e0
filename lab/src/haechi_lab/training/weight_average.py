"""``haechi train blend``: between a network and the one that it was trained on from, or several that were
trained on from the same one.

Training on new forgeries forgets a little of the old ones; the mean of the weights before and after keeps
most of both, at the price of one network (Wortsman et al. 2022, WiSE-FT). Two runs from one start, on other
batches, err in other places, and their mean errs less than either (Wortsman et al. 2022, Model soups). Both
work because all began in one valley of the loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from haechi_lab.networks.swap import SwapNet, streams_in


def blended(before: dict[str, Tensor], after: dict[str, Tensor], share: float = 0.5) -> dict[str, Tensor]:
    """``share`` of the weights ``after``, the rest of those ``before``. What the earlier network had not (its
    streams, their part of the last layer) keeps its own weights, and speaks with ``share`` of its voice."""
    out = {}
    for name, late in after.items():
        early = before.get(name)
        if name == "out.weight":
            early = torch.zeros_like(late)
            early[:, : before[name].shape[1]] = before[name]
        elif name.startswith("reduce.") and early is None:
            early = torch.zeros_like(late)
        if early is None or not late.dtype.is_floating_point:
            out[name] = late.clone()
        else:
            out[name] = share * late + (1 - share) * early
    return out


def blend(before: Path, after: Sequence[Path], share: float = 0.5) -> SwapNet:
    """The face network of which ``share`` is the mean of the checkpoints ``after``, the rest ``before``."""
    early, *later = (
        torch.load(p, map_location="cpu", weights_only=True)["average"] for p in (before, *after)
    )
    late = later[0]
    for n, other in enumerate(later[1:], 1):
        late = blended(late, other, 1 / (n + 1))
    model = SwapNet(streams=streams_in(late))
    model.load_state_dict(blended(early, late, share))
    return model
