"""From a trained network to ONNX and its card, with a parity check.

Weights are shipped in half precision, which halves the download, and computed with in single: the network is
folded and rounded first, so that what is compared with the export, and calibrated, is what ships.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from haechi import models
from haechi.errors import ModelError
from haechi_lab.networks.streams import LargeKernel
from haechi_lab.training.loop import code_hash

STILL, LARGEST_WEIGHT = 1e-9, 3000.0
"""A channel of less variance than that says nothing; one that folding makes larger than that hardly anything,
and half precision could not hold it."""
LARGE_MATRIX = 10_000
"""Numbers of a matrix that is worth a byte each."""
PARITY = 1e-3
"""Largest difference of any output between the network and its export, on random pictures."""


def export(
    model: nn.Module, name: str, folder: Path, side_px: int, outputs: list[str], free_size: bool = False
) -> float:
    """Write ``folder/name.onnx`` and return the largest difference between torch and onnxruntime.

    Raises ModelError, and leaves nothing behind, when it is not below PARITY."""
    folder.mkdir(parents=True, exist_ok=True)
    model = rounded(model)
    x = torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (4, 3, side_px, side_px)).astype(np.float32)
    )
    x = torch.nn.functional.avg_pool2d(x, 5, 1, 2)
    file = folder / f"{name}.onnx"
    axes = {n: {0: "n"} for n in ["pictures", *outputs]}
    if free_size:
        axes["pictures"] |= {2: "height", 3: "width"}
        axes[outputs[0]] |= {1: "cells"}
    torch.onnx.export(
        model, (x,), str(file), dynamo=False, opset_version=17, input_names=["pictures"],
        output_names=outputs, dynamic_axes=axes,
    )  # fmt: skip
    store_halves(file)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    answers = session.run(None, {"pictures": x.numpy()})
    with torch.inference_mode():
        want = model(x)
    references = [want] if isinstance(want, torch.Tensor) else list(want)
    worst = max(float(np.abs(g - w.numpy()).max()) for g, w in zip(answers, references, strict=True))
    # A batch of another size too: tracing may have taken the one it saw for a constant.
    alone = session.run(None, {"pictures": x[:1].numpy()})
    worst = max(
        worst, *(float(np.abs(g[0] - w[0].numpy()).max()) for g, w in zip(alone, references, strict=True))
    )
    if not worst < PARITY:
        file.unlink()
        raise ModelError(
            f"The export of {name} differs from the network by {worst:.2g}, more than {PARITY}: "
            "do not ship it"
        )
    return worst


def rounded(model: nn.Module) -> nn.Module:
    """A copy for the processor with parallel kernels and batch norms folded into their convolutions and every
    weight rounded to what half precision can hold."""
    model = copy.deepcopy(model).cpu().float().eval()
    for module in model.modules():
        if isinstance(module, LargeKernel):
            module.fold()
    for parent in list(model.modules()):
        children = list(parent.named_children())
        for (name, conv), (next_name, norm) in pairwise(children):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(*_stilled(conv, norm)))
                setattr(parent, next_name, nn.Identity())
    for weight in model.parameters():
        if weight.ndim > 1:
            weight.data = weight.data.half().float()
    return model


@torch.no_grad()
def _stilled(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """Both, with channels that hardly ever move made constant: folding would divide by their deviation."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    largest = (conv.weight * scale[:, None, None, None]).abs().flatten(1).amax(1)
    still = (norm.running_var < STILL) | (largest > LARGEST_WEIGHT)
    conv.weight[still] = 0
    norm.running_mean[still] = 0 if conv.bias is None else conv.bias[still]
    return conv, norm


def store_halves(file: Path) -> None:
    """Store as half precision every weight of an ONNX file that loses nothing by it; a Cast node, which
    onnxruntime folds when it loads, widens it again."""
    graph = (network := onnx.load(str(file))).graph
    casts = []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        half = values.astype(np.float16) if values.dtype == np.float32 and values.ndim > 1 else None
        if half is None or not np.array_equal(half.astype(np.float32), values):
            continue
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(half, f"{tensor.name}_half"))
        casts.append(helper.make_node("Cast", [f"{tensor.name}_half"], [tensor.name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)
    onnx.save(network, str(file))


def store_bytes(file: Path) -> None:
    """Store the large matrices of an ONNX file that ``store_halves`` made in a byte a number and a scale a
    column, half of the size. They are widened when the file is loaded, and multiplied in single precision:
    products of bytes take half the time, but where one falls between two numbers a hair decides, and a
    vision transformer then said up to 0.4 nats more or less of the same picture on another processor."""
    graph = (network := onnx.load(str(file))).graph
    halves = {t.name: t for t in graph.initializer if t.name.endswith("_half")}
    used = {i: node for node in graph.node for i in node.input}
    for cast in [n for n in graph.node if n.op_type == "Cast" and n.input[0] in halves]:
        (name,), (half,) = cast.output, cast.input
        values = numpy_helper.to_array(halves[half]).astype(np.float32)
        product = used[name]
        if product.op_type not in ("MatMul", "Gemm") or values.size < LARGE_MATRIX:
            continue
        turned = any(a.name == "transB" and a.i for a in product.attribute)
        scale = np.abs(values).max(1 if turned else 0, keepdims=True) / 127 + 1e-12
        graph.initializer.remove(halves[half])
        graph.initializer.extend([
            numpy_helper.from_array(np.rint(values / scale).astype(np.int8), f"{name}_byte"),
            numpy_helper.from_array(scale.astype(np.float32), f"{name}_scale"),
        ])  # fmt: skip
        cast.input[0], cast.output[0] = f"{name}_byte", f"{name}_wide"
        where = list(graph.node).index(cast)
        graph.node.insert(where + 1, helper.make_node("Mul", [f"{name}_wide", f"{name}_scale"], [name]))
    onnx.save(network, str(file))


def write_card(raw: Mapping[str, object], folder: Path) -> Path:
    """Seal a card and write it beside its weights."""
    file = folder / f"{raw['name']}.json"
    file.write_text(json.dumps(models.seal(dict(raw), folder), indent=1, ensure_ascii=False) + "\n")
    return file


def training_facts(run: Path, seconds: float, data: list[str], terms: str) -> dict[str, object]:
    """The ``training`` block of a card, from the run's own ``config.json``."""
    config = json.loads((run / "config.json").read_text())
    return {
        "data": data, "terms": terms, "seconds": round(seconds), "device": config["device"], "config": config,
        "code_sha256": code_hash(), "data_sha256": config["data_sha256"],
        "finished": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip
