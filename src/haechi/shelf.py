"""The table of ``haechi models``: which models there are and what their cards say."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from haechi import models
from haechi.settings import Settings
from haechi.terminal import printable

_FIGURES = 6


def table(settings: Settings) -> None:
    """Print one row a card. Raises ModelError when a card is missing or damaged."""
    rows = Table(show_lines=True)
    for title in ("name", "version", "task", "size", "trained on", "licence", "key figures"):
        rows.add_column(title, overflow="fold")
    for card in models.cards(settings):
        data = card.raw.get("training", {}).get("data", [])
        trained = ", ".join(_label(d) for d in data) if isinstance(data, list) else _label(data)
        figures = "\n".join(list(_figures(card.figures))[:_FIGURES])
        cells = (
            card.name,
            card.version,
            card.raw["task"],
            _size(card),
            trained,
            card.raw["licence"],
            figures,
        )
        rows.add_row(*(Text(printable_lines(cell)) for cell in cells))
    width = None if sys.stdout.isatty() else 120
    Console(file=sys.stdout, width=width).print(rows)


def printable_lines(cell: str) -> str:
    return "\n".join(printable(line) for line in cell.split("\n"))


def _label(data: object) -> str:
    return str(data.get("name", data)) if isinstance(data, Mapping) else str(data)


def _size(card: models.Card) -> str:
    if card.weights is None:
        return "-"
    try:
        return f"{card.weights.stat().st_size / 1e6:.2f} MB"
    except OSError:
        return "missing"


def _figures(figures: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Numbers of the card's figures, those of nested groups under their path."""
    for key, value in figures.items():
        if isinstance(value, Mapping):
            yield from _figures(value, f"{prefix}{key}.")
        elif isinstance(value, float):
            yield f"{prefix}{key} {value:.4g}"
        elif isinstance(value, int | str):
            yield f"{prefix}{key} {value}"
