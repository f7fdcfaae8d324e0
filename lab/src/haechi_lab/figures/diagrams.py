"""Diagrams as SVG: boxes, and arrows between them, on a white card that can be read on a dark page too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from haechi_lab.figures.charts import COLOURS, FONT, INK, SOFT


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
            out.append(_text((ax + bx) / 2, (ay + by) / 2 - 6, words, "middle", SOFT))
    for box in boxes:
        x, y, w, h, colour = box.x, box.y, box.width, box.height, COLOURS[box.style]
        slope = 0.22 * h
        left, right = (0.0, slope) if box.narrow and box.style == 0 else (slope if box.narrow else 0.0, 0.0)
        way = f"M{x} {y + left:.0f}L{x + w} {y + right:.0f}V{y + h - right:.0f}L{x} {y + h - left:.0f}Z"
        out.append(f'<path d="{way}" fill="{colour}" fill-opacity="0.12" stroke="{colour}"/>')
        first = y + h / 2 + 5 - 8.5 * (len(box.words) - 1)
        out += [_text(x + w / 2, first + 17 * k, line, "middle") for k, line in enumerate(box.words)]
    return _card(*size, "".join(out), title)


def _card(width: int, height: int, inside: str, title: str) -> str:
    """An SVG picture of ``inside`` on a white card; ``title`` is read to those who cannot see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-family="{FONT}" font-size="13">'
        f"<title>{escape(title)}</title>"
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="#ffffff" '
        f'stroke="#cccccc"/>{inside}</svg>\n'
    )


def _text(x: float, y: float, words: str, anchor: str = "start", colour: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'
