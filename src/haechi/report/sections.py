"""The parts of the HTML report, each under its own heading: what their templates are given."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from haechi.report import pictures as pics
from haechi.report.coverage import not_tested, were_tested
from haechi.report.error_rates import with_hits
from haechi.report.formatting import clock_range, coordinate
from haechi.report.messages import (
    detector_name,
    level_sentence,
    say,
    sentence,
    sentences,
    unknown_because,
    weight_code,
)
from haechi.report.pointers import headline, pointers
from haechi.report.templating import render
from haechi.report.timeline import MOST_CHARTS, charts, span_s
from haechi.types import Evidence, Level, Report

_STEPS: Mapping[Level, tuple[str, ...]] = {
    "strong": ("keep", "no_forward", "source", "second"),
    "some": ("keep", "no_forward", "source", "second"),
    "none": ("none", "source", "keep"),
    "unknown": ("better", "keep", "no_forward", "source"),
}
_HELP = {
    "en": ("adults", "minors", "korea", "china"),
    "zh": ("china", "adults", "minors", "korea"),
    "ko": ("korea", "adults", "minors", "china"),
}
_SITES = {
    "StopNCII.org": "https://stopncii.org/",
    "takeitdown.ncmec.org": "https://takeitdown.ncmec.org/",
    "d4u.stop.or.kr": "https://d4u.stop.or.kr/",
    "www.12377.cn": "https://www.12377.cn/",
}
_FOLDED = "meta_prompt_words"  # long, and not everybody wants to read it
_CONTACT = re.compile(rf"(?P<site>{'|'.join(map(re.escape, _SITES))})|(?P<phone>\d+(?:-\d+)+)")


def verdict(report: Report, lang: str, beside: Markup | None = None) -> Markup:
    """The sentence first, where it stands among the possible ones, what the file says of itself, why, and the
    score folded away. ``beside``: what a page shows together with the sentence."""
    level = report.verdict.level
    because = unknown_because(report.verdict) if level == "unknown" else None
    reasons = [r for r in (*with_hits(report), *pointers(report)) if r is not because]
    score, note = _score(report, lang)
    admission = headline(report)
    return render(
        "verdict.html",
        lang,
        level=level,
        beside=beside,
        headline="" if admission is None else sentence(admission, lang),
        sentence=level_sentence(report.verdict, lang),
        reasons=sentences(reasons, lang),
        score=score,
        score_note=note,
    )


def _score(report: Report, lang: str) -> tuple[str, str]:
    """The score in words, and what has to be known of it."""
    score, interval = report.verdict.score, report.verdict.interval
    if report.verdict.level == "unknown" or score is None:
        return say("ui_score_none", lang), ""
    if interval is None:
        return say("ui_score_plain", lang, score=f"{score:.2f}"), say("ui_score_note", lang)
    low, high = (f"{end:.2f}" for end in interval)
    return say("ui_score_text", lang, score=f"{score:.2f}", low=low, high=high), say("ui_score_note", lang)


def picture(
    report: Report, pictures: Sequence[pics.Picture], lang: str, above: Markup | None = None
) -> Markup:
    """The picture, or for a video its frames and a choice among them; ``above`` is HTML of the page's own
    in the place of the box that shows what is blurred."""
    video = report.media.kind == "video"
    heat, boxes = any(p.heats for p in pictures), any(p.faces for p in pictures)
    notes = [say("ui_boxes_note", lang)] if boxes else []
    notes += [say("ui_heat_note" if heat else "ui_heat_absent", lang)]
    return render(
        "picture.html",
        lang,
        title=say("ui_frames" if video else "ui_picture", lang),
        above=render("veil.html", lang, video=video) if above is None else above,
        controls=pics.controls(report, pictures, lang) if heat or boxes else None,
        pictures=[pics.figure(p, report, lang) for p in pictures],
        thumbs=pics.thumbs(pictures, span_s(report)),
        note=" ".join(notes),
    )


def timeline(report: Report, preview_times_s: Sequence[float], lang: str) -> Markup:
    """The evidence over time; nothing for a photograph."""
    views = charts(report, preview_times_s, lang) if report.media.kind == "video" else []
    if not views:
        return Markup()
    more = len(views) - MOST_CHARTS
    return render("timeline.html", lang, charts=views[:MOST_CHARTS], more_faces=more)


def evidence(report: Report, lang: str) -> Markup:
    """What each detector has to say."""
    heads = [say(f"ui_{key}", lang) for key in ("examination", "finding", "weight", "status")]
    rows = [_evidence_row(item, lang) for item in report.evidence]
    return render("evidence.html", lang, heads=heads, rows=rows)


def _evidence_row(item: Evidence, lang: str) -> dict[str, Any]:
    return {
        "name": detector_name(item.detector, lang),
        "sentence": sentence(item.reason, lang),
        "spans": say("ui_sep", lang).join(clock_range(a, b) for a, b in item.spans_s),
        "bar": _weight_bar(item, lang),
        "status": item.status,
    }


def _weight_bar(item: Evidence, lang: str) -> dict[str, str] | None:
    """The weight in words and as a bar, in percent of the width: to the right of the middle for manipulation,
    to the left against it. None when there is nothing to weigh."""
    if item.status != "scored" or item.llr is None or not math.isfinite(item.llr):
        return None
    length = 50 * min(abs(item.llr) / math.log(100), 1.0)
    x, side = (50.0, "pro") if item.llr >= 0 else (50.0 - length, "con")
    return {
        "weight": say(weight_code(item.llr), lang),
        "side": side,
        "x": coordinate(x),
        "length": coordinate(length),
    }


def claims(report: Report, lang: str) -> Markup:
    """What the file, or a list, says: kept apart from the evidence, because nobody weighed it."""
    if not report.claims:
        return Markup()
    views = [
        {
            "name": detector_name(claim.source, lang),
            "failed": claim.outcome == "failed",
            "sentence": sentence(claim.reason, lang),
            "facts": sentences((fact for fact in claim.facts if fact.code != _FOLDED), lang),
            "words": [str(fact.params.get("words", "")) for fact in claim.facts if fact.code == _FOLDED],
        }
        for claim in report.claims
    ]
    return render("claims.html", lang, claims=views)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a sentence: a name that is a link to ``address``, a ``phone`` number, or neither."""

    text: str
    address: str = ""
    phone: bool = False


def steps(report: Report, lang: str) -> Markup:
    """What to do now, and where to find help."""
    todo = [say(f"step_{step}", lang) for step in _STEPS[report.verdict.level]]
    places = [list(_contacts(say(f"help_{place}", lang))) for place in _HELP[lang]]
    return render("steps.html", lang, steps=todo, places=places)


def _contacts(text: str) -> Iterator[Piece]:
    """The sentence in pieces, its sites and telephone numbers apart."""
    end = 0
    for match in _CONTACT.finditer(text):
        yield Piece(text[end : match.start()])
        yield Piece(match[0], _SITES.get(match[0], ""), match["phone"] is not None)
        end = match.end()
    yield Piece(text[end:])


def scope(report: Report, lang: str) -> Markup:
    """What was tested and what was not, side by side."""
    tested, untested = were_tested(report, lang), not_tested(report, lang)
    return render("scope.html", lang, tested=tested, untested=untested)


def limits(pictures: Sequence[pics.Picture], lang: str) -> Markup:
    """What no report of this kind can promise."""
    codes = ["new", "false", "missed", *(["heat"] if any(p.heats for p in pictures) else []), "opinion"]
    return render("limits.html", lang, limits=[say(f"limit_{code}", lang) for code in codes])
