"""What ``haechi models`` prints: each card with its origin, what was measured, where it fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from haechi import models
from haechi.settings import Settings
from haechi.terminal import drawn, printable, put

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_LONGEST_LINE = 120
_ROOMY = 80  # columns from which on the names of figures need no second line
_SAME = '"'  # a remark that repeats that of the line above


def show(settings: Settings) -> None:
    """Print every card. Raises ModelError when one is missing or damaged."""
    cards = models.cards(settings)
    for line in drawn(lambda console: _draw(cards, console)).splitlines():
        put(line.rstrip())


def _draw(cards: tuple[models.ModelCard, ...], console: Console) -> None:
    from rich.padding import Padding
    from rich.text import Text

    width = min(console.width, _LONGEST_LINE)
    for i, card in enumerate(cards):
        if i:
            console.print()
        facts = " · ".join(part for part in (card.version, _size(card), card.licence) if part)
        console.print(Text.assemble((printable(card.name), "bold"), "  ", printable(facts)), width=width)
        console.print(Padding(Text(printable(card.task)), (0, 0, 0, 2)), width=width)
        for title, body in (
            ("trained on", _list(card.data)),
            ("measured", _measured(card.figures, width >= _ROOMY)),
            ("limits", _list(card.limits)),
        ):
            console.print(Padding(Text(title, "bold"), (0, 0, 0, 2)), width=width)
            console.print(Padding(body, (0, 0, 0, 4)), width=width)


def _size(card: models.ModelCard) -> str:
    if card.weights is None:
        return ""
    try:
        return f"{card.weights.stat().st_size / 1e6:.2f} MB"
    except OSError:
        return "weights missing"


def _list(lines: Sequence[str]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    for line in lines or ["nothing said"]:
        table.add_row("-", Text(printable(line), overflow="fold"))
    return table


def _measured(figures: Mapping[str, Any], roomy: bool) -> Table:
    """One row a figure: its name, value and interval, and on what it was measured."""
    from rich.table import Table
    from rich.text import Text

    table, before = Table.grid(padding=(0, 2)), ""
    for name, value, what in [*figure_rows(figures)] or [("nothing", "", "")]:
        remark = _SAME if what and what == before else what
        table.add_row(*(Text(printable(cell), overflow="fold") for cell in (name, value, remark)))
        before = what
    table.columns[0].no_wrap, table.columns[1].no_wrap = roomy, True
    return table


def figure_rows(figures: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, str, str]]:
    """Rows (name, "value (low-high)", what) of a card's figures: numbers, ``{value, low, high, what}``, or
    groups of these under a name, to any depth."""
    for key, value in figures.items():
        name = (*path, key.replace("_", " "))
        if isinstance(value, Mapping) and "value" in value:
            ends = [_figure(value[end]) for end in ("low", "high") if value.get(end) is not None]
            interval = f" ({'-'.join(ends)})" if ends else ""
            yield ": ".join(name), _figure(value["value"]) + interval, str(value.get("what") or "")
        elif isinstance(value, Mapping):
            yield from figure_rows(value, name)
        elif value is None or isinstance(value, int | float | str):
            yield ": ".join(name), _figure(value), ""


def _figure(value: object) -> str:
    if value is None:
        return "not measured"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
