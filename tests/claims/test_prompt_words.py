"""The words that a picture was generated from: read as hostile input, one bounded printable line."""

from __future__ import annotations

import json

import pytest

from haechi.claims.prompt_words import CUT, MOST_WORDS, prompt_words


def test_long_words_are_cut_and_say_so() -> None:
    words = prompt_words([("prompt", json.dumps({"text": "lighthouse " * 5000}))])
    assert words.startswith("lighthouse lighthouse")
    assert words.endswith(CUT)
    assert len(words) <= MOST_WORDS + len(CUT)


def test_words_are_one_printable_line() -> None:
    assert prompt_words([("prompt", json.dumps({"text": "a\n\x1b[31mred\u202e\x00 hat"}))]) == "a [31mred hat"


def test_what_was_said_twice_stands_once() -> None:
    nodes = {"6": {"inputs": {"text": "a hat"}}, "7": {"inputs": {"text": "a hat", "text_g": "blurry"}}}
    assert prompt_words([("prompt", json.dumps(nodes))]) == "a hat \u00b7 blurry"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"text": ' * 50_000,
        '{"prompt": 1e999}',
        "{" + " " * 1_000_000,
        '{"text": null}',
        "{}",
        "[]",
        "",
    ],
    ids=["brackets", "objects", "huge number", "blanks", "null", "empty object", "empty list", "nothing"],
)
def test_hostile_json_holds_no_words(text: str) -> None:
    assert prompt_words([("prompt", text)]) == ""
