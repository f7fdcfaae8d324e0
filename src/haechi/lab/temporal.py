"""``haechi train temporal``: clips, the head that weighs a face over them, its card, and what it is worth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

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


def run(out: Path, results: Path, steps: int, threads: int) -> dict[str, Any]:
    """Fill ``OUT/temporal``, write the head and its card into ``OUT/models`` and the figures into
    ``RESULTS/temporal.json``, which is returned. Needs ``OUT/prepared`` and the models that ship."""
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
    clips = clip_data.make(out)
    looker = clip_data.Looker(models, threads)
    seen = clip_data.look_at_all(clips, out, looker)
    parts = {p: examples(clips, seen, p) for p in ("train", "selection", "reporting")}
    facts = {"data_sha256": file_hash([out / "temporal" / "clips.json"]), "network": looker.key}
    heads: dict[str, TemporalHead] = {}
    for name, over_time, without in (
        ("temporal", True, NOT_TAUGHT),
        ("single", False, NOT_TAUGHT),
        ("taught all", True, ()),
    ):
        folder = out / "temporal" / f"{name.replace(' ', '-')}-{looker.key}"
        pairs = Pairs(parts["train"], without)
        told = {**facts, "without": list(without), "pairs": len(pairs.twins)}
        heads[name], seconds = train(pairs, folder, plan, told, over_time)
        if name == "temporal":
            run_of_head, spent = folder, seconds
    parity = export_head(heads["temporal"], models)
    swap_weight = float(_parameters(models, "verdict")["model"]["weights"]["swap"])
    calibration = calibrate(heads["temporal"], parts["selection"], swap_weight)
    most_change = float(np.quantile(head_changes(heads["temporal"], parts["train"]), ORDINARY))
    about = {
        "command": COMMAND,
        "clips": {p: len(e) for p, e in parts.items()},
        "network": looker.key,
        "not_taught": list(NOT_TAUGHT),
    }
    result = measure_temporal.write(
        results / "temporal.json",
        parts["reporting"],
        heads,
        _parameters(models, "flicker"),
        swap_weight,
        about,
    )
    figures = {
        name: {**result["rungs"]["taught"]["overall"]["scores"][name]["auc"], "what": what}
        for name, what in (
            ("temporal", "clips made of stills of persons never trained on"),
            ("mean", "frame averaging there"),
        )
    }
    raw = card(run_of_head, spent, parity, calibration, round(most_change, 4), len(parts["train"]))
    write_card({**raw, "figures": {"auc": figures}}, models)
    return result


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
