"""The tables of the HTML report: faces, error rates of the models, and what identifies the file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import islice

import numpy as np

from haechi.report.coverage import faces_line
from haechi.report.data import tool_version
from haechi.report.markup import clock, esc, part, table, words
from haechi.report.messages import catalogue, detector_name, say, sentences
from haechi.report.text import quality_notes
from haechi.types import F32, ModelRef, Report

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


def faces(report: Report, lang: str) -> str:
    """Each face with its size and what speaks against judging it; and the file's quality."""
    notes = {face.track_id: face for face in report.quality.faces}
    video = report.media.kind == "video"
    heads = [say("ui_face", lang), say("ui_face_size", lang)]
    heads += [say("ui_face_seen", lang)] if video else []
    heads += [say("ui_face_notes", lang)]
    rows = []
    for track in report.faces:
        if not len(track.times_s):
            continue
        sides = track.boxes_xyxy[:, 2:] - track.boxes_xyxy[:, :2]
        row = [str(track.track_id), words("ui_px", lang, n=" × ".join(f"{v:.0f}" for v in _median(sides)))]
        row += [f"{clock(float(track.times_s[0]))}–{clock(float(track.times_s[-1]))}"] if video else []
        own = sentences(notes[track.track_id].issues, lang) if track.track_id in notes else []
        rows.append([*row, esc(" ".join(own)) or "–"])
    whole = quality_notes(report, lang) if not rows else sentences(report.quality.issues, lang)
    quality = " ".join(whole) or say("ui_quality_fine", lang)
    line = f"<p>{words('ui_label', lang, label=say('ui_quality', lang), text=quality)}</p>"
    count = f"<p>{esc(faces_line(report, lang))}</p>"
    return part("faces", say("ui_faces", lang), count + (table(heads, rows) if rows else "") + line)


def _median(sides: F32) -> Iterator[float]:
    yield from np.nan_to_num(np.median(sides, axis=0)).tolist()


def models(report: Report, lang: str) -> str:
    """The measured error rates of every model that spoke."""
    note = f'<p class="note">{words("ui_models_note", lang)}</p>'
    return part("models", say("ui_models", lang), note + "".join(_model(m, lang) for m in report.models))


def _model(model: ModelRef, lang: str) -> str:
    heads = [say(f"ui_{key}", lang) for key in ("figure", "value", "interval", "what")]
    rows = list(islice(figure_rows(model.figures, lang), _FIGURES))
    body = table(heads, rows) if rows else f'<p class="note">{words("ui_no_figures", lang)}</p>'
    return (
        f'<section class="model"><h3>{esc(detector_name(model.name, lang))} '
        f'<span class="soft">{esc(model.name)} {esc(model.version)}</span></h3>'
        f'<p class="mono soft">SHA-256 {esc(model.sha256)}</p>{body}</section>'
    )


def figure_rows(
    figures: Mapping[str, object], lang: str, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, str, str]]:
    """Rows (name, value, interval, what) of a card's figures: numbers, ``{value, low, high, what}``, or
    groups of these under a name, to any depth."""
    for key, value in figures.items():
        name = catalogue(lang).get(f"figure_{key}", key.replace("_", " "))
        label = " · ".join([*path, name])
        if isinstance(value, Mapping) and "value" in value:
            ends = [_figure(value[end]) for end in ("low", "high") if value.get(end) is not None]
            yield (
                esc(label),
                esc(_figure(value["value"])),
                _tight("–".join(ends)),
                _in_english(value.get("what")),
            )
        elif isinstance(value, Mapping):
            yield from figure_rows(value, lang, (*path, name))
        elif isinstance(value, int | float | str):
            yield esc(label), esc(_figure(value)), "–", "–"


def _tight(text: str) -> str:
    return f'<span class="tight">{esc(text)}</span>' if text else "–"


def _in_english(text: object) -> str:
    """A remark from a model card, which is in English whatever the report's language."""
    return f'<span lang="en">{esc(text)}</span>' if text else "–"


def _figure(value: object) -> str:
    if value is None:
        return "–"  # the card says that it could not be measured
    if isinstance(value, float):
        return f"{value:.3g}" if math.isfinite(value) else "?"
    return str(value)


def file_facts(report: Report, lang: str) -> str:
    """What identifies the file and this report."""
    media = report.media
    facts: list[tuple[str, str]] = [
        (say("ui_name", lang), f"<bdi>{esc(media.name)}</bdi>"),
        (
            say("ui_sha", lang),
            f'<span class="mono">{esc(media.sha256)}</span><br>'
            f'<span class="note">{words("ui_sha_note", lang)}</span>',
        ),
        (say("ui_kind", lang), words(f"kind_{media.kind}", lang)),
        (say("ui_size", lang), words("ui_px", lang, n=f"{media.width_px} × {media.height_px}")),
    ]
    if media.duration_s is not None:
        facts.append((say("ui_duration", lang), clock(media.duration_s)))
    if media.fps is not None:
        facts.append((say("ui_fps", lang), f"{media.fps:.4g}"))
    facts += [
        (catalogue(lang).get(f"fact_{key}", key.replace("_", " ")), esc(_fact(value, lang)))
        for key, value in media.container.items()
    ]
    facts += [
        (say("ui_created", lang), esc(created(report) or "–")),
        (say("ui_elapsed", lang), words("ui_seconds", lang, s=f"{report.elapsed_s:.1f}")),
        (say("ui_tool", lang), f"Haechi {esc(tool_version())}"),
    ]
    body = "".join(f"<dt>{esc(label)}</dt><dd>{value}</dd>" for label, value in facts)
    return part("file", say("ui_file", lang), f'<dl class="file">{body}</dl>')


def _fact(value: object, lang: str) -> str:
    if isinstance(value, bool):
        return say("ui_yes" if value else "ui_no", lang)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
