"""The classroom page: everything it points to is there, and the two languages show the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"en": DOCS / "how-it-works.md", "zh": DOCS / "how-it-works.zh-CN.md"}
MOST_BYTES = 1_500_000

IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)]+)\)")
HEADING = re.compile(r"^(#+) ", re.MULTILINE)
MARKER = re.compile(r"<!-- results:[^>]*-->")
both = pytest.mark.parametrize("lang", PAGES)


def page(lang: str) -> str:
    return PAGES[lang].read_text(encoding="utf-8")


def pictures(lang: str) -> list[tuple[str, str]]:
    return [(alt, path) for alt, path in IMAGE.findall(page(lang))]


@both
def test_everything_that_is_linked_is_there(lang: str) -> None:
    targets = [path for _, path in pictures(lang)] + LINK.findall(page(lang))
    missing = [t for t in targets if "://" not in t and not (DOCS / t.partition("#")[0]).is_file()]
    assert len(targets) > 15
    assert not missing


@both
def test_every_picture_says_what_it_shows(lang: str) -> None:
    least = 20 if lang == "en" else 10
    assert all(len(alt) >= least for alt, _ in pictures(lang))


def test_both_languages_have_the_same_headings_pictures_and_tables() -> None:
    en, zh = (HEADING.findall(page(lang)) for lang in PAGES)
    assert en == zh
    names = {lang: [path.replace(".zh-CN.", ".") for _, path in pictures(lang)] for lang in PAGES}
    assert names["en"] == names["zh"]
    assert MARKER.findall(page("en")) == MARKER.findall(page("zh"))


def test_charts_speak_the_language_of_their_page() -> None:
    assert all(".zh-CN" not in path for _, path in pictures("en"))
    assert all(path.endswith(".zh-CN.svg") for _, path in pictures("zh") if path.endswith(".svg"))


def test_pictures_are_small_and_none_is_left_over() -> None:
    files = list((DOCS / "pictures").iterdir())
    shown = {path for lang in PAGES for _, path in pictures(lang)}
    assert {f"pictures/{f.name}" for f in files} == {p for p in shown if p.startswith("pictures/")}
    assert sum(f.stat().st_size for f in files) < MOST_BYTES
