"""Sources of help by country, kept in ``helplines.json`` beside this file, each with the date on which its
address and telephone number were last compared with what the service publishes, and the address of the page
where it does, or the mark that this could not be checked again.

    for_country("KR") -> tuple[Helpline, ...]    those of a country, then those that serve anywhere
    for_person("KR", minor=True)    -> tuple[Helpline, ...]    of them those for a minor, or for an adult
    elsewhere("KR")   -> Mapping[str, tuple[Helpline, ...]]    those of every other country, by its code
    countries()       -> tuple[str, ...]         ISO 3166 codes in the order of the file

Nothing here connects anywhere: these are addresses for a person to use.
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

#: Whom a service is for. ``women``: also girls, and those who care about them.
Who: TypeAlias = Literal["anyone", "adults", "minors", "women"]

ANYWHERE = ""
#: Stands in the file where the address of a source should: nobody wrote down where the entry was read.
UNCHECKED = "could not be checked again"


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody answers, in the service's local time ``HH:MM``. ``days``: daily or weekdays; all day
    when ``start`` is ``00:00`` and ``end`` is ``24:00``."""

    days: Literal["daily", "weekdays"]
    start: str
    end: str

    @property
    def always(self) -> bool:
        return (self.days, self.start, self.end) == ("daily", "00:00", "24:00")


@dataclass(frozen=True, slots=True)
class Helpline:
    """One service. ``country``: ISO 3166 code, empty for one that serves anywhere. ``hours``: None when it
    publishes none, or when they are not known for certain. ``names`` and ``does`` are by language.
    ``source``: an https address; empty when it could not be checked again."""

    ident: str
    country: str
    who: Who
    names: Mapping[str, str]
    does: Mapping[str, str]
    url: str
    phones: tuple[str, ...]
    hours: Hours | None
    checked: date
    source: str

    def name(self, lang: str) -> str:
        return self.names[short_tag(lang)]

    def purpose(self, lang: str) -> str:
        """What it does, in one sentence."""
        return self.does[short_tag(lang)]

    @property
    def host(self) -> str:
        """The web address as people read it aloud: without ``https://www.``; empty without one."""
        return self.url.removeprefix("https://").removeprefix("www.").rstrip("/")


@cache
def lines() -> tuple[Helpline, ...]:
    """All of the file, in its order: the most helpful of each country first."""
    text = files("haechi").joinpath("helplines.json").read_text(encoding="utf-8")
    return tuple(_line(entry) for entry in json.loads(text)["helplines"])


def _line(entry: Mapping[str, Any]) -> Helpline:
    hours = entry["hours"]
    return Helpline(
        ident=entry["ident"],
        country=entry["country"],
        who=entry["who"],
        names=entry["names"],
        does=entry["does"],
        url=entry["url"],
        phones=tuple(entry["phones"]),
        hours=None if hours is None else Hours(**hours),
        checked=date.fromisoformat(entry["checked"]),
        source="" if entry["source"] == UNCHECKED else entry["source"],
    )


def countries() -> tuple[str, ...]:
    """ISO 3166 codes that have lines of their own, in the order of the file."""
    return tuple(dict.fromkeys(line.country for line in lines() if line.country))


def for_country(code: str) -> tuple[Helpline, ...]:
    """The lines of a country (ISO 3166, any case), then those that serve anywhere. A country without lines of
    its own, or an empty code, gives the latter alone."""
    own = tuple(line for line in lines() if line.country and line.country == code.upper())
    return own + tuple(line for line in lines() if line.country == ANYWHERE)


def elsewhere(code: str) -> Mapping[str, tuple[Helpline, ...]]:
    """The lines of every country but this one (ISO 3166, any case), by its code, in the order of the file."""
    others = (other for other in countries() if other != code.upper())
    return {other: tuple(line for line in lines() if line.country == other) for other in others}


def for_person(code: str = ANYWHERE, *, minor: bool) -> tuple[Helpline, ...]:
    """Where to turn with a picture of a minor, or of an adult: of a country, then those that serve anywhere.
    A minor is told of those for minors first. Never empty."""
    return right_for(for_country(code), minor=minor)


def right_for(lines: tuple[Helpline, ...], *, minor: bool) -> tuple[Helpline, ...]:
    """Of these lines those for a minor, or for an adult; those for minors alone first in their country."""
    others = "adults" if minor else "minors"
    fitting = [line for line in lines if line.who != others]
    places = list(dict.fromkeys(line.country for line in fitting))
    return tuple(sorted(fitting, key=lambda line: (places.index(line.country), line.who != "minors")))
