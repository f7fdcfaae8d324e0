"""A check as text alone: hashes, times, the verdict in words and figures. No picture and no file name.

    proof(report, "ko") -> str             to be saved, printed or pasted into a report to the police
    figures(report) -> dict                the same less the hashes, JSON-ready, in every language
    figures_from(value) -> dict            what ``figures`` made, read back; ValueError for anything else
    lines(figures, "ko") -> Iterator       (label, text) of them

It is what may be kept of a picture that nobody may hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from haechi.report.data import number, tool_version
from haechi.report.error_rates import with_hits
from haechi.report.formatting import clock
from haechi.report.messages import detector_name, language, level_sentence, say, sentence, sentences
from haechi.report.pointers import headline_reason
from haechi.settings import LANGUAGES
from haechi.types import Level, Report, Status


def figures(report: Report) -> dict[str, Any]:
    """The verdict, what it rests on, and which program and models gave it."""
    verdict = report.verdict
    scored = verdict.level != "unknown" and verdict.score is not None
    interval = verdict.interval if scored and verdict.interval else ()
    return {
        "created": report.created,
        "tool": tool_version(),
        "level": verdict.level,
        "sentence": {lang: level_sentence(verdict, lang) for lang in LANGUAGES},
        "reasons": {lang: _reasons(report, lang) for lang in LANGUAGES},
        "score": number(verdict.score, 4) if scored else None,
        "interval": [number(end, 4) for end in interval],
        "thresholds": {name: number(mark, 4) for name, mark in verdict.thresholds.items()},
        "examinations": [
            {
                "detector": item.detector,
                "version": item.version,
                "status": item.status,
                "llr": number(item.llr, 4) if item.status == "scored" else None,
                "sentence": {lang: sentence(item.reason, lang) for lang in LANGUAGES},
            }
            for item in report.evidence
        ],
        "models": [[model.name, model.version, model.sha256] for model in report.models],
    }


def _reasons(report: Report, lang: str) -> list[str]:
    admission = headline_reason(report, lang)
    return [*sentences(with_hits(report), lang), *([admission] if admission else [])]


def figures_from(value: Any) -> dict[str, Any]:
    """The figures that were stored, each of its kind. Raises ValueError, TypeError or KeyError for others: a
    stored case may come from a stranger."""
    return {
        **{name: str(value[name]) for name in ("created", "tool")},
        "level": _one_of(value["level"], get_args(Level)),
        "sentence": {lang: str(value["sentence"][lang]) for lang in LANGUAGES},
        "reasons": {lang: [str(line) for line in value["reasons"][lang]] for lang in LANGUAGES},
        "score": _float(value["score"]),
        "interval": [float(end) for end in value["interval"]],
        "thresholds": {str(name): _float(mark) for name, mark in value["thresholds"].items()},
        "examinations": [
            {
                **{name: str(item[name]) for name in ("detector", "version")},
                "status": _one_of(item["status"], get_args(Status)),
                "llr": _float(item["llr"]),
                "sentence": {lang: str(item["sentence"][lang]) for lang in LANGUAGES},
            }
            for item in value["examinations"]
        ],
        "models": [[str(part) for part in model] for model in value["models"]],
    }


def _one_of(value: object, choices: tuple[object, ...]) -> object:
    if value not in choices:
        raise ValueError("a word that Haechi does not write")
    return value


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def lines(figures: Mapping[str, Any], lang: str) -> Iterator[tuple[str, str]]:
    """Label and text of each figure; texts of several lines are parted by line breaks."""
    lang = language(lang)
    yield say("ui_verdict", lang), figures["sentence"][lang]
    if figures["reasons"][lang]:
        yield say("proof_reasons", lang), "\n".join(figures["reasons"][lang])
    score, interval = figures["score"], figures["interval"]
    if score is None:
        yield say("ui_score", lang), say("ui_score_none", lang)
    elif len(interval) == 2:
        low, high = (f"{end:.2f}" for end in interval)
        yield say("ui_score", lang), say("ui_score_text", lang, score=f"{score:.2f}", low=low, high=high)
    else:
        yield say("ui_score", lang), say("ui_score_plain", lang, score=f"{score:.2f}")
    for name, mark in figures["thresholds"].items():
        if name in ("some", "strong") and mark is not None:
            level = say(f"level_word_{name}", lang)
            yield say("proof_mark", lang, level=level), f"{mark:.4f}"
    for item in figures["examinations"]:
        llr = "" if item["llr"] is None else " " + say("proof_llr", lang, llr=f"{item['llr']:+.2f}")
        yield f"{detector_name(item['detector'], lang)} {item['version']}", item["sentence"][lang] + llr
    if figures["models"]:
        yield say("proof_models", lang), "\n".join(" ".join(model) for model in figures["models"])
    yield say("proof_checked", lang), figures["created"].replace("T", " ").replace("+00:00", " UTC")
    yield say("ui_tool", lang), f"Haechi {figures['tool']}"


def proof(report: Report, lang: str = "en") -> str:
    """The whole text, with a line break at its end."""
    lang = language(lang)
    media = report.media
    size = f"{media.width_px} × {media.height_px}"
    facts = [(say("ui_kind", lang), say(f"kind_{media.kind}", lang)), (say("ui_size", lang), size)]
    if media.duration_s is not None:
        facts.append((say("ui_duration", lang), clock(media.duration_s)))
    pixels = media.container.get("format") == "pixels"
    facts.append((say("ui_sha_pixels" if pixels else "ui_sha", lang), media.sha256))
    prints = list(_prints(report, lang))
    if prints:
        facts.append((say("proof_pdq", lang), "\n".join(prints)))
    text = [say("proof_title", lang), say("proof_about", lang), ""]
    for label, value in (*facts, *lines(figures(report), lang)):
        first, *rest = value.split("\n")
        text += [say("ui_label", lang, label=label, text=first), *(f"    {line}" for line in rest)]
    return "\n".join([*text, "", say("proof_limits", lang)]) + "\n"


def _prints(report: Report, lang: str) -> Iterator[str]:
    """The PDQ hash of each reduced copy that the report holds, less of those that show too little."""
    from haechi.pdq import MIN_QUALITY, hash_rgb

    for preview in report.previews:
        fingerprint = hash_rgb(preview.rgb)
        if fingerprint.quality >= MIN_QUALITY:
            when = f"{clock(preview.time_s)}  " if report.media.kind == "video" else ""
            quality = say("proof_quality", lang, quality=fingerprint.quality)
            yield f"{when}{fingerprint.hash} {quality}"
