"""The sentences of cases: one JSON catalogue a language, as the reports have one.

say("verify_intact", "ko", records=3, files=2) -> str
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from haechi.errors import UsageError
from haechi.settings import LANGUAGES, short_tag


@cache
def catalogue(lang: str) -> Mapping[str, str]:
    """All sentences of en, zh or ko. Raises UsageError for any other language."""
    short = short_tag(lang)
    if short not in LANGUAGES:
        raise UsageError(f"There are no words in language {lang!r}: choose one of {', '.join(LANGUAGES)}.")
    text = files(__package__).joinpath(f"{short}.json").read_text(encoding="utf-8")
    loaded: dict[str, str] = json.loads(text)
    return loaded


def say(code: str, lang: str = "en", /, **params: object) -> str:
    """The sentence of a code, its gaps filled. Raises KeyError for a code or a gap that there is not."""
    return catalogue(lang)[code].format(**params)
