"""The evidence over time, drawn: one chart a face, one line a detector, in the frame of the whole video."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from haechi.report.markup import clock, esc, num, table, words
from haechi.report.messages import detector_name, say, weight_code
from haechi.types import Evidence, Report, Series

MOST_CHARTS = 6
_WIDTH, _HEIGHT = 1000.0, 200.0
_TABLE_ROWS = 400


@dataclass(frozen=True, slots=True)
class Line:
    """One detector's series on the face of a chart; ``index`` of the evidence picks colour and dashes."""

    index: int
    item: Evidence
    series: Series

    @property
    def highest(self) -> float:
        return float(np.max(self.series.llr))


def span_s(report: Report) -> float:
    """The time that charts cover, in seconds: the whole video, 0 when nothing is known of time."""
    ends = [report.media.duration_s or 0.0]
    ends += [float(np.max(s.times_s)) for e in report.evidence for s in e.series if len(s.times_s)]
    ends += [p.time_s for p in report.previews]
    return max(end for end in ends if math.isfinite(end))


def charts(report: Report, preview_times_s: Sequence[float], lang: str) -> str:
    """All charts, the most conspicuous face first; empty when no detector tells anything over time."""
    by_face: dict[int, list[Line]] = {}
    for index, item in enumerate(report.evidence):
        for series in item.series:
            if item.status == "scored" and len(series.times_s):
                by_face.setdefault(series.track_id, []).append(Line(index, item, _finite(series)))
    order = sorted(by_face, key=lambda face: -max(line.highest for line in by_face[face]))
    length = span_s(report)
    if not order or length <= 0:
        return ""
    drawn = "".join(
        _chart(face, by_face[face], length, preview_times_s, lang) for face in order[:MOST_CHARTS]
    )
    hidden = len(order) - MOST_CHARTS
    more = f'<p class="note">{words("ui_more_faces", lang, n=hidden)}</p>' if hidden > 0 else ""
    return drawn + more


def _finite(series: Series) -> Series:
    return Series(series.track_id, np.nan_to_num(series.times_s), np.nan_to_num(series.llr))


def _chart(face: int, lines: Sequence[Line], length: float, previews_s: Sequence[float], lang: str) -> str:
    limit = _limit(lines)
    spans = _spans(lines)
    shapes = [_shaded(a, b, length) for a, b in spans]
    shapes += [f'<line class="grid" x1="0" x2="1000" y1="{num(y)}" y2="{num(y)}"/>' for y in (50.0, 150.0)]
    shapes.append('<line class="axis" x1="0" x2="1000" y1="100" y2="100"/>')
    shapes += [_drawn(line, length, limit) for line in lines]
    marks = [num(_x(t, length)) for t in previews_s]
    shapes += [f'<line class="mark" x1="{x}" x2="{x}" y1="192" y2="200"/>' for x in marks]
    shapes.append('<line class="cursor" x1="-9" x2="-9" y1="0" y2="200"/>')
    top = f"{math.exp(limit):.0f}"
    alt = " ".join(_in_words(line, lang) for line in lines) + " " + _spans_in_words(spans, lang)
    ticks = "".join(f"<span>{clock(length * i / 4)}</span>" for i in range(5))
    return (
        f'<section class="chart"><h3>{words("ui_face", lang)} {face}</h3>{_keys(lines, lang)}'
        f'<div class="plot"><div class="y" aria-hidden="true"><span>×{top}</span><span>×1</span>'
        f'<span>×1/{top}</span></div><svg viewBox="0 0 1000 200" preserveAspectRatio="none" role="img" '
        f'aria-label="{esc(alt)}">{"".join(shapes)}</svg>'
        f'<div class="x" aria-hidden="true">{ticks}</div></div>'
        f'<p class="note">{esc(_spans_in_words(spans, lang))}</p>{_as_table(lines, lang)}</section>'
    )


def _limit(lines: Sequence[Line]) -> float:
    """Half the height of a chart, as a logarithm: of 10, 100 or 1000, whichever holds the lines."""
    highest = max(float(np.max(np.abs(line.series.llr))) for line in lines)
    return next((math.log(r) for r in (10, 100) if math.log(r) >= highest), math.log(1000))


