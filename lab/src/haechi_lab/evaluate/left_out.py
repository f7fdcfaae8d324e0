"""``haechi train left-out``: what is found of a source that nothing was learned from, on cached features.

For each source a head is fitted on all others (training split) and asked about that one's validation faces:
its fakes against its own genuine faces or, where it has none, against those of every photographic source. The
answer takes seconds, so heads, trunks and ways to join them can be compared on the figure that decides. The
network that ships was trained on DFDC, StyleGAN and Stable Diffusion: of those its figures are no test.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from haechi.bench.metrics import Figure, Ranking, figure
from haechi.bench.result import write_json
from haechi.errors import UsageError
from haechi.types import F32, F64
from haechi_lab.data.corpus import origin

PHOTOGRAPHS = ("ffhq-stylegan1", "lfw", "gan1024")
"""Genuine faces beside fakes of a source that has none of its own."""
HIDDEN, STEPS, RATE, DECAY, DROP = 128, 250, 2e-3, 0.05, 0.3
LAW = "clean"
NONE = "(none)"


@dataclass(slots=True)
class Views:
    """Cached features by trunk, f16 (n, d) each, and what is known of every view; arrays of one length n."""

    features: dict[str, np.ndarray]
    source: np.ndarray
    fake: np.ndarray
    train: np.ndarray
    law: np.ndarray
    group: np.ndarray

    @staticmethod
    def open(folder: Path) -> Views:
        """What ``train features`` has stored so far. Raises UsageError when that is nothing."""
        if not (folder / "rows.csv").is_file():
            raise UsageError(f"no rows.csv in {folder.name!r}: run haechi train features first")
        with (folder / "rows.csv").open(newline="") as lines:
            rows = list(csv.DictReader(lines))
        features = {f.stem: np.load(f, "r") for f in sorted(folder.glob("*.npy"))}
        count = int(json.loads((folder / "progress.json").read_text())["views"])
        rows = rows[:count]
        column: Callable[[str], np.ndarray] = lambda name: np.array([r[name] for r in rows])  # noqa: E731
        source = np.array([origin(r["source"]) for r in rows])
        return Views(
            {name: np.array(s[:count], np.float32) for name, s in features.items()},
            source, column("label") == "fake", column("split") == "train", column("law"), column("group"),
        )  # fmt: skip


def fitted(x: F32, y: np.ndarray, weight: F64, seed: int) -> Callable[[F32], F64]:
    """A perceptron of one hidden layer on standardised features: x f32 (n, d), y bool (n,), weight f64 (n,);
    gives back what makes logits f64 (m,) of f32 (m, d)."""
    torch.manual_seed(seed)
    mean, spread = x.mean(0), x.std(0) + 1e-3
    inputs = torch.from_numpy((x - mean) / spread)
    labels, counts = torch.from_numpy(y.astype(np.float32)), torch.from_numpy(weight.astype(np.float32))
    head = nn.Sequential(
        nn.Dropout(DROP), nn.Linear(x.shape[1], HIDDEN), nn.GELU(), nn.Dropout(DROP), nn.Linear(HIDDEN, 1)
    )
    optimiser = torch.optim.AdamW(head.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, STEPS)
    draw = torch.Generator().manual_seed(seed)
    for _ in range(STEPS):
        rows = torch.multinomial(counts, 1024, replacement=True, generator=draw)
        loss = F.binary_cross_entropy_with_logits(head(inputs[rows])[:, 0], labels[rows] * 0.94 + 0.03)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    head.eval()

    @torch.inference_mode()
    def logits(other: F32) -> F64:
        values = head(torch.from_numpy((other - mean) / spread))[:, 0]
        return np.asarray(values.numpy(), np.float64)

    return logits


def balanced(source: np.ndarray, fake: np.ndarray) -> F64:
    """Weights f64 (n,) by which every source counts alike within its label, and both labels alike."""
    out = np.zeros(len(source))
    for label in (False, True):
        sources = np.unique(source[fake == label])
        for name in sources:
            mine = (fake == label) & (source == name)
            out[mine] = 1.0 / len(sources) / mine.sum()
    return out


def standard(scores: F64, genuine: np.ndarray) -> F64:
    """Scores over mean and deviation of the genuine ones among them."""
    out: F64 = (scores - scores[genuine].mean()) / (scores[genuine].std() + 1e-9)
    return out


JOINS: Mapping[str, Callable[[F64], F64]] = {
    "sum": lambda z: z.sum(0),
    "maximum": lambda z: z.max(0),
    "noisy or": lambda z: np.logaddexp(0, z - 2).sum(0),
}
"""How standard scores f64 (trunks, n) become one: an eye that sees is not outvoted in the last two."""


def scores_without(views: Views, left_out: str, seed: int = 0) -> dict[str, F64]:
    """For every trunk and every way to join all, f64 (n,) over all views, nothing learned from a source."""
    learn = views.train & (views.source != left_out)
    weight = balanced(views.source[learn], views.fake[learn])
    out: dict[str, F64] = {}
    for name, x in views.features.items():
        out[name] = fitted(x[learn], views.fake[learn], weight, seed)(x)
    if "shipped" in views.features:
        out["shipped, its own logit"] = np.asarray(views.features["shipped"][:, -1], np.float64)
    reference = ~views.train & ~views.fake & (views.source != left_out)
    if len(views.features) > 1:
        standards = np.stack([standard(out[name], reference) for name in views.features])
        own = (
            standard(out["shipped, its own logit"], reference)
            if "shipped, its own logit" in out
            else standards[0]
        )
        out |= {how: join(standards) for how, join in JOINS.items()}
        if "dino" in out:
            both = np.stack([own, standard(out["dino"], reference)])
            out |= {f"own logit and dino, {how}": join(both) for how, join in JOINS.items()}
    return out


def asked(views: Views, source: str) -> np.ndarray:
    """bool (n,): the validation views that answer for a source."""
    val = ~views.train & (views.law == LAW)
    fakes = val & views.fake & (views.source == source)
    own = val & ~views.fake & (views.source == source)
    genuine = own if own.any() else val & ~views.fake & np.isin(views.source, PHOTOGRAPHS)
    return np.asarray(fakes | genuine)


def measure(folder: Path, out: Path, command: str, log: Callable[[str], None] = print) -> dict[str, Any]:
    """Leave every forged source out in turn; write and return the table."""
    views = Views.open(folder)
    rows: list[dict[str, Any]] = []
    for source in sorted(set(views.source[~views.train & views.fake])):
        scores = {"left out": scores_without(views, source), "met": scores_without(views, NONE)}
        here = asked(views, source)
        for how, by_name in scores.items():
            for name, values in by_name.items():
                auc = _auc(views.fake[here], values[here], views.group[here])
                rows.append({"source": source, "learned": how, "scores": name, **auc.as_dict(), "n": auc.n})
                log(f"{source:16} {how:9} {name:28} {auc.value}")
    by_way: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        by_way.setdefault((row["learned"], row["scores"]), []).append(row["value"])
    means = [
        {"learned": how, "scores": name, "value": round(float(np.mean(values)), 4)}
        for (how, name), values in by_way.items()
    ]
    result = {"command": command, "views": len(views.source), "law": LAW, "auc": rows, "mean_auc": means}
    write_json(out, result)
    return result


def _auc(fake: np.ndarray, scores: F64, groups: Sequence[object] | np.ndarray) -> Figure:
    return figure(Ranking(fake, scores).auc, list(groups))
