"""``haechi train live``: fit the thresholds for calls on the selection half, measure them on the reporting
half, and write the card ``live`` and ``results/live.json``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
PEOPLE, FORGED, SECONDS = 80, 30, 6.0
"""Filmed stills of each half, of how many of them there are forged calls, and how long a short call is."""
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
    people: int = PEOPLE,
    forged: int = FORGED,
    log: Callable[[str], None] = print,
) -> dict[str, Any]:
    """``out/models``: the cards and networks; the card ``live`` is written there, the short calls lie in
    ``out/live``. Raises UsageError, ModelError."""
    settings = Settings(models_dir=str(out / "models"), threads=1)
    short = calls.make(packs_dir, filmed, out / "live", people, forged, SECONDS, log)
    heard = listen(short, Pipeline(settings), log)
    halves = {part: [h for h in heard if h.call.part == part] for part in ("selection", "reporting")}
    rule = _fitted(halves["selection"])
    fields = _figures(rule, halves["reporting"])
    used = [models.card(name, settings) for name in (*NETWORKS, "verdict")]
    result = {
        "schema": "haechi.live/1", "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "models": [{"name": c.name, "version": c.version, "sha256": c.sha256} for c in used],
        "how": f"alarms {BY_BOOTSTRAP}; times to alarm of forged calls likewise", "rule": _numbers(rule),
        **fields,
    }  # fmt: skip
    write_card(_card(rule, settings, result, len(heard)), out / "models")
    write_json(results / "live.json", result)
    return result


def _of(heard: Sequence[Heard], species: str, talking: bool | None = None) -> list[Heard]:
    """Short calls of one species; those of people who talk, or the others, or both."""
    of_species = [h for h in heard if h.call.species == species]
    if talking is None:
        return of_species
    return [h for h in of_species if (h.call.source == calls.TALKING) == talking]


def _fitted(heard: Sequence[Heard]) -> CusumRule:
    genuine = bootstrap.draw(_of(heard, calls.GENUINE), bootstrap.CALLS, bootstrap.CALL_S, SEED)
    forged = [
        bootstrap.draw(callers, len(callers), bootstrap.FORGED_S, SEED).log_odds
        for name in SPECIES
        if (callers := _of(heard, name))
    ]
    return bootstrap.fit(genuine.log_odds, np.concatenate(forged))


def _figures(rule: CusumRule, heard: Sequence[Heard]) -> dict[str, Any]:
    """Alarms of genuine calls, times to alarm of forged ones; of people who were not fitted on."""
    genuine = _of(heard, calls.GENUINE)
    alarms = {"all": _alarms(rule, genuine)}
    for source in dict.fromkeys(h.call.source for h in genuine):
        alarms[source] = _alarms(rule, [h for h in genuine if h.call.source == source])
    forged = [
        _told(rule, name, _of(heard, name, talking), _of(heard, calls.GENUINE, talking), talking)
        for talking in (False, True)
        for name in SPECIES
        if _of(heard, name, talking) and _of(heard, calls.GENUINE, talking)
    ]
    return {
        "genuine": alarms,
        "forged": forged,
        "table": {"columns": list(_COLUMNS), "rows": [_row(f) for f in forged]},
    }


def _alarms(rule: CusumRule, heard: Sequence[Heard]) -> dict[str, Any]:
    """Of as many half-hour calls how many per 1,000 reach each mark; intervals by person."""
    count = bootstrap.CALLS // len(heard) * len(heard)
    drawn = bootstrap.draw(heard, count, bootstrap.CALL_S, SEED + 1)
    highest = bootstrap.sums(drawn.log_odds, rule).max(1)
    groups = [heard[int(k)].call.group for k in drawn.heard]
    out: dict[str, Any] = {"people": len(heard), "calls": count}
    for name, mark in (("alarm", rule.alarm), ("ask", rule.ask)):
        share = figure(mean_statistic((highest >= mark).astype(float)), groups, is_rate=True).as_dict()
        out[f"{name}s_per_1000"] = {k: _thousandths(share[k]) for k in ("value", "low", "high")}
        reached = {g for g, top in zip(groups, highest, strict=True) if top >= mark}
        out[f"people_with_{name}"] = len(reached)
    return out


def _thousandths(share: float | None) -> float | None:
    return None if share is None else round(1000 * share, 1)


def _told(
    rule: CusumRule, name: str, heard: Sequence[Heard], genuine: Sequence[Heard], talking: bool
) -> dict[str, Any]:
    count = bootstrap.CALLS // len(heard) * len(heard)
    drawn = bootstrap.draw(heard, count, bootstrap.FORGED_S, SEED + 2)
    times = bootstrap.times_s(drawn.log_odds, rule, rule.alarm)
    asks = bootstrap.times_s(drawn.log_odds, rule, rule.ask)
    middle, late = (float(np.quantile(times, q, method="higher")) for q in (0.5, 0.95))
    means = [[float(h.people[0].mean()) for h in part] for part in (genuine, heard)]
    return {
        "species": name, "talking": talking, "people": len(heard),
        "alarm_within_20_s": round(float((times <= SOON_S).mean()), 3),
        "alarm_within_2_min": round(float(np.isfinite(times).mean()), 3),
        "ask_within_20_s": round(float((asks <= SOON_S).mean()), 3),
        "median_s": middle if np.isfinite(middle) else None, "p95_s": late if np.isfinite(late) else None,
        "auc_a_call": round(auc([0] * len(genuine) + [1] * len(heard), means[0] + means[1]), 3),
    }  # fmt: skip


_COLUMNS = (
    "species of swap", "people", "alarm within 20 s", "within 2 min", "median", "95th percentile",
    "AUC a call",
)  # fmt: skip


def _row(told: Mapping[str, Any]) -> list[str]:
    name = told["species"] + (", of people who talk" if told["talking"] else "")
    soon, within = (f"{100 * told[k]:.0f}%" for k in ("alarm_within_20_s", "alarm_within_2_min"))
    times = ["over 2 min" if told[k] is None else f"{told[k]:.0f} s" for k in ("median_s", "p95_s")]
    return [name, str(told["people"]), soon, within, *times, f"{told['auc_a_call']:.2f}"]


def _numbers(rule: CusumRule) -> dict[str, float]:
    return {
        "drift_per_second": rule.drift, "clip_per_second": rule.clip,
        "threshold_ask": rule.ask, "threshold_alarm": rule.alarm,
    }  # fmt: skip


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
