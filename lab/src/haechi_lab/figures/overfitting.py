"""``haechi train lesson``: what overfitting is, shown by a small honest experiment.

The same small network is trained three times for the same number of steps to tell self-blended faces from
genuine ones. What differs is what it learns from: as many pictures of a handful of persons as of as many
persons as there are pictures, or of all. Along the way its loss is measured on pictures it was trained on, on
other pictures of the same persons, and on persons it never met; nothing is chosen by any of these figures.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from haechi.bench.metrics import auc
from haechi.types import U8
from haechi_lab.data.pairs import Prepared
from haechi_lab.pseudo_fakes.self_blend import self_blend
from haechi_lab.training.loop import code_hash

SIDE = 96
"""The crop is reduced to this: enough to see a blend, and quick."""
EVERY, PAIRS, RATE = 40, 16, 2e-3
HANDFUL, SAME, MANY, PROBE = 6, 300, 2400, 96
"""Persons of the first variant; pictures of the first two; most pictures of the third; pairs a curve is
measured on."""
VARIANTS = ("few", "same", "many")
SEEN = ("trained", "other", "unseen")
"""Pictures the network was trained on; other pictures of the same persons; persons it never met."""


class Small(nn.Module):
    """x f32 (n, 3, S, S) in [0, 1] -> logit f32 (n,); 0.08 million weights, no dropout, nothing that would
    keep it from learning by heart."""

    def __init__(self, widths: Sequence[int] = (16, 32, 64, 96)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for cin, cout in zip((3, *widths), widths, strict=False):
            layers += [nn.Conv2d(cin, cout, 3, 2, 1, bias=False), nn.BatchNorm2d(cout), nn.ReLU()]
        self.body, self.out = nn.Sequential(*layers), nn.Linear(widths[-1], 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.out(self.body(x * 2 - 1).mean((2, 3)))[:, 0]
        return out


@dataclass(frozen=True, slots=True)
class Rows:
    """What a variant learns from and is probed on: rows of the prepared table."""

    train: list[int]
    other: list[int]
    persons: int


def choose(prepared: Prepared, rng: np.random.Generator) -> tuple[dict[str, Rows], list[int]]:
    """Rows of each variant, and those of the persons of the validation split that nobody trains on."""
    by_person: dict[str, list[int]] = {}
    for i in prepared.where(split="train", source="dfdc", label="real"):
        by_person.setdefault(str(prepared.rows[i]["group"]), []).append(i)
    people = sorted(by_person.values(), key=lambda rows: -len(rows))
    people = [[rows[k] for k in rng.permutation(len(rows))] for rows in people]
    handful, rest = people[:HANDFUL], [rows for rows in people[HANDFUL:] if len(rows) > 1]
    if len(handful) < HANDFUL or not rest:
        raise ValueError("there are too few persons with more than one picture")
    counts = [max(1, len(rows) // 5) for rows in handful]
    few = [i for rows, k in zip(handful, counts, strict=True) for i in rows[k:]]
    few = [few[k] for k in rng.permutation(len(few))[:SAME]]
    memory = [i for rows, k in zip(handful, counts, strict=True) for i in rows[:k]]
    rest = [rest[k] for k in rng.permutation(len(rest))]
    one = rest[: len(few)]
    every = [i for rows in rest for i in rows[1:]][:MANY]
    owners = len({str(prepared.rows[i]["group"]) for i in every})
    others = [rows[0] for rows in rest]
    val = prepared.where(split="val", source="dfdc", label="real")
    return {
        "few": Rows(few, memory, HANDFUL),
        "same": Rows([rows[1] for rows in one], others[: len(one)], len(one)),
        "many": Rows(every, others[:owners], owners),
    }, [val[k] for k in rng.permutation(len(val))]


def pairs(prepared: Prepared, rows: Sequence[int], seed: int) -> U8:
    """One fixed pair for each row: genuine and self-blended in turn, u8 (2 n, SIDE, SIDE, 3)."""
    out = np.empty((2 * len(rows), SIDE, SIDE, 3), np.uint8)
    for k, i in enumerate(rows):
        pair = self_blend(*prepared.face(i), np.random.default_rng([seed, i]))
        for part, rgb in enumerate((pair.real, pair.fake)):
            out[2 * k + part] = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return out


def _loss(model: nn.Module, pictures: U8) -> tuple[Tensor, Tensor]:
    """Cross entropy over pictures that are genuine and fake in turn, and the logits."""
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    logit = model(x)
    return F.binary_cross_entropy_with_logits(logit, torch.arange(len(x)) % 2 * 1.0), logit


@torch.inference_mode()
def _probe(model: nn.Module, pictures: U8) -> tuple[float, float]:
    """Loss and AUC of pairs."""
    model.eval()
    value, logit = _loss(model, pictures)
    model.train()
    return value.item(), auc((np.arange(len(logit)) % 2).tolist(), logit.tolist())


def learn(train: U8, probes: Mapping[str, U8], seed: int, steps: int) -> dict[str, list[float]]:
    """The curves of one network: ``step`` and, for each probe, its loss; ``auc`` is that of the last probe,
    after each :data:`EVERY` steps and before the first."""
    torch.manual_seed(seed)
    model, rng = Small().train(), np.random.default_rng([seed, 1])
    optimiser = torch.optim.Adam(model.parameters(), RATE)
    curves: dict[str, list[float]] = {name: [] for name in ("step", *probes, "auc")}
    for step in range(steps + 1):
        if step % EVERY == 0 or step == steps:
            curves["step"].append(step)
            for name, pictures in probes.items():
                loss, area = _probe(model, pictures)
                curves[name].append(round(loss, 4))
            curves["auc"].append(round(area, 4))
        if step < steps:
            some = rng.choice(len(train) // 2, min(PAIRS, len(train) // 2), replace=False)
            value, _ = _loss(model, train[np.stack([2 * some, 2 * some + 1], 1).ravel()])
            optimiser.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return curves


def run(
    out: Path, results: Path, steps: int, seed: int = 7, log: Callable[[str], None] = print
) -> dict[str, object]:
    """Train the three on what ``prepare`` left in ``out`` and write ``results/lesson.json``.

    Raises ValueError when there are too few persons."""
    begun = time.monotonic()
    torch.set_num_threads(1)
    prepared = Prepared.open(out)
    variants, strangers = choose(prepared, np.random.default_rng(seed))
    unseen = pairs(prepared, strangers[:PROBE], seed)
    runs: dict[str, dict[str, object]] = {}
    for name, rows in variants.items():
        train = pairs(prepared, rows.train, seed)
        probes = {
            "trained": train[: 2 * PROBE],
            "other": pairs(prepared, rows.other[:PROBE], seed),
            "unseen": unseen,
        }
        curves = learn(train, probes, seed, steps)
        runs[name] = {"persons": rows.persons, "pictures": len(rows.train), "curves": curves}
        log(f"{name}: {time.monotonic() - begun:.0f} s, " + ", ".join(f"{s} {curves[s][-1]}" for s in SEEN))
    result: dict[str, object] = {
        "schema": "haechi.lesson/1",
        "command": "haechi train lesson --data DIR --out DIR",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "steps": steps, "seed": seed, "pairs_in_a_step": PAIRS, "side_px": SIDE,
        "unseen_persons": len({str(prepared.rows[i]["group"]) for i in strangers[:PROBE]}),
        "seconds": round(time.monotonic() - begun), "code_sha256": code_hash(),
        "runs": runs, "table": _table(runs),
    }  # fmt: skip
    results.mkdir(parents=True, exist_ok=True)
    (results / "lesson.json").write_text(json.dumps(result, indent=1) + "\n")
    return result


def _table(runs: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    heads = ["persons", "pictures", "loss, trained on", "loss, same persons", "loss, unseen persons",
             "lowest on unseen persons", "AUC, unseen persons"]  # fmt: skip
    rows = []
    for entry in runs.values():
        curves = entry["curves"]
        assert isinstance(curves, dict)
        figures = [*(curves[name][-1] for name in SEEN), min(curves["unseen"]), curves["auc"][-1]]
        rows.append([str(entry["persons"]), str(entry["pictures"]), *(f"{v:.2f}" for v in figures)])
    return {"columns": heads, "rows": rows}
