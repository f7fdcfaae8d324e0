"""Sources of help: complete in every language, dated, and the right ones for a minor."""

from __future__ import annotations

import json
import re
from datetime import date
from importlib.resources import files

import pytest

from haechi import helplines
from haechi.settings import LANGUAGES

LINES = helplines.lines()


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.ident)
def test_every_line_can_be_used_in_every_language(line):
    assert set(line.names) == set(line.does) == set(LANGUAGES)
    assert all(text.strip() for text in (*line.names.values(), *line.does.values()))
    assert line.url or line.phones, "neither an address nor a number"
    assert not line.url or re.fullmatch(r"https://[a-z0-9.-]+/[a-z]*", line.url)
    assert all(re.fullmatch(r"[#0-9][0-9 -]*", phone) for phone in line.phones)
    assert line.who in ("anyone", "adults", "minors", "women")
    assert line.source == "" or re.fullmatch(r"https://[^\s]+", line.source)
    assert date(2026, 1, 1) <= line.checked <= date(2100, 1, 1)


def test_every_entry_of_the_file_says_where_it_was_read_or_that_nobody_could_check():
    entries = json.loads(files("haechi").joinpath("helplines.json").read_text(encoding="utf-8"))["helplines"]
    for entry in entries:
        assert entry["source"] == helplines.UNCHECKED or entry["source"].startswith("https://"), entry[
            "ident"
        ]
        assert date.fromisoformat(entry["checked"])


def test_the_lines_of_all_other_countries_are_at_hand_too():
    others = helplines.elsewhere("kr")
    assert set(others) == set(helplines.countries()) - {"KR"}
    shown = [*helplines.for_country("KR"), *(line for lines in others.values() for line in lines)]
    assert {line.ident for line in shown} == {line.ident for line in LINES}


def test_no_line_stands_twice():
    assert len({line.ident for line in LINES}) == len(LINES)


def test_a_country_brings_its_own_lines_first_and_those_of_anywhere_after():
    korea = helplines.for_country("kr")
    assert [line.ident for line in korea[:2]] == ["kr-d4u", "kr-1366"]
    assert korea[0].phones == ("1366", "02-735-8994")
    assert korea[0].hours is not None
    assert korea[0].hours.always
    assert "stopncii" in [line.ident for line in korea]


def test_a_country_without_lines_still_gets_help():
    assert {line.country for line in helplines.for_country("ZZ")} == {helplines.ANYWHERE}
    assert helplines.for_country("") == helplines.for_country("ZZ")


@pytest.mark.parametrize("code", ["", "ZZ", *helplines.countries()])
def test_everybody_is_sent_to_the_right_services(code):
    minor, adult = (helplines.for_person(code, minor=minor) for minor in (True, False))
    assert "takeitdown" in [line.ident for line in minor]
    assert "stopncii" in [line.ident for line in adult]
    assert not [line.ident for line in minor if line.who == "adults"]
    assert not [line.ident for line in adult if line.who == "minors"]
    idents = {line.ident for line in (*minor, *adult)}
    assert idents == {line.ident for line in helplines.for_country(code)}
    own = [line.who == "minors" for line in minor if line.country]
    assert own == sorted(own, reverse=True), "those for minors come first"


def test_in_korea_one_number_serves_everybody_and_the_deletion_centre_minors_too():
    korea = {line.ident: line for line in helplines.for_person("kr", minor=True)}
    assert korea["kr-1366"].who == "anyone"
    assert korea["kr-1366"].source.startswith("https://korea.kr/")
    assert korea["kr-d4u"].phones[0] == "1366"


def test_an_address_is_shown_as_people_read_it():
    by_name = {line.ident: line for line in LINES}
    assert by_name["cn-12377"].host == "12377.cn"
    assert by_name["kr-police"].host == ""
    assert by_name["stopncii"].name("zh-CN") == "StopNCII.org"
