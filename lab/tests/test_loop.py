"""The training loop goes on where it was cut off, and what it trained comes out as it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor, nn

from haechi import models
from haechi.errors import ModelError
from haechi.settings import Settings
from haechi_lab.export.onnx import PARITY, export, rounded, training_facts, write_card
from haechi_lab.inputs import SWAP
from haechi_lab.training.loop import Batch, Plan, code_hash, fit, seconds_of


class Small(nn.Module):
    """x f32 (n, 3, S, S) -> logit f32 (n,)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.3)
        self.out = nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.out(self.drop(torch.relu(self.norm(self.conv(x))).mean((2, 3))))[:, 0]
        return out


class Cut(Exception):
    """The plug is pulled."""


def batch(k: int, rng: np.random.Generator) -> Batch:
    x = rng.normal(0, 1, (6, 3, 12, 12)).astype(np.float32)
    return {"x": torch.from_numpy(x), "y": torch.from_numpy((x.mean((1, 2, 3)) > 0).astype(np.float32))}


def loss(model: nn.Module, batch: Batch) -> tuple[Tensor, Mapping[str, float]]:
    """Softens the labels by chance."""
    logit = model(batch["x"])
    soft = (batch["y"] * 0.8 + 0.1 * torch.rand(len(logit))).clamp(0, 1)
    return nn.functional.binary_cross_entropy_with_logits(logit, soft), {"mean": logit.mean().item()}


def train(out: Path, plug: int | None = None, steps: int = 9, lines: list[str] | None = None) -> nn.Module:
    """Nine steps with a checkpoint after each; the plug is pulled when batch ``plug`` is asked for."""

    def make(k: int, rng: np.random.Generator) -> Batch:
        if k == plug:
            raise Cut
        return batch(k, rng)

    torch.manual_seed(1)
    model = Small()
    plan = Plan(steps=steps, batch=6, lr=0.02, warmup=3, workers=0, threads=0, checkpoint_s=0.0)
    told: list[str] = [] if lines is None else lines
    average, seconds = fit(model, make, loss, plan, out, {"task": "small"}, log=told.append)
    assert seconds >= 0
    return average


def same(a: nn.Module, b: nn.Module) -> bool:
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


def test_a_run_that_was_cut_off_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole = train(tmp_path / "whole")
    with pytest.raises(Cut):
        train(tmp_path / "cut", plug=4)
    with pytest.raises(Cut):
        train(tmp_path / "cut", plug=7)
    lines: list[str] = []
    resumed = train(tmp_path / "cut", lines=lines)
    assert lines[0] == "goes on from step 7"
    assert same(whole, resumed)


def test_chance_differs_from_step_to_step_and_from_seed_to_seed(tmp_path: Path) -> None:
    drawn: dict[int, list[float]] = {}
    for seed in (7, 8):
        own = drawn.setdefault(seed, [])

        def listening(
            model: nn.Module, batch: Batch, own: list[float] = own
        ) -> tuple[Tensor, Mapping[str, float]]:
            own.append(float(torch.rand(1)))
            return loss(model, batch)

        plan = Plan(steps=5, batch=6, lr=0.02, workers=0, seed=seed)
        fit(Small(), batch, listening, plan, tmp_path / str(seed), {}, log=lambda _: None)
    assert len({*drawn[7], *drawn[8]}) == 10


def test_a_finished_run_is_not_trained_further(tmp_path: Path) -> None:
    assert same(train(tmp_path), train(tmp_path))


def test_what_a_run_was_made_of_lies_beside_it(tmp_path: Path) -> None:
    train(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert {"steps": 9, "lr": 0.02, "seed": 7, "task": "small"}.items() <= config.items()
    assert config["code_sha256"] == code_hash()
    last = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert {"step", "seconds", "loss", "mean"} <= last.keys()
    assert not list(tmp_path.glob("*.part"))


def test_the_average_moves_slower_than_the_network(tmp_path: Path) -> None:
    torch.manual_seed(1)
    start = Small()
    average = train(tmp_path)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    moved = (state["model"]["conv.weight"] - start.conv.weight).abs().mean()
    followed = (state["average"]["conv.weight"] - start.conv.weight).abs().mean()
    assert 0 < followed < moved
    assert torch.equal(state["average"]["conv.weight"], average.state_dict()["conv.weight"])


def test_the_time_of_a_network_is_that_of_all_runs_it_came_from(tmp_path: Path) -> None:
    took = {"first": (None, 100), "left": ("first", 20), "right": ("first", 3), "lost": ("elsewhere", 7)}
    for name, (start, seconds) in took.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps({"start": start} if start else {}))
        (tmp_path / name / "log.jsonl").write_text(f'{{"seconds": 1}}\n{{"seconds": {seconds}}}\n')
    assert seconds_of(tmp_path / "left") == 120
    assert seconds_of(tmp_path / "left", tmp_path / "right") == 123
    assert seconds_of(tmp_path / "lost") == 7


# The exporter of PyTorch that writes what onnxruntime reads best announces that it will go one day.
exports = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


@exports
def test_an_exported_network_says_the_same(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    average = train(tmp_path / "run")
    worst = export(average, "small", tmp_path / "models", 12, ["logit"])
    assert worst < PARITY
    fed = {**SWAP.raw["input"], "width_px": 12, "height_px": 12}
    card = {
        "name": "small", "version": "1", "task": "t", "licence": "x", "file": "small.onnx", "input": fed,
        "output": {"logit": "one a picture"},
    }  # fmt: skip
    write_card(card, tmp_path / "models")
    loaded = models.load("small", Settings(models_dir=str(tmp_path / "models"), threads=1))
    x = np.random.default_rng(0).uniform(0, 255, (5, 3, 12, 12)).astype(np.float32)
    (got,) = loaded.run(x)
    with torch.inference_mode():
        want = rounded(average)(torch.from_numpy(x)).numpy()
        unrounded = average(torch.from_numpy(x)).numpy()
    assert got == pytest.approx(want, abs=PARITY)
    assert got == pytest.approx(unrounded, rel=2e-3), "half precision holds the weights well enough"
    weights = (tmp_path / "models" / "small.onnx").read_bytes()
    assert loaded.card.sha256 == hashlib.sha256(weights).hexdigest()


class Moody(nn.Module):
    """Answers differently each time, so that no export can agree with it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def forward(self, x: Tensor) -> Tensor:
        self.asked += 1
        return x.mean((1, 2, 3)) + self.asked


@exports
def test_an_export_that_differs_is_not_left_lying_about(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    with pytest.raises(ModelError, match="differs"):
        export(Moody(), "moody", tmp_path, 12, ["logit"])
    assert not list(tmp_path.glob("*.onnx"))


def test_the_facts_of_a_training_come_from_the_run_itself(tmp_path: Path) -> None:
    train(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "data_sha256": "d" * 64}))
    facts = training_facts(tmp_path, 12.6, ["noise"], "free")
    assert facts["seconds"] == 13
    assert facts["data_sha256"] == "d" * 64
    assert facts["code_sha256"] == code_hash()
    assert facts["terms"] == "free"
