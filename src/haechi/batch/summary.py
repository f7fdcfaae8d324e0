"""A run in a few lines: how many files have which level, and why others have none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from haechi.batch.shards import Done
from haechi.errors import UnknownFormat
from haechi.report.messages import catalogue, say, visible

LEVELS = ("strong", "some", "none", "unknown")


def failures(done: Done) -> int:
    """Rows with an error, less files that are no picture or video: a folder may hold others."""
    return sum(count for code, count in error_counts(done) if code != UnknownFormat.code)


def error_counts(done: Done) -> list[tuple[str, int]]:
    """(code, how many) of the rows with an error, the most frequent first."""
    return Counter(done.failed.values()).most_common()


def summary(done: Done, lang: str) -> Iterator[str]:
    """Plain lines for a terminal."""
    total = sum(done.levels.values()) + len(done.failed)
    yield say("batch_files", lang, n=f"{total:,}")
    for level in LEVELS:
        yield line(say(f"level_word_{level}", lang), done.levels[level])
    for code, count in error_counts(done):
        yield line(error_name(code, lang), count)


def error_name(code: str, lang: str) -> str:
    """Why there is no report, in words; an unknown code as it is."""
    return catalogue(lang).get(f"batch_error_{code}", visible(code))


def line(name: str, count: int) -> str:
    return f"{count:>10,}  {name}"
