"""What each sign is worth: alone, and when it is left out, on species that nothing was fitted on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from haechi.bench.metrics import auc
from haechi.live.fusion import Fusion
from haechi.live.seconds import NETWORKS
from haechi_lab.live import calls, weights
from haechi_lab.live.series import Heard, Seen
from haechi_lab.live.swapper import SPECIES

FALSE_ALARMS = 0.05
"""The share of genuine short calls, of every kind, that may look as forged as those that are found."""


def measure(observations: Sequence[Seen], log: Callable[[str], None]) -> dict[str, Any]:
    """For every set of evidence and every species: the AUC of short calls, and the share found at
    FALSE_ALARMS against genuine calls of every kind. Fitted on the other half of the people and on the other
    species."""
    rows = []
    for name, networks, signs in _sets(weights.measured(observations)):
        by_species = {
            species: figures
            for species in SPECIES
            if (figures := _left_out(observations, species, networks, signs)) is not None
        }
        rows.append({"evidence": name, "species": by_species, "mean": _mean(list(by_species.values()))})
        log(f"{name}: {rows[-1]['mean']}")
    return {
        "how": (
            f"short calls, mean log-odds, people and species that were not fitted on; found: at "
            f"{FALSE_ALARMS:.0%} of genuine calls of every kind"
        ),
        "evidence": rows,
        "table": _table(rows),
    }


def _sets(signs: list[str]) -> Iterator[tuple[str, list[str], list[str]]]:
    networks = list(NETWORKS)
    yield "the network alone", networks, []
    for sign in signs:
        yield f"{sign} alone", [], [sign]
    yield "all", networks, signs
    if len(signs) > 1:
        for sign in signs:
            yield f"all but {sign}", networks, [other for other in signs if other != sign]
        yield "all but the network", [], signs


def _left_out(
    observations: Sequence[Seen], species: str, networks: Sequence[str], signs: Sequence[str]
) -> dict[str, float] | None:
    of_folds = []
    for part in calls.PARTS:
        fitted_on = [s for s in observations if s.call.part == part and s.call.species != species]
        fusion = Fusion.of(weights.fit(fitted_on, signs, networks))
        heard = [Heard.of(s, fusion) for s in observations if s.call.part != part]
        genuine = _scores(heard, lambda h: not h.call.forged)
        for talking in (True, False):
            forged = _scores(
                heard,
                lambda h: h.call.species == species and (h.call.source == calls.TALKING) == talking,  # noqa: B023
            )
            same = _scores(
                heard,
                lambda h: not h.call.forged and (h.call.source == calls.TALKING) == talking,  # noqa: B023
            )
            if forged and same:
                mark = float(np.quantile(genuine, 1 - FALSE_ALARMS))
                labels = [0] * len(same) + [1] * len(forged)
                of_folds.append((auc(labels, same + forged), float(np.mean(np.array(forged) > mark))))
    if not of_folds:
        return None
    means = np.mean(of_folds, 0)
    return {"auc": round(float(means[0]), 3), "found": round(float(means[1]), 3)}


def _scores(heard: Sequence[Heard], which: Callable[[Heard], bool]) -> list[float]:
    return [float(h.people[0].mean()) for h in heard if which(h)]


def _mean(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {key: round(float(np.mean([f[key] for f in figures])), 3) for key in ("auc", "found")}


def _table(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = [name for name in SPECIES if any(name in row["species"] for row in rows)]
    return {
        "columns": ["evidence", "mean AUC", "mean found", *names],
        "rows": [
            [
                row["evidence"],
                f"{row['mean']['auc']:.3f}",
                f"{100 * row['mean']['found']:.0f}%",
                *(f"{row['species'][n]['auc']:.2f}" if n in row["species"] else "–" for n in names),
            ]
            for row in rows
        ],
    }
