"""How much each sign counts: the numbers that the card ``live`` holds for ``haechi.live.fusion``, fitted on
seconds of short calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from haechi.live.evidence import SIGNS
from haechi.live.fusion import Fusion
from haechi.types import F64
from haechi_lab.live.calls import TALKING
from haechi_lab.live.series import Moment, Seen
from haechi_lab.training.logistic import logistic

CAP_FOR, CAP_AGAINST = 2.5, 1.5
"""Nats. People are few: no sign makes a forgery more than 12 times likelier, or 4 times less likely, and that
nothing shows is the weaker evidence."""
RIDGE = 3e-2


def measured(observations: Sequence[Seen]) -> list[str]:
    """The signs that could be measured in any second."""
    names = {name for _, series in _series(observations) for moment in series for name in moment.measures}
    return [name for name in SIGNS if name in names]


def fit(observations: Sequence[Seen], signs: Sequence[str], networks: Sequence[str]) -> dict[str, Any]:
    """The blocks ``signs`` and ``fusion`` of the card, of these signs and networks. What would count against
    its own ratio gets no weight: that is chance, or the others know it better."""
    blocks = {name: _sign(observations, name) for name in signs}
    used = [*networks, *signs]
    while True:
        fusion = {"weights": dict.fromkeys(used, 1.0), "intercept": 0.0}
        model = Fusion.of({"signs": blocks, "fusion": fusion})
        rows, labels, weight = _rows(observations, partial(_ratios, model, used))
        *weights, intercept = logistic(rows, labels, weight, RIDGE)
        if min(weights) >= 0 or len(used) == 1:
            break
        del used[int(np.argmin(weights))]
    return {
        "signs": {name: block for name, block in blocks.items() if name in used},
        "fusion": {
            "weights": {name: round(float(w), 4) for name, w in zip(used, weights, strict=True)},
            "intercept": round(float(intercept), 4),
        },
    }


def _ratios(model: Fusion, used: Sequence[str], moment: Moment) -> F64:
    ratios = model.ratios(moment.networks, moment.measures)
    return np.array([ratios.get(name, 0.0) for name in used])


def _sign(observations: Sequence[Seen], name: str) -> dict[str, Any]:
    rows, labels, weight = _rows(observations, lambda m: m.measures.get(name))
    middle, spread = rows.mean(0), rows.std(0) + 1e-6
    *weights, intercept = logistic((rows - middle) / spread, labels, weight, RIDGE)
    scaled = np.array(weights) / spread
    return {
        "weights": [round(float(w), 4) for w in scaled],
        "intercept": round(float(intercept - scaled @ middle), 4),
        "cap_for": CAP_FOR,
        "cap_against": CAP_AGAINST,
    }


def _rows(observations: Sequence[Seen], measures: Callable[[Moment], F64 | None]) -> tuple[F64, F64, F64]:
    """What was measured in each second f64 (n, k), whether it is forged f64 (n,), and how much it counts."""
    rows: list[F64] = []
    labels: list[float] = []
    weight: list[float] = []
    cells: list[tuple[bool, bool]] = []
    for call, moments in _series(observations):
        values = [v for m in moments if (v := measures(m)) is not None]
        rows += values
        labels += [float(call.call.forged)] * len(values)
        weight += [1 / max(len(values), 1)] * len(values)
        cells += [(call.call.forged, call.call.source == TALKING)] * len(values)
    shares: Mapping[tuple[bool, bool], float] = {
        cell: sum(w for w, c in zip(weight, cells, strict=True) if c == cell) for cell in set(cells)
    }
    # Both classes, and in each stills and people who talk, have the same say, whatever their number.
    of_class = {cell: sum(other[0] == cell[0] for other in shares) for cell in shares}
    balanced = [w / shares[c] / of_class[c] for w, c in zip(weight, cells, strict=True)]
    return np.array(rows), np.array(labels), np.array(balanced)


def _series(observations: Sequence[Seen]) -> Iterator[tuple[Seen, tuple[Moment, ...]]]:
    for call in observations:
        for series in call.people:
            yield call, series
