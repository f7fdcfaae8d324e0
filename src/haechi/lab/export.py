"""From a trained network to ONNX and its card, with a parity check."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from haechi import models
from haechi.errors import ModelError
from haechi.lab.loop import code_hash

PARITY = 1e-3
"""Largest difference of any output between the network and its export, on random pictures."""


def export(
    model: nn.Module, name: str, folder: Path, side_px: int, outputs: list[str], free_size: bool = False
) -> float:
    """Write ``folder/name.onnx`` and return the largest difference between torch and onnxruntime.

    Raises ModelError, and leaves nothing behind, when it is not below PARITY."""
    folder.mkdir(parents=True, exist_ok=True)
    model = model.cpu().float().eval()
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
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    got = session.run(None, {"pictures": x.numpy()})
    with torch.inference_mode():
        want = model(x)
    wanted = [want] if isinstance(want, torch.Tensor) else list(want)
    worst = max(float(np.abs(g - w.numpy()).max()) for g, w in zip(got, wanted, strict=True))
    if not worst < PARITY:
        file.unlink()
        raise ModelError(
            f"The export of {name} differs from the network by {worst:.2g}, more than {PARITY}: "
            "do not ship it"
        )
    return worst


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
