"""Scores -> figures -> the JSON of a result, and back: every figure can be computed again from the scores.

A result is two files: ``NAME.json`` (schema ``haechi.bench/1``) and, beside it, the scores (``scores``).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haechi.bench.metrics import Figure, Ranking, ece_statistic, figures
from haechi.bench.rung_figures import Draw, further
from haechi.bench.scores import ALARMS, ANSWERS, Scored, read_scores, scores_bytes, scores_path
from haechi.errors import UsageError

SCHEMA = "haechi.bench/1"
FACE_BINS_PX = (90.0, 170.0)
"""Where face sizes are cut, as the cards of the shipped networks cut them to calibrate."""


def summarise(
    scored: Scored,
    probabilities: Sequence[str] = ("verdict",),
    resamples: int = 1000,
    seed: int = 0,
    face_bins_px: Sequence[float] = FACE_BINS_PX,
) -> dict[str, Any]:
    """Figures of every rung: {rung: {overall, by_source, by_kind}}, each {scores: {score: figures},
    levels: {strong, some: {false_alarms, found}}}; and of the rung as a whole what ``questions`` asks. ECE
    for the scores that are ``probabilities``.

    A source or kind with one class only is set against that class's opposite in the whole manifest;
    ``against`` says so."""
    out: dict[str, Any] = {}
    for rung in scored.rungs:
        ran = scored.ran[rung]
        if not ran.any():
            continue
        options = (rung, probabilities, resamples, seed)
        out[rung] = {
            "overall": _block(scored, ran, *options),
            "by_source": {v: _part(scored, ran, scored.sources, v, *options) for v in _names(scored.sources)},
            "by_kind": {v: _part(scored, ran, scored.kinds, v, *options) for v in _names(scored.kinds)},
            **further(scored, rung, probabilities, face_bins_px, Draw(resamples, seed)),
        }
    return out


def _names(values: Sequence[str]) -> list[str]:
    """The values to split by; none when there is but one, which would say the overall figures again."""
    names = sorted({v for v in values if v})
    return names if len(set(values)) > 1 else []


def _part(
    scored: Scored, ran: NDArray[np.bool_], column: Sequence[str], value: str, *options: Any
) -> dict[str, Any]:
    members = ran & np.array([v == value for v in column])
    fakes, reals = members & scored.fake, members & ~scored.fake
    against = "itself"
    if not reals.any():
        members, against = members | (ran & ~scored.fake), "all reals"
    elif not fakes.any():
        members, against = members | (ran & scored.fake), "all fakes"
    return {"against": against, **_block(scored, members, *options)}


def _block(
    scored: Scored,
    members: NDArray[np.bool_],
    rung: str,
    probabilities: Sequence[str],
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    index = np.flatnonzero(members)
    labels = scored.fake[index]
    groups = [scored.groups[i] for i in index]
    draw = Draw(resamples, seed)
    scores: dict[str, Any] = {}
    for name in scored.names:
        values = scored.values[rung, name][index]
        block = figures(Ranking(labels, values).all, groups, resamples=resamples, seed=seed)
        if name in probabilities:
            block["ece"] = draw.figure(ece_statistic(labels, values), groups)
        block["abstention"] = draw.rate(np.isnan(values), groups)
        scores[name] = {k: v.as_dict() for k, v in block.items()}
    levels = [scored.levels[rung][i] for i in index]
    return {
        "n_real": int((~labels).sum()),
        "n_fake": int(labels.sum()),
        "n_groups": len(set(groups)),
        "unreadable": levels.count("unreadable"),
        "scores": scores,
        "levels": _alarms(levels, labels, groups, draw) if any(levels) else {},
    }


def _alarms(
    levels: Sequence[str], labels: NDArray[np.bool_], groups: Sequence[str], draw: Draw
) -> dict[str, Any]:
    """Share of the ANSWERED reals and fakes that reach a level: leaving ``unknown`` out of the denominator,
    so that abstaining cannot make the false alarms look rarer."""
    answered = np.array([v in ANSWERS for v in levels])
    out: dict[str, Any] = {}
    for level, members in ALARMS.items():
        hit = np.array([v in members for v in levels])
        sides: dict[str, Figure] = {}
        for name, mask in (("false_alarms", answered & ~labels), ("found", answered & labels)):
            index = np.flatnonzero(mask)
            sides[name] = draw.rate(hit[index], [groups[int(i)] for i in index])
        out[level] = {k: v.as_dict() | {"n": v.n} for k, v in sides.items()}
    return out


def write_result(path: Path, facts: Mapping[str, Any], scored: Scored, **options: Any) -> dict[str, Any]:
    """Summarise and write both files; returns what the JSON holds. ``facts``: what was run, on what, with
    what. ``options`` go to ``summarise``."""
    data = scores_bytes(scored)
    beside = scores_path(path)
    result = {
        "schema": SCHEMA,
        **facts,
        "n": len(scored.ids),
        "n_real": int((~scored.fake).sum()),
        "n_fake": int(scored.fake.sum()),
        "n_groups": len(set(scored.groups)),
        "options": {k: list(v) if isinstance(v, tuple) else v for k, v in options.items()},
        "rungs": summarise(scored, **options),
        "scores": {"file": beside.name, "sha256": hashlib.sha256(data).hexdigest()},
    }
    write_json(path, result)
    beside.write_bytes(data)
    return result


def write_json(path: Path, result: Mapping[str, Any]) -> None:
    """Indented, but an object of plain values stands on one line: short, and a change shows in a diff."""
    text = json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False)
    flat = re.sub(r'\{\s*("[\w.]+": (?:[-\d.e+]+|null),?\s*)+\}', _one_line, text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(flat + "\n", encoding="utf-8")


def _one_line(match: re.Match[str]) -> str:
    return re.sub(r"\s*\n\s*", " ", match.group()).replace("{ ", "{").replace(" }", "}")


def renew(path: Path) -> bool:
    """Write the figures of a stored result anew from its scores: after a figure was added, nothing needs to
    be measured again. False, and nothing done, when the file is a result of another schema. Raises UsageError
    when it cannot be read."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path.name} cannot be read as a result ({type(error).__name__})") from error
    if result.get("schema") != SCHEMA:
        return False
    scored = read_scores(path.with_name(result["scores"]["file"]))
    write_json(path, {**result, "rungs": summarise(scored, **result["options"])})
    return True


