"""``haechi train live``: fit the marks for calls and measure them, and write the card ``live`` and
``results/live.json`` and ``live-genuine.json``.

People are few beside the calls that are promised something, so both halves of them are used, crosswise: what
is reported of one half is measured with the marks of the other, and what ships is fitted on both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from haechi import models
from haechi.bench.metrics import auc, figure, mean_statistic
from haechi.bench.result import write_json
from haechi.live.cusum import CusumRule
from haechi.live.seconds import NETWORKS, fingerprint
from haechi.pipeline import Pipeline
from haechi.settings import Settings
from haechi_lab.export.onnx import write_card
from haechi_lab.live import bootstrap, calls
from haechi_lab.live.series import Heard, listen
from haechi_lab.live.swapper import SPECIES

SEED = 29
SECONDS = 6.0
"""Length of a short call."""
SOON_S = 20.0
BY_BOOTSTRAP = (
    "of half-hour calls block-bootstrapped from short ones, most of them stills before a moving camera"
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
    settings = Settings(models_dir=str(out / "models"), threads=1)
    short = calls.make(packs_dir, filmed, out / "live", people, forged, SECONDS, log)
    file = out / "live" / f"series-{fingerprint(settings)[:12]}.jsonl"
    heard = listen(file, short, Pipeline(settings), log)
    rule = _fitted(heard)
    fields = _figures(heard)
    used = [models.card(name, settings) for name in (*NETWORKS, "verdict")]
    result = {
        "schema": "haechi.live-bench/1", "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "models": [{"name": c.name, "version": c.version, "sha256": c.sha256} for c in used],
        "how": f"alarms {BY_BOOTSTRAP}; times to alarm of forged calls likewise", "rule": _numbers(rule),
        **fields,
    }  # fmt: skip
    write_card(_card(rule, settings, result, len(heard)), out / "models")
    write_json(results / "live.json", result)
    about = ("schema", "command", "created", "models", "how")
    write_json(
        results / "live-genuine.json",
        {**{key: result[key] for key in about}, "table": _genuine_table(result["genuine"])},
    )
    return result


def _of(heard: Sequence[Heard], species: str, talking: bool | None = None) -> list[Heard]:
    """Short calls of one species; those of people who talk, or the others, or both."""
    of_species = [h for h in heard if h.call.species == species]
    if talking is None:
        return of_species
    return [h for h in of_species if (h.call.source == calls.TALKING) == talking]


def _fitted(heard: Sequence[Heard]) -> CusumRule:
    genuine = _of(heard, calls.GENUINE)
    means = np.array([series.mean() for h in genuine for series in h.people])
    long_calls = bootstrap.draw(genuine, bootstrap.CALLS, bootstrap.CALL_S, SEED)
    forged = np.concatenate(
        [
            bootstrap.draw(callers, len(callers), bootstrap.FORGED_S, SEED).log_odds
            for name in SPECIES
            if (callers := _of(heard, name))
        ]
    )
    return CusumRule(
        *(bootstrap.fit(long_calls, means, forged, n) for n in (bootstrap.ASKS, bootstrap.ALARMS))
    )


Fold = tuple[CusumRule, list[Heard]]
"""The marks of one half of the people, and the short calls of the other."""


def _figures(heard: Sequence[Heard]) -> dict[str, Any]:
    """Alarms of genuine calls, times to alarm of forged ones; of people who were not fitted on."""
    halves = {part: [h for h in heard if h.call.part == part] for part in ("selection", "reporting")}
    folds = [
        (_fitted(halves[one]), halves[other])
        for one, other in (("selection", "reporting"), ("reporting", "selection"))
    ]
    sources = dict.fromkeys(h.call.source for h in _of(heard, calls.GENUINE))
    alarms = {"all": _alarms(folds, None)} | {source: _alarms(folds, source) for source in sources}
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


def _alarms(folds: Sequence[Fold], source: str | None) -> dict[str, Any]:
    """Of as many half-hour calls how many per 1,000 reach each level; intervals by person."""
    groups: list[str] = []
    reached: dict[str, list[float]] = {"alarm": [], "ask": []}
    for rule, heard in folds:
        genuine = [h for h in _of(heard, calls.GENUINE) if source in (None, h.call.source)]
        long_calls = _drawn(genuine, bootstrap.CALL_S)
        if long_calls is None:
            continue
        groups += [genuine[int(k)].call.group for k in long_calls.heard]
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
    genuine, forged = (
        [float(h.people[0].mean()) for h in _of(everybody, species, talking)]
        for species in (calls.GENUINE, name)
    )
    labels = [0] * len(genuine) + [1] * len(forged)
    return {
        "species": name, "talking": talking, "people": len(forged), "alarm": _times(alarms),
        "ask": _times(asks), "auc_a_call": round(auc(labels, genuine + forged), 3) if genuine else None,
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
    """Of 1,000 calls, by where the people come from."""
    rows = []
    for source, of_source in alarms.items():
        shares = [of_source[f"{level}s_per_1000"] for level in ("ask", "alarm")]
        cells = ["{value:g} ({low:g} to {high:g})".format(**share) for share in shares]
        rows.append([source, str(of_source["people"]), str(of_source["calls"]), *cells])
    return {"columns": ["people of", "people", "calls", "ask, of 1,000", "alarm, of 1,000"], "rows": rows}


def _numbers(rule: CusumRule) -> dict[str, dict[str, float]]:
    return {"ask": asdict(rule.asks), "alarm": asdict(rule.alarms)}


def _card(rule: CusumRule, settings: Settings, result: Mapping[str, Any], short: int) -> dict[str, Any]:
    genuine = result["genuine"]["all"]
    return {
        "name": "live",
        "version": "0.1.0",
        "task": "says when the evidence of a call's seconds is more than genuine calls show",
        "licence": "Apache-2.0",
        "parameters": {**_numbers(rule), "fitted_with": fingerprint(settings)},
        "training": {
            "data": [f"{short} short calls made of validation faces and clips of people who talk"],
            "terms": "fitted numbers of this project, Apache-2.0; the pictures are not distributed",
            "seed": SEED,
        },
        "figures": {
            "alarms_per_1000_calls": {
                **genuine["alarms_per_1000"],
                "what": f"{genuine['calls']} {BY_BOOTSTRAP}, {genuine['people']} people",
            }
        },
        "limits": [
            "fitted on calls that were bootstrapped from short ones, not on filmed half hours",
            "most of them are stills before a moving camera: of people who really move there are few",
        ],
    }
