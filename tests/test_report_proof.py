"""The proof in text: hashes, times, words and figures, and nothing of the picture."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from haechi.cli import app
from haechi.pdq import hash_rgb
from haechi.report import LANGUAGES, level_sentence, proof, render_proof
from report_cases import CASES, HOSTILE_NAME, photo

NOISE = np.random.default_rng(7).integers(0, 255, (12, 16, 3), np.uint8).repeat(20, 0).repeat(20, 1)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("case", CASES)
def test_it_tells_the_verdict_and_no_name(case, lang):
    report = CASES[case]()
    text = render_proof(report, lang)
    assert level_sentence(report.verdict, lang) in text
    assert report.media.sha256 in text
    assert report.media.name not in text
    assert all(model.sha256 in text for model in report.models)
    assert "nan" not in text.casefold().split()


def test_the_print_of_the_picture_is_given_where_there_is_something_to_see():
    report = photo()
    preview = replace(report.previews[0], rgb=NOISE)
    text = render_proof(replace(report, previews=(preview,)))
    assert hash_rgb(NOISE).hash in text
    assert "made from a reduced copy" in text
    plain = replace(preview, rgb=np.full((240, 320, 3), 128, np.uint8))
    assert "PDQ" not in render_proof(replace(report, previews=(plain,)))


@pytest.mark.parametrize("case", CASES)
def test_what_is_stored_of_it_comes_back(case):
    figures = proof.figures(CASES[case]())
    stored = json.loads(json.dumps(figures, allow_nan=False))
    assert proof.figures_from(stored) == figures
    for lang in LANGUAGES:
        assert list(proof.lines(stored, lang)) == list(proof.lines(figures, lang))


@pytest.mark.parametrize(
    "change",
    [
        {"level": "proven"},
        {"score": "high"},
        {"models": 3},
        {"sentence": {"en": "x"}},
        {"examinations": [{"detector": "swap"}]},
    ],
)
def test_what_a_stranger_stored_is_refused(change):
    with pytest.raises((KeyError, TypeError, ValueError)):
        proof.figures_from({**proof.figures(photo()), **change})


def test_the_terminal_writes_it_too(tmp_path, astronaut):
    shown = CliRunner().invoke(app, ["check", "--format", "proof", str(astronaut)])
    assert shown.exit_code == 0
    assert "PDQ" in shown.stdout
    assert astronaut.name not in shown.stdout
    done = CliRunner().invoke(app, ["check", "--format", "proof", "--out", str(tmp_path), str(astronaut)])
    assert done.exit_code == 0
    assert [file.name for file in tmp_path.iterdir()] == [f"{astronaut.name}.proof.txt"]


def test_a_hostile_name_has_no_place_in_it():
    report = photo()
    assert "\u202e" not in render_proof(replace(report, media=replace(report.media, name=HOSTILE_NAME)), "en")