def _x(time_s: float, length: float) -> float:
    return _WIDTH * min(max(time_s / length, 0.0), 1.0)


def _y(llr: float, limit: float) -> float:
    return _HEIGHT / 2 * (1 - min(max(llr / limit, -0.97), 0.97))


def _drawn(line: Line, length: float, limit: float) -> str:
    points = [
        (num(_x(float(t), length)), num(_y(float(v), limit)))
        for t, v in zip(line.series.times_s, line.series.llr, strict=True)
    ]
    style = f"s{line.index % 4}"
    path = "M" + "L".join(f"{x} {y}" for x, y in points)
    # A line of no length with round ends stays a round dot however the drawing is stretched.
    dots = "".join(f"M{x} {y}h0" for x, y in points) if len(points) <= 64 else ""
    return f'<path class="{style}" d="{path}"/><path class="{style} dot" d="{dots}"/>'


def _spans(lines: Sequence[Line]) -> list[tuple[float, float]]:
    """The conspicuous stretches that concern this face: those in which its own line rises above zero;
    overlapping ones joined."""
    found: set[tuple[float, float]] = set()
    for line in lines:
        times, llr = line.series.times_s, line.series.llr
        for a, b in line.item.spans_s:
            within = llr[(times >= a - 1e-6) & (times <= b + 1e-6)]
            if len(within) and float(np.max(within)) > 0:
                found.add((a, b))
    merged: list[tuple[float, float]] = []
    for a, b in sorted(found):
        if merged and a <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(b, merged[-1][1]))
        else:
            merged.append((a, b))
    return merged


def _shaded(start: float, end: float, length: float) -> str:
    x1, x2 = _x(start, length), _x(end, length)
    return f'<rect class="span" x="{num(x1)}" y="0" width="{num(max(x2 - x1, 3.0))}" height="200"/>'


def _keys(lines: Sequence[Line], lang: str) -> str:
    items = "".join(
        f'<li><svg viewBox="0 0 36 12" aria-hidden="true"><path class="s{line.index % 4}" d="M1 6H35"/></svg>'
        f"{esc(detector_name(line.item.detector, lang))}</li>"
        for line in lines
    )
    return f'<ul class="keys" role="list">{items}</ul>'


def _in_words(line: Line, lang: str) -> str:
    at = int(np.argmax(line.series.llr))
    weight = say(weight_code(line.highest), lang)
    time = clock(float(line.series.times_s[at]))
    return say("ui_timeline_alt", lang, detector=line.item.detector, time=time, weight=weight)


def _spans_in_words(spans: Sequence[tuple[float, float]], lang: str) -> str:
    if not spans:
        return say("ui_spans_none", lang)
    told = say("ui_sep", lang).join(f"{clock(a)}–{clock(b)}" for a, b in spans)
    return say("ui_label", lang, label=say("ui_spans", lang), text=told)


def _as_table(lines: Sequence[Line], lang: str) -> str:
    times = sorted({round(float(t), 3) for line in lines for t in line.series.times_s})[:_TABLE_ROWS]
    values = [
        {round(float(t), 3): float(v) for t, v in zip(line.series.times_s, line.series.llr, strict=True)}
        for line in lines
    ]
    heads = [say("ui_time", lang), *(detector_name(line.item.detector, lang) for line in lines)]
    rows = [[clock(t), *(_cell(own.get(t), lang) for own in values)] for t in times]
    label = words("ui_as_table", lang)
    return (
        f'<details><summary>{label}</summary><div class="scroll" tabindex="0" role="region" '
        f'aria-label="{label}">{table(heads, rows)}</div></details>'
    )


def _cell(llr: float | None, lang: str) -> str:
    if llr is None:
        return "–"
    ratio = math.exp(min(abs(llr), 30.0))
    sign = "×" if llr >= 0 else "×1/"
    return f"{sign}{ratio:.{0 if ratio >= 10 else 1}f} {words(weight_code(llr), lang)}"
