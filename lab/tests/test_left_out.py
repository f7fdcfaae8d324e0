"""The bench of sources left out: balanced, blind to what it left out, and honest about what it knows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from haechi.errors import UsageError  # noqa: E402
from haechi_lab.data.views import Views  # noqa: E402
from haechi_lab.evaluate import features, left_out  # noqa: E402
from haechi_lab.evaluate.left_out import ALL, asked, scores_without  # noqa: E402
from haechi_lab.training.head import balanced  # noqa: E402


def _views(signs: dict[str, int], each: int = 60) -> Views:
    """Two classes of every source; a fake differs in the feature that ``signs`` names for its source."""
    rng = np.random.default_rng(0)
    source, fake, train, x = [], [], [], []
    for name, sign in signs.items():
        for k in range(4 * each):
            row = rng.normal(0, 1, 24)
            forged = bool(k % 2)
            row[sign] += 3.0 * forged
            source.append(name), fake.append(forged), train.append(k >= 2 * each), x.append(row)
    n = len(source)
    laws = np.array(["drawn" if t else "clean" for t in train])
    return Views(
        {"dino": np.array(x, np.float32)},
        np.array(source),
        np.array(fake),
        np.array(train),
        laws,
        np.arange(n),
        np.array(["generated" if f else "" for f in fake]),
    )


def _auc(views: Views, scores: np.ndarray, source: str) -> float:
    here = asked(views, source)
    value = left_out._auc(views.fake[here], scores[here], views.group[here]).value
    assert value is not None
    return value


def test_what_only_the_source_left_out_shows_is_not_known() -> None:
    views = _views({"a": 0, "b": 0, "c": 1})
    unmet = scores_without(views, "c")[ALL]
    met = scores_without(views, left_out.NONE)[ALL]
    assert _auc(views, unmet, "c") < 0.7
    assert _auc(views, met, "c") > 0.9


def test_what_sources_share_is_found_in_one_never_met() -> None:
    views = _views({"a": 0, "b": 0, "c": 0})
    assert _auc(views, scores_without(views, "c")[ALL], "c") > 0.9


def test_every_source_weighs_the_same() -> None:
    source, fake = np.array(["a"] * 6 + ["b"] * 2), np.array([0, 0, 0, 0, 1, 1, 0, 1], bool)
    weight = balanced(source, fake)
    assert weight[fake].sum() == pytest.approx(weight[~fake].sum())
    assert weight[(source == "a") & ~fake].sum() == pytest.approx(weight[(source == "b") & ~fake].sum())


def test_a_table_tells_what_was_met_from_what_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    views = _views({"a": 0, "b": 0})
    monkeypatch.setattr(Views, "open", lambda _: views)
    monkeypatch.setattr(left_out, "PHOTOGRAPHS", ("a",))
    left_out.measure(tmp_path, tmp_path / "out.json", "haechi train left-out", lambda _: None)
    told = json.loads((tmp_path / "out.json").read_text())
    assert {row["learned"] for row in told["auc"]} == {"left out", "met"}
    assert all(row["low"] <= row["value"] <= row["high"] for row in told["auc"])


def test_without_features_there_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="haechi train features"):
        Views.open(tmp_path)


def test_both_classes_are_shown_by_one_law() -> None:
    crop = np.random.default_rng(1).integers(0, 256, (224, 224, 3)).astype(np.uint8)
    assert (features.shown(crop, "drawn", 3) == features.shown(crop, "drawn", 3)).all()
    assert (features.shown(crop, "drawn", 3) != features.shown(crop, "drawn", 4)).any()
    assert features.shown(crop, "clean", 3).shape == crop.shape
