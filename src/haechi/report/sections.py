"""The parts of the HTML report, each under its own heading."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from haechi.report import pictures as pics
from haechi.report.coverage import not_tested, were_tested
from haechi.report.markup import bullets, clock, esc, num, part, table, words
from haechi.report.messages import (
    detector_name,
    level_sentence,
    say,
    sentence,
    sentences,
    unknown_because,
    weight_code,
)
from haechi.report.pointers import pointers
from haechi.report.timeline import charts, span_s
from haechi.types import Claim, Evidence, Level, Report

# The marks differ in shape, and none is a tick: nothing here is a clearance.
_MARKS: Mapping[Level, str] = {
    "strong": '<path class="full" d="M12 3L22 20.5H2z"/><path class="gap" d="M12 9.5v5M12 17.6v.1"/>',
    "some": '<path d="M12 3L22 20.5H2z"/><path d="M12 9.5v5M12 17.6v.1"/>',
    "none": '<circle cx="12" cy="12" r="9"/><path d="M8 12h8"/>',
    "unknown": '<circle cx="12" cy="12" r="9" stroke-dasharray="3 4"/>'
    '<path d="M9.5 9.6c.3-3.4 5.3-3 5 0-.2 1.7-2.5 2-2.5 4.1M12 17.2v.1"/>',
}
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
_PHONE = re.compile(r"\d+(-\d+)+")
_CURRENT = ' aria-current="true"'


def verdict(report: Report, lang: str) -> str:
    """The sentence first, where it stands among the possible ones, why, and the score folded away."""
    level = report.verdict.level
    told = unknown_because(report.verdict) if level == "unknown" else None
    reasons = sentences((r for r in (*report.verdict.reasons, *pointers(report)) if r is not told), lang)
    steps = "".join(
        f"<li{_CURRENT if step == level else ''}>{words(f'level_word_{step}', lang)}</li>"
        for step in ("none", "some", "strong")
    )
    scale = f'<ol class="scale" role="list" aria-label="{words("ui_scale", lang)}">{steps}</ol>'
    body = (
        f'<p class="sentence"><svg viewBox="0 0 24 24" aria-hidden="true">{_MARKS[level]}</svg>'
        f"<span>{esc(level_sentence(report.verdict, lang))}</span></p>"
        f"{scale if level != 'unknown' else ''}{bullets(reasons)}{_score(report, lang)}"
    )
    return part("verdict", say("ui_verdict", lang), body, extra="verdict")


def _score(report: Report, lang: str) -> str:
    score, interval = report.verdict.score, report.verdict.interval
    if report.verdict.level == "unknown" or score is None:
        told = [say("ui_score_none", lang)]
    elif interval is None:
        told = [say("ui_score_plain", lang, score=f"{score:.2f}"), say("ui_score_note", lang)]
    else:
        shown = {"score": f"{score:.2f}", "low": f"{interval[0]:.2f}", "high": f"{interval[1]:.2f}"}
        told = [say("ui_score_text", lang, **shown), say("ui_score_note", lang)]
    label = say("ui_label", lang, label=say("ui_score", lang), text=told[0])
    return (
        f"<details><summary>{words('ui_details', lang)}</summary><p>{esc(label)}</p>"
        f'<p class="note">{esc(" ".join(told[1:]))}</p></details>'
    )


def picture(report: Report, shown: list[pics.Shown], lang: str, above: str = "") -> str:
    """The picture, or for a video its frames and a choice among them; ``above`` is HTML of the page's own."""
    video = report.media.kind == "video"
    title = say("ui_frames" if video else "ui_picture", lang)
    if not shown:
        return part("picture", title, f'<p class="note">{words("ui_no_picture", lang)}</p>')
    heat = any(p.heats for p in shown)
    notes = [say("ui_boxes_note", lang)] if any(p.faces for p in shown) else []
    notes += [say("ui_heat_note" if heat else "ui_heat_absent", lang)]
    body = (
        above
        + (pics.controls(report, shown, lang) if heat or any(p.faces for p in shown) else "")
        + "".join(pics.figure(p, report, lang) for p in shown)
        + pics.thumbs(shown, span_s(report), lang)
        + f'<p class="note">{esc(" ".join(notes))}</p>'
    )
    return part("picture", title, body, wide=True)


def timeline(report: Report, preview_times_s: Sequence[float], lang: str) -> str:
    """The evidence over time; nothing for a photograph."""
    drawn = charts(report, preview_times_s, lang) if report.media.kind == "video" else ""
    if not drawn:
        return ""
    note = f'<p class="note">{words("ui_timeline_note", lang)}</p>'
    return part("timeline", say("ui_timeline", lang), note + drawn, wide=True)


