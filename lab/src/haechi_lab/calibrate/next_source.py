"""``haechi train next-source``: how marks and probabilities hold on a source that calibration never saw.

Each source is left out in turn: the logits are calibrated, weighed and given their marks on all others (the
selection half), and then asked about all faces of that one, both halves. What the networks learned from is
not changed by this: their own left-out runs are another figure. Four ways to join the detectors are
compared: one sum over all, the strongest detector alone, a model a manner of forgery over all detectors, and
one over those that answer for it, which ships.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from haechi.bench.metrics import Ranking, ece_statistic, figure, mean_statistic
from haechi.bench.result import write_json
from haechi.types import F64
from haechi.verdict import log_odds
from haechi_lab.calibrate.fit import calibrate, measured
from haechi_lab.calibrate.fusion import (
    ANSWERS,
    MANNERS,
    Alignment,
    find_domain,
    inside,
    joined,
    judged,
    marks_of,
    photograph,
)
from haechi_lab.calibrate.raw_scores import Probed
from haechi_lab.data.corpus import origin
from haechi_lab.evaluate.left_out import PHOTOGRAPHS
from haechi_lab.training.logistic import balanced, logistic

Evidence = Sequence[Mapping[str, float]]
Rule = Callable[[Mapping[str, float]], float]


def source_of(p: Probed) -> str:
    """Two names of one source are one; so are the families of pseudo-fakes by themselves."""
    return origin(p.source)


def one_sum(used: Sequence[Probed], evidence: Evidence) -> Rule:
    """One logistic regression over all kinds of forgery."""
    x = np.array([[t.get(n, 0.0) for n in ANSWERS] for t in evidence])
    y = np.array([p.label for p in used], np.float64)
    w = logistic(x, y, balanced([p.label for p in used], [p.source for p in used]))
    weights = np.maximum(w[:-1], 0)
    return lambda t: float(np.array([t.get(n, 0.0) for n in ANSWERS]) @ weights + w[-1])


def strongest(_: Sequence[Probed], __: Evidence) -> Rule:
    """The largest calibrated ratio counts alone."""
    return lambda t: max(t.values(), default=0.0)


def manners(used: Sequence[Probed], evidence: Evidence) -> Rule:
    """What ships (``fusion.joined``)."""
    fitted = joined(used, evidence, list(ANSWERS))
    model = Alignment.of(fitted, used, evidence).applied(fitted)
    return lambda t: log_odds(t, model)


def every_voice(used: Sequence[Probed], evidence: Evidence) -> Rule:
    """A model a manner, of all detectors, whether they answer for it or not."""
    ways = {}
    for manner, kinds in MANNERS.items():
        mine = [i for i, p in enumerate(used) if not p.label or p.kind in kinds]
        y = [used[i].label for i in mine]
        if not any(y):
            continue
        x = np.array([[evidence[i].get(n, 0.0) for n in ANSWERS] for i in mine])
        w = logistic(x, np.array(y, np.float64), balanced(y, [used[i].source for i in mine]))
        weights = dict(zip(ANSWERS, np.maximum(w[:-1], 0), strict=True))
        ways[manner] = {"weights": weights, "intercept": w[-1]}
    model = {"manners": ways}
    return lambda t: log_odds(t, model)


SHIPS, ALL = "of who answers", "(all)"
JOINS: Mapping[str, Callable[[Sequence[Probed], Evidence], Rule]] = {
    "one sum": one_sum, "strongest": strongest, "a model a manner": every_voice, SHIPS: manners,
}  # fmt: skip


def measure(out: Path, results: Path, command: str, log: Callable[[str], None] = print) -> dict[str, Any]:
    """Write and return ``results/next-source.json``. ``out``: where the samples lie and the models."""
    models = out / "models"
    selection = measured(out / "val" / "selection.csv", models, out)
    every = [*selection, *measured(out / "val" / "reporting.csv", models, out)]
    rows: list[dict[str, Any]] = []
    left: dict[str, list[tuple[Probed, float]]] = {name: [] for name in JOINS}
    for source in sorted({source_of(p) for p in every}):
        faces = [p for p in every if source_of(p) == source]
        scores = _without(source, selection, faces)
        for name, (used, fused, marks) in scores.items():
            left[name] += zip(used, fused, strict=True)
            rows += [{"source": source, "join": name, **r} for r in _rows(used, fused, marks)]
    for name, pairs in left.items():
        rows += [{"source": ALL, "join": name, **r} for r in _overall(pairs)]
    for row in rows:
        log(f"{row['source']:22} {row['join']:18} {row['figure']:22} {row['rung']:8} {row['value']}")
    result = {
        "schema": "haechi.next-source/1", "command": command, "models": _networks(models),
        "table": _table(rows), "rows": rows,
    }  # fmt: skip
    write_json(results / "next-source.json", result)
    return result


def _networks(folder: Path) -> list[dict[str, str]]:
    cards = [json.loads((folder / f"{name}.json").read_text()) for name in ("faces", *ANSWERS)]
    return [{key: card[key] for key in ("name", "version", "sha256")} for card in cards]


def _table(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of what ships: alarms and finds of each source, undamaged."""
    cells: dict[str, dict[str, str]] = {}
    for row in rows:
        if row["join"] == SHIPS and row["rung"] == "clean" and row["source"] != ALL:
            of_source = cells.setdefault(row["source"], {})
            of_source[row["figure"]] = "{:.1%} ({:.1%} to {:.1%})".format(
                *(row[k] for k in ("value", "low", "high"))
            )
            of_source["genuine" if row["figure"].startswith("alarms") else "forged"] = str(row["n"])
    columns = ["genuine", "alarms, some", "alarms, strong", "forged", "found, some", "found, strong"]
    return {
        "columns": ["left out of calibration", *columns],
        "rows": [[source, *(cell.get(c, "–") for c in columns)] for source, cell in cells.items()],
    }


