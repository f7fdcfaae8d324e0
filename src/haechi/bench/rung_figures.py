"""What else is asked of the scores of a rung, beside how well they rank: risk against coverage, false alarms
by person, calibration by face size, overlap of the maps. Each is a block of JSON; see the functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haechi.bench.metrics import (
    ECE_BINS,
    Figure,
    Statistic,
    ece,
    ece_statistic,
    figure,
    figures,
    mean_statistic,
)
from haechi.bench.person_alarms import LEAST, by_person, mark_at
from haechi.bench.scores import ALARMS, ANSWERS, ELLIPSE, FACE_PX, IOU, Scored
from haechi.bench.selective_risk import risk_statistics
from haechi.types import F64

CHANCE_DRAWS = 200


@dataclass(frozen=True, slots=True)
class Draw:
    """How intervals are drawn."""

    resamples: int
    seed: int

    def figure(self, statistic: Statistic, groups: Sequence[str]) -> Figure:
        return figure(statistic, groups, resamples=self.resamples, seed=self.seed)

    def rate(self, hits: NDArray[np.bool_], groups: Sequence[str]) -> Figure:
        return figure(mean_statistic(hits), groups, resamples=self.resamples, seed=self.seed, is_rate=True)


def further(
    scored: Scored, rung: str, probabilities: Sequence[str], face_bins_px: Sequence[float], draw: Draw
) -> dict[str, Any]:
    """The blocks ``risk``, ``persons``, ``calibration`` and, where there are masks, ``localisation``."""
    index = np.flatnonzero(scored.ran[rung])
    groups = [scored.groups[i] for i in index]
    labels = scored.fake[index]
    values = {name: scored.values[rung, name][index] for name in scored.names}
    scores = {name: v for name, v in values.items() if not np.isnan(v).all()}
    sizes = scored.measures.get((rung, FACE_PX), np.full(len(scored.ids), np.nan))[index]
    out: dict[str, Any] = {
        "risk": {
            name: _risk(labels, v, 0.5 if name in probabilities else 0.0, groups, draw)
            for name, v in scores.items()
            if labels.any() and not labels.all()
        },
        "persons": _persons(scored, rung, index, scores),
        "calibration": {
            name: _calibration(labels, v, sizes, face_bins_px, groups, draw)
            for name, v in scores.items()
            if name in probabilities
        },
    }
    located = _localisation(scored, rung, index, draw)
    return out | ({"localisation": located} if located else {})


def _risk(
    labels: NDArray[np.bool_], values: F64, decided_at: float, groups: Sequence[str], draw: Draw
) -> dict[str, Any]:
    statistics = risk_statistics(labels, values, decided_at)
    results = figures(statistics, groups, resamples=draw.resamples, seed=draw.seed)
    return {"decided_at": decided_at, **{k: v.as_dict() for k, v in results.items()}}


def _persons(scored: Scored, rung: str, index: NDArray[np.int64], scores: dict[str, F64]) -> dict[str, Any]:
    """{least, marks: {strong, some, "NAME at 5%": figures}} of the genuine pictures that were answered."""
    real = index[~scored.fake[index]]
    persons = np.array([scored.groups[i] for i in real], dtype=str)
    levels = np.array([scored.levels[rung][i] for i in real], dtype=str)
    marks: dict[str, Any] = {}
    answered = np.isin(levels, ANSWERS)
    if answered.any():
        for level, members in ALARMS.items():
            marks[level] = by_person(np.isin(levels, members)[answered], list(persons[answered]))
    for name in scores:
        values = scored.values[rung, name][real]
        valid = ~np.isnan(values)
        marks[f"{name} at 5%"] = by_person(mark_at(values)[valid], list(persons[valid]))
    return {"least": LEAST, "marks": {k: v for k, v in marks.items() if v}}


def _calibration(
    labels: NDArray[np.bool_],
    values: F64,
    sizes: F64,
    face_bins_px: Sequence[float],
    groups: Sequence[str],
    draw: Draw,
) -> dict[str, Any]:
    """``bins``: what was said and what was the case, in the bins of ECE that hold a picture. ``by_face``: ECE
    by face size. ``ece_by_chance``, of all and of each size: the mean ECE that these very probabilities would
    show if they were exactly right, which is not 0 and the larger the fewer the pictures."""
    cell = np.minimum(np.nan_to_num(values * ECE_BINS, nan=-1.0).astype(np.int64), ECE_BINS - 1)
    bins = []
    for k in range(ECE_BINS):
        inside = np.flatnonzero((cell == k) & ~np.isnan(values))
        if len(inside):
            case = draw.rate(labels[inside], [groups[int(i)] for i in inside])
            bins.append(
                {
                    "n": len(inside),
                    "said": round(float(values[inside].mean()), 4),
                    "was": case.as_dict(),
                }
            )
    by_face = []
    edges = [0.0, *face_bins_px, np.inf]
    for low, high in pairwise(edges):
        inside = np.flatnonzero((sizes >= low) & (sizes < high) & ~np.isnan(values))
        if len(inside):
            error = draw.figure(
                ece_statistic(labels[inside], values[inside]), [groups[int(i)] for i in inside]
            )
            below = None if np.isinf(high) else float(high)
            by_face.append(
                {
                    "from_px": float(low),
                    "below_px": below,
                    "n": len(inside),
                    "ece": error.as_dict(),
                    "ece_by_chance": _ece_by_chance(values[inside], draw.seed),
                }
            )
    return {"ece_by_chance": _ece_by_chance(values, draw.seed), "bins": bins, "by_face": by_face}


def _ece_by_chance(values: F64, seed: int) -> float:
    p = values[~np.isnan(values)]
    labels = np.random.default_rng(seed).random((CHANCE_DRAWS, len(p))) < p
    return round(float(np.mean([ece(y, p) for y in labels])), 4)


def _localisation(scored: Scored, rung: str, index: NDArray[np.int64], draw: Draw) -> dict[str, Any]:
    """{all and each kind: {detector: {n, iou, ellipse, gain}}}: mean overlap of the map and of the guess, and
    their difference, over the forgeries with a mask of which the detector drew a map."""
    detectors = [n.removeprefix(IOU) for r, n in scored.measures if r == rung and n.startswith(IOU)]
    kinds = {"all": index}
    for kind in sorted({scored.kinds[i] or scored.sources[i] for i in index} - {""}):
        kinds[kind] = np.array([i for i in index if (scored.kinds[i] or scored.sources[i]) == kind])
    out: dict[str, Any] = {}
    for kind, members in kinds.items():
        for detector in detectors:
            overlap = scored.measures[rung, IOU + detector][members]
            valid = np.flatnonzero(~np.isnan(overlap))
            if not len(valid):
                continue
            guess = scored.measures[rung, ELLIPSE + detector][members][valid]
            groups = [scored.groups[int(members[i])] for i in valid]
            three = {"iou": overlap[valid], "ellipse": guess, "gain": overlap[valid] - guess}
            means = {k: draw.figure(mean_statistic(v), groups).as_dict() for k, v in three.items()}
            out.setdefault(kind, {})[detector] = {"n": len(valid), **means}
    return out
