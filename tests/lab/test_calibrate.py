"""Calibration on measurements whose law is known: what quality explains is taken off, size says nothing by
itself, and genuine faces stay below the marks."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from haechi.calibration import llr
from haechi.lab.calibrate import CAP_AGAINST, CAP_FOR, calibrate, find_domain, inside, judged, verdict_card
from haechi.lab.probe import Probed, blockiness
from haechi.verdict import log_odds
from synthetic import texture

APART = 2.0
"""Distance of the logits of forged and genuine faces, both of deviation 1: the true llr is APART * z."""


def measurements(n: int = 4000, seed: int = 0, slope: float = 3.0, small_fakes: float = 0.5) -> list[Probed]:
    """Faces whose swap logit is APART * (label - 1/2) + noise + slope * sharpness; ``small_fakes`` is the
    share of forged ones among faces below 90 px, half of the others are."""
    rng = np.random.default_rng(seed)
    out = []
    for k in range(n):
        px = float(rng.uniform(40, 300))
        fake = int(rng.random() < (small_fakes if px < 90 else 0.5))
        sharp, light = float(rng.uniform(0.3, 0.9)), float(rng.uniform(0.2, 0.8))
        z = APART * (fake - 0.5) + rng.normal() + slope * (sharp - 0.6)
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
    assert block["nuisance"]["sharpness"]["slope"] == pytest.approx(3.0, abs=0.2)
    assert block["nuisance"]["light"]["slope"] == pytest.approx(0.0, abs=0.2)
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


def test_after_correction_genuine_evidence_does_not_follow_sharpness(probed: list[Probed]) -> None:
    block = calibrate(probed, "swap", lambda p: True)
    real = [p for p in probed if not p.label]
    told = [float(llr(np.array([p.swap]), p.quality(), block)[0]) for p in real]
    assert abs(np.corrcoef(told, [p.sharpness for p in real])[0, 1]) < 0.05
    assert np.corrcoef([p.swap for p in real], [p.sharpness for p in real])[0, 1] > 0.3


def test_genuine_faces_of_others_stay_below_the_marks(probed: list[Probed]) -> None:
    blocks = {"swap": calibrate(probed, "swap", lambda p: True)}
    card = verdict_card(probed, blocks)
    parameters = card["parameters"]
    others = [p for p in measurements(seed=7) if not p.label]
    fused = np.array([log_odds(judged(p, blocks), parameters["model"]) for p in others])
    assert (fused >= parameters["thresholds"]["strong"]).mean() <= 0.015
    assert (fused >= parameters["thresholds"]["some"]).mean() <= 0.055
    assert parameters["thresholds"]["some"] < parameters["thresholds"]["strong"]
    weights = [m["weights"]["swap"] for m in parameters["resampled"]]
    assert min(weights) <= parameters["model"]["weights"]["swap"] <= max(weights)
    assert all(w >= 0 for w in parameters["model"]["weights"].values())


def test_the_domain_ends_where_forgeries_can_no_longer_be_told() -> None:
    rng = np.random.default_rng(3)
    every = measurements(slope=0.0)
    blind = [replace(p, swap=float(rng.normal())) if p.face_px < 64 else p for p in every]
    domain = find_domain(blind)
    assert domain["min_face_px"] == 64
    assert not inside(next(p for p in blind if p.face_px < 60), domain)


def test_blockiness_rises_with_compression() -> None:
    from haechi.lab.augment import jpeg

    rgb = texture(224, 224)
    assert blockiness(jpeg(rgb, 15, True)) > blockiness(jpeg(rgb, 90, True)) >= 0


def test_what_was_laid_out_is_not_laid_out_again(tmp_path: Path) -> None:
    from haechi.lab.samples import lay_out

    folder = tmp_path / "val"
    folder.mkdir()
    with (folder / "reporting.csv").open("w", newline="") as f:
        csv.writer(f).writerow(("path", "label"))
    assert lay_out(tmp_path / "no such data", tmp_path) == folder
