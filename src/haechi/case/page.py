"""A whole case for reading: one self-contained HTML page, or text. Neither holds a picture."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from haechi import helplines, laws
from haechi.case.letter import iso
from haechi.case.types import Entry, Readable
from haechi.case.words import say
from haechi.errors import HaechiError
from haechi.pdq import MIN_QUALITY
from haechi.report import level_sentence, proof
from haechi.report.templating import HTML_LANG, environment
from haechi.settings import short_tag
from haechi.terminal import printable


def page(case: Readable, lang: str, links: Mapping[int, str] | None = None) -> str:
    """The page. ``links``: where the report of an entry lies beside it. Raises Locked and CaseError."""
    entries = case.entries()
    style = _style()
    sections = [_section(case, entry, lang, (links or {}).get(entry.number)) for entry in entries]
    html = (
        environment("haechi.case")
        .get_template("case.html")
        .render(
            lang=HTML_LANG.get(short_tag(lang), short_tag(lang)),
            title=_title(case, lang),
            style=Markup(style),
            style_hash="sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
            intro=say("report_intro", lang, created=case.created, count=len(entries)),
            sections=sections,
            more=say("report_more", lang),
            proof=say("report_proof", lang),
            head=say("head", lang, head="").strip(),
            seal=case.head,
            advice=say("head_advice", lang),
        )
    )
    return html


@cache
def _style() -> str:
    text = files("haechi.case").joinpath("templates", "case.css").read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")


def text(case: Readable, lang: str) -> str:
    """The same as text; characters that could move a cursor are written out."""
    entries = case.entries()
    colon = "：" if short_tag(lang) == "zh" else ": "
    lines = [_title(case, lang), say("report_intro", lang, created=case.created, count=len(entries)), ""]
    for entry in entries:
        lines.append(say("report_entry", lang, number=entry.number))
        for label, value in facts(case, entry, lang):
            first, *rest = value.split("\n") or [""]
            lines.append(f"  {label}{colon}{printable(first)}")
            lines += [f"    {printable(line)}" for line in rest]
        lines.append("")
    return "\n".join([*lines, say("report_proof", lang), say("head", lang, head=case.head)])


def facts(case: Readable, entry: Entry, lang: str) -> Iterator[tuple[str, str]]:
    """Label and value of all that is known of an entry."""
    fingerprints = entry.fingerprints
    yield say("report_name", lang), entry.name
    yield say("report_time", lang), entry.time
    yield say("report_kind", lang), say(f"kind_{fingerprints.kind}", lang)
    if entry.address:
        yield say("report_address", lang), entry.address
    if entry.note:
        # Browsers send line breaks so, and cases that were filled in one may hold them.
        yield say("report_note", lang), entry.note.replace("\r\n", "\n")
    yield say("report_size", lang), say("report_bytes", lang, size=entry.size)
    yield "SHA-256", entry.sha256
    if fingerprints.pdq:
        yield say("report_print", lang), f"{fingerprints.pdq} ({fingerprints.quality})"
    elif fingerprints.moments:
        moments = "\n".join(f"{m.time_s:.1f} s  {m.hash}" for m in fingerprints.moments)
        yield say("report_moments", lang, count=len(fingerprints.moments)), moments
    else:
        yield "PDQ", why_no_fingerprint(entry, lang)
    yield say("report_verdict", lang), verdict(case, entry, lang)
    if entry.figures is not None:
        yield from proof.lines(entry.figures, lang)


def why_no_fingerprint(entry: Entry, lang: str) -> str:
    """Why an entry has no fingerprint, in words."""
    return say(f"why_{entry.fingerprints.why}", lang, least=MIN_QUALITY) if entry.fingerprints.why else ""


def verdict(case: Readable, entry: Entry, lang: str) -> str:
    """What the check of an entry said, in one sentence."""
    if entry.minor:
        return say("report_minor", lang)
    if entry.deleted:
        return say("report_deleted", lang, time=entry.deleted)
    try:
        report = case.report(entry)
    except HaechiError as error:
        return error.message
    return say("report_unchecked", lang) if report is None else level_sentence(report.verdict, lang)


def minors_help(lang: str, country: str = "") -> Iterator[str]:
    """What to do and whom to tell when a picture shows a minor, and what the law says, line by line."""
    place = iso(country.strip().upper())
    yield say("minor_help", lang)
    for line in helplines.for_person(place, minor=True):
        reached = " · ".join(filter(None, (*line.phones, line.url)))
        yield f"  {line.name(lang)}: {reached}"
    for statement in laws.on_page(place, minor=True):
        yield f"{statement.text(lang)} {law_source(statement, lang)}"


def law_source(statement: laws.Statement, lang: str) -> str:
    """Where a statement about a law was read and when, or that it was not checked."""
    return say(
        "law_source" if statement.checked else "law_unchecked",
        lang,
        law=statement.citation(lang),
        date=statement.checked_on.isoformat(),
        source=statement.source,
    )


def _title(case: Readable, lang: str) -> str:
    return say("report_title", lang, title=printable(case.title))


def _section(case: Readable, entry: Entry, lang: str, link: str | None) -> dict[str, Any]:
    return {
        "heading": say("report_entry", lang, number=entry.number),
        "facts": list(facts(case, entry, lang)),
        "link": link,
    }
