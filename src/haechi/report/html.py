"""The report as one HTML file that loads nothing from outside, and its parts for pages that show it.

The Content-Security-Policy of the file allows the one style sheet and the one script by their hashes and
pictures from data URIs only, so even a hole in the escaping could neither run code nor call anywhere. A page
of the server takes the same parts: the style and the script from addresses of their own, the sections as
they are.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from markupsafe import Markup

from haechi.report import facts, pictures, sections
from haechi.report.data import tool_version
from haechi.report.messages import language, say
from haechi.report.templating import HTML_LANG, render
from haechi.report.timeline import span_s
from haechi.types import Report

#: What a page that shows reports needs besides its own style; ``base`` alone suits a page without a report.
ASSETS = ("base.css", "page.css", "page.js")


@cache
def asset(name: str) -> str:
    """One of ``ASSETS``."""
    return files("haechi.report").joinpath("assets", name).read_text(encoding="utf-8").replace("\r\n", "\n")


@dataclass(frozen=True, slots=True)
class Parts:
    """A report in pieces of HTML. ``sections`` by their id, in order, those with nothing to say left out;
    ``store`` holds the pixels of every picture once and stands before them; ``rules`` is CSS that only this
    report needs. ``kicker``, ``name`` and ``facts`` are plain text. ``span_s``: seconds that its timeline
    covers, 0 for a photograph."""

    lang: str
    level: str
    kicker: str
    name: str
    facts: str
    store: Markup
    rules: str
    sections: Mapping[str, Markup]
    span_s: float


def parts(
    report: Report, lang: str = "en", *, above_picture: Markup | None = None, beside_verdict: bool = False
) -> Parts:
    """The pieces of a page. Previews of the report are embedded; without any, the page says so.
    ``above_picture`` is HTML that the page puts over them. ``beside_verdict``: they stand in the section of
    the verdict, after its sentence, for pages that show both in one screen."""
    lang = language(lang)
    pictures_ = pictures.pictures_of(report)
    sections_ = _sections(report, pictures_, lang, above_picture)
    if beside_verdict and pictures_:
        sections_["verdict"] = sections.verdict(report, lang, beside=sections_.pop("picture"))
    return Parts(
        lang=HTML_LANG.get(lang, lang),
        level=report.verdict.level,
        kicker=say("ui_title", lang),
        name=report.media.name,
        facts=facts.headline_facts(report, lang),
        store=pictures.store(pictures_, lang),
        rules=pictures.rules(pictures_, report),
        sections={name: html for name, html in sections_.items() if html},
        span_s=span_s(report) if report.media.kind == "video" else 0.0,
    )


def rules(report: Report) -> str:
    """The CSS of ``parts`` alone, which is the same in every language."""
    return pictures.rules(pictures.pictures_of(report), report)


def page(report: Report, lang: str = "en") -> str:
    """The whole file."""
    lang = language(lang)
    pieces = parts(report, lang)
    style = asset("base.css") + asset("page.css") + pieces.rules
    script = asset("page.js")
    html = render(
        "report.html",
        lang,
        parts=pieces,
        style=Markup(style),
        style_hash=inline_hash(style),
        script=Markup(script),
        script_hash=inline_hash(script),
        version=tool_version(),
    )
    return str(html)


def _sections(
    report: Report, pictures_: list[pictures.Picture], lang: str, above: Markup | None
) -> dict[str, Markup]:
    times_s = [p.preview.time_s for p in pictures_]
    return {
        "verdict": sections.verdict(report, lang),
        "picture": sections.picture(report, pictures_, lang, above),
        "timeline": sections.timeline(report, times_s, lang) if span_s(report) > 0 else Markup(),
        "evidence": sections.evidence(report, lang),
        "claims": sections.claims(report, lang),
        "steps": sections.steps(report, lang),
        "scope": sections.scope(report, lang),
        "faces": facts.faces(report, lang),
        "models": facts.models(report, lang),
        "file": facts.file_facts(report, lang),
        "limits": sections.limits(pictures_, lang),
    }


def inline_hash(text: str) -> str:
    """The source expression of the policy that allows exactly this inline text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
