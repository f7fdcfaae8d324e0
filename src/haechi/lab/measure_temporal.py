"""What weighing a face over time is worth: the temporal head against frame averaging and all that is simpler,
on clips of people that neither network was trained on (``results/temporal.json``)."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haechi.bench.manifest import hashed
from haechi.bench.metrics import Ranking, auc, figures
from haechi.bench.result import write_result
from haechi.bench.scores import Scored
from haechi.lab.clip_data import Clip, Seen
from haechi.lab.networks.temporal import TemporalHead
from haechi.lab.train_temporal import NOT_TAUGHT, Example, scores
from haechi.types import F64

CRF_EDGES = ((18, 24), (25, 31), (32, 38))
CHANGING = ("drift", "jitter", "redraw", "fail")
SHORTER = {"8 frames": (8, 1), "every third frame": (64, 3)}
"""Rungs on which fewer frames of each clip are seen: how many at most, and every which."""
WHAT = {
    "temporal": "temporal head",
    "facts": "same head, no features",
    "features": "same head, all features",
    "single": "same head, no neighbours",
    "taught all": "same head, taught animated stills",
    "mean": "frame average",
    "max": "frame maximum",
    "flicker": "flicker",
    "average and flicker": "average and flicker, as before",
}
Chosen = NDArray[np.bool_]


def flicker_llr(seen: Seen, card: Mapping[str, Any]) -> float:
    """What the detector ``flicker`` weighs, before its caps; NaN where it is silent for want of frames."""
    z = (np.log(seen.flicker + 1e-3) - np.array(card["mean"])) / np.array(card["deviation"])
    return float(z @ np.array(card["weights"]) + card["intercept"])


def as_before(seen: Seen, card: Mapping[str, Any], swap_weight: float) -> float:
    """The log-odds that swap and flicker come to together in the verdict, caps and abstentions included."""
    z = (np.log(seen.flicker + 1e-3) - np.array(card["mean"])) / np.array(card["deviation"])
    silent = not np.abs(z).max() <= card["max_z"]
    llr = 0.0 if silent else np.clip(flicker_llr(seen, card), -card["cap_against"], card["cap_for"])
    return float(swap_weight * seen.llr.mean() + llr)


def rungs(clips: Sequence[Clip]) -> dict[str, Chosen]:
    """Which clips each rung is of. Genuine clips share the mode and the coding of their twins."""
    taught = np.array([c.family not in NOT_TAUGHT for c in clips])
    mode, crf = np.array([c.mode for c in clips]), np.array([c.crf for c in clips])
    return {
        "taught": taught,
        "constant": taught & (mode == "constant"),
        "changing": taught & np.isin(mode, CHANGING),
        **{f"crf {low}-{high}": taught & (crf >= low) & (crf <= high) for low, high in CRF_EDGES},
        "animated stills": ~taught,
    }


def scored(
    of: Sequence[Example], heads: Mapping[str, TemporalHead], card: Mapping[str, Any], swap_weight: float
) -> Scored:
    """Every score of every clip on every rung, in the house's form of a result."""
    clips = [c for c, _ in of]
    chosen = rungs(clips)
    whole: dict[str, F64] = {name: scores(head, of) for name, head in heads.items()}
    whole |= {
        "mean": np.array([s.logits.mean() for _, s in of]),
        "max": np.array([s.logits.max() for _, s in of]),
        "flicker": np.array([flicker_llr(s, card) for _, s in of]),
        "average and flicker": np.array([as_before(s, card, swap_weight) for _, s in of]),
    }
    names = tuple(whole)
    values = {(r, n): np.where(c, v, np.nan) for r, c in chosen.items() for n, v in whole.items()}
    for rung, (length, stride) in SHORTER.items():
        chosen[rung] = chosen["taught"]
        for name in names:
            values[rung, name] = np.full(len(of), np.nan)
        for name, head in heads.items():
            values[rung, name] = scores(head, of, length, stride)
        middles = [_middle(s.logits, length, stride) for _, s in of]
        values[rung, "mean"] = np.array([m.mean() for m in middles])
        values[rung, "max"] = np.array([m.max() for m in middles])
    return Scored(
        ids=tuple(hashed(c.name) for c in clips),
        fake=np.array([c.forged for c in clips]),
        sources=("",) * len(clips),
        kinds=tuple(c.family if c.forged else "" for c in clips),
        groups=tuple(hashed(f"group/{c.group}") for c in clips),
        rungs=tuple(chosen),
        names=names,
        values=values,
        ran=chosen,
        levels={r: ("",) * len(of) for r in chosen},
    )


def _middle(logits: F64, length: int, stride: int) -> F64:
    room = max(len(logits) - ((length - 1) * stride + 1), 0)
    first = int(0.5 * (room + 1))
    return logits[first : first + (length - 1) * stride + 1 : stride]


def gains(of: Scored, against: Sequence[str], seed: int = 0) -> dict[str, dict[str, Any]]:
    """AUC of the temporal head less that of each other score, with its interval from the same resamples of
    persons, on every rung: above 0 it is better."""
    out: dict[str, dict[str, Any]] = {}
    for rung in of.rungs:
        index = np.flatnonzero(of.ran[rung])
        labels, groups = of.fake[index], [of.groups[int(i)] for i in index]
        rank = {n: Ranking(labels, of.values[rung, n][index]) for n in ("temporal", *against)}
        found = figures(partial(_ahead, rank), groups, seed=seed)
        out[rung] = {n: f.as_dict() for n, f in found.items()}
    return out


def _ahead(rank: Mapping[str, Ranking], weights: F64) -> dict[str, F64]:
    own = rank["temporal"].auc(weights)
    return {name: own - other.auc(weights) for name, other in rank.items() if name != "temporal"}


def write(
    path: Path,
    of: Sequence[Example],
    heads: Mapping[str, TemporalHead],
    card: Mapping[str, Any],
    swap_weight: float,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """Measure the reporting part and write the result with its table."""
    found = scored(of, heads, card, swap_weight)
    shown = [n for n in WHAT if n in found.names]
    rows = []
    for rung in found.rungs:
        families = sorted({k for k in found.kinds if k}) if rung == "taught" else []
        for name in ("", *families, *(CHANGING if families else ())):
            # A family, or a mode, is set against its own twins: they were filmed and coded as it was.
            own = np.array([not name or name in (c.family, c.mode) for c, _ in of])
            part = found.ran[rung] & own
            if not part.any():
                continue
            y = found.fake[part]
            counts = [str(int(y.sum())), str(int((~y).sum()))]
            found_here = [auc(y, found.values[rung, n][part]) for n in shown]
            rows.append([name or rung, *counts, *("–" if np.isnan(v) else f"{v:.3f}" for v in found_here)])
    ahead = gains(found, [n for n in found.names if n != "temporal"])
    about = {
        **facts,
        # For sure: the whole interval lies above 0.
        "better": all((ahead["taught"][n]["low"] or 0) > 0 for n in ("mean", "flicker")),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"python": platform.python_version()},
        "gains": ahead,
        "table": {"columns": ["clips", "forged", "genuine", *(WHAT[n] for n in shown)], "rows": rows},
    }
    return write_result(path, about, found, probabilities=())
