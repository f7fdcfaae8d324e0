"""A whole case for reading: one self-contained HTML page, or text. Neither holds a picture."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from html import escape
from string import Template

from haechi import helplines
from haechi.case.types import Entry, Readable
from haechi.case.words import say
from haechi.errors import HaechiError
from haechi.pdq import MIN_QUALITY
from haechi.report import level_sentence
from haechi.settings import short_tag
from haechi.terminal import printable

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 1rem 1rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.25; }
h2 { font-size: 1.125rem; margin: 0 0 .5rem; }
section { border: 1px solid #8886; border-radius: .5rem; padding: 1rem; margin: 1rem 0; break-inside: avoid; }
dl { display: grid; grid-template-columns: 9rem 1fr; gap: .375rem 1rem; margin: 0; }
dt { opacity: .75; }
dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
code { font: .875rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
:lang(ko) { word-break: keep-all; }
section > p { margin-bottom: 0; }
footer { font-size: .875rem; opacity: .85; }
@media (max-width: 32rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
"""
_PAGE = Template(
    """<!doctype html>
<html lang="$lang">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '$style_hash'">
<meta name="referrer" content="no-referrer">
<title>$title</title>
<style>$style</style>
</head>
<body>
<main>
<h1>$title</h1>
<p>$intro</p>
$entries
</main>
<footer>
<p>$proof</p>
<p>$head<br><code>$seal</code></p>
<p>$advice</p>
</footer>
</body>
</html>
"""
)


def page(case: Readable, lang: str, links: Mapping[int, str] | None = None) -> str:
    """The page. ``links``: where the report of an entry lies beside it. Raises Locked and CaseError."""
    entries = case.entries()
    intro = say("report_intro", lang, created=case.created, count=len(entries))
    style_hash = "sha256-" + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    return _PAGE.substitute(
        lang={"zh": "zh-Hans"}.get(short_tag(lang), short_tag(lang)),
        title=escape(_title(case, lang)),
        style=_STYLE,
        style_hash=style_hash,
        intro=escape(intro),
        entries="\n".join(_section(case, entry, lang, (links or {}).get(entry.number)) for entry in entries),
        proof=escape(say("report_proof", lang)),
        head=escape(say("head", lang, head="").strip()),
        seal=case.head,
        advice=escape(say("head_advice", lang)),
    )


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
    made = entry.fingerprints
    yield say("report_name", lang), entry.name
    yield say("report_time", lang), entry.time
    yield say("report_kind", lang), say(f"kind_{made.kind}", lang)
    if entry.address:
        yield say("report_address", lang), entry.address
    if entry.note:
        yield say("report_note", lang), entry.note
    yield say("report_size", lang), say("report_bytes", lang, size=entry.size)
    yield "SHA-256", entry.sha256
    if made.pdq:
        yield say("report_print", lang), f"{made.pdq} ({made.quality})"
    elif made.moments:
        told = "\n".join(f"{m.time_s:.1f} s  {m.hash}" for m in made.moments)
        yield say("report_moments", lang, count=len(made.moments)), told
    else:
        yield "PDQ", why_no_print(entry, lang)
    yield say("report_verdict", lang), verdict(case, entry, lang)


def why_no_print(entry: Entry, lang: str) -> str:
    """Why an entry has no fingerprint, in words."""
    return say(f"why_{entry.fingerprints.why}", lang, least=MIN_QUALITY) if entry.fingerprints.why else ""


def verdict(case: Readable, entry: Entry, lang: str) -> str:
    """What the check of an entry said, in one sentence."""
    if entry.minor:
        return say("report_minor", lang)
    try:
        report = case.report(entry)
    except HaechiError as error:
        return error.message
    return say("report_unchecked", lang) if report is None else level_sentence(report.verdict, lang)


def minors_help(lang: str, country: str = "") -> Iterator[str]:
    """What to know and whom to tell when a picture shows somebody under 18, line by line."""
    yield say("minor_law", lang)
    code = country.strip().upper()
    for line in helplines.under_18("GB" if code == "UK" else code):  # as ISO 3166 calls it
        reached = " · ".join(filter(None, (*line.phones, line.url)))
        yield f"  {line.name(lang)}: {reached}"


def _title(case: Readable, lang: str) -> str:
    return say("report_title", lang, title=printable(case.title))


def _section(case: Readable, entry: Entry, lang: str, link: str | None) -> str:
    rows = "".join(
        f"<dt>{escape(label)}</dt><dd>{_value(value)}</dd>" for label, value in facts(case, entry, lang)
    )
    more = f'<p><a href="{escape(link)}">{escape(say("report_more", lang))}</a></p>' if link else ""
    heading = escape(say("report_entry", lang, number=entry.number))
    return f"<section><h2>{heading}</h2><dl>{rows}</dl>{more}</section>"


def _value(value: str) -> str:
    """Line breaks stay, all else that hides or turns text is written out; addresses are never links, so that
    nobody opens by mistake what the picture stands on."""
    return escape("\n".join(printable(line) for line in value.split("\n")))
