"""Heads and simpler scores on the same clips: the result holds what its scores say, and gains are paired."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from haechi.bench.result import differences
from haechi.bench.tables import render
from haechi.lab import measure_temporal
from haechi.lab.clip_data import PLANNED, Clip, Seen
from haechi.lab.forge.clips import MODES
from haechi.lab.networks.temporal import TemporalHead
from haechi.lab.temporal import calibrate
from haechi.lab.train_temporal import Example, scores

COLUMNS = 9
FLICKER = {
    "mean": [-1.0, -4.5, -3.0],
    "deviation": [1.0] * 3,
    "weights": [1.0, 0.0, 0.0],
    "intercept": 0.0,
    "cap_for": 0.7,
    "cap_against": 0.0,
    "max_z": 30.0,
}


def example(n: int, forged: bool) -> Example:
    """Forged clips have a higher logit in some frames, and only that tells them."""
    rng = np.random.default_rng([n, forged])
    vectors = rng.normal(0, 1, (24, COLUMNS)).astype(np.float32)
    vectors[::4, 0] += 3.0 * forged
    logits = vectors[:, 0].astype(np.float64)
    family, mode = PLANNED[n % len(PLANNED)], MODES[n // len(PLANNED) % len(MODES)]
    mode = {"expression": "moving", "face_swap": "constant"}.get(family, mode)
    clip = Clip(
        f"val-{n}-{forged}", "reporting", f"p{n // 2}", "dfdc", forged, family, mode, 25, 18 + n % 21, n
    )
    return clip, Seen(vectors, logits, 0.5 * logits, np.arange(24) / 25, np.array([0.3, 0.01, 0.05]), 150.0)


CLIPS = [example(n, forged) for n in range(60) for forged in (False, True)]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("results") / "temporal.json"
    heads = {"temporal": TemporalHead(COLUMNS).eval(), "single": TemporalHead(COLUMNS, False).eval()}
    measure_temporal.write(path, CLIPS, heads, FLICKER, 0.9, {"command": "none"})
    return path


def test_every_figure_can_be_computed_again(result: Path) -> None:
    assert differences(result) == []


def test_an_untrained_head_gains_nothing_over_the_average_and_something_over_flicker(result: Path) -> None:
    found = json.loads(result.read_text())
    assert found["gains"]["taught"]["mean"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    ahead = found["gains"]["taught"]["flicker"]
    assert 0.2 < ahead["low"] < ahead["value"] < ahead["high"]
    assert found["gains"]["8 frames"].keys() == found["gains"]["taught"].keys()


def test_rungs_cut_the_clips_by_how_the_forgery_behaves_and_by_coding(result: Path) -> None:
    rungs = json.loads(result.read_text())["rungs"]
    count = {name: r["overall"]["n_real"] for name, r in rungs.items()}
    assert count["taught"] == count["constant"] + count["changing"] == 50
    assert count["taught"] == sum(n for name, n in count.items() if name.startswith("crf"))
    assert count["animated stills"] == 10
    assert rungs["taught"]["by_kind"]["face_swap"]["n_fake"] == 10


def test_a_family_is_set_against_its_own_twins_in_the_table(result: Path) -> None:
    table = render(json.loads(result.read_text()), {})
    assert "| self_blend | 10 | 10 |" in table
    assert "| expression |" not in table
    assert "| animated stills | 10 | 10 |" in table


def test_calibration_adds_to_what_swap_says_and_does_not_repeat_it() -> None:
    """Of a head that only averages, as swap does: together they say no more than the average does."""
    head = TemporalHead(COLUMNS).eval()
    found = calibrate(head, CLIPS, swap_weight=0.9)
    means = np.array([s.llr.mean() for _, s in CLIPS])
    total = found["head"] * scores(head, CLIPS) + (found["swap"] + 0.9) * means + found["intercept"]
    forged = np.array([c.forged for c, _ in CLIPS])
    assert total[forged].mean() > 0.5 > -0.5 > total[~forged].mean()
    assert found["cap_against"] == 0
