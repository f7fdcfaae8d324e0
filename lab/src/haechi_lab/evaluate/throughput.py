"""``haechi train baselines``: faces a second of Haechi's networks and of larger ones, in turn in one process.

Every contestant is run in the way that is fastest for it on this machine: by PyTorch (channels last) or by
onnxruntime, its pictures at once or one by one. Then all are timed in turn, round after round, so that
whatever else the machine does meets everybody.
"""

from __future__ import annotations

import copy
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from haechi import models
from haechi.bench.result import write_json
from haechi.detectors.swap import SwapDetector
from haechi.errors import UsageError
from haechi.settings import Settings
from haechi.types import F32
from haechi_lab.evaluate.baselines import (
    ANCHOR_PX,
    B4_PX,
    AnchorHalf,
    ConvNeXtBase,
    EfficientNetB4,
    RepLKNet31B,
    views,
)
from haechi_lab.export.flops import gflops
from haechi_lab.inputs import CROP_PX, WINDOW_PX, fed
from haechi_lab.system.cost_table import SCHEMA

Run = Callable[[], object]
FACES = 8
"""Faces that a contestant may take at once; the anchor takes one, in six views."""
LEAST_S = 0.5
"""A shorter run is repeated until it has lasted this long."""
MIRRORED = 2


@dataclass(frozen=True, slots=True)
class Contestant:
    """``run`` judges ``faces`` faces. ``gflops`` a face, ``mb`` of weights. ``role``: anchor, anchor-bf16,
    b4, network, or fast: as the check asks it. ``tried``: seconds a face of each way of running it."""

    name: str
    role: str
    how: str
    run: Run = field(repr=False)
    faces: int
    gflops: float
    mb: float
    tried: Mapping[str, float]


def measure(out: Path, runs: int, tell: Callable[[str], None] = lambda _line: None) -> dict[str, Any]:
    """Time all contestants ``runs`` times, write ``out`` and return what it holds: rows of {name, role, how,
    faces_per_s {value: median, low, high: of all rounds}, gflops, mb, times_anchor, times_b4, tried}. Raises
    ModelError without sound models, UsageError when less than one round is asked for."""
    if runs < 1:
        raise UsageError("--runs: at least one is needed")
    cores = models.cores()
    before = torch.get_num_threads()
    torch.set_num_threads(cores)
    settings = replace(Settings.from_env(), threads=cores)
    try:
        with torch.inference_mode(), tempfile.TemporaryDirectory() as folder:
            contestants = [*own(settings, tell), *baselines(Path(folder), cores, tell)]
            times = race(contestants, runs, tell)
    finally:
        torch.set_num_threads(before)
    by_role = {c.role: t for c, t in zip(contestants, times, strict=True)}
    result = {
        "schema": SCHEMA,
        "command": f"haechi train baselines --runs {runs}",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": cores, "torch": torch.__version__, "onnxruntime": models.runtime().__version__},
        "runs": runs,
        "rows": [
            row(c, t, by_role["anchor"], by_role["b4"]) for c, t in zip(contestants, times, strict=True)
        ],
    }
    write_json(out, result)
    return result


def row(
    one: Contestant, times: Sequence[float], anchor: Sequence[float], b4: Sequence[float]
) -> dict[str, Any]:
    """Seconds a face of each round -> a row; ratios are medians of those of the same round."""

    def ratio(other: Sequence[float]) -> float:
        return _short(statistics.median(b / a for a, b in zip(times, other, strict=True)))

    pace = {"value": statistics.median(1 / t for t in times), "low": 1 / max(times), "high": 1 / min(times)}
    return {
        "name": one.name, "role": one.role, "how": one.how,
        "faces_per_s": {k: _short(v) for k, v in pace.items()},
        "gflops": _short(one.gflops), "mb": _short(one.mb),
        "times_anchor": ratio(anchor), "times_b4": ratio(b4),
        "tried_s": {k: _short(v) for k, v in one.tried.items()},
    }  # fmt: skip


def race(contestants: Sequence[Contestant], runs: int, tell: Callable[[str], None]) -> list[list[float]]:
    """Seconds a face, for each contestant one a round, all in turn."""
    times: list[list[float]] = [[] for _ in contestants]
    for k in range(runs):
        for one, own_times in zip(contestants, times, strict=True):
            often = max(1, ceil(LEAST_S / (one.tried[one.how] * one.faces)))
            begin = time.perf_counter()
            for _ in range(often):
                one.run()
            own_times.append((time.perf_counter() - begin) / (often * one.faces))
            tell(f"round {k + 1}: {one.name}: {1 / own_times[-1]:.3g} faces a second")
    return times


def own(settings: Settings, tell: Callable[[str], None]) -> Iterator[Contestant]:
    """Every face network in the folder of models, and the face detector as the check uses it."""
    crops = np.random.default_rng(0).integers(0, 256, (FACES, CROP_PX, CROP_PX, 3)).astype(np.uint8)
    x = fed(crops)
    work: dict[str, float] = {}
    for card in models.cards(settings):
        if card.weights is None or not {"logit", "map"} <= set(card.outputs):
            continue
        model = models.load(card.name, settings)
        work[card.name] = gflops(card.weights, 1, 3, WINDOW_PX, WINDOW_PX)
        ways = {"onnxruntime, " + k: _cut(model.run, x, n) for k, n in _sizes(FACES)}
        yield _chosen(f"{card.name}, one view", "network", ways, FACES, work[card.name], _mb(card), tell)
    detector = SwapDetector(settings)
    card = detector.model.card
    ways = {
        "onnxruntime, " + k: _cut(partial(detector.score, both_ways=True), crops, n) for k, n in _sizes(FACES)
    }
    name = f"fast: {card.name}, mirrored too, as in check"
    yield _chosen(name, "fast", ways, FACES, MIRRORED * work[card.name], _mb(card), tell)


