"""The report as one HTML file that loads nothing from outside.

Its Content-Security-Policy allows the one style sheet and the one script by their hashes and pictures from
data URIs only, so even a hole in the escaping could neither run code nor call anywhere.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from string import Template

from haechi.report import facts, pictures, sections
from haechi.report.data import tool_version
from haechi.report.markup import esc, words
from haechi.report.messages import language, say
from haechi.report.timeline import span_s
from haechi.types import Report


@cache
def _asset(name: str) -> str:
    return files("haechi.report").joinpath("assets", name).read_text(encoding="utf-8").replace("\r\n", "\n")


def page(report: Report, lang: str = "en") -> str:
    """The whole page. Previews of the report are embedded; without any, the page says so."""
    lang = language(lang)
    shown = pictures.shown(report)
    style = _asset("page.css") + pictures.rules(shown, report)
    script = _asset("page.js")
    kicker = say("ui_title", lang)
    return Template(_asset("page.html")).substitute(
        lang={"zh": "zh-Hans"}.get(lang, lang),
        title=f"{esc(report.media.name)} – {esc(kicker)} – Haechi",
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        version=esc(tool_version()),
        skip=words("ui_skip", lang),
        kicker=esc(kicker),
        name=esc(report.media.name),
        facts=esc(facts.headline_facts(report, lang)),
        print=words("ui_print", lang),
        level=report.verdict.level,
        store=pictures.store(shown),
        sections="\n".join(filter(None, _sections(report, shown, lang))),
        local=words("ui_local", lang, version=tool_version()),
    )


def _sections(report: Report, shown: list[pictures.Shown], lang: str) -> list[str]:
    return [
        sections.verdict(report, lang),
        sections.picture(report, shown, lang),
        sections.timeline(report, [p.preview.time_s for p in shown], lang) if span_s(report) > 0 else "",
        sections.evidence(report, lang),
        sections.claims(report, lang),
        sections.steps(report, lang),
        sections.scope(report, lang),
        facts.faces(report, lang),
        facts.models(report, lang),
        facts.file_facts(report, lang),
        sections.limits(shown, lang),
    ]


def _hash(text: str) -> str:
    """The source expression of the policy that allows exactly this inline text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
