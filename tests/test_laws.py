"""What is said about laws and platforms: in every language, with source and date, checked or not."""

from __future__ import annotations

import json
import re
from datetime import date
from importlib.resources import files

import pytest

from haechi import helplines, laws, platforms
from haechi.settings import LANGUAGES

STATEMENTS = laws.statements()
FORMS = (*platforms.forms(), *platforms.hash_services(minor=True), *platforms.hash_services(minor=False))
HANGUL, HAN = re.compile(r"[가-힣]"), re.compile(r"[一-鿿]")


@pytest.mark.parametrize(
    "item", [*STATEMENTS, *FORMS], ids=lambda item: getattr(item, "key", "") or item.ident
)
def test_each_has_a_source_a_date_and_words_in_every_language(item):
    assert re.fullmatch(r"https?://\S+", item.source)
    assert date(2026, 1, 1) <= item.checked_on <= date(2100, 1, 1)
    assert item.checked in (True, False)
    for lang in LANGUAGES:
        assert item.text(lang).strip()
    assert HAN.search(item.text("zh"))
    assert not HANGUL.search(item.text("zh"))
    assert HANGUL.search(item.text("ko"))


def test_every_entry_of_the_files_says_whether_it_was_checked():
    for name in ("laws", "platforms"):
        parts = json.loads(files("haechi").joinpath(f"{name}.json").read_text(encoding="utf-8"))
        for entry in (entry for part in parts.values() for entry in part):
            assert isinstance(entry["checked"], bool)
            assert {"source", "checked_on"} <= set(entry)


def test_no_key_stands_twice():
    assert len({statement.key for statement in STATEMENTS}) == len(STATEMENTS)


@pytest.mark.parametrize("country", ["", "ZZ", *helplines.countries()])
@pytest.mark.parametrize("minor", [True, False])
def test_everybody_is_told_something_about_the_law_and_nothing_of_the_other_age(country, minor):
    told = laws.on_page(country, minor=minor)
    assert {statement.who for statement in told} - {"anyone"} == {"minors" if minor else "adults"}
    assert all(statement.country in ("", "EU", country) for statement in told)


def test_korea_draws_the_line_at_19_and_punishes_holding_an_adults_forgery():
    assert (laws.of_age("kr"), laws.of_age("US"), laws.of_age("")) == (19, 18, 18)
    assert "kr-adult-holding" in [statement.key for statement in laws.on_page("KR", minor=False)]
    assert "kr-minor-holding" in [statement.key for statement in laws.on_page("KR", minor=True)]


def test_the_platforms_that_matter_are_there():
    assert [form.ident for form in platforms.forms()] == [
        *("telegram", "x", "instagram", "facebook", "tiktok", "youtube", "google", "naver", "kakao"),
        *("discord", "reddit", "pornhub"),
    ]
    assert {form.url for form in platforms.hash_services(minor=True)} == {"https://takeitdown.ncmec.org/"}
    assert {form.url for form in platforms.hash_services(minor=False)} == {"https://stopncii.org/"}
