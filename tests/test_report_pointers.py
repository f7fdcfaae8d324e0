"""What a file says of AI: told beside the verdict, in the words that fit, and never weighed in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from haechi.report import LANGUAGES, to_dict
from haechi.report.messages import catalogue
from haechi.report.pointers import headline
from haechi.types import Claim, Reason, Report
from report_cases import CASES, clean, media, stated

AI, PART = "source_ai", "source_ai_part"


def saying(*codes: str, reason: str = "metadata_found", kind: str = "image") -> Report:
    """Nothing found in the picture; its notes hold the facts."""
    facts = tuple(Reason(code, {"program": "Midjourney"}) for code in codes)
    claim = Claim("metadata", "1", Reason(reason), facts)
    return replace(clean(), media=media(kind), claims=(claim,))


def code_of(report: Report) -> str | None:
    told = headline(report)
    return None if told is None else told.code


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ((AI,), "file_says_ai"),
        (("meta_prompt",), "file_says_ai"),
        ((PART,), "file_says_ai_part"),
        (("meta_prompt", PART), "file_says_ai_part"),
        ((AI, "source_camera"), "file_says_ai_part"),
        ((AI, PART), "file_says_ai"),
        (("label_ai",), "file_says_ai_label"),
        (("label_ai_perhaps",), "file_says_ai_perhaps"),
        (("label_ai_suspected",), "file_says_ai_perhaps"),
        (("meta_generator",), "file_says_ai_program"),
        (("meta_ai_system",), "file_says_ai_program"),
        (("c2pa_earlier_ai",), "file_says_ai_earlier"),
        (("source_camera", "meta_editor", "meta_face_app", "source_composite"), None),
        ((), None),
    ],
)
def test_the_headline_says_no_more_than_the_file(facts: tuple[str, ...], code: str | None) -> None:
    assert code_of(saying(*facts)) == code


def test_a_video_is_made_by_no_image_generator() -> None:
    assert code_of(saying(AI, kind="video")) == "file_says_ai_video"
    assert code_of(saying(PART, kind="video")) == "file_says_ai_part"


def test_a_program_is_named() -> None:
    (line,) = to_dict(saying("meta_generator"))["verdict"]["reasons"][-1:]
    assert line.startswith("This file names Midjourney, which makes or changes pictures with AI.")


def test_another_claim_speaks_for_the_whole_where_one_speaks_of_parts() -> None:
    parts = saying(AI, "source_camera").claims
    assert code_of(replace(clean(), claims=(*parts, *saying(AI).claims))) == "file_says_ai"
    assert code_of(replace(clean(), claims=(*saying(AI).claims, *parts))) == "file_says_ai"


def test_what_could_not_be_read_says_nothing() -> None:
    report = saying(AI)
    failed = tuple(replace(claim, outcome="failed") for claim in report.claims)
    assert code_of(replace(report, claims=failed)) is None
    assert code_of(saying(reason="metadata_says_ai")) == "file_says_ai_or_part"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_json_and_python_have_it_last_among_the_reasons_and_the_verdict_is_the_same(lang: str) -> None:
    report = stated()
    told, silent = to_dict(report, lang)["verdict"], to_dict(clean(), lang)["verdict"]
    assert told["reason_codes"] == [*silent["reason_codes"], "file_says_ai"]
    assert told["reasons"][:-1] == silent["reasons"]
    assert told["reasons"][-1].startswith(catalogue(lang)["file_says_ai"])
    assert len(told["reasons"][-1]) > len(catalogue(lang)["file_says_ai"])  # that it was not weighed
    assert report.reasons(lang) == told["reasons"]
    assert {**told, "reasons": (), "reason_codes": ()} == {**silent, "reasons": (), "reason_codes": ()}
    for name, make in CASES.items():
        codes = to_dict(make(), lang)["verdict"]["reason_codes"]
        assert ("file_says_ai" in codes) == (name == "stated")
