"""A run in a few lines: how many files have which level, and why others have none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from haechi.errors import UnknownFormat
from haechi.report.messages import catalogue, say, visible

LEVELS = ("strong", "some", "none", "unknown")


def failures(errors: Mapping[str, int]) -> int:
    """Files with an error, by its code, less those that are no picture or video: a folder may hold others."""
    return sum(count for code, count in errors.items() if code != UnknownFormat.code)


def summary(levels: Mapping[str, int], errors: Mapping[str, int], lang: str) -> Iterator[str]:
    """Plain lines for a terminal: how many files have which level, and which error, by its code."""
    yield say("batch_files", lang, n=f"{sum(levels.values()) + sum(errors.values()):,}")
    for level in LEVELS:
        yield f"{levels.get(level, 0):>10,}  {say(f'level_word_{level}', lang)}"
    for code, count in Counter(errors).most_common():
        yield f"{count:>10,}  {error_name(code, lang)}"


def error_name(code: str, lang: str) -> str:
    """Why there is no report, in words; an unknown code as it is."""
    return catalogue(lang).get(f"batch_error_{code}", visible(code))
