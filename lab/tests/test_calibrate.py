"""Calibration on measurements whose law is known: what quality explains is taken off, size says nothing by
itself, and genuine faces stay below the marks."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import haechi
from haechi.verdict import log_odds
from haechi_lab.calibrate import raw_scores
from haechi_lab.calibrate.fit import MEASURES, calibrate, measured, probe_key
from haechi_lab.calibrate.fusion import (
    ANSWERS,
    CAP_AGAINST,
    CAP_FOR,
    find_domain,
    inside,
    judged,
    verdict_card,
)
from haechi_lab.calibrate.raw_scores import Probed, as_row, blockiness
from synthetic import texture

APART = 2.0
"""Distance of the logits of forged and genuine faces, both of deviation 1: the true llr is APART * z."""


def measurements(n: int = 4000, seed: int = 0, small_fakes: float = 0.5) -> list[Probed]:
    """Faces whose swap logit is APART * (label - 1/2) + noise; ``small_fakes`` is the share
    of forged ones among faces below 90 px, half of the others are."""
    rng = np.random.default_rng(seed)
    out = []
    for k in range(n):
        px = float(rng.uniform(40, 300))
        fake = int(rng.random() < (small_fakes if px < 90 else 0.5))
        sharp, light = float(rng.uniform(0.3, 0.9)), float(rng.uniform(0.2, 0.8))
        z = APART * (fake - 0.5) + rng.normal()
        row = Probed(
            *(f"{k}", fake, "face-swap" if fake else "", "one", f"g{k % 400}", ("clean", "jpeg40")[k % 2], 1),
            *(px, sharp, light, False, 1.0, float(z), None if k % 3 else float(rng.normal())),
        )
        out.append(row)
    return out


@pytest.fixture(scope="module")
def probed() -> list[Probed]:
    return measurements()


def test_a_calibrated_logit_is_a_likelihood_ratio(probed: list[Probed]) -> None:
    block = calibrate(probed, "swap", lambda p: True)
    for b in block["bins"]:
        assert b["slope"] == pytest.approx(APART, abs=0.4)
    told = np.array([judged(p, {"swap": block})["swap"] for p in probed])
    label = np.array([p.label for p in probed])
    for low, high in ((-2, -1), (-1, 0), (0, 1), (1, 2)):
        near = (told >= low) & (told < high)
        ratio = np.log(label[near].sum() / (1 - label[near]).sum())
        assert low - 0.5 < ratio < high + 0.5
    assert told.min() >= -CAP_AGAINST
    assert told.max() <= CAP_FOR


def test_that_small_faces_were_often_forged_is_no_evidence() -> None:
    block = calibrate(measurements(small_fakes=0.85), "swap", lambda p: True)
    small, *others = (b["intercept"] for b in block["bins"])
    assert small == pytest.approx(float(np.mean(others)), abs=0.3)


def test_genuine_faces_of_others_stay_below_the_marks(probed: list[Probed]) -> None:
    blocks = {"swap": calibrate(probed, "swap", lambda p: True)}
    card = verdict_card(probed, blocks)
    parameters = card["parameters"]
    others = [p for p in measurements(seed=7) if not p.label]
    fused = np.array([log_odds(judged(p, blocks), parameters["model"]) for p in others])
    assert (fused >= parameters["thresholds"]["strong"]).mean() <= 0.015
    assert (fused >= parameters["thresholds"]["some"]).mean() <= 0.055
    assert parameters["thresholds"]["some"] < parameters["thresholds"]["strong"]
    (model,) = parameters["model"]["manners"].values()
    weights = [m["manners"]["changed"]["weights"]["swap"] for m in parameters["resampled"]]
    assert min(weights) <= model["weights"]["swap"] <= max(weights)
    assert all(w >= 0 for w in model["weights"].values())


def test_a_detector_that_knows_a_manner_is_not_outvoted_by_one_that_does_not(probed: list[Probed]) -> None:
    """Drawn faces are seen by one detector alone, which sees nothing else; a sum over all would lose them."""
    rng = np.random.default_rng(9)
    drawn = [
        replace(p, kind="gan-face" if p.label else "", source="two", swap=float(rng.normal() - APART / 2),
                synthesis=float(rng.normal() + APART * p.label), item=f"d{p.item}")
        for p in measurements(1500, seed=4)
    ]  # fmt: skip
    every = [*probed, *drawn]
    blocks = {n: calibrate(every, n, lambda p, k=ANSWERS[n]: p.kind in k) for n in ANSWERS}  # type: ignore[misc]
    manners = verdict_card(every, blocks)["parameters"]["model"]["manners"]
    assert "synthesis" not in manners["changed"]["weights"], "it does not answer for swaps"
    assert manners["drawn"]["weights"]["synthesis"] > 0.3


def test_the_domain_ends_where_forgeries_can_no_longer_be_told() -> None:
    rng = np.random.default_rng(3)
    every = measurements()
    blind = [replace(p, swap=float(rng.normal())) if p.face_px < 64 else p for p in every]
    domain = find_domain(blind)
    assert domain["min_face_px"] == 64
    assert not inside(next(p for p in blind if p.face_px < 60), domain)


KNOWN = {"threshold": 0.5, "figures": {"recall": 0.9}}


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest, weights, the finder's card and a copy of the code that measures."""
    package = Path(haechi.__file__).parent
    for pattern in MEASURES:
        assert list(package.glob(pattern)), f"{pattern} matches no file any more"
        for file in package.glob(pattern):
            copy = tmp_path / "code" / file.relative_to(package)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    monkeypatch.setattr(haechi, "__file__", str(tmp_path / "code" / "__init__.py"))
    own = tmp_path / "code" / "raw_scores.py"
    own.write_bytes(Path(raw_scores.__file__).read_bytes())
    monkeypatch.setattr(raw_scores, "__file__", str(own))
    for name in ("faces", "swap", "synthesis"):
        (tmp_path / f"{name}.onnx").write_text(name)
    (tmp_path / "faces.json").write_text(json.dumps(KNOWN))
    (tmp_path / "selection.csv").write_text("path,label\n")
    return tmp_path


