"""The temporal head: it begins as frame averaging, cares for no padding, and learns what averaging cannot
see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from haechi.bench.metrics import auc
from haechi.lab import train_temporal
from haechi.lab.clip_data import Clip, Seen
from haechi.lab.loop import Plan
from haechi.lab.networks.temporal import TemporalHead
from haechi.lab.temporal import choose
from haechi.lab.train_temporal import LEAST, WINDOW, Pairs, examples, export_head, scores, train, window
from haechi.types import F32

COLUMNS = 20


def frames(count: int, seed: int = 0) -> F32:
    return np.random.default_rng(seed).normal(0, 1, (count, COLUMNS)).astype(np.float32)


def stirred(over_time: bool = True) -> TemporalHead:
    """A head whose additions are not zero."""
    torch.manual_seed(3)
    head = TemporalHead(COLUMNS, over_time).eval()
    torch.nn.init.normal_(head.out.weight)
    return head


@torch.inference_mode()
def test_an_untrained_head_is_frame_averaging() -> None:
    x = torch.from_numpy(np.stack([frames(12), frames(12, 1)]))
    head = TemporalHead(COLUMNS).eval()
    logit, each, _ = head(x, torch.ones(2, 12))
    assert logit.numpy() == pytest.approx(0.5 * x[:, :, 0].mean(1).numpy(), abs=1e-6)
    assert each.numpy() == pytest.approx(0.5 * x[:, :, 0].numpy(), abs=1e-6)


@pytest.mark.parametrize("over_time", [True, False])
@torch.inference_mode()
def test_what_is_shown_over_time_adds_up_to_the_decision(over_time: bool) -> None:
    head = stirred(over_time)
    for count in (1, 8, 64):
        logit, each, _ = head(torch.from_numpy(frames(count))[None], torch.ones(1, count))
        assert each.shape == (1, count)
        assert each.mean().item() == pytest.approx(logit.item(), abs=1e-5)


@pytest.mark.parametrize("over_time", [True, False])
@torch.inference_mode()
def test_padding_changes_nothing(over_time: bool) -> None:
    head, x, present = stirred(over_time), torch.zeros(1, 30, COLUMNS), torch.zeros(1, 30)
    x[0, :17], present[0, :17] = torch.from_numpy(frames(17)), 1
    alone, one, moved = head(x[:, :17], present[:, :17])
    padded, each, change = head(x, present)
    assert padded.item() == pytest.approx(alone.item(), abs=1e-5)
    assert each[0, :17].numpy() == pytest.approx(one[0].numpy(), abs=1e-4)
    assert not each[0, 17:].any()
    assert change.item() == pytest.approx(moved.item(), abs=1e-5)


@torch.inference_mode()
def test_order_matters_to_the_head_and_not_to_its_control() -> None:
    x = torch.from_numpy(frames(16))[None]
    turned = x[:, torch.randperm(16, generator=torch.Generator().manual_seed(0))]
    for over_time, same in ((True, False), (False, True)):
        head = stirred(over_time)
        a, b = (head(t, torch.ones(1, 16))[0].item() for t in (x, turned))
        assert (abs(a - b) < 1e-5) == same


@torch.inference_mode()
def test_a_head_may_read_the_first_columns_alone() -> None:
    torch.manual_seed(3)
    head = TemporalHead(COLUMNS, used=7).eval()
    torch.nn.init.normal_(head.out.weight)
    x, present = torch.from_numpy(frames(10))[None], torch.ones(1, 10)
    other = x.clone()
    other[:, :, 7:] = 0
    assert torch.equal(head(x, present)[1], head(other, present)[1])
    other[:, :, 6] = 0
    assert not torch.equal(head(x, present)[1], head(other, present)[1])


def test_the_head_that_ranks_the_selection_part_best_is_chosen() -> None:
    blind, average = TemporalHead(COLUMNS).eval(), TemporalHead(COLUMNS).eval()
    blind.slope.data.fill_(0.0)
    made, looks = clips(8)
    for clip, look in zip(made, looks, strict=True):
        assert look is not None
        look.vectors[:, 0] += 2.0 * clip.forged
    name, found = choose({"blind": blind, "average": average}, examples(made, looks, "train"))
    assert (name, found) == ("average", {"blind": 0.5, "average": 1.0})


def test_windows_stay_within_the_clip() -> None:
    clip = np.arange(32, dtype=np.float32)[:, None]
    assert np.array_equal(window(clip, 32, 1, 0.7), clip)
    assert window(clip, 8, 3, 0.999)[:, 0].tolist() == [10, 13, 16, 19, 22, 25, 28, 31]
    assert window(clip, 8, 3, 0.0)[:, 0].tolist() == [0, 3, 6, 9, 12, 15, 18, 21]
    assert window(clip, 32, 3, 0.5)[:, 0].tolist() == list(range(0, 32, 3))
    assert len(window(clip[:5], 8, 2, 0.5)) == 3


def seen(forged: bool, seed: int) -> Seen:
    """A face whose logit swings as far in both classes: slowly when genuine, from frame to frame when
    forged."""
    rng = np.random.default_rng([seed, forged])
    logits = rng.choice([-1.0, 1.0], 32) if forged else np.repeat(rng.permutation([-1.0, 1.0]), 16)
    vectors = rng.normal(0, 0.1, (32, COLUMNS)).astype(np.float32)
    vectors[:, 0] += logits - logits.mean()
    vectors[:, 1] += logits - logits.mean()
    return Seen(vectors, vectors[:, 0].astype(float), logits, np.arange(32) / 25, np.zeros(3), 150.0)


def clips(count: int, first: int = 0) -> tuple[list[Clip], list[Seen | None]]:
    made, looks = [], list[Seen | None]()
    for n in range(first, first + count):
        for forged in (False, True):
            name = f"train-{n:04d}-{'forged' if forged else 'genuine'}"
            made.append(Clip(name, "train", f"p{n}", "dfdc", forged, "self_blend", "jitter", 25, 30, n))
            looks.append(seen(forged, n))
    return made, looks


def test_what_only_time_tells_is_learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_temporal, "BATCH_PAIRS", 8)
    plan = Plan(steps=60, batch=48, lr=1.5e-2, warmup=10, ema=0.95, workers=0, threads=1)
    data = Pairs(examples(*clips(30), "train"))
    held = examples(*clips(25, 1000), "train")
    labels = [c.forged for c, _ in held]
    found = {}
    for name, over_time in (("time", True), ("frames", False)):
        head, _ = train(data, tmp_path / name, plan, {"data_sha256": "", "without": []}, over_time)
        found[name] = auc(labels, scores(head, held))
    assert found["time"] > 0.9
    assert found["time"] > found["frames"] + 0.15
    assert abs(auc(labels, [s.logits.mean() for _, s in held]) - 0.5) < 0.2, "averaging sees nothing"


def test_a_family_that_is_not_taught_is_not_in_the_batches() -> None:
    made, looks = clips(4)
    moving = [
        Clip(**{**{f: getattr(c, f) for f in Clip.__slots__}, "family": "expression"}) for c in made[:4]
    ]
    training = examples([*moving, *made[4:]], looks, "train")
    assert len(Pairs(training).twins) == 2
    assert len(Pairs(training, without=()).twins) == 4


def test_batches_have_both_classes_in_turn_and_windows_of_many_lengths() -> None:
    data = Pairs(examples(*clips(6), "train"))
    batch = data.batch(0, np.random.default_rng(0))
    assert batch["x"].shape[1:] == (WINDOW, COLUMNS)
    assert batch["y"].tolist()[:4] == [0, 1, 0, 1]
    counts = batch["present"].sum(1)
    assert counts.min() >= LEAST
    assert counts.max() <= WINDOW
    assert len(set(counts.tolist())) > 5
    assert torch.equal(counts[0::2], counts[1::2]), "twins are seen in the same frames"
    assert not batch["x"][batch["present"] == 0].any()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_the_export_says_what_the_head_says(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    head = stirred()
    assert export_head(head, tmp_path) < 1e-3
    assert (tmp_path / "temporal.onnx").stat().st_size < 300_000
    import onnxruntime

    session = onnxruntime.InferenceSession(tmp_path / "temporal.onnx", providers=["CPUExecutionProvider"])
    for count in (8, 61):
        x = frames(count)[None]
        logit, each, change = session.run(None, {"frames": x, "present": np.ones((1, count), np.float32)})
        assert each.mean() == pytest.approx(logit[0], abs=1e-4)
        assert change[0] == pytest.approx(np.sqrt(2), abs=0.2), "of frames that have nothing in common"
