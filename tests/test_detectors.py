"""What the shipped detectors say with stand-ins for their networks, and what the shipped networks say of
inputs made by code; what every detector keeps to is in ``contracts``."""

from __future__ import annotations

import json

import numpy as np
import pytest

import golden
from haechi import registry
from haechi.errors import ModelError
from haechi.report.messages import LANGUAGES, catalogue
from haechi.settings import Settings
from standins import CLIP, MOMENTS, Make, filmed, run


def names(make: Make) -> str:
    return getattr(make, "name", "?")


each = pytest.mark.parametrize("make", [e.load() for e in registry.DETECTORS], ids=names)


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


def test_the_shipped_models_say_what_they_said(shipped: Settings) -> None:
    wanted = json.loads(golden.FILE.read_text())
    found = golden.numbers(shipped)
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        assert found[name] == pytest.approx(values, abs=1e-3, rel=1e-3), name
