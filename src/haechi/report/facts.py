"""The tables of the HTML report: faces, error rates of the models, and what identifies the file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np
from markupsafe import Markup

from haechi.report.coverage import faces_line, level_by_face
from haechi.report.data import tool_version
from haechi.report.formatting import clock, clock_range
from haechi.report.messages import catalogue, detector_name, say, sentences
from haechi.report.templating import render
from haechi.report.text import quality_notes
from haechi.types import F32, Report

_FIGURES = 60  # rows a model


def headline_facts(report: Report, lang: str) -> str:
    """The file in one line."""
    media = report.media
    facts = [say(f"kind_{media.kind}", lang), f"{media.width_px} × {media.height_px}"]
    if media.duration_s is not None:
        facts.append(clock(media.duration_s))
    return " · ".join([*facts, created(report)] if report.created else facts)


def created(report: Report) -> str:
    """When the report was made, as people write it."""
    return report.created.replace("T", " ").replace("+00:00", " UTC")


def faces(report: Report, lang: str) -> Markup:
    """Each face with what was found on it, the most suspicious first, its size and what speaks against
    judging it; and the file's quality."""
    notes = {face.track_id: face for face in report.quality.faces}
    levels = level_by_face(report)
    places = {face: place for place, face in enumerate(levels)}
    video = report.media.kind == "video"
    heads = [say("ui_face", lang)]
    heads += [say("ui_face_level", lang)] if levels else []
    heads += [say("ui_face_size", lang)]
    heads += [say("ui_face_seen", lang)] if video else []
    heads += [say("ui_face_notes", lang)]
    rows = []
    for track in sorted(report.faces, key=lambda t: places.get(t.track_id, len(places))):
        if not len(track.times_s):
            continue
        sides = track.boxes_xyxy[:, 2:] - track.boxes_xyxy[:, :2]
        row = [str(track.track_id)]
        row += [say(f"level_word_{levels.get(track.track_id, 'unknown')}", lang)] if levels else []
        row += [say("ui_px", lang, n=" × ".join(f"{v:.0f}" for v in _median(sides)))]
        row += [clock_range(float(track.times_s[0]), float(track.times_s[-1]))] if video else []
        own = sentences(notes[track.track_id].issues, lang) if track.track_id in notes else []
        rows.append([*row, " ".join(own) or "–"])
    whole = quality_notes(report, lang) if not rows else sentences(report.quality.issues, lang)
    quality = " ".join(whole) or say("ui_quality_fine", lang)
    count = faces_line(report, lang)
    return render("faces.html", lang, count=count, heads=heads, rows=rows, quality=quality)


def _median(sides: F32) -> Iterator[float]:
    yield from np.nan_to_num(np.median(sides, axis=0)).tolist()


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A measured figure in words. ``interval`` and ``remark`` are empty where there is none; the remark is in
    English."""

    name: str
    value: str
    interval: str = ""
    remark: str = ""


def models(report: Report, lang: str) -> Markup:
    """The measured error rates of every model that spoke."""
    views = [
        {
            "title": detector_name(model.name, lang),
            "name": model.name,
            "version": model.version,
            "sha256": model.sha256,
            "rows": list(islice(figure_rows(model.figures, lang), _FIGURES)),
        }
        for model in report.models
    ]
    return render("models.html", lang, models=views, heads=figure_heads(lang))


def figure_heads(lang: str) -> list[str]:
    """What stands over the columns of a table of figures."""
    return [say(f"ui_{key}", lang) for key in ("figure", "value", "interval", "what")]


def figure_rows(figures: Mapping[str, object], lang: str, path: tuple[str, ...] = ()) -> Iterator[FigureRow]:
    """Rows of a card's figures: numbers, ``{value, low, high, what}``, or groups of these under a name, to
    any depth."""
    for key, value in figures.items():
        name = catalogue(lang).get(f"figure_{key}", key.replace("_", " "))
        label = " · ".join([*path, name])
        if isinstance(value, Mapping) and "value" in value:
            ends = [_figure(value[end]) for end in ("low", "high") if value.get(end) is not None]
            remark = str(value.get("what") or "")
            yield FigureRow(label, _figure(value["value"]), "–".join(ends), remark)
        elif isinstance(value, Mapping):
            yield from figure_rows(value, lang, (*path, name))
        elif isinstance(value, int | float | str):
            yield FigureRow(label, _figure(value))


def _figure(value: object) -> str:
    if value is None:
        return "–"  # the card says that it could not be measured
    if isinstance(value, float):
        return f"{value:.3g}" if math.isfinite(value) else "?"
    return str(value)


def file_facts(report: Report, lang: str) -> Markup:
    """What identifies the file and this report."""
    media = report.media
    facts: list[tuple[str, str]] = [
        (say("ui_kind", lang), say(f"kind_{media.kind}", lang)),
        (say("ui_size", lang), say("ui_px", lang, n=f"{media.width_px} × {media.height_px}")),
    ]
    if media.duration_s is not None:
        facts.append((say("ui_duration", lang), clock(media.duration_s)))
    if media.fps is not None:
        facts.append((say("ui_fps", lang), f"{media.fps:.4g}"))
    facts += [
        (catalogue(lang).get(f"fact_{key}", key.replace("_", " ")), _fact(value, lang))
        for key, value in media.container.items()
    ]
    facts += [
        (say("ui_created", lang), created(report) or "–"),
        (say("ui_elapsed", lang), say("ui_seconds", lang, s=f"{report.elapsed_s:.1f}")),
        (say("ui_tool", lang), f"Haechi {tool_version()}"),
    ]
    pixels = media.container.get("format") == "pixels"
    return render("file.html", lang, name=media.name, sha256=media.sha256, pixels=pixels, facts=facts)


def _fact(value: object, lang: str) -> str:
    if isinstance(value, bool):
        return say("ui_yes" if value else "ui_no", lang)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
