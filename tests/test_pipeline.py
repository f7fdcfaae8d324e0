"""The stages one by one, and the same pipeline in another process."""

from __future__ import annotations

import multiprocessing
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fakes import FakeDetector, finder, judges, picture
from haechi import models
from haechi.errors import ModelError, UsageError
from haechi.faces import Window
from haechi.pipeline import Pipeline, PipelineConfig
from haechi.report import to_dict
from haechi.settings import Settings
from haechi.types import Frame


def told(config: PipelineConfig, source: Path) -> dict[str, Any]:
    """The report of a file, less what differs from one check to the next."""
    report = to_dict(config.build().check(source))
    return {key: value for key, value in report.items() if key not in ("created", "elapsed_s", "stages_s")}


def _child(data: bytes, source: Path, answers: Any) -> None:
    answers.put(told(pickle.loads(data), source))


def test_a_pickled_config_builds_the_same_pipeline_in_another_process(
    astronaut: Path, shipped: Settings
) -> None:
    config = PipelineConfig(shipped, detectors=("swap", "flicker"), claims=("metadata",))
    spawn = multiprocessing.get_context("spawn")
    answers: Any = spawn.Queue()
    child = spawn.Process(target=_child, args=(pickle.dumps(config), astronaut, answers))
    child.start()
    there = answers.get(timeout=120)
    child.join(30)
    assert there == told(config, astronaut)
    assert {item["detector"] for item in there["evidence"] if item["status"] == "scored"} == {"swap"}


def test_a_config_is_a_value() -> None:
    one = PipelineConfig(Settings(), detectors=("swap",))
    assert one == PipelineConfig(Settings(), detectors=("swap",)) != PipelineConfig(Settings())
    assert len({one, pickle.loads(pickle.dumps(one))}) == 1


def test_a_config_takes_the_settings_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAECHI_THREADS", "1")
    assert PipelineConfig().settings == Pipeline().settings == Settings(threads=1)


def test_without_one_of_its_detectors_a_pipeline_gives_no_all_clear(
    astronaut: Path, shipped: Settings
) -> None:
    whole, part = Pipeline(shipped), Pipeline(PipelineConfig(shipped, detectors=("swap",)))
    assert whole.check(astronaut).verdict.level == "none", "or this shows nothing"
    report = part.check(astronaut)
    assert report.verdict.level == "unknown"
    assert [(e.detector, e.reason.code) for e in report.evidence[1:]] == [
        ("synthesis", "abstain_left_out"),
        ("flicker", "abstain_left_out"),
    ]
    assert {"synthesis", "flicker"}.isdisjoint(m.name for m in report.models)
    told = report.to_dict()
    assert "left out of this check" in told["verdict"]["sentence"]
    assert sum("left out of this check" in line for line in told["not_tested"]) == 2


def test_scores_need_neither_quality_nor_verdict(astronaut: Path, shipped: Settings) -> None:
    pipeline = Pipeline(shipped)
    media = pipeline.media(astronaut)
    tracks = pipeline.faces(media)
    scores = pipeline.score(tracks)
    assert set(scores) == {"swap", "synthesis"}
    ((swap,), (synthesis,)) = scores["swap"], scores["synthesis"]
    assert swap.logits.shape == (1,)
    assert swap.maps is not None
    evidence = pipeline.evidence(media, tracks, pipeline.quality(media, tracks))
    is_shown = models.card("swap", shipped).map_shown
    assert (evidence[0].heatmap is not None) == is_shown, "the card says whether people see it"
    assert synthesis.logits.shape == (1,)
    assert synthesis.maps is None
    assert pipeline.score([]) == {"swap": (), "synthesis": ()}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (PipelineConfig(Settings(), detectors=("lies",)), "no detector 'lies': choose from swap"),
        (PipelineConfig(Settings(), detectors=("flicker",)), "'flicker' reads what 'swap' says"),
        (PipelineConfig(Settings(), claims=("swap",)), "no claim 'swap': choose from provenance"),
        (PipelineConfig(Settings(), finder="nowhere:Finder"), "no face finder 'nowhere:Finder'"),
        (PipelineConfig(Settings(), finder="haechi.faces"), "write MODULE:CLASS"),
    ],
)
def test_a_name_that_nothing_has_is_an_error_that_tells_the_choice(
    config: PipelineConfig, words: str, astronaut: Path
) -> None:
    with pytest.raises(UsageError, match=words):
        config.build().check(astronaut)


def test_the_stages_one_by_one_give_what_the_report_holds(astronaut: Path, shipped: Settings) -> None:
    pipeline = Pipeline(shipped)
    report = pipeline.check(astronaut)
    media = pipeline.media(astronaut)
    tracks = pipeline.faces(media)
    quality = pipeline.quality(media, tracks)
    evidence = pipeline.evidence(media, tracks, quality)
    assert [(t.track_id, t.boxes_xyxy.tolist()) for t in tracks] == [
        (t.track_id, t.boxes_xyxy.tolist()) for t in report.faces
    ]
    assert quality == report.quality
    assert [(e.detector, e.llr) for e in evidence] == [(e.detector, e.llr) for e in report.evidence]


def test_frames_that_come_one_by_one_are_followed(astronaut: Path, shipped: Settings) -> None:
    pipeline = Pipeline(shipped)
    (photo,) = pipeline.media(astronaut).frames(1)
    stream = pipeline.stream(window=Window())
    for i in range(3):
        (face,) = stream.add(Frame(photo.rgb, i, i / 10))
        assert (face.track_id, face.observations) == (1, i + 1)
    (track,) = stream.tracks()
    (still,) = pipeline.faces(pipeline.media(astronaut))
    assert np.abs(track.boxes_xyxy[0] - still.boxes_xyxy[0]).max() < 12


def test_evidence_needs_no_report(tmp_path: Path) -> None:
    one, two = FakeDetector("one"), FakeDetector("two", needs=("one",))
    pipeline = Pipeline(Settings(), finder=finder, judges=judges(one, two))
    media = pipeline.media(picture(tmp_path / "a.png", "strong"))
    tracks = pipeline.faces(media)
    evidence = pipeline.evidence(media, tracks, pipeline.quality(media, tracks))
    assert [e.detector for e in evidence] == ["one", "two"]
    assert two.prior == [("one",)]


def test_models_that_are_missing_are_an_error_of_whatever_needs_them(tmp_path: Path) -> None:
    pipeline = Pipeline(Settings(models_dir=str(tmp_path)))
    media = pipeline.media(picture(tmp_path / "a.png", "strong"))
    with pytest.raises(ModelError, match="missing"):
        pipeline.faces(media)
    with pytest.raises(ModelError, match="missing"):
        pipeline.evidence(media, (), None)  # type: ignore[arg-type]