def key(pipeline: Path, rungs: tuple[str, ...] = ("clean", "half")) -> str:
    return probe_key(pipeline / "selection.csv", pipeline, rungs)


@pytest.mark.parametrize(
    "file",
    [
        "selection.csv", "faces.onnx", "swap.onnx", "synthesis.onnx", "code/quality.py", "code/raw_scores.py",
        "code/bench/corruptions.py", "code/faces/crops.py", "code/faces/finder.py", "code/detectors/swap.py",
        "code/models/feed.py",
    ],
)  # fmt: skip
def test_measurements_are_made_anew_when_what_they_follow_from_has_changed(pipeline: Path, file: str) -> None:
    before = key(pipeline)
    assert before == key(pipeline)
    with (pipeline / file).open("a") as f:
        f.write("# changed\n")
    assert key(pipeline) != before


def test_measurements_follow_from_the_crop_of_a_card_and_not_from_its_calibration(pipeline: Path) -> None:
    swap = {"crop": {"size_px": 224}, "calibration": {"cap_for": 4.0}}
    (pipeline / "swap.json").write_text(json.dumps(swap))
    before = key(pipeline)
    (pipeline / "swap.json").write_text(json.dumps({**swap, "calibration": {}}))
    assert key(pipeline) == before
    (pipeline / "swap.json").write_text(json.dumps({**swap, "crop": {"size_px": 256}}))
    assert key(pipeline) != before


def test_measurements_follow_from_the_threshold_and_not_from_the_figures(pipeline: Path) -> None:
    before = key(pipeline)
    (pipeline / "faces.json").write_text(json.dumps({**KNOWN, "figures": {}, "card_sha256": "9" * 64}))
    assert key(pipeline) == before
    (pipeline / "faces.json").write_text(json.dumps({**KNOWN, "threshold": 0.55}))
    assert key(pipeline) != before
    assert key(pipeline, ("clean",)) != key(pipeline)


def test_kept_measurements_are_read_and_those_of_another_threshold_are_not(pipeline: Path) -> None:
    row = replace(measurements(1)[0], item="kept")
    store = pipeline / f"probed-selection-{key(pipeline)}.jsonl"
    store.write_text(json.dumps(as_row(row)) + "\n")
    manifest = pipeline / "selection.csv"
    assert measured(manifest, pipeline, pipeline, ("clean", "half")) == [row]
    (pipeline / "faces.json").write_text(json.dumps({**KNOWN, "threshold": 0.55}))
    assert measured(manifest, pipeline, pipeline, ("clean", "half")) == [], "the manifest lists nothing"


def test_blockiness_rises_with_compression() -> None:
    from haechi_lab.data.augment import jpeg

    rgb = texture(224, 224)
    assert blockiness(jpeg(rgb, 15, True)) > blockiness(jpeg(rgb, 90, True)) >= 0


def test_what_was_not_laid_out_is_asked_for(tmp_path: Path) -> None:
    from haechi.errors import UsageError
    from haechi_lab.data.samples import laid_out, lay_out

    with pytest.raises(UsageError, match="haechi train samples"):
        laid_out(tmp_path)
    folder = tmp_path / "val"
    folder.mkdir()
    with (folder / "reporting.csv").open("w", newline="") as f:
        csv.writer(f).writerow(("path", "label"))
    nowhere = tmp_path / "nowhere"
    assert laid_out(tmp_path) == lay_out(nowhere, nowhere, nowhere, tmp_path) == folder


def test_a_manifest_names_the_kind_that_calibration_looks_for() -> None:
    from haechi_lab.data import corpus
    from haechi_lab.data.corpus import Row
    from haechi_lab.data.samples import kind_of

    for source in corpus.SOURCES:
        row = Row("f", source.name, "fake", source.fake_kind, "val", "g", "picture")
        assert kind_of(row) in ANSWERS["swap"], "no forgery may be left out of the calibration"
        assert kind_of(replace(row, label="real", kind="genuine")) == ""
