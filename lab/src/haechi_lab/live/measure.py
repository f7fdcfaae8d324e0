"""``haechi train live``: fit the marks for calls and measure them, and write the card ``live`` and
``results/live.json`` and ``live-genuine.json``.

People are few beside the calls that are promised something, so both halves of them are used, crosswise: what
is reported of one half is measured with the marks of the other, and what ships is fitted on both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from haechi import models
from haechi.bench.metrics import auc, figure, mean_statistic
from haechi.bench.result import write_json
from haechi.live.cusum import CusumRule
from haechi.live.fusion import Fusion
from haechi.live.seconds import NETWORKS, fingerprint
from haechi.pipeline import Pipeline
from haechi.settings import Settings
from haechi_lab.export.onnx import write_card
from haechi_lab.live import bootstrap, calls, genuine, left_out, weights
from haechi_lab.live.series import Heard, Seen, look
from haechi_lab.live.swapper import SPECIES

SEED = 29
SECONDS = 6.0
"""Length of a short call."""
SOON_S = 20.0
BY_BOOTSTRAP = (
    "of half-hour calls block-bootstrapped from short ones, of stills before a moving camera and of people "
    "who talk"
)


def run(
    packs_dir: Path,
    filmed: Path | None,
    out: Path,
    results: Path,
    command: str,
    people: int,
    forged: int,
    log: Callable[[str], None],
) -> dict[str, Any]:
    """``out/models``: the cards and networks; the card ``live`` is written there, the short calls lie in
    ``out/live``. Raises UsageError, ModelError."""
    short = calls.make(packs_dir, filmed, out / "live", people, forged, SECONDS, log)
    return fit(short, out, results, command, log)


def fit(
    short: Sequence[calls.Call], out: Path, results: Path, command: str, log: Callable[[str], None]
) -> dict[str, Any]:
    """The same with short calls that are made already."""
    settings = Settings(models_dir=str(out / "models"), threads=1)
    file = out / "live" / f"series-{fingerprint(settings)[:12]}.jsonl"
    observations = look(file, short, Pipeline(settings), log)
    fused = weights.fit(observations, weights.measured(observations), NETWORKS)
    rule = _fitted(_heard(observations, fused))
    fields = _figures(observations)
    used = [models.card(name, settings) for name in (*NETWORKS, "verdict")]
    result = {
        "schema": "haechi.live-bench/1", "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "models": [{"name": c.name, "version": c.version, "sha256": c.sha256} for c in used],
        "how": f"alarms {BY_BOOTSTRAP}; times to alarm of forged calls likewise", "rule": _numbers(rule),
        **fields,
    }  # fmt: skip
    write_card(_card(rule, fused, settings, result, len(observations)), out / "models")
    write_json(results / "live.json", result)
    about = ("schema", "command", "created", "models", "how")
    write_json(
        results / "live-genuine.json",
        {**{key: result[key] for key in about}, "table": _genuine_table(result["genuine"])},
    )
    write_json(
        results / "live-evidence.json",
        {**{key: result[key] for key in about[:-1]}, **left_out.measure(observations, log)},
    )
    return result


def _heard(observations: Sequence[Seen], fused: Mapping[str, Any]) -> list[Heard]:
    fusion = Fusion.of(fused)
    return [Heard.of(call, fusion) for call in observations]


def _honest(heard: Sequence[Heard]) -> list[Heard]:
    """Genuine calls of every kind."""
    return [h for h in heard if not h.call.forged]


def _plain_of(heard: Sequence[Heard], source: str) -> list[Heard]:
    """Genuine calls as they were filmed, of one source."""
    return [h for h in _of(heard, calls.GENUINE) if h.call.source == source]


def _of(heard: Sequence[Heard], species: str, talking: bool | None = None) -> list[Heard]:
    """Short calls of one species; those of people who talk, or the others, or both."""
    of_species = [h for h in heard if h.call.species == species]
    if talking is None:
        return of_species
    return [h for h in of_species if (h.call.source == calls.TALKING) == talking]


def _fitted(heard: Sequence[Heard]) -> CusumRule:
    honest = _honest(heard)
    by_person: dict[str, list[float]] = {}
    for h in honest:
        by_person.setdefault(h.call.group, []).extend(float(series.mean()) for series in h.people)
    means = [np.array(of_one) for of_one in by_person.values()]
    long_calls = bootstrap.draw(honest, bootstrap.CALLS, bootstrap.CALL_S, SEED)
    forged = np.concatenate(
        [
            bootstrap.draw(callers, len(callers), bootstrap.FORGED_S, SEED).log_odds
            for name in SPECIES
            if (callers := _of(heard, name))
        ]
    )
    asks = bootstrap.tail(np.concatenate(means), bootstrap.ASKS / 1000)
    alarms = bootstrap.sure_tail(means, bootstrap.ALARMS / 1000, SEED)
    return CusumRule(
        bootstrap.fit(long_calls, asks, forged, bootstrap.ASKS),
        bootstrap.fit(long_calls, alarms, forged, bootstrap.ALARMS),
    )


Fold = tuple[CusumRule, list[Heard]]
"""The marks of one half of the people, and the short calls of the other."""


def _figures(observations: Sequence[Seen]) -> dict[str, Any]:
    """Alarms of genuine calls, times to alarm of forged ones; of people who were not fitted on."""
    folds: list[Fold] = []
    for part in calls.PARTS:
        of_half = [s for s in observations if s.call.part == part]
        others = [s for s in observations if s.call.part != part]
        fused = weights.fit(of_half, weights.measured(of_half), NETWORKS)
        folds.append((_fitted(_heard(of_half, fused)), _heard(others, fused)))
    heard = [h for _, of_fold in folds for h in of_fold]
    sources = dict.fromkeys(h.call.source for h in _of(heard, calls.GENUINE))
    kinds = [kind for kind in genuine.SPECIES if _of(heard, kind)]
    alarms = {"all": _alarms(folds, _honest)}
    alarms |= {s: _alarms(folds, partial(_plain_of, source=s)) for s in sources}
    alarms |= {kind: _alarms(folds, partial(_of, species=kind)) for kind in kinds}
    forged = [
        _told(folds, name, talking)
        for talking in (False, True)
        for name in SPECIES
        if _of(heard, name, talking)
    ]
    return {
        "crosswise": [_numbers(rule) for rule, _ in folds],
        "genuine": alarms,
        "forged": forged,
        "table": {"columns": list(_COLUMNS), "rows": [_row(f) for f in forged]},
    }


def _drawn(heard: Sequence[Heard], seconds: int) -> bootstrap.Drawn | None:
    """Long calls of short ones, as many of each; None of none."""
    if not heard:
        return None
    count = max(1, bootstrap.CALLS // 2 // len(heard)) * len(heard)
    return bootstrap.draw(heard, count, seconds, SEED + 1)


def _alarms(folds: Sequence[Fold], which: Callable[[Sequence[Heard]], list[Heard]]) -> dict[str, Any]:
    """Of as many half-hour calls how many per 1,000 reach each level; intervals by person."""
    groups: list[str] = []
    reached: dict[str, list[float]] = {"alarm": [], "ask": []}
    for rule, heard in folds:
        honest = which(heard)
        long_calls = _drawn(honest, bootstrap.CALL_S)
        if long_calls is None:
            continue
        groups += [honest[int(k)].call.group for k in long_calls.heard]
        for name, mark in (("alarm", rule.alarms), ("ask", rule.asks)):
            highest = bootstrap.sums(long_calls.log_odds, mark).max(1)
            reached[name] += (highest >= mark.threshold).astype(float).tolist()
    out: dict[str, Any] = {"people": len(set(groups)), "calls": len(groups)}
    for name, outcomes in reached.items():
        share = figure(mean_statistic(np.array(outcomes)), groups, is_rate=True).as_dict()
        out[f"{name}s_per_1000"] = {k: _thousandths(share[k]) for k in ("value", "low", "high")}
        out[f"people_with_{name}"] = len({g for g, o in zip(groups, outcomes, strict=True) if o})
    return out


def _thousandths(share: float | None) -> float | None:
    return None if share is None else round(1000 * share, 1)


def _told(folds: Sequence[Fold], name: str, talking: bool) -> dict[str, Any]:
    alarms: list[float] = []
    asks: list[float] = []
    for rule, heard in folds:
        long_calls = _drawn(_of(heard, name, talking), bootstrap.FORGED_S)
        if long_calls is not None:
            alarms += bootstrap.times_s(long_calls.log_odds, rule.alarms).tolist()
            asks += bootstrap.times_s(long_calls.log_odds, rule.asks).tolist()
    everybody = [h for _, heard in folds for h in heard]
    honest, forged = (
        [float(h.people[0].mean()) for h in _of(everybody, species, talking)]
        for species in (calls.GENUINE, name)
    )
    labels = [0] * len(honest) + [1] * len(forged)
    return {
        "species": name, "talking": talking, "people": len(forged), "alarm": _times(alarms),
        "ask": _times(asks), "auc_a_call": round(auc(labels, honest + forged), 3) if honest else None,
    }  # fmt: skip


def _times(times: Sequence[float]) -> dict[str, float | None]:
    """Shares of the calls that reach a level soon, and at all; seconds until half of them have, and 95%."""
    values = np.array(times)
    middle, late = (float(np.quantile(values, q, method="higher")) for q in (0.5, 0.95))
    return {
        "within_20_s": round(float((values <= SOON_S).mean()), 3),
        "within_2_min": round(float(np.isfinite(values).mean()), 3),
        "median_s": middle if np.isfinite(middle) else None,
        "p95_s": late if np.isfinite(late) else None,
    }


_COLUMNS = (
    "species of swap", "people", "ask within 20 s", "within 2 min", "median", "alarm within 20 s",
    "within 2 min", "median", "AUC a call",
)  # fmt: skip


def _row(of_species: Mapping[str, Any]) -> list[str]:
    cells = [of_species["species"] + (", of people who talk" if of_species["talking"] else "")]
    cells.append(str(of_species["people"]))
    for level in ("ask", "alarm"):
        times = of_species[level]
        cells += [f"{100 * times[k]:.0f}%" for k in ("within_20_s", "within_2_min")]
        cells.append("over 2 min" if times["median_s"] is None else f"{times['median_s']:.0f} s")
    return [*cells, "–" if of_species["auc_a_call"] is None else f"{of_species['auc_a_call']:.2f}"]


def _genuine_table(alarms: Mapping[str, Any]) -> dict[str, Any]:
    """Of 1,000 calls, by where the people come from, and by what makes them look odd."""
    rows = []
    for source, of_source in alarms.items():
        shares = [of_source[f"{level}s_per_1000"] for level in ("ask", "alarm")]
        cells = ["{value:g} ({low:g} to {high:g})".format(**share) for share in shares]
        rows.append([source, str(of_source["people"]), str(of_source["calls"]), *cells])
    return {"columns": ["genuine calls", "people", "calls", "ask, of 1,000", "alarm, of 1,000"], "rows": rows}


def _numbers(rule: CusumRule) -> dict[str, dict[str, float]]:
    return {"ask": asdict(rule.asks), "alarm": asdict(rule.alarms)}


def _card(
    rule: CusumRule, fused: Mapping[str, Any], settings: Settings, result: Mapping[str, Any], short: int
) -> dict[str, Any]:
    everybody = result["genuine"]["all"]
    return {
        "name": "live",
        "version": "0.2.0",
        "task": "weighs what each second of a call shows, and says when it is more than genuine calls show",
        "licence": "Apache-2.0",
        "parameters": {**_numbers(rule), **fused, "fitted_with": fingerprint(settings)},
        "training": {
            "data": [f"{short} short calls made of validation faces and clips of people who talk"],
            "terms": "fitted numbers of this project, Apache-2.0; the pictures are not distributed",
            "seed": SEED,
        },
        "figures": {
            "alarms_per_1000_calls": {
                **everybody["alarms_per_1000"],
                "what": f"{everybody['calls']} {BY_BOOTSTRAP}, {everybody['people']} people, marks of others",
            }
        },
        "limits": [
            "fitted on calls that were bootstrapped from short ones, not on filmed half hours",
            "people are few, so that the promise of at most 3 alarms in 1,000 calls is an aim: see figures",
            "stills before a moving camera move as a whole; of people who really move there are few",
        ],
    }
