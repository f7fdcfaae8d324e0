"""Is somebody's face accused again and again? False alarms of genuine pictures, person by person.

One false alarm in a hundred pictures sounds alike whether it falls on everybody in turn or always on the same
few people. Beside each figure stands what it would be if every genuine picture were accused with the same
probability, whoever it shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haechi.types import F64

LEAST = 5
"""Pictures of a person from which a rate of that person is worth something."""
DRAWS = 2000


def mark_at(scores: F64, rate: float = 0.05) -> NDArray[np.bool_]:
    """Which of the genuine pictures' scores f64 (n,) lie above the mark that at most ``rate`` of them pass;
    bool (n,). A NaN passes nothing. Equal scores pass together or not at all."""
    ranked = np.sort(scores[~np.isnan(scores)])[::-1]
    if not len(ranked):
        return np.zeros(len(scores), dtype=bool)
    passed: NDArray[np.bool_] = scores > ranked[int(rate * len(ranked) + 1e-9)]
    return passed


def by_person(
    accused: NDArray[np.bool_], persons: Sequence[str], least: int = LEAST, seed: int = 0
) -> dict[str, Any]:
    """accused bool (n,) of genuine pictures and whom each shows -> ``n_persons`` with at least ``least``
    pictures, their ``n_pictures``, the ``rate`` of alarms among these, and:

    ``any``, ``most``: share of the persons of whom one picture, or more than half, is accused;
    ``worst_tenth``: mean rate of the tenth of the persons with the highest, at least one person.

    Each is {value, chance, low, high}: ``chance`` and the 95% range are those of DRAWS draws in which every
    picture is accused with the probability ``rate`` (binomial, independent). ``p`` of the worst tenth: share
    of the draws in which it fares as badly or worse, (1 + hits) / (1 + DRAWS). Empty without such persons."""
    names, cell, counts = np.unique(np.array(persons, dtype=str), return_inverse=True, return_counts=True)
    index = np.flatnonzero(counts >= least)
    if not len(index):
        return {}
    alarms = np.bincount(cell, weights=accused, minlength=len(names))[index]
    each = np.asarray(counts[index], np.float64)
    rate = float(alarms.sum() / each.sum())
    draws = np.random.default_rng(seed).binomial(counts[index], rate, size=(DRAWS, len(each)))
    actual, chance = (_figures(np.asarray(a, np.float64), each) for a in (alarms[None], draws))
    out: dict[str, Any] = {
        "n_persons": len(index), "n_pictures": int(each.sum()), "rate": round(rate, 4),
        **{k: _beside(float(actual[k][0]), chance[k]) for k in actual},
    }  # fmt: skip
    worse = int((chance["worst_tenth"] >= actual["worst_tenth"][0] - 1e-9).sum())
    out["worst_tenth"]["p"] = round((1 + worse) / (1 + DRAWS), 4)
    return out


def _figures(alarms: F64, counts: F64) -> Mapping[str, F64]:
    """alarms f64 (R, K) of K persons with ``counts`` pictures -> figures f64 (R,)."""
    rates = alarms / counts
    tenth = max(1, -(-len(counts) // 10))
    return {
        "any": (alarms > 0).mean(axis=1),
        "most": (rates > 0.5).mean(axis=1),
        "worst_tenth": np.sort(rates, axis=1)[:, -tenth:].mean(axis=1),
    }


def _beside(value: float, chance: F64) -> dict[str, float]:
    low, high = np.quantile(chance, [0.025, 0.975])
    facts = {"value": value, "chance": float(chance.mean()), "low": float(low), "high": float(high)}
    return {k: round(v, 4) for k, v in facts.items()}
