"""The report on a terminal."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from haechi.report import LANGUAGES, level_sentence, render_text
from haechi.report.wrap import wrap
from haechi.types import Claim, Evidence, FaceVerdict, Reason
from report_cases import CASES, HOSTILE_NAME, clean, clip, nothing, photo, stated


def shown(report, lang="en", width=80, **options):
    out = io.StringIO()
    render_text(report, Console(file=out, width=width, **options), lang)
    return out.getvalue()


def flat(text):
    return " ".join(text.split())


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("width", [40, 80, 200])
def test_it_fits_the_terminal_and_leads_with_the_sentence(case, lang, width):
    report = CASES[case]()
    text = shown(report, lang, width)
    assert max(cell_len(line.rstrip()) for line in text.splitlines()) <= width
    words = level_sentence(report.verdict, lang)
    assert "".join(words.split()) in "".join(text.split())
    assert "…" not in text


def test_it_tells_file_findings_quality_and_what_was_not_tested():
    text = flat(shown(photo()))
    assert text.startswith("photo.jpg picture · 640 × 480 px")
    assert "Forged face" in text
    assert "15 times more" in text
    assert "Faces: 2 found, 1 judged" in text
    assert "Face 2: The face is too small" in text
    assert "Not tested: caption and context, identity, body, background, marks of origin" in text


def test_there_is_no_headline_percentage():
    for make in CASES.values():
        text = shown(make())
        assert "%" not in text
        assert "0.93" not in text


def test_a_failed_detector_is_shown_as_failed():
    text = flat(shown(clip()))
    assert "failed" in text
    assert "This examination broke down" in text
    assert "ValueError" in text


def test_what_the_file_says_of_itself_is_no_row_with_a_weight():
    claim = Claim("metadata", "1", Reason("metadata_found"), (Reason("no_face"),))
    late = Claim("provenance", "1", Reason("claim_failed", {"error": "ValueError"}), outcome="failed")
    text = shown(replace(photo(), claims=(claim, late)))
    table, _, rest = text.partition("What the file says of itself")
    assert "Anyone can write or change them." in flat(rest)
    assert "No face was found." in rest
    assert "ValueError" in rest
    assert "statement" not in table
    assert "What the file says" not in shown(photo())


def test_a_file_that_says_that_ai_made_it_is_not_overlooked_under_a_verdict_of_nothing_found():
    told, _, rest = shown(stated()).partition("Examination")
    assert "\n◆ This file says of itself that it was made with an image generator.\n" in told
    assert "not weighed" in flat(told)
    assert "No signs found" in told
    assert "Dream Machine" in rest
    assert "The text in these settings: a lighthouse keeper, oil <b>" in flat(rest)
    assert "of itself" not in shown(clean())


def test_an_unknown_gives_its_reason_once():
    text = shown(nothing())
    assert text.count("no face was found that could be judged") == 1


def test_a_hostile_name_cannot_move_the_cursor_or_use_markup():
    text = shown(photo("[bold]x[/bold]" + HOSTILE_NAME), force_terminal=True, color_system=None, width=200)
    assert "\x1b[31m" not in text
    assert "\u202e" not in text
    assert "[bold]x[/bold]a<script>" in text


def test_errors_of_detectors_are_not_taken_for_markup():
    bad = Evidence("swap", "1", "failed", None, Reason("detector_failed", {"error": "[/red] no [tag]"}))
    assert "[/red] no [tag]" in flat(shown(replace(photo(), evidence=(bad,))))


def test_colour_is_an_extra():
    plain = shown(photo(), color_system=None)
    coloured = shown(photo(), force_terminal=True, color_system="truecolor")
    assert "▲" in plain
    assert "\x1b[" in coloured
    assert "\x1b[" not in plain


def test_lines_break_where_the_script_allows():
    assert wrap("one two three", 7) == "one two\nthree"
    assert wrap("人脸太小，无法判断。", 8) == "人脸太\n小，无法\n判断。"
    assert wrap("조작된 것에서 자주", 13) == "조작된 것에서\n자주"
    assert wrap("abcdefghij", 4) == "abcd\nefgh\nij"
    assert wrap("", 10) == ""


def test_of_several_faces_those_with_signs_are_named():
    report = photo()
    region = report.evidence[0].regions[0]
    two = replace(report.evidence[0], regions=(region, replace(region, track_id=2)))
    levels = (FaceVerdict(2, "strong", 0.93), FaceVerdict(1, "none", 0.1))
    verdict = replace(report.verdict, faces=levels)
    text = flat(shown(replace(report, evidence=(two,), verdict=verdict), width=200))
    assert "Faces: 2 found, 2 judged; Strong signs: 2" in text


def test_a_moment_that_stands_out_is_told_as_a_time():
    assert "The signs lie between 0:02.0 and 0:06.0 (face 1); over the whole video they are weaker." in flat(
        shown(clip(), width=200)
    )
