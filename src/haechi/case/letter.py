"""Letters that ask a platform, the police, a lawyer or a search engine for help, from templates.

``letters/LANG.json`` holds for each kind its lines; the provisions that may be named stand in
``haechi.laws``: of those about intimate pictures none is named unless the user says that the pictures are, of
those about the copyright in the original none unless the user took it. A letter carries hashes and addresses,
never a picture, no file name and no note. It is what is sent; what its sender has to know stands beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from haechi import laws
from haechi.case.types import Entry
from haechi.errors import UsageError
from haechi.settings import LANGUAGES, short_tag

KINDS = ("platform", "police", "lawyer", "search-engine")
COUNTRIES = ("KR", "CN", "US", "EU", "UK")
_EU = (
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
    *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
)
_MOMENTS = 10
_BLANK = re.compile(r"\[([^\]]+)\]")


@dataclass(frozen=True, slots=True)
class Letter:
    """``text``: what is sent, and nothing else. ``instructions``: to its sender, a sentence each.
    ``cited``: what it says about laws, with their sources."""

    text: str
    instructions: tuple[str, ...]
    cited: tuple[laws.Statement, ...]


@cache
def _texts(lang: str) -> Mapping[str, Any]:
    text = files(__package__).joinpath("letters", f"{lang}.json").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


def country_of(code: str) -> str:
    """One of COUNTRIES, or "" for any other: then no law is named. GB is UK, a member state is EU."""
    upper = code.strip().upper()
    upper = "UK" if upper == "GB" else "EU" if upper in _EU else upper
    return upper if upper in COUNTRIES else ""


def iso(country: str) -> str:
    """A country of letters as ISO 3166 calls it."""
    return "GB" if country == "UK" else country


def letter(
    entries: Sequence[Entry],
    kind: str,
    lang: str = "en",
    country: str = "",
    *,
    intimate: bool = False,
    own_photo: bool = False,
    head: str = "",
) -> Letter:
    """The letter and what goes with it. Raises UsageError for an unknown kind or language, and without
    entries."""
    lang = short_tag(lang)
    if kind not in KINDS or lang not in LANGUAGES:
        raise UsageError(
            f"A letter is one of {', '.join(KINDS)}, in one of the languages {', '.join(LANGUAGES)}."
        )
    if not entries:
        raise UsageError("The case has no entries to write about: add one with `haechi case add`.")
    texts, place = _texts(lang), iso(country_of(country))
    minor = any(entry.minor for entry in entries)
    cited = tuple(_cited(place, kind, intimate=intimate, own_photo=own_photo, minor=minor))
    note = texts["parts"]["minor"].format(age=laws.of_age(place))
    gaps = {
        "{intimate}": [texts["parts"]["intimate"]] if intimate else [],
        "{minor}": [note] if minor else [],
        "{items}": list(_items(entries, texts["parts"])),
        "{laws}": [f"- {statement.text(lang)}" for statement in cited],
        "{head}": [head],
    }
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    lines: list[str] = []
    for line in texts[kind]:
        lines += gaps.get(line, [line.replace("{date}", today)])
    return Letter("\n".join(lines) + "\n", tuple(_instructions(texts, kind, entries)), cited)


def _instructions(texts: Mapping[str, Any], kind: str, entries: Sequence[Entry]) -> Iterator[str]:
    first, *others = texts["instructions"]
    where = [] if all(entry.address for entry in entries) else [texts["parts"]["no_address"]]
    blanks = dict.fromkeys(_BLANK.findall(" ".join([*texts[kind], *where])))
    yield first
    yield texts["blanks"].format(blanks=" · ".join(blanks))
    if kind in ("platform", "search-engine"):
        yield texts["instruction_form"]
    yield from others


def _cited(
    country: str, kind: str, *, intimate: bool, own_photo: bool, minor: bool
) -> Iterator[laws.Statement]:
    """The provisions for a kind of letter; a lawyer is told all."""
    uses: list[laws.Use] = []
    if kind in ("platform", "lawyer"):
        uses.append("platform")
    if kind == "search-engine":
        uses.append("search" if laws.in_letter(country, "search") else "platform")
    if kind in ("police", "lawyer"):
        uses.append("police")
    if own_photo and kind != "police":
        uses.append("search_own_photo" if kind == "search-engine" else "platform_own_photo")
    if intimate and kind != "police":
        uses.append("platform_intimate")
    if intimate and kind in ("police", "lawyer"):
        uses.append("police_intimate")
    if minor:
        uses.append("minor")
    for use in uses:
        yield from laws.in_letter(country, use)


def _items(entries: Sequence[Entry], parts: Mapping[str, str]) -> Iterator[str]:
    for i, entry in enumerate(entries, 1):
        if i > 1:
            yield ""
        where = parts["address"] if entry.address else parts["no_address"]
        yield f"{i}. {where}".replace("{address}", _one_line(entry.address))
        yield "   " + parts["sha256"].format(sha256=entry.sha256, size=entry.size)
        prints = entry.fingerprints
        if prints.pdq:
            yield "   " + parts["pdq"].format(pdq=prints.pdq, quality=prints.quality)
        if prints.moments:
            step = max(len(prints.moments) // _MOMENTS, 1)
            moments = prints.moments[::step][:_MOMENTS]
            hashes = ", ".join(f"{m.time_s:.0f} s {m.hash}" for m in moments)
            yield "   " + parts["moments"].format(shown=len(moments), hashes=hashes)
        yield "   " + parts["recorded"].format(time=entry.time)


def _one_line(text: str) -> str:
    """What the user typed, on one line and without characters that could turn or hide others."""
    return "".join(c if c.isprintable() else " " for c in text).strip()
