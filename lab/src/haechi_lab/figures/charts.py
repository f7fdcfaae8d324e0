"""Line charts and diagrams as SVG, written by hand so that the lab needs no plotting library.

A chart stands on a white card of its own, with which it can be read on a dark page too; lines differ in
colour and in dash (palette of Okabe & Ito 2008, told apart by the colour-blind).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#aa4499", "#555555")
DASHES = ("", "7 4", "2 3", "9 3 2 3", "4 2")
INK, SOFT, GRID = "#222222", "#666666", "#e2e2e2"
FONT = "system-ui, 'Segoe UI', Roboto, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 62, 18, 46, 48


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


def card(width: int, height: int, inside: str, title: str) -> str:
    """An SVG picture of ``inside`` on a white card; ``title`` is read to those who cannot see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-family="{FONT}" font-size="13">'
        f"<title>{escape(title)}</title>"
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="#ffffff" '
        f'stroke="#cccccc"/>{inside}</svg>\n'
    )


def text(x: float, y: float, words: str, anchor: str = "start", colour: str = INK, more: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{more}>{escape(words)}</text>'
    )


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round values within bounds, some ``about`` of them."""
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


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
    """A chart of lines on linear axes. ``percent`` writes both axes as percentages. Raises ValueError when
    there is nothing to draw."""
    xs = [v for line in lines for v in line.x]
    ys = [v for line in lines for v in line.y] + [m.at for m in marks if not m.upright]
    if not xs:
        raise ValueError("a chart needs at least one point")
    x0, x1 = x_range or (min(xs), max(xs))
    y0, y1 = y_range or (min(0.0, *ys), 1.05 * max(ys))
    x1, y1 = (x1 if x1 > x0 else x0 + 1), (y1 if y1 > y0 else y0 + 1)

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + (x - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - (min(max(y, y0), y1) - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM),
        )

    def number(v: float) -> str:
        return f"{100 * v:.3g}%" if percent else f"{v:.4g}"

    parts = []
    for v in ticks(y0, y1):
        _, y = place(x0, v)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>')
        parts.append(text(LEFT - 7, y + 4, number(v), "end", SOFT))
    for v in ticks(x0, x1, 8):
        x, _ = place(v, y0)
        parts.append(f'<path d="M{x:.1f} {HEIGHT - BOTTOM}v4" stroke="{SOFT}"/>')
        parts.append(text(x, HEIGHT - BOTTOM + 18, number(v), "middle", SOFT))
    parts.append(f'<path d="M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}" stroke="{SOFT}"/>')
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x_name, "middle"))
    turn = f' transform="rotate(-90 16 {(TOP + HEIGHT - BOTTOM) / 2:.0f})"'
    parts.append(text(16, (TOP + HEIGHT - BOTTOM) / 2, y_name, "middle", more=turn))
    for mark in marks:
        x, y = place(mark.at, y1) if mark.upright else place(x0, mark.at)
        way = f"M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" if mark.upright else f"M{LEFT} {y:.1f}H{WIDTH - RIGHT}"
        parts.append(f'<path d="{way}" stroke="{SOFT}" stroke-dasharray="3 3" fill="none"/>')
        at = (x + 5, TOP + 12, "start") if mark.upright else (WIDTH - RIGHT - 4, y - 5, "end")
        parts.append(text(at[0], at[1], mark.label, at[2], SOFT))
    for line in lines:
        parts.append(_drawn(line, [place(x, y) for x, y in zip(line.x, line.y, strict=True)], place))
    parts.append(_legend(lines))
    return card(WIDTH, HEIGHT, "".join(parts), title)


def _drawn(line: Line, at: list[tuple[float, float]], place: object) -> str:
    assert callable(place)
    colour = COLOURS[line.style]
    out = []
    for x, (low, high) in zip(line.x, line.bars, strict=False):
        (px, a), (_, b) = place(x, low), place(x, high)
        out.append(f'<path d="M{px:.1f} {a:.1f}V{b:.1f}" stroke="{colour}" stroke-opacity="0.55"/>')
    if line.dots:
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in at]
        return "".join(out)
    way = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in at)
    if line.fill:
        base = HEIGHT - BOTTOM
        closed = f"{way}L{at[-1][0]:.1f} {base}L{at[0][0]:.1f} {base}Z"
        out.append(f'<path d="{closed}" fill="{colour}" fill-opacity="0.18"/>')
    dash = DASHES[line.style if line.dash is None else line.dash]
    more = f' stroke-dasharray="{dash}"' if dash else ""
    out.append(f'<path d="{way}" fill="none" stroke="{colour}" stroke-width="2"{more}/>')
    return "".join(out)


def wide(words: str) -> float:
    """About how many pixels a text of 13 px takes; Chinese characters are as wide as they are high."""
    return sum(13.0 if ord(c) > 0x2E80 else 6.9 for c in words)


def _legend(lines: Sequence[Line]) -> str:
    out, x, y = [], float(LEFT), 24.0
    for line in (line for line in lines if line.label):
        length = 30 + wide(line.label) + 18
        if x > LEFT and x + length > WIDTH - RIGHT + 18:
            x, y = float(LEFT), y + 17
        dash = DASHES[line.style if line.dash is None else line.dash]
        more = f' stroke-dasharray="{dash}"' if dash and not line.dots else ""
        colour = COLOURS[line.style]
        if line.dots:
            out.append(f'<circle cx="{x + 12:.0f}" cy="{y - 4:.0f}" r="4" fill="{colour}"/>')
        else:
            out.append(f'<path d="M{x:.0f} {y - 4:.0f}h24" stroke="{colour}" stroke-width="2"{more}/>')
        out.append(text(x + 30, y, line.label))
        x += length
    return "".join(out)


@dataclass(frozen=True, slots=True)
class Box:
    """A box of a diagram, with lines of text in its middle; ``style`` chooses the colour."""

    x: float
    y: float
    width: float
    height: float
    words: tuple[str, ...]
    style: int = 4
    narrow: bool = False
    """Drawn narrower on the right (an encoder) when the style is 0, on the left (a decoder) otherwise."""


def diagram(
    boxes: Sequence[Box], arrows: Sequence[tuple[Sequence[tuple[float, float]], str]], title: str,
    size: tuple[int, int],
) -> str:  # fmt: skip
    """Boxes, and arrows that are polylines of points with a word beside their middle."""
    out = [
        f'<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path d="M0 0L8 4L0 8Z" fill="{INK}"/></marker></defs>'
    ]
    for points, words in arrows:
        way = "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in points)
        out.append(f'<path d="{way}" fill="none" stroke="{INK}" stroke-width="1.5" marker-end="url(#tip)"/>')
        (ax, ay), (bx, by) = points[len(points) // 2 - 1], points[len(points) // 2]
        if words:
            out.append(text((ax + bx) / 2, (ay + by) / 2 - 6, words, "middle", SOFT))
    for box in boxes:
        x, y, w, h, colour = box.x, box.y, box.width, box.height, COLOURS[box.style]
        cut = 0.22 * h
        left, right = (0.0, cut) if box.narrow and box.style == 0 else (cut if box.narrow else 0.0, 0.0)
        way = f"M{x} {y + left:.0f}L{x + w} {y + right:.0f}V{y + h - right:.0f}L{x} {y + h - left:.0f}Z"
        out.append(f'<path d="{way}" fill="{colour}" fill-opacity="0.12" stroke="{colour}"/>')
        first = y + h / 2 + 5 - 8.5 * (len(box.words) - 1)
        out += [text(x + w / 2, first + 17 * k, line, "middle") for k, line in enumerate(box.words)]
    return card(*size, "".join(out), title)
