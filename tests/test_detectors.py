"""The contract that every detector in the list keeps: with stand-ins for the networks and, in the last tests,
with the shipped ones."""

from __future__ import annotations

import json

import numpy as np
import pytest

import golden
from haechi.detectors import DETECTORS
from haechi.errors import ModelError
from haechi.report.messages import LANGUAGES, catalogue
from haechi.settings import Settings
from standins import CLIP, MOMENTS, PHOTO, Make, coloured, equal, filmed, rated, run
from synthetic import media, track


def names(make: Make) -> str:
    return getattr(make, "name", "?")


each = pytest.mark.parametrize("make", DETECTORS, ids=names)


@each
@pytest.mark.usefixtures("fakes")
def test_evidence_bears_the_name_and_version_of_its_detector(make: Make) -> None:
    detector = make(Settings())
    for source, face in ((PHOTO, track()), (CLIP, filmed())):
        evidence = run(make, source, face)
        assert (evidence.detector, evidence.version) == (detector.name, "9.9.9")
        assert evidence.status in ("scored", "abstained")
        assert (evidence.llr is None) == (evidence.status != "scored")


@each
@pytest.mark.usefixtures("fakes")
def test_a_blank_picture_is_met_with_silence(make: Make) -> None:
    for frames in (1, 20):
        evidence = run(make, media([np.zeros((64, 64, 3), np.uint8)] * frames))
        assert (evidence.status, evidence.llr) == ("abstained", None)
        assert (evidence.regions, evidence.series, evidence.spans_s) == ((), (), ())
        for lang in LANGUAGES:
            assert evidence.reason.code in catalogue(lang)


@each
@pytest.mark.usefixtures("fakes")
def test_faces_that_cannot_be_judged_are_not(make: Make) -> None:
    for source, face in ((PHOTO, track()), (CLIP, filmed())):
        evidence = run(make, source, face, bad=[1])
        assert (evidence.status, evidence.llr) == ("abstained", None)
        assert all(evidence.reason.code in catalogue(lang) for lang in LANGUAGES)


@each
@pytest.mark.usefixtures("fakes")
def test_the_same_question_gets_the_same_answer(make: Make) -> None:
    for source, face in ((PHOTO, coloured(6)), (CLIP, filmed(20))):
        assert equal(run(make, source, face), run(make, source, face))


@each
@pytest.mark.usefixtures("fakes")
def test_what_is_scored_can_be_shown(make: Make) -> None:
    evidence = run(make, CLIP, filmed(20), filmed(10, number=2))
    assert evidence.status == "scored"
    assert evidence.llr is not None
    assert -2.5 <= evidence.llr <= 4.0
    assert {"face", "ratio"} <= set(evidence.reason.params)
    for lang in LANGUAGES:
        assert {
            evidence.reason.code,
            *(f"{evidence.reason.code}{s}" for s in ("_neutral", "_against")),
        } <= set(catalogue(lang))
    strengths = [r.llr for r in evidence.regions]
    assert strengths == sorted(strengths, reverse=True)
    for region in evidence.regions:
        assert region.track_id in (1, 2)
        assert region.time_s in MOMENTS
        if region.heatmap is not None:
            assert region.heatmap.dtype == np.float32
            assert 0 <= region.heatmap.min() <= region.heatmap.max() <= 1
    for series in evidence.series:
        assert len(series.times_s) == len(series.llr)


@each
def test_without_its_model_there_is_no_detector(make: Make, tmp_path: object) -> None:
    with pytest.raises(ModelError):
        make(Settings(models_dir=str(tmp_path)))


@each
def test_shipped_detectors_are_silent_about_nothing_and_repeat_themselves(
    make: Make, shipped: Settings
) -> None:
    detector = make(shipped)
    assert detector.examine(PHOTO, (), rated(), ()).status == "abstained"
    face = coloured(3)
    first, second = (detector.examine(PHOTO, (face,), rated(face), ()) for _ in range(2))
    assert equal(first, second)


def test_the_shipped_models_say_what_they_said(shipped: Settings) -> None:
    wanted = json.loads(golden.FILE.read_text())
    found = golden.numbers(shipped)
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        assert found[name] == pytest.approx(values, abs=1e-3, rel=1e-3), name
