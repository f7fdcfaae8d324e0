"""``haechi train temporal``: the head that weighs a face over time, from clips made of stills.

The clips are filmed, coded and looked at once (``lab.clip_data``); what is trained is small and takes a
minute or two on one core.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from haechi.errors import ModelError
from haechi.lab.clip_data import Clip, Seen
from haechi.lab.export import PARITY, rounded, store_halves
from haechi.lab.loop import Batch, Plan, fit
from haechi.lab.networks.temporal import TemporalHead
from haechi.types import F32, F64

NOT_TAUGHT = ("expression",)
"""Families that the shipped head is not taught. Genuine clips made of stills never move their faces: taught
that animated ones are forged, a head learns that a face which moves is forged, and accuses everybody who
speaks."""
WINDOW, LEAST, MOST_STRIDE = 32, 8, 3
"""Frames of a window in training, the fewest it has, and the largest step between them: the product sees from
ten to sixty frames of a face, at steps of a thirtieth to a fifth of a second."""
BATCH_PAIRS = 24

Example = tuple[Clip, Seen]


def examples(clips: Sequence[Clip], seen: Sequence[Seen | None], part: str) -> list[Example]:
    """The clips of a part in which a face was found."""
    return [(c, s) for c, s in zip(clips, seen, strict=True) if c.part == part and s is not None]


class Pairs:
    """Makes batches: x f32 (2 n, WINDOW, D), present f32 (2 n, WINDOW), y f32 (2 n,); genuine and forged
    clips of the same still and scene in turn."""

    def __init__(self, training: Sequence[Example], without: Sequence[str] = NOT_TAUGHT) -> None:
        twins: dict[str, dict[bool, Seen]] = {}
        for clip, seen in training:
            if clip.family not in without:
                twins.setdefault(clip.name.rsplit("-", 1)[0], {})[clip.forged] = seen
        self.twins = [(t[False], t[True]) for t in twins.values() if len(t) == 2]
        frames = np.concatenate([s.vectors for pair in self.twins for s in pair])
        self.middle, self.spread = frames.mean(0), frames.std(0) + 1e-3

    def batch(self, _: int, rng: np.random.Generator) -> Batch:
        x = np.zeros((2 * BATCH_PAIRS, WINDOW, len(self.middle)), np.float32)
        present = np.zeros((2 * BATCH_PAIRS, WINDOW), np.float32)
        for n in range(BATCH_PAIRS):
            pair = self.twins[int(rng.integers(len(self.twins)))]
            stride, length = int(rng.integers(1, MOST_STRIDE + 1)), int(rng.integers(LEAST, WINDOW + 1))
            start, back = float(rng.random()), bool(rng.random() < 0.5)
            for k, seen in enumerate(pair):
                frames = window(seen.vectors, length, stride, start)
                frames = frames[::-1] if back else frames
                x[2 * n + k, : len(frames)], present[2 * n + k, : len(frames)] = frames, 1
        x += rng.normal(0, 0.15, x.shape).astype(np.float32) * self.spread * present[:, :, None]
        y = torch.tensor([0.0, 1.0] * BATCH_PAIRS)
        return {"x": torch.from_numpy(x), "present": torch.from_numpy(present), "y": y}


def window(frames: F32, length: int, stride: int, start: float) -> F32:
    """At most ``length`` of frames (T, D), every ``stride``-th, from ``start`` in [0, 1] of what room there
    is."""
    room = max(len(frames) - ((length - 1) * stride + 1), 0)
    first = int(start * (room + 1))
    return frames[first : first + (length - 1) * stride + 1 : stride]


def head_loss(model: nn.Module, batch: Batch) -> tuple[Tensor, Mapping[str, float]]:
    """Cross entropy and a margin inside each pair."""
    logit, _, _ = model(batch["x"], batch["present"])
    verdict = F.binary_cross_entropy_with_logits(logit, batch["y"] * 0.92 + 0.04)
    paired = F.softplus(1.0 - (logit[1::2] - logit[0::2])).mean()
    return verdict + 0.3 * paired, {"verdict": verdict.item(), "pair": paired.item()}


def train(
    data: Pairs, out: Path, plan: Plan, facts: Mapping[str, object], over_time: bool = True, used: int = 0
) -> tuple[TemporalHead, float]:
    """The averaged head and the seconds it took."""
    torch.manual_seed(plan.seed)
    model = TemporalHead(len(data.middle), over_time, used)
    model.middle.copy_(torch.from_numpy(data.middle))
    model.spread.copy_(torch.from_numpy(data.spread))
    average, seconds = fit(model, data.batch, head_loss, plan, out, {"task": "temporal", **facts})
    assert isinstance(average, TemporalHead)
    return average, seconds


@torch.inference_mode()
def scores(head: TemporalHead, of: Sequence[Example], length: int = 64, stride: int = 1) -> F64:
    """The head's logit of each clip, f64 (n,), from at most ``length`` frames, every ``stride``-th."""
    found = []
    for _, seen in of:
        x = torch.from_numpy(np.ascontiguousarray(window(seen.vectors, length, stride, 0.5)))[None]
        found.append(head(x, torch.ones(1, x.shape[1]))[0].item())
    return np.array(found)


def export_head(head: TemporalHead, folder: Path) -> float:
    """Write ``folder/temporal.onnx`` and return the largest difference between torch and onnxruntime; raises
    ModelError, and leaves nothing behind, when it is not below PARITY."""
    folder.mkdir(parents=True, exist_ok=True)
    model, file = rounded(head), folder / "temporal.onnx"
    x = torch.from_numpy(np.random.default_rng(0).normal(0, 1, (1, 40, len(head.middle))).astype(np.float32))
    x = x * head.spread + head.middle
    axes = {
        "frames": {0: "n", 1: "t"},
        "present": {0: "n", 1: "t"},
        "logit": {0: "n"},
        "each": {0: "n", 1: "t"},
    }
    torch.onnx.export(
        model, (x, torch.ones(1, 40)), str(file), dynamo=False, opset_version=17, dynamic_axes=axes,
        input_names=["frames", "present"], output_names=["logit", "each", "change"],
    )  # fmt: skip
    store_halves(file)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    worst = 0.0
    for count in (8, 40):
        part, there = x[:, :count], torch.ones(1, count)
        got = session.run(None, {"frames": part.numpy(), "present": there.numpy()})
        with torch.inference_mode():
            want = model(part, there)
        worst = max([worst, *(float(np.abs(g - w.numpy()).max()) for g, w in zip(got, want, strict=True))])
    if not worst < PARITY:
        file.unlink()
        raise ModelError(f"The export of the temporal head differs from it by {worst:.2g}: do not ship it")
    return worst


@torch.inference_mode()
def head_changes(head: TemporalHead, of: Sequence[Example]) -> F64:
    """How much each clip changes from frame to frame, f64 (n,), at the largest step of training."""
    found = []
    for _, seen in of:
        x = torch.from_numpy(np.ascontiguousarray(window(seen.vectors, 64, MOST_STRIDE, 0.5)))[None]
        found.append(head(x, torch.ones(1, x.shape[1]))[2].item())
    return np.array(found)
