"""``haechi train blend``: between a network and the one that it was trained on from, or several that were
trained on from the same one.

Training on new forgeries forgets a little of the old ones; the mean of the weights before and after keeps
most of both, at the price of one network (Wortsman et al. 2022, WiSE-FT). Two runs from one start, on other
batches, err in other places, and their mean errs less than either (Wortsman et al. 2022, Model soups). Both
work because all began in one valley of the loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from haechi.errors import UsageError
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


def blend_exports(shares: Mapping[Path, float], out: Path) -> None:
    """Write the mean of exports, by their shares. Batch norms are folded into the weights there, which does
    no harm while the networks are near each other. Raises UsageError when they are not of one form."""
    files = list(shares)
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise UsageError("the shares of the networks do not add up to 1")
    networks = [onnx.load(str(file)) for file in files]
    arrays = [{t.name: numpy_helper.to_array(t) for t in n.graph.initializer} for n in networks]
    for file, other in zip(files[1:], arrays[1:], strict=True):
        if {k: v.shape for k, v in other.items()} != {k: v.shape for k, v in arrays[0].items()}:
            raise UsageError(f"{file.name} is of another form than {files[0].name}")
    for tensor in networks[0].graph.initializer:
        first = arrays[0][tensor.name]
        if first.ndim and first.dtype.kind == "f":
            parts = zip(arrays, shares.values(), strict=True)
            mean = np.asarray(sum(share * part[tensor.name].astype(np.float32) for part, share in parts))
            for part in arrays:
                still = _still(part, tensor.name)
                mean[still] = part[tensor.name][still]
            tensor.CopyFrom(numpy_helper.from_array(mean.astype(first.dtype), tensor.name))
    out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(networks[0], str(out))


def _still(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """bool (channels,): those that one of the networks made constant (``export.onnx``) stay so in the mean,
    weight and bias: half of a channel that hardly ever moves would move."""
    plain = name.removesuffix("_half")
    weights = arrays.get(f"{plain.removesuffix('.bias')}.weight_half" if plain.endswith(".bias") else name)
    if weights is None or weights.ndim != 4:
        return np.zeros(len(arrays[name]), bool)
    return np.asarray(~weights.reshape(len(weights), -1).any(1))
