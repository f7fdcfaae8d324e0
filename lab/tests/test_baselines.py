"""The baselines weigh and compute what their papers say, counting agrees with counting by hand, and the race
is fair; all but one small network on no memory at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import onnx
import torch
from onnx import TensorProto, helper
from torch.utils.flop_counter import FlopCounterMode

from haechi.settings import Settings
from haechi_lab.evaluate import throughput as pace
from haechi_lab.evaluate.baselines import AnchorHalf, ConvNeXtBase, EfficientNetB4, RepLKNet31B, views
from haechi_lab.export.flops import gflops, multiply_adds
from haechi_lab.system.cost_table import SCHEMA


def counted(module: torch.nn.Module, *shape: int) -> float:
    """Multiply-adds in G."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        module(torch.zeros(shape, device="meta"))
    return counter.get_total_flops() / 2e9


@pytest.mark.parametrize(
    ("network", "side", "millions", "giga"),
    [(ConvNeXtBase, 224, 89, 15.4), (RepLKNet31B, 224, 79, 15.3), (EfficientNetB4, 380, 19, 4.2)],
)
def test_baselines_are_as_published(
    network: type[torch.nn.Module], side: int, millions: int, giga: float
) -> None:
    with torch.device("meta"):
        module = network().eval()
    assert sum(p.numel() for p in module.parameters()) / 1e6 == pytest.approx(millions, abs=0.6)
    assert counted(module, 1, 3, side, side) == pytest.approx(giga, rel=0.05)


def test_the_anchor_looks_six_times() -> None:
    with torch.device("meta"):
        halves = [AnchorHalf(ConvNeXtBase(2)).eval(), AnchorHalf(RepLKNet31B(2)).eval()]
    work = [counted(half, 6, 3, 512, 512) for half in halves]
    assert sum(work) == pytest.approx(6 * (512 / 224) ** 2 * (15.4 + 15.3), rel=0.02)
    picture = torch.arange(3 * 4 * 4).reshape(3, 4, 4)
    six = views(picture)
    assert six.shape == (6, 3, 4, 4)
    assert len({tuple(v.flatten().tolist()) for v in six}) == 6


def known_graph() -> onnx.ModelProto:
    """A grouped convolution of stride 2, a transposed one, a product of matrices and a linear layer."""
    rng = np.random.default_rng(0)

    def tensor(name: str, *shape: int) -> onnx.TensorProto:
        return onnx.numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), name)

    nodes = [
        helper.make_node("Conv", ["x", "a"], ["p"], group=2, strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("ConvTranspose", ["p", "b"], ["q"], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["q"], ["r"]),
        helper.make_node("Flatten", ["r"], ["s"]),
        helper.make_node("MatMul", ["s", "c"], ["t"]),
        helper.make_node("Gemm", ["t", "d"], ["y"], transB=1),
    ]
    weights = [tensor("a", 6, 2, 3, 3), tensor("b", 6, 5, 2, 2), tensor("c", 5, 7), tensor("d", 9, 7)]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4, "h", "w"])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 9])
    return helper.make_model(
        helper.make_graph(nodes, "known", [x], [y], weights),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=9,
    )  # fmt: skip


def test_multiply_adds_of_a_known_graph(tmp_path: Path) -> None:
    # Out 6 x 8 x 8 of 2 x 3 x 3; in 6 x 8 x 8 to 5 x 2 x 2; 5 x 7; 7 x 9. Twice for two pictures.
    by_hand = 6 * 8 * 8 * 18 + 6 * 8 * 8 * 20 + 35 + 63
    assert multiply_adds(known_graph(), 1, 4, 16, 16) == by_hand
    assert multiply_adds(known_graph(), 2, 4, 16, 16) == 2 * by_hand
    onnx.save(known_graph(), str(tmp_path / "known.onnx"))
    assert gflops(tmp_path / "known.onnx", 1, 4, 16, 16) == pytest.approx(2 * by_hand / 1e9)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the exporter that the networks ship by
def test_counts_agree_with_those_of_torch(tmp_path: Path) -> None:
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, 2, 1), torch.nn.ReLU(), torch.nn.Conv2d(8, 8, 5, 1, 2, groups=8),
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, 4),
    ).eval()  # fmt: skip
    file = pace.exported(module, torch.zeros(1, 3, 32, 32), tmp_path / "small.onnx")
    assert gflops(file, 1, 3, 32, 32) == pytest.approx(2 * counted(module.to("meta"), 1, 3, 32, 32))


def test_the_shipped_face_network_is_counted_whatever_its_paddings() -> None:
    lines: list[str] = []
    own = list(pace.own(Settings(threads=1), lines.append))
    assert {c.role for c in own} >= {"network", "fast"}
    one = next(c for c in own if c.name == "swap, one view")
    fast = next(c for c in own if c.role == "fast")
    assert 0.1 < one.gflops < 20
    assert fast.gflops == pytest.approx(2 * one.gflops)
    assert fast.mb == one.mb > 1
    assert lines


def test_the_fastest_way_is_chosen_and_ratios_are_of_the_same_round() -> None:
    clock = iter(range(1000))

    def way(seconds: int) -> pace.Run:
        return lambda: [next(clock) for _ in range(seconds)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace.time, "perf_counter", lambda: float(next(clock)))
        how, _, seconds = pace.fastest({"slow": way(40), "quick": way(3), "hopeless": way(100)})
    assert how == "quick"
    assert set(seconds) == {"slow", "quick", "hopeless"}
    one = pace.Contestant("a", "fast", "x", lambda: None, 1, 2.0, 3.0, {"x": 1.0})
    # The machine was half as fast in the last round: the ratios do not notice.
    found = pace.row(one, [0.01, 0.01, 0.02], [10.0, 10.0, 20.0], [0.1, 0.1, 0.2])
    assert (found["times_anchor"], found["times_b4"]) == (1000, 10)
    assert found["faces_per_s"] == {"value": 100, "low": 50, "high": 100}


def test_a_race_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def some(*roles: str) -> list[pace.Contestant]:
        return [pace.Contestant(f"{r}: x", r, "y", lambda: None, 1, 1.0, 1.0, {"y": 1.0}) for r in roles]

    monkeypatch.setattr(pace, "own", lambda *_: some("fast"))
    monkeypatch.setattr(pace, "baselines", lambda *_: some("anchor", "b4"))
    threads = torch.get_num_threads()
    pace.measure(tmp_path / "baselines.json", 3)
    found = json.loads((tmp_path / "baselines.json").read_text())
    assert found["schema"] == SCHEMA
    assert [r["role"] for r in found["rows"]] == ["fast", "anchor", "b4"]
    assert torch.get_num_threads() == threads
