"""Letters that ask a platform, the police, a lawyer or a search engine for help, from templates.

``letters/LANG.json`` holds for each kind its lines, and for each country the provisions that may be named: of
those about intimate pictures none is named unless the user says that the pictures are. A letter carries
hashes and addresses, never a picture, no file name and no note. It opens with what to do before sending it,
and says that it is no legal advice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

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


def letter(
    entries: Sequence[Entry],
    kind: str,
    lang: str = "en",
    country: str = "",
    *,
    intimate: bool = False,
    head: str = "",
) -> str:
    """The letter as plain text. Raises UsageError for an unknown kind or language, and without entries."""
    lang = short_tag(lang)
    if kind not in KINDS or lang not in LANGUAGES:
        raise UsageError(
            f"A letter is one of {', '.join(KINDS)}, in one of the languages {', '.join(LANGUAGES)}."
        )
    if not entries:
        raise UsageError("The case has no entries to write about: add one with `haechi case add`.")
    texts = _texts(lang)
    gaps = {
        "{intimate}": [texts["parts"]["intimate"]] if intimate else [],
        "{minor}": [texts["parts"]["minor"]] if any(e.minor for e in entries) else [],
        "{items}": list(_items(entries, texts["parts"])),
        "{laws}": _laws(texts["laws"].get(country_of(country), {}), kind, intimate=intimate),
        "{head}": [head],
    }
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    lines = [texts["before"], "", "-" * 60, ""]
    for line in texts[kind]:
        lines += gaps.get(line, [line.replace("{date}", today)])
    return "\n".join(lines) + "\n"


def _laws(laws: Mapping[str, Sequence[str]], kind: str, *, intimate: bool) -> list[str]:
    """The provisions for a kind of letter; a lawyer is told all."""
    first = "search" if kind == "search-engine" and "search" in laws else "platform"
    keys = {
        "police": ["police"],
        "lawyer": ["platform", "police"],
    }.get(kind, [first])
    if intimate:
        keys += [f"{w.replace('search', 'platform')}_intimate" for w in keys]
    return [line for key in keys for line in laws.get(key, ())]


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
