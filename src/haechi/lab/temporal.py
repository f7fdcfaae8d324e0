"""``haechi train temporal``: clips, the head that weighs a face over them, its card, and what it is worth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from haechi.bench.metrics import auc
from haechi.lab import cards, clip_data, measure_temporal
from haechi.lab.data import file_hash
from haechi.lab.export import training_facts, write_card
from haechi.lab.fit import logistic
from haechi.lab.forge.clips import FRAMES
from haechi.lab.loop import Plan
from haechi.lab.networks.temporal import TemporalHead
from haechi.lab.train_temporal import (
    BATCH_PAIRS,
    LEAST,
    NOT_TAUGHT,
    Example,
    Pairs,
    examples,
    export_head,
    head_changes,
    scores,
    train,
)

CAP_FOR, CAP_AGAINST = 0.7, 0.0
"""Nats. No filmed genuine face was to be had: the head may at most double the odds, and never lowers them."""
MOST_STEP_S = 0.2
"""The largest gap between two crops that are looked at as neighbours, as wide as the widest in training."""
ORDINARY = 0.99
"""Quantile of the training clips' ``change`` beyond which a face behaves unlike any of them."""
COMMAND = "haechi train temporal --data DIR --out DIR"


def run(
    out: Path, results: Path, steps: int, threads: int, pairs: tuple[int, int] | None = None
) -> dict[str, Any]:
    """Fill ``OUT/temporal`` and write the figures, which are returned, into ``RESULTS/temporal.json``; and
    the head and its card into ``OUT/models``, if it is better for sure than frame averaging and than flicker.
    Needs ``OUT/prepared`` and the calibrated models in ``OUT/models``. ``pairs`` of clips: train and val."""
    models = out / "models"
    plan = Plan(
        steps=steps,
        batch=2 * BATCH_PAIRS,
        lr=3e-3,
        weight_decay=0.05,
        warmup=100,
        ema=0.99,
        workers=0,
        threads=1,
    )
    wanted = clip_data.PAIRS if pairs is None else dict(zip(clip_data.PAIRS, pairs, strict=True))
    clips = clip_data.make(out, wanted)
    looker = clip_data.Looker(models, threads)
    seen = clip_data.look_at_all(clips, out, looker)
    parts = {p: examples(clips, seen, p) for p in ("train", "selection", "reporting")}
    facts = {"data_sha256": file_hash([out / "temporal" / "clips.json"]), "network": looker.key}
    parted, everything = Pairs(parts["train"]), Pairs(parts["train"], without=())
    heads: dict[str, TemporalHead] = {}
    runs: dict[str, tuple[Path, float]] = {}
    for name, taught, over_time, used in (
        ("facts", parted, True, 1 + clip_data.MAP_FACTS),
        ("features", parted, True, 0),
        ("single", parted, False, 0),
        ("taught all", everything, True, 0),
    ):
        folder = out / "temporal" / f"{name.replace(' ', '-')}-{looker.key}"
        told = {**facts, "pairs": len(taught.twins), "over_time": over_time, "columns": used or "all"}
        heads[name], seconds = train(taught, folder, plan, told, over_time, used)
        runs[name] = folder, seconds
    chosen, on_selection = choose({n: heads[n] for n in ("facts", "features")}, parts["selection"])
    head = heads["temporal"] = heads.pop(chosen)
    swap_weight = float(_parameters(models, "verdict")["model"]["weights"]["swap"])
    result = measure_temporal.write(
        results / "temporal.json",
        parts["reporting"],
        heads,
        _parameters(models, "flicker"),
        swap_weight,
        {
            "command": COMMAND + ("" if pairs is None else f" --pairs {pairs[0]} {pairs[1]}"),
            "clips": {p: len(e) for p, e in parts.items()},
            "network": looker.key,
            "not_taught": list(NOT_TAUGHT),
            "chosen": {"reads": chosen, "auc_on_selection": on_selection},
        },
    )
    if not result["better"]:
        return result
    parity = export_head(head, models)
    calibration = calibrate(head, parts["selection"], swap_weight)
    most_change = round(float(np.quantile(head_changes(head, parts["train"]), ORDINARY)), 4)
    raw = card(*runs[chosen], parity, calibration, most_change, len(parts["train"]))
    told_of = result["rungs"]["taught"]["overall"]["scores"]["temporal"]["auc"]
    what = "H.264 clips made of stills of persons never trained on"
    write_card({**raw, "figures": {"auc": {"clips": {**told_of, "what": what}}}}, models)
    return result


def choose(heads: Mapping[str, TemporalHead], of: Sequence[Example]) -> tuple[str, dict[str, float]]:
    """The head with the largest AUC on the taught families of the selection part, and the AUC of each."""
    taught = [e for e in of if e[0].family not in NOT_TAUGHT]
    labels = [c.forged for c, _ in taught]
    found = {name: round(auc(labels, scores(head, taught)), 4) for name, head in heads.items()}
    return max(found, key=lambda name: found[name]), found


def calibrate(head: TemporalHead, of: Sequence[Example], swap_weight: float) -> dict[str, float]:
    """How the head's logit and the mean of what swap says become evidence over and above swap's own, which
    the verdict counts already: weights of both, less swap's weight there, and an intercept."""
    taught = [e for e in of if e[0].family not in NOT_TAUGHT]
    x = np.stack([scores(head, taught), np.array([s.llr.mean() for _, s in taught])], 1)
    y = np.array([c.forged for c, _ in taught], np.float64)
    w = logistic(x, y, np.ones(len(y)), ridge=0.02)
    return {
        "head": round(float(w[0]), 4), "swap": round(float(w[1]) - swap_weight, 4),
        "intercept": round(float(w[2]), 4), "cap_for": CAP_FOR, "cap_against": CAP_AGAINST,
    }  # fmt: skip


def card(
    run: Path, seconds: float, parity: float, calibration: Mapping[str, float], most_change: float, clips: int
) -> dict[str, Any]:
    """The card ``temporal``."""
    return {
        "name": "temporal",
        "version": "0.1.0",
        "task": "weighs what the swap network sees of a face over time",
        "file": "temporal.onnx",
        "licence": "Apache-2.0",
        "input": {
            "frames": "f32 (n, T, D): logit, facts of the map and features of each crop",
            "present": "f32 (n, T): 1 where there is a crop",
            "least_frames": LEAST,
            "most_step_s": MOST_STEP_S,
            "most_change": most_change,
        },
        "output": {
            "logit": "one a face",
            "each": "one a crop; their mean is the logit",
            "change": "mean step from crop to crop",
        },
        "calibration": dict(calibration),
        "training": training_facts(
            run,
            seconds,
            [
                f"{clips} H.264 clips of {FRAMES} frames made of stills (train split)",
                cards.DFDC,
                cards.FFHQ,
                cards.LARGE,
                cards.LFW,
            ],
            cards.TERMS,
        ),
        "parity": parity,
        "limits": [
            "trained on clips made of stills, not on filmed people: "
            "it can at most double the odds, and never lowers them",
            "knows no genuine face that moves of itself: silent where a face changes more than its clips did",
            f"needs {LEAST} frames of one face that follow each other within {MOST_STEP_S:g} s",
        ],
    }


def _parameters(models: Path, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((models / f"{name}.json").read_text())["parameters"]
    return found
