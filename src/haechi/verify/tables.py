"""The figures of a test as tables, for the terminal and the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from haechi.verify.figures import Figures, SpeciesFigures
from haechi.verify.laboratories import NO_CERTIFICATE, Comparison, compare

SCHEMA = "haechi.verify-eval/1"
Table: TypeAlias = dict[str, Any]
"""columns: headings · rows: as many cells each."""


def result(figures: Figures) -> dict[str, Any]:
    """Everything about a test that was counted: schema ``haechi.verify-eval/1``."""
    comparisons = compare(figures)
    attack, genuine = figures.worst, figures.all_genuine
    return {
        "schema": SCHEMA,
        "worst_species": None if attack is None else attack.species,
        "apcer": None if attack is None else attack.error_rate,
        "apcer_upper": None if attack is None else attack.error_upper,
        "bpcer": None if genuine is None else genuine.error_rate,
        "acer": figures.acer,
        "note": NO_CERTIFICATE,
        "tables": {
            "presentation": _attacks(figures.presentation),
            "genuine": _genuine(figures),
            "injection": _injections(figures.injection),
            "laboratories": _laboratories(comparisons),
        },
    }


def _percent(value: float | None) -> str:
    """A rate with two digits that count, such as 0.99%; a dash for none."""
    return "–" if value is None else f"{100 * value:.2f}%"


def _attacks(species: Sequence[SpeciesFigures]) -> Table:
    columns = [
        "species of attack",
        "sessions",
        "accepted",
        "APCER",
        "at most (95%)",
        "APNRR",
        "accepted of all",
    ]
    return {"columns": columns, "rows": [[s.species, *_attack_cells(s)] for s in species]}


def _injections(species: Sequence[SpeciesFigures]) -> Table:
    """After CEN/TS 18099: a method of getting in, times what is let in."""
    columns = [
        *("method of injection", "instrument", "sessions", "accepted", "APCER", "at most (95%)", "APNRR"),
        "accepted of all",
    ]
    return {"columns": columns, "rows": [[s.method or "–", s.species, *_attack_cells(s)] for s in species]}


def _attack_cells(species: SpeciesFigures) -> list[str]:
    return [
        *(str(species.n), str(species.accepted), _percent(species.error_rate), _percent(species.error_upper)),
        *(_percent(species.silent_rate), _percent(species.accepted_rate)),
    ]


def _genuine(figures: Figures) -> Table:
    columns = ["genuine sessions", "sessions", "not accepted", "BPCER", "95% interval", "BPNRR"]
    lines = [*figures.genuine, *([figures.all_genuine] if figures.all_genuine else [])]
    rows = [
        [
            *(s.species, str(s.n), str(s.errors), _percent(s.error_rate)),
            " to ".join(map(_percent, s.error_interval)),
            _percent(s.silent_rate),
        ]
        for s in lines
    ]
    return {"columns": columns, "rows": rows}


def _laboratories(comparisons: Sequence[Comparison]) -> Table:
    columns = [
        "asked by",
        "species x presentations",
        "this test has",
        "APCER allowed",
        "worst here",
        "BPCER allowed",
    ]
    columns += ["here", "figures reached"]
    rows = []
    for c in comparisons:
        attack, asks = c.worst, c.asks
        rows.append(
            [
                *(asks.name, f"{asks.species} x {asks.presentations}", f"{len(c.tested)} such species"),
                *(_percent(asks.most_apcer), _percent(None if attack is None else attack.error_rate)),
                *(_percent(asks.most_bpcer), _percent(None if c.genuine is None else c.genuine.error_rate)),
                "yes, in this test" if c.reached else "no",
            ]
        )
    return {"columns": columns, "rows": rows}