def differences(path: Path, rungs: Sequence[str] | None = None) -> list[str]:
    """Compute a stored result again from its scores; the places where the JSON says something else. An empty
    list means that every figure holds. ``rungs``: only these, None for all."""
    result = json.loads(path.read_text(encoding="utf-8"))
    beside = path.with_name(result["scores"]["file"])
    places: list[str] = []
    if hashlib.sha256(beside.read_bytes()).hexdigest() != result["scores"]["sha256"]:
        places.append("scores: the file is not the one that the figures were computed from")
    scored = read_scores(beside)
    counts = {"n": len(scored.ids), "n_fake": int(scored.fake.sum()), "n_groups": len(set(scored.groups))}
    places += [f"{k}: {result[k]}, again {v}" for k, v in counts.items() if result[k] != v]
    rung_names = scored.rungs if rungs is None else tuple(r for r in scored.rungs if r in rungs)
    again = summarise(replace(scored, rungs=rung_names), **result["options"])
    then = {r: v for r, v in result["rungs"].items() if r in rung_names}
    return places + [f"rungs{where}" for where in _unequal(then, again)]


def _unequal(a: Any, b: Any, where: str = "") -> Iterator[str]:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in {**a, **b}:
            yield from _unequal(a.get(key), b.get(key), f"{where}.{key}")
    elif isinstance(a, float) and isinstance(b, float):
        if abs(a - b) > 1.5e-4:  # figures are rounded to 4 places; sums may differ across processors
            yield f"{where}: {a}, again {b}"
    elif a != b:
        yield f"{where}: {a}, again {b}"
