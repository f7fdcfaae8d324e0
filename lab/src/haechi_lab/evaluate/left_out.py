"""``haechi train left-out``: what is found of a source that nothing was learned from, on cached features.

For each forged source a head on the frozen trunk is fitted on all others (training split) and asked about
that one's validation faces: its fakes against its own genuine faces or, where it has none, against those of
every photographic source. A fit takes half a minute, so heads and ways to join them can be compared on the
figure that decides. The face network stands beside it as it ships: it has met every source, and its own
figures, and what they add to a sum, are no test of a source left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from haechi.bench.metrics import Figure, Ranking, figure
from haechi.bench.result import write_json
from haechi.types import F64
from haechi_lab.data.views import Views
from haechi_lab.training.head import balanced, fitted
from haechi_lab.training.synthesis import learned_from

PHOTOGRAPHS = ("ffhq-stylegan1", "lfw", "gan1024")
"""Genuine faces beside fakes of a source that has none of its own."""
NONE = "(none)"
LAWS = ("clean", "drawn")
"""Of ``features``: saved anew as JPEG 90, and degraded by chance."""
FACE, ALL, DRAWN = "face network", "head, all kinds", "head, generated faces"
SHIPS = DRAWN


def standard(scores: F64, genuine: np.ndarray) -> F64:
    """Scores over mean and deviation of the genuine ones among them."""
    out: F64 = (scores - scores[genuine].mean()) / (scores[genuine].std() + 1e-9)
    return out


JOINS: Mapping[str, Callable[[F64], F64]] = {
    "sum": lambda z: z.sum(0),
    "maximum": lambda z: z.max(0),
    "noisy or": lambda z: np.logaddexp(0, z - 2).sum(0),
}
"""How standard scores f64 (2, n) of the face network and of the head become one: an eye that sees is not
outvoted in the last two."""


def scores_without(views: Views, left_out: str, seed: int = 0) -> dict[str, F64]:
    """By name, f64 (n,) over all views: the face network's own logit, a head that learned from all kinds of
    forgery and one from generated faces alone, neither from a source, and the latter joined with the face
    network in three ways."""
    x, out = views.features["dino"], {}
    learn = {ALL: views.train & (views.source != left_out), DRAWN: learned_from(views, [left_out])}
    for name, rows in learn.items():
        weight = balanced(views.source[rows], views.fake[rows])
        out[name] = fitted(x[rows], views.fake[rows], weight, seed).logits(x)
    if "shipped" in views.features:
        out[FACE] = np.asarray(views.features["shipped"][:, -1], np.float64)
        reference = ~views.train & ~views.fake & (views.source != left_out)
        both = np.stack([standard(out[name], reference) for name in (FACE, DRAWN)])
        out |= {f"both, {how}": join(both) for how, join in JOINS.items()}
    return out


def asked(views: Views, source: str, law: str = LAWS[0]) -> np.ndarray:
    """bool (n,): the validation views that answer for a source."""
    val = ~views.train & (views.law == law)
    fakes = val & views.fake & (views.source == source)
    own = val & ~views.fake & (views.source == source)
    genuine = own if own.any() else val & ~views.fake & np.isin(views.source, PHOTOGRAPHS)
    return np.asarray(fakes | genuine)


def measure(folder: Path, out: Path, command: str, log: Callable[[str], None] = print) -> dict[str, Any]:
    """Leave every forged source out in turn; write and return the table."""
    views = Views.open(folder)
    rows: list[dict[str, Any]] = []
    of_all = scores_without(views, NONE)
    sources = sorted(set(views.source[~views.train & views.fake]))
    for source in sources:
        for how, by_name in (("left out", scores_without(views, source)), ("met", of_all)):
            for law in LAWS:
                here = asked(views, source, law)
                if not here.any():
                    continue
                for name, values in by_name.items():
                    auc = _auc(views.fake[here], values[here], views.group[here])
                    about = {"source": source, "law": law, "learned": how, "scores": name}
                    rows.append({**about, **auc.as_dict(), "n": auc.n})
                    log(f"{source:16} {law:6} {how:9} {name:28} {auc.value}")
    # The head is not meant for swaps: what it says of them is told, and counts in no mean.
    own = [s for s in sources if s not in views.source[views.kind == "swap"]]
    result = {
        "command": command, "views": len(views.source), "held": {"mean": _mean(rows, own, "left out")},
        "met": {"mean": _mean(rows, own, "met")}, "table": _table(rows, sources), "auc": rows,
    }  # fmt: skip
    write_json(out, result)
    return result


def _mean(rows: Sequence[Mapping[str, Any]], sources: Sequence[str], learned: str) -> dict[str, float]:
    """Of the head that ships, over sources, undamaged; the interval takes the sources for independent."""
    some = [
        r for r in rows
        if r["source"] in sources and r["scores"] == SHIPS and r["law"] == LAWS[0] and r["learned"] == learned
    ]  # fmt: skip
    mean = float(np.mean([r["value"] for r in some]))
    half = float(np.sqrt(sum(((r["high"] - r["low"]) / 2) ** 2 for r in some))) / len(some)
    return {"value": round(mean, 4), "low": round(mean - half, 4), "high": round(min(mean + half, 1.0), 4)}


def _table(rows: Sequence[Mapping[str, Any]], sources: Sequence[str]) -> dict[str, Any]:
    """A line a source: the head that ships without it and with it, and both networks; degraded in
    brackets."""
    values = {(r["source"], r["law"], r["learned"], r["scores"]): r["value"] for r in rows}
    columns = [
        ("left out", SHIPS),
        ("met", SHIPS),
        ("met", FACE),
        ("left out", "both, sum"),
        ("met", "both, sum"),
    ]
    columns = [c for c in columns if (sources[0], LAWS[0], *c) in values]

    def cell(source: str, column: tuple[str, str]) -> str:
        clean, degraded = (values.get((source, law, *column)) for law in LAWS)
        return " ".join(
            ["–" if clean is None else f"{clean:.3f}", *([f"({degraded:.3f})"] if degraded else [])]
        )

    return {
        "columns": ["source", *(name if name == FACE else f"{name}; {how}" for how, name in columns)],
        "rows": [[source, *(cell(source, c) for c in columns)] for source in sources],
    }


def _auc(fake: np.ndarray, scores: F64, groups: Sequence[object] | np.ndarray) -> Figure:
    return figure(Ranking(fake, scores).auc, list(groups))
