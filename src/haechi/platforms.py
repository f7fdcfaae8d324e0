"""The platforms' own forms for taking pictures down, and the services that pass hashes on to platforms: kept
in ``platforms.json`` beside this file, each with what it is for, where we read so, when, and whether the
source says it.

    forms() -> tuple[Form, ...]                        of the platforms, in the order of the file
    hash_services(minor=False) -> tuple[Form, ...]     what StopNCII, or Take It Down, takes

Nothing here connects anywhere: these are addresses for a person to use.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from haechi.settings import short_tag


@dataclass(frozen=True, slots=True)
class Form:
    """Where to ask. ``mail``: an e-mail address besides, or empty. ``names`` and ``texts`` are by language.
    ``checked``: ``source`` was read on ``checked_on`` and says what ``texts`` does."""

    ident: str
    who: Literal["anyone", "adults", "minors"]
    names: Mapping[str, str]
    texts: Mapping[str, str]
    url: str
    mail: str
    source: str
    checked_on: date
    checked: bool

    def name(self, lang: str) -> str:
        return self.names[short_tag(lang)]

    def text(self, lang: str) -> str:
        """What it is for, in a few sentences."""
        return self.texts[short_tag(lang)]


def forms() -> tuple[Form, ...]:
    """Those of the platforms."""
    return _read("platforms")


def hash_services(*, minor: bool) -> tuple[Form, ...]:
    """What is to be known of the service for pictures of a minor, or of an adult."""
    who = "minors" if minor else "adults"
    return tuple(form for form in _read("hash_services") if form.who == who)


@cache
def _read(part: str) -> tuple[Form, ...]:
    text = files("haechi").joinpath("platforms.json").read_text(encoding="utf-8")
    return tuple(_form(entry) for entry in json.loads(text)[part])


def _form(entry: Mapping[str, Any]) -> Form:
    return Form(
        ident=entry["ident"],
        who=entry["who"],
        names=entry["names"],
        texts=entry["does"],
        url=entry["url"],
        mail=entry["mail"],
        source=entry["source"],
        checked_on=date.fromisoformat(entry["checked_on"]),
        checked=entry["checked"],
    )