def _without(
    source: str, selection: Sequence[Probed], faces: Sequence[Probed]
) -> dict[str, tuple[list[Probed], F64, dict[str, float]]]:
    """For every join: those of the faces that lie inside the domain, their fused log-odds f64 (n,), and
    the marks."""
    learn = [p for p in selection if source_of(p) != source and not p.turned]
    blocks = {n: calibrate(learn, n, lambda p, k=kinds: p.kind in k) for n, kinds in ANSWERS.items()}  # type: ignore[misc]
    domain = find_domain(learn)
    used = [p for p in learn if p.faces and inside(p, domain)]
    evidence = [judged(p, blocks) for p in used]
    here = [p for p in faces if p.faces and inside(p, domain)]
    out = {}
    for name, join in JOINS.items():
        rule = join(used, evidence)
        marks = marks_of(np.array([rule(t) for t in evidence]), used)
        out[name] = here, np.array([rule(judged(p, blocks)) for p in here]), marks
    return out


def _rows(used: Sequence[Probed], fused: F64, marks: Mapping[str, float]) -> list[dict[str, Any]]:
    """Share of the genuine and of the forged pictures of a source that pass each mark, by rung."""
    rows: list[dict[str, Any]] = []
    for rung in dict.fromkeys(p.rung for p in used):
        for what, keep in (("alarms", photograph), ("found", lambda p: bool(p.label))):
            index = [i for i, p in enumerate(used) if p.rung == rung and keep(p)]
            if not index:
                continue
            for level, mark in marks.items():
                rate = figure(
                    mean_statistic((fused[index] >= mark).astype(float)),
                    [used[i].group for i in index],
                    is_rate=True,
                )
                rows.append({"figure": f"{what}, {level}", "rung": rung, **rate.as_dict(), "n": len(index)})
    return rows


def _overall(pairs: Sequence[tuple[Probed, float]]) -> list[dict[str, Any]]:
    """Of the fused log-odds that each source got when it was left out: AUC by forged source, and ECE."""
    rows: list[dict[str, Any]] = []
    probes, fused = [p for p, _ in pairs], np.array([v for _, v in pairs])
    for rung in dict.fromkeys(p.rung for p in probes):
        aucs = []
        for source in sorted({source_of(p) for p in probes if p.label}):
            own = any(source_of(p) == source and not p.label for p in probes)
            index = [
                i for i, p in enumerate(probes)
                if p.rung == rung
                and (source_of(p) == source if p.label or own else source_of(p) in PHOTOGRAPHS)
            ]  # fmt: skip
            if not index or len({probes[i].label for i in index}) < 2:
                continue
            auc = figure(
                Ranking(np.array([probes[i].label for i in index]), fused[index]).auc,
                [probes[i].group for i in index],
            )
            aucs.append(auc.value)
            rows.append({"figure": f"AUC of {source}", "rung": rung, **auc.as_dict(), "n": auc.n})
        mean = round(float(np.mean([v for v in aucs if v is not None])), 4)
        rows.append({"figure": "AUC, mean of sources", "rung": rung, "value": mean, "n": len(aucs)})
        index = [i for i, p in enumerate(probes) if p.rung == rung and (p.label or photograph(p))]
        ece = figure(
            ece_statistic(np.array([probes[i].label for i in index]), 1 / (1 + np.exp(-fused[index]))),
            [probes[i].group for i in index],
        )
        rows.append({"figure": "ECE", "rung": rung, **ece.as_dict(), "n": ece.n})
    return rows
