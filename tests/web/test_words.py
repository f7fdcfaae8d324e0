"""The catalogues of the pages: the same sentences in every language, none missing, none without a use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from haechi.settings import LANGUAGES
from haechi.web import words
from haechi.web.problem import TITLES

WEB = Path(words.__file__).parent.parent
SOURCES = {
    path: path.read_text(encoding="utf-8")
    for folder, suffix in (("templates", "html"), ("pages", "py"), ("static", "js"))
    for path in sorted((WEB / folder).glob(f"*.{suffix}"))
}
ALL_KEYS = set(words.catalogue("en"))
FAMILY_KEYS = {prefix + end for prefix, ends in words.FAMILIES.items() for end in ends}


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_language_has_the_same_sentences_with_the_same_gaps(lang):
    told = words.catalogue(lang)
    assert set(told) == ALL_KEYS
    assert all(text.strip() for text in told.values())
    assert {key: gaps(text) for key, text in told.items()} == {
        key: gaps(text) for key, text in words.catalogue("en").items()
    }


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_key_stands_twice(lang):
    text = (WEB / "words" / f"{lang}.json").read_text(encoding="utf-8")
    pairs = json.loads(text, object_pairs_hook=list)
    assert len({key for key, _ in pairs}) == len(pairs)


def named() -> Iterator[tuple[str, str]]:
    """Keys that a template or a page asks for by a literal."""
    for path, text in SOURCES.items():
        for key in re.findall(r"""\b(?:w|words\.say)\(\s*"([a-z0-9_]+)"\s*[,)]""", text):
            yield path.name, key


def test_no_page_asks_for_a_sentence_that_is_missing():
    assert {(file, key) for file, key in named() if key not in ALL_KEYS} == set()
    assert FAMILY_KEYS <= ALL_KEYS


def test_no_sentence_is_without_a_use():
    literals = {key for text in SOURCES.values() for key in re.findall(r"""["'.]([a-z0-9_]+)\b""", text)}
    assert ALL_KEYS - FAMILY_KEYS - literals == set()


def test_every_problem_has_words_for_a_person():
    assert set(TITLES) - words.FOR_PROGRAMS <= set(words.FAMILIES["problem_"])
    assert set(TITLES) >= words.FOR_PROGRAMS


def test_chinese_is_simplified_and_korean_is_korean():
    han, hangul = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[\uac00-\ud7a3]")
    for key, text in words.catalogue("en").items():
        if not re.search("[a-z]", re.sub(r"\{\w+\}|PDF", "", text), re.I):
            continue  # nothing but gaps
        assert han.search(words.catalogue("zh")[key]), key
        assert hangul.search(words.catalogue("ko")[key]), key
        assert not han.search(text.replace("獬豸", "")), key
        assert not re.search("[們為這說國個來時會對學點將關門開]", words.catalogue("zh")[key]), key


def test_what_a_stranger_wrote_cannot_reorder_a_sentence():
    assert "\\u202e" in words.say("result_of", "en", file="a\u202egpj", result="x")


def test_a_hole_is_a_fault():
    with pytest.raises(KeyError):
        words.say("no_such_key", "en")
    with pytest.raises(KeyError):
        words.say("result_of", "en", file="a")
