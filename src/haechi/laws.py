"""What Haechi says about laws: every such sentence stands in ``laws.json`` beside this file, with the page
where the law can be read, the date on which we looked, and whether we found it to say so.

    on_page("KR", minor=True) -> tuple[Statement, ...]     what the pages say to somebody in a country
    in_letter("KR", "platform") -> tuple[Statement, ...]   the lines that a letter may name, by their use
    statements() -> tuple[Statement, ...]                  all, in the order of the file

What was not ``checked`` is shown all the same, and said to be so. Nothing here connects anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeAlias

from haechi.settings import short_tag

#: Where a statement is said: on pages; in letters to platforms, to search engines and to the police, with
#: ``_intimate`` only about intimate pictures and with ``_own_photo`` only for who took the original;
#: ``minor``: in every letter about somebody under age.
Use: TypeAlias = Literal[
    "page",
    "platform",
    "platform_intimate",
    "platform_own_photo",
    "search",
    "search_own_photo",
    "police",
    "police_intimate",
    "minor",
]
#: Where somebody counts as an adult later than at 18, for the laws that matter here.
_OF_AGE = {"KR": 19}
#: Countries of the file to which the statements of the Union apply, too.
_MEMBERS = ("DE", "FR")


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence about a law. ``country``: ISO 3166, EU, or empty for any. ``who``: about pictures of whom.
    ``laws``, ``articles`` and ``texts`` are by language; an article is empty where there is none to name.
    ``checked``: the source was read on ``checked_on`` and says so."""

    key: str
    country: str
    who: Literal["anyone", "adults", "minors"]
    uses: tuple[Use, ...]
    laws: Mapping[str, str]
    articles: Mapping[str, str]
    texts: Mapping[str, str]
    source: str
    checked_on: date
    checked: bool

    def citation(self, lang: str) -> str:
        """The law and its article."""
        tag = short_tag(lang)
        separator = {"en": ", "}.get(tag, " ")
        return separator.join(filter(None, (self.laws[tag], self.articles[tag])))

    def text(self, lang: str) -> str:
        return self.texts[short_tag(lang)]


@cache
def statements() -> tuple[Statement, ...]:
    """All of the file, in its order."""
    text = files("haechi").joinpath("laws.json").read_text(encoding="utf-8")
    return tuple(_statement(entry) for entry in json.loads(text)["statements"])


def _statement(entry: Mapping[str, Any]) -> Statement:
    return Statement(
        key=entry["key"],
        country=entry["country"],
        who=entry["who"],
        uses=tuple(entry["uses"]),
        laws=entry["law"],
        articles=entry["article"],
        texts=entry["says"],
        source=entry["source"],
        checked_on=date.fromisoformat(entry["checked_on"]),
        checked=entry["checked"],
    )


def of_age(country: str) -> int:
    """From which birthday on somebody is no minor there, in years; 18 unless we know of another."""
    return _OF_AGE.get(country.upper(), 18)


def on_page(country: str, *, minor: bool) -> tuple[Statement, ...]:
    """What to say about pictures of a minor, or of an adult, in a country (ISO 3166, any case); for one that
    the file does not know, what holds in most. Never empty."""
    code = country.upper()
    others = "adults" if minor else "minors"
    fitting = [one for one in statements() if "page" in one.uses and one.who != others]
    places = (code, "EU") if code in _MEMBERS else (code,)
    own = tuple(one for one in fitting if one.country and one.country in places)
    if any(one.who != "anyone" for one in own):
        return own
    return own + tuple(one for one in fitting if not one.country)


def in_letter(country: str, use: Use) -> tuple[Statement, ...]:
    """The lines of a country for one use, in the order of the file."""
    return tuple(one for one in statements() if one.country == country and use in one.uses)
