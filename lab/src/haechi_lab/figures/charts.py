"""Line charts as SVG, by matplotlib, on a white card that can be read on a dark page too. Lines differ in
colour and in dash (palette of Okabe & Ito 2008, told apart by the colour-blind). The same numbers give the
same bytes.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#aa4499", "#555555")
DASHES = ("", "7 4", "2 3", "9 3 2 3", "4 2")
INK, SOFT, GRID = "#222222", "#666666", "#e2e2e2"
FONT = "system-ui, 'Segoe UI', Roboto, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
_WIDTH_IN, _HEIGHT_IN = 10.0, 5.0  # of 72 px
_MANY = 4  # entries of a legend that do not fit beside each other
_STYLE: Any = {
    "svg.fonttype": "none",  # words stay words, to be read aloud and searched
    "svg.hashsalt": "haechi",
    "font.size": 13,
    "axes.edgecolor": SOFT, "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False,
    "axes.grid": True, "axes.grid.axis": "y", "axes.axisbelow": True, "grid.color": GRID,
    "xtick.color": SOFT, "ytick.color": SOFT, "ytick.left": False, "text.color": INK,
    "legend.frameon": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One curve. ``bars``: low and high of each point, drawn as error bars; ``dots``: points, not a line."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    style: int = 0
    dots: bool = False
    bars: Sequence[tuple[float, float]] = field(default_factory=tuple)
    fill: bool = False
    dash: int | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A straight line across at a value of y, or of x when ``upright``, with its name beside it."""

    label: str
    at: float
    upright: bool = False


def chart(
    lines: Sequence[Line],
    title: str,
    x_name: str,
    y_name: str,
    marks: Sequence[Mark] = (),
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    percent: bool = False,
) -> str:
    """A chart of lines on linear axes, as SVG. ``percent`` writes both axes as percentages. Raises ValueError
    when there is nothing to draw."""
    xs = [v for line in lines for v in line.x]
    ys = [v for line in lines for v in line.y] + [m.at for m in marks if not m.upright]
    if not xs:
        raise ValueError("a chart needs at least one point")
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        # Words are written as words: whether a font of this machine could draw them does not matter.
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure = Figure((_WIDTH_IN, _HEIGHT_IN), layout="constrained")
        axes = figure.subplots()
        axes.set_xlim(_span(*(x_range or (min(xs), max(xs)))))
        axes.set_ylim(_span(*(y_range or (min(0.0, *ys), 1.05 * max(ys)))))
        axes.set(xlabel=x_name, ylabel=y_name)
        if percent:
            axes.xaxis.set_major_formatter(PercentFormatter(1, 0))
            axes.yaxis.set_major_formatter(PercentFormatter(1, 0))
        for mark in marks:
            _draw_mark(axes, mark)
        for line in lines:
            _draw_line(axes, line)
        labels = [line.label for line in lines if line.label]
        figure.legend(loc="outside upper left", ncols=len(labels) if len(labels) < _MANY else 2)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return _readable(out.getvalue(), title)


def _span(low: float, high: float) -> tuple[float, float]:
    """A single value has an axis too."""
    return (low, high) if high > low else (low, low + 1)


def _draw_mark(axes: Axes, mark: Mark) -> None:
    if mark.upright:
        axes.axvline(mark.at, color=SOFT, linewidth=1, dashes=(3, 3))
        at, shift, frame, side = (mark.at, 0.95), (5, 0), axes.get_xaxis_transform(), "left"
    else:
        axes.axhline(mark.at, color=SOFT, linewidth=1, dashes=(3, 3))
        at, shift, frame, side = (0.99, mark.at), (0, 4), axes.get_yaxis_transform(), "right"
    axes.annotate(mark.label, at, shift, frame, "offset points", color=SOFT, ha=side)


def _draw_line(axes: Axes, line: Line) -> None:
    colour = COLOURS[line.style]
    for x, (low, high) in zip(line.x, line.bars, strict=False):
        axes.vlines(x, low, high, color=colour, alpha=0.55, linewidth=1)
    if line.dots:
        axes.plot(line.x, line.y, "o", color=colour, label=line.label, markersize=6)
        return
    if line.fill:
        axes.fill_between(line.x, line.y, color=colour, alpha=0.18, linewidth=0)
    dash = DASHES[line.style if line.dash is None else line.dash]
    pattern = {"dashes": [float(v) / 2 for v in dash.split()]} if dash else {}
    axes.plot(line.x, line.y, color=colour, label=line.label, linewidth=2, **pattern)  # type: ignore[arg-type]


def _readable(svg: str, title: str) -> str:
    """With a title for those who cannot see it, fonts of the reader's system, and without what changes from
    one version of matplotlib to the next."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r" <metadata>.*?</metadata>\n", "", body, flags=re.DOTALL)
    body = re.sub(r"(font: [\w. ]*?[\d.]+px )[^;\"]*", lambda m: m.group(1) + FONT.replace('"', "'"), body)
    head = body.index(">") + 1
    return f'{body[: head - 1]} role="img">\n <title>{escape(title)}</title>{body[head:]}'
