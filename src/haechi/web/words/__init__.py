"""The sentences of the browser pages: one JSON catalogue a language beside this file.

A key that templates and code name as a literal stands for one sentence. Keys that are put together at run
time come in families, listed here, so that a test can tell a missing sentence from an unused one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from haechi.live import LEVELS
from haechi.models import NAMES
from haechi.report.messages import visible
from haechi.verify.challenges import KINDS
from haechi.verify.checks import CHECKS
from haechi.verify.types import DECISIONS
from haechi.web.problem import TITLES

#: Problems that only a program can cause; a person is told `bad_request`.
FOR_PROGRAMS = {"no_heatmap", "withheld", "method_not_allowed", "bad_multipart", "not_multipart", "invalid"}

#: Keys made of a prefix and one of these endings.
FAMILIES: Mapping[str, tuple[str, ...]] = {
    # every code of a problem that a person can meet in the browser
    "problem_": (
        *sorted(set(TITLES) - FOR_PROGRAMS),
        *("offline", "case", "locked", "usage", "short", "differ", "no_passphrase", "both"),
        "other_file",
    ),
    # where a check stands; the script makes these keys too
    "state_": ("queued", "upload", "waiting", "open", "faces", "evidence", "verdict", "done", "failed"),
    # what a shipped model does
    "model_": NAMES,
    # how a copy was recognised
    "how_": ("same_file", "picture", "part", "video", "mirrored", "turned"),
    # the states of a call, and what each means
    "live_level_": LEVELS,
    "live_means_": LEVELS,
    # what a verification asks for, how it ends, and its checks
    "verify_do_": KINDS,
    "verify_result_": DECISIONS,
    "verify_check_": tuple(name for name, _ in CHECKS),
    # to whom a letter goes, in the words of haechi.case with "_" for "-"
    "letter_kind_": ("platform", "police", "lawyer", "search_engine"),
    "help_hours_": ("always", "daily", "weekdays"),
    "who_": ("anyone", "adults", "minors", "women"),
    "country_": ("KR", "CN", "US", "GB", "EU", "DE", "FR", "JP", "TW", "AU", "CA", "IN"),
}


@cache
def catalogue(lang: str) -> Mapping[str, str]:
    """All sentences of one language (en, zh or ko), read once."""
    text = files(__name__).joinpath(f"{lang}.json").read_text(encoding="utf-8")
    loaded: dict[str, str] = json.loads(text)
    return loaded


def say(key: str, lang: str, /, **values: object) -> str:
    """The sentence with its gaps filled; plain text, to be escaped by whoever puts it into HTML. Raises
    KeyError for a key or a value that is missing: a page of ours with a hole is a fault, not a style."""
    gaps = {name: visible(value) if isinstance(value, str) else value for name, value in values.items()}
    return catalogue(lang)[key].format(**gaps)
