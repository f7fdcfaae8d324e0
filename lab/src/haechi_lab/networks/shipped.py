"""A network that ships, made ready to be trained further.

Its export has every batch norm folded into the convolution before it. Trained on like that it would collapse,
so each convolution gets a norm again whose scale and shift are the deviation and mean measured on real
pictures: the function is unchanged, the gradients are not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from haechi.errors import UsageError
from haechi_lab.networks.backbone import Conv, measured_norm
from haechi_lab.networks.swap import SwapNet, streams_in


def face_network(file: Path, pictures: Tensor, frozen: str = "nothing") -> SwapNet:
    """The face network of an ONNX file, norms measured on pictures f32 (n, 3, S, S) 0..255; ``frozen``
    as for ``SwapNet``. Raises UsageError
    when the file holds another network."""
    weights = _weights(file)
    model = SwapNet(streams=streams_in(weights), frozen=frozen)
    if set(model.beside):
        raise UsageError(
            f"{file.name} has streams beside the fine one: only that alone can go on from its export"
        )
    hooks = []
    for name, module in model.named_modules():
        if isinstance(module, Conv):
            hooks.append(
                module.conv.register_forward_hook(measured_norm(module.norm, weights[f"{name}.conv.bias"]))
            )
    own = model.state_dict()
    with torch.no_grad():
        for name, value in own.items():
            if name in weights:
                value.copy_(weights[name])
            elif ".norm." not in name:
                raise UsageError(f"{file.name} holds no {name}: it is not the face network that is expected")
    model.eval()
    with torch.no_grad():
        model(pictures)
    for hook in hooks:
        hook.remove()
    return model.train()


def _weights(file: Path) -> dict[str, Tensor]:
    """Every stored array by its name in the network."""
    if not file.is_file():
        raise UsageError(f"{file.name} is missing: name the folder of the models that ship")
    tensors = onnx.load(str(file)).graph.initializer
    return {
        t.name.removesuffix("_half"): torch.from_numpy(np.array(numpy_helper.to_array(t), np.float32))
        for t in tensors
        if t.dims
    }