def evidence(report: Report, lang: str) -> str:
    """What each detector has to say."""
    heads = [say(f"ui_{key}", lang) for key in ("examination", "finding", "weight", "status")]
    rows = [
        (
            esc(detector_name(item.detector, lang)),
            esc(sentence(item.reason, lang)) + _spans(item, lang),
            _weight(item, lang),
            f'<span class="status-{item.status}">{words(f"status_{item.status}", lang)}</span>',
        )
        for item in report.evidence
    ]
    body = table(heads, rows, style="evidence") if rows else f"<p>{words('tested_nothing', lang)}</p>"
    return part("evidence", say("ui_evidence", lang), body, wide=True)


def claims(report: Report, lang: str) -> str:
    """What the file, or a list, says: kept apart from the evidence, because nobody weighed it."""
    if not report.claims:
        return ""
    note = f'<p class="note">{words("ui_claims_note", lang)}</p>'
    return part(
        "claims", say("ui_claims", lang), note + "".join(_claim(claim, lang) for claim in report.claims)
    )


def _claim(claim: Claim, lang: str) -> str:
    marked = f' <span class="status-failed">{words("status_failed", lang)}</span>'
    return (
        f'<div class="claim"><h3>{esc(detector_name(claim.source, lang))}'
        f"{marked if claim.outcome == 'failed' else ''}</h3><p>{esc(sentence(claim.reason, lang))}</p>"
        f"{bullets(sentences(claim.facts, lang))}</div>"
    )


def _spans(item: Evidence, lang: str) -> str:
    if not item.spans_s:
        return ""
    told = say("ui_sep", lang).join(f"{clock(a)}–{clock(b)}" for a, b in item.spans_s)
    return f'<br><span class="soft">{words("ui_label", lang, label=say("ui_spans", lang), text=told)}</span>'


def _weight(item: Evidence, lang: str) -> str:
    """Which way the evidence speaks: in words, and as a bar to the right (for) or left (against)."""
    if item.status != "scored" or item.llr is None or not math.isfinite(item.llr):
        return "–"
    length = 50 * min(abs(item.llr) / math.log(100), 1.0)
    x, side = (50.0, "pro") if item.llr >= 0 else (50.0 - length, "con")
    return (
        f'{words(weight_code(item.llr), lang)}<svg class="bar" viewBox="0 0 100 8" '
        f'preserveAspectRatio="none" aria-hidden="true"><rect class="base" width="100" height="8"/>'
        f'<rect class="{side}" x="{num(x)}" width="{num(length)}" height="8"/>'
        '<path class="axis" d="M50 0V8"/></svg>'
    )


def steps(report: Report, lang: str) -> str:
    """What to do now, and where to find help."""
    todo = "".join(f"<li>{words(f'step_{step}', lang)}</li>" for step in _STEPS[report.verdict.level])
    places = "".join(f"<li>{_linked(say(f'help_{place}', lang))}</li>" for place in _HELP[lang])
    body = (
        f'<ol class="steps" role="list">{todo}</ol><div class="help"><h3>{words("ui_help", lang)}</h3>'
        f'<p>{words("help_intro", lang)}</p><ul class="bullets" role="list">{places}</ul></div>'
    )
    return part("steps", say("ui_steps", lang), body)


def _linked(text: str) -> str:
    marked = _PHONE.sub(r'<span class="tight">\g<0></span>', esc(text))
    for name, address in _SITES.items():
        marked = marked.replace(name, f'<a href="{address}" rel="noreferrer noopener">{name}</a>')
    return marked


def scope(report: Report, lang: str) -> str:
    """What was tested and what was not, side by side."""
    body = (
        f'<div class="columns"><div><h3>{words("ui_tested", lang)}</h3>'
        f"{bullets(were_tested(report, lang), 'tick')}</div><div><h3>{words('ui_not_tested', lang)}</h3>"
        f"{bullets(not_tested(report, lang), 'cross')}</div></div>"
    )
    return part("scope", say("ui_scope", lang), body)


def limits(shown: list[pics.Shown], lang: str) -> str:
    """What no report of this kind can promise."""
    codes = ["new", "false", "missed", *(["heat"] if any(p.heats for p in shown) else []), "opinion"]
    return part("limits", say("ui_limits", lang), bullets(say(f"limit_{code}", lang) for code in codes))