def baselines(folder: Path, cores: int, tell: Callable[[str], None]) -> Iterator[Contestant]:
    """The anchor in single and in half precision, and EfficientNet-B4. ``folder`` takes their exports."""
    torch.manual_seed(0)
    x = views(torch.rand(3, ANCHOR_PX, ANCHOR_PX))
    halves = {"ConvNeXt-Base": AnchorHalf(ConvNeXtBase(2)), "RepLKNet-31B": AnchorHalf(RepLKNet31B(2))}
    single, half, work, mb = {}, {}, 0.0, 0.0
    for name, module in halves.items():
        file = exported(module.eval(), x[:1], folder / f"{name}.onnx")
        work += len(x) * gflops(file, 1, 3, ANCHOR_PX, ANCHOR_PX)
        mb += file.stat().st_size / 1e6
        tell(f"{name}: choosing how to run it")
        single[name] = fastest(engines(module, x, file, cores))
        half[name] = fastest({f"{k}, bf16": run for k, run in by_torch(module, x, torch.bfloat16).items()})
        file.unlink()
    what = f"ConvNeXt-Base and RepLKNet-31B, {ANCHOR_PX} px, six views"
    yield _joined(f"anchor: {what}", "anchor", single, work, mb)
    yield _joined(f"anchor in bf16: {what}", "anchor-bf16", half, work, mb / 2)
    b4, faces = EfficientNetB4(2).eval(), torch.rand(FACES, 3, B4_PX, B4_PX)
    file = exported(b4, faces[:1], folder / "b4.onnx")
    each = gflops(file, 1, 3, B4_PX, B4_PX)
    ways = engines(b4, faces, file, cores)
    yield _chosen(
        f"EfficientNet-B4, {B4_PX} px, one view", "b4", ways, FACES, each, file.stat().st_size / 1e6, tell
    )


def exported(module: nn.Module, x: Tensor, file: Path) -> Path:
    """The network as ONNX, for any number of pictures."""
    torch.onnx.export(
        module, (x,), str(file), dynamo=False, opset_version=17, input_names=["x"], output_names=["y"],
        dynamic_axes={"x": {0: "n"}, "y": {0: "n"}},
    )  # fmt: skip
    return file


def engines(module: nn.Module, x: Tensor, file: Path, cores: int) -> dict[str, Run]:
    """Every way to run a peer in single precision. onnxruntime keeps its own defaults, spinning and memory
    arena included, which Haechi does without."""
    ort = models.runtime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = cores
    options.log_severity_level = 3
    session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    pictures = x.numpy()

    def by_onnx(part: F32) -> object:
        return session.run(None, {"x": part})

    ways = {"onnxruntime, " + k: _cut(by_onnx, pictures, n) for k, n in _sizes(len(x))}
    return {**ways, **by_torch(module, x, torch.float32)}


def by_torch(module: nn.Module, x: Tensor, kind: torch.dtype) -> dict[str, Run]:
    own_copy = copy.deepcopy(module).to(kind).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    pictures = x.to(dtype=kind, memory_format=torch.channels_last)
    return {"PyTorch, " + k: _cut(own_copy, pictures, n) for k, n in _sizes(len(x))}


def fastest(ways: Mapping[str, Run]) -> tuple[str, Run, dict[str, float]]:
    """(how, run, seconds of every way), each after one run to warm up; what is by far slower than another
    even then is not run again."""
    seconds: dict[str, float] = {}
    for how, run in ways.items():
        warm = _timed(run)
        slow = bool(seconds) and warm > 4 * min(seconds.values())
        seconds[how] = warm if slow else min(_timed(run), _timed(run))
    how = min(seconds, key=lambda k: seconds[k])
    return how, ways[how], seconds


def _chosen(
    name: str,
    role: str,
    ways: Mapping[str, Run],
    faces: int,
    each: float,
    mb: float,
    tell: Callable[[str], None],
) -> Contestant:
    tell(f"{name}: choosing how to run it")
    how, run, seconds = fastest(ways)
    return Contestant(name, role, how, run, faces, each, mb, {k: v / faces for k, v in seconds.items()})


def _joined(
    name: str, role: str, parts: Mapping[str, tuple[str, Run, dict[str, float]]], work: float, mb: float
) -> Contestant:
    """Both halves one after another, each in its own best way."""
    runs = [run for _, run, _ in parts.values()]
    how = "; ".join(f"{part}: {way}" for part, (way, _, _) in parts.items())
    total = sum(seconds[way] for way, _, seconds in parts.values())
    tried = {f"{part}: {way}": s for part, (_, _, seconds) in parts.items() for way, s in seconds.items()}
    return Contestant(name, role, how, lambda: [run() for run in runs], 1, work, mb, {how: total, **tried})


def _sizes(most: int) -> list[tuple[str, int]]:
    return [("one by one", 1), (f"{most} at once", most)]


def _cut(run: Callable[[Any], object], x: Any, size: int) -> Run:
    """``run`` on ``size`` pictures of x (n, ...) at a time."""
    return lambda: [run(x[k : k + size]) for k in range(0, len(x), size)]


def _timed(run: Run) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def _mb(card: models.ModelCard) -> float:
    assert card.weights is not None
    return card.weights.stat().st_size / 1e6


def _short(value: float) -> float:
    return float(f"{value:.4g}")
