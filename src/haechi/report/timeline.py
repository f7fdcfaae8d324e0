"""The evidence over time, drawn: one chart a face, one line a detector, in the frame of the whole video."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from haechi.report.formatting import clock, clock_range, coordinate
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
    def style(self) -> str:
        """The class of its colour and dashes."""
        return f"s{self.index % 4}"

    @property
    def highest(self) -> float:
        return float(np.max(self.series.llr))


@dataclass(frozen=True, slots=True)
class Chart:
    """What templates/timeline.html draws of one face, in a frame of 1000 by 200: ``lines`` with style, name,
    path and dots; ``spans`` with x and width; ``marks`` where previews lie; texts in the language of the
    page."""

    face: int
    lines: Sequence[Mapping[str, str]]
    top: str
    alt: str
    spans: Sequence[Mapping[str, str]]
    spans_text: str
    marks: Sequence[str]
    ticks: Sequence[str]
    table_heads: Sequence[str]
    table_rows: Sequence[Sequence[str]]


def span_s(report: Report) -> float:
    """The time that charts cover, in seconds: the whole video, 0 when nothing is known of time."""
    ends = [report.media.duration_s or 0.0]
    ends += [float(np.max(s.times_s)) for e in report.evidence for s in e.series if len(s.times_s)]
    ends += [p.time_s for p in report.previews]
    return max(end for end in ends if math.isfinite(end))


def charts(report: Report, preview_times_s: Sequence[float], lang: str) -> list[Chart]:
    """A chart a face, the most conspicuous first; none when no detector tells anything over time."""
    by_face: dict[int, list[Line]] = {}
    for index, item in enumerate(report.evidence):
        for series in item.series:
            if item.status == "scored" and len(series.times_s):
                by_face.setdefault(series.track_id, []).append(Line(index, item, _finite(series)))
    order = sorted(by_face, key=lambda face: -max(line.highest for line in by_face[face]))
    length_s = span_s(report)
    if length_s <= 0:
        return []
    return [_chart(face, by_face[face], length_s, preview_times_s, lang) for face in order]


def _finite(series: Series) -> Series:
    return Series(series.track_id, np.nan_to_num(series.times_s), np.nan_to_num(series.llr))


def _chart(face: int, lines: Sequence[Line], length: float, previews_s: Sequence[float], lang: str) -> Chart:
    limit, spans = _limit(lines), _spans(lines)
    spans_text = _spans_in_words(spans, lang)
    heads, rows = _table(lines, lang)
    return Chart(
        face=face,
        lines=[_drawing(line, length, limit, lang) for line in lines],
        top=f"{math.exp(limit):.0f}",
        alt=" ".join([*(_in_words(line, lang) for line in lines), spans_text]),
        spans=[_shade(a, b, length) for a, b in spans],
        spans_text=spans_text,
        marks=[coordinate(_x(t, length)) for t in previews_s],
        ticks=[clock(length * i / 4) for i in range(5)],
        table_heads=heads,
        table_rows=rows,
    )


def _limit(lines: Sequence[Line]) -> float:
    """Half the height of a chart, as a logarithm: of 10, 100 or 1000, whichever holds the lines."""
    highest = max(float(np.max(np.abs(line.series.llr))) for line in lines)
    return next((math.log(r) for r in (10, 100) if math.log(r) >= highest), math.log(1000))


def _x(time_s: float, length: float) -> float:
    return _WIDTH * min(max(time_s / length, 0.0), 1.0)


def _y(llr: float, limit: float) -> float:
    return _HEIGHT / 2 * (1 - min(max(llr / limit, -0.97), 0.97))


def _drawing(line: Line, length: float, limit: float, lang: str) -> dict[str, str]:
    points = [
        (coordinate(_x(float(t), length)), coordinate(_y(float(v), limit)))
        for t, v in zip(line.series.times_s, line.series.llr, strict=True)
    ]
    return {
        "style": line.style,
        "name": detector_name(line.item.detector, lang),
        "path": "M" + "L".join(f"{x} {y}" for x, y in points),
        # A line of no length with round ends stays a round dot however the drawing is stretched.
        "dots": "".join(f"M{x} {y}h0" for x, y in points) if len(points) <= 64 else "",
    }


def _spans(lines: Sequence[Line]) -> list[tuple[float, float]]:
    """The conspicuous stretches that concern this face: those in which its own line rises above zero;
    overlapping ones joined."""
    stretches: set[tuple[float, float]] = set()
    for line in lines:
        times, llr = line.series.times_s, line.series.llr
        for a, b in line.item.spans_s:
            within = llr[(times >= a - 1e-6) & (times <= b + 1e-6)]
            if len(within) and float(np.max(within)) > 0:
                stretches.add((a, b))
    merged: list[tuple[float, float]] = []
    for a, b in sorted(stretches):
        if merged and a <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(b, merged[-1][1]))
        else:
            merged.append((a, b))
    return merged


def _shade(start: float, end: float, length: float) -> dict[str, str]:
    x1, x2 = _x(start, length), _x(end, length)
    return {"x": coordinate(x1), "width": coordinate(max(x2 - x1, 3.0))}


def _in_words(line: Line, lang: str) -> str:
    at = int(np.argmax(line.series.llr))
    weight = say(weight_code(line.highest), lang)
    time = clock(float(line.series.times_s[at]))
    return say("ui_timeline_alt", lang, detector=line.item.detector, time=time, weight=weight)


def _spans_in_words(spans: Sequence[tuple[float, float]], lang: str) -> str:
    if not spans:
        return say("ui_spans_none", lang)
    times = say("ui_sep", lang).join(clock_range(a, b) for a, b in spans)
    return say("ui_label", lang, label=say("ui_spans", lang), text=times)


def _table(lines: Sequence[Line], lang: str) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the same as a table."""
    times = sorted({round(float(t), 3) for line in lines for t in line.series.times_s})[:_TABLE_ROWS]
    values = [
        {round(float(t), 3): float(v) for t, v in zip(line.series.times_s, line.series.llr, strict=True)}
        for line in lines
    ]
    heads = [say("ui_time", lang), *(detector_name(line.item.detector, lang) for line in lines)]
    return heads, [[clock(t), *(_cell(own.get(t), lang) for own in values)] for t in times]


def _cell(llr: float | None, lang: str) -> str:
    if llr is None:
        return "–"
    ratio = math.exp(min(abs(llr), 30.0))
    sign = "×" if llr >= 0 else "×1/"
    return f"{sign}{ratio:.{0 if ratio >= 10 else 1}f} {say(weight_code(llr), lang)}"
