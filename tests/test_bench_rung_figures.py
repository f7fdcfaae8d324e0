"""Risk against coverage, false alarms by person, calibration by face size: against slow definitions, and on
people made up so that the answer is known."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haechi.bench import result as r
from haechi.bench.metrics import ece
from haechi.bench.person_alarms import by_person, mark_at
from haechi.bench.result_tables import render
from haechi.bench.scores import FACE_PX, Scored, read_scores, scores_bytes
from haechi.bench.selective_risk import COVERAGES, risk_statistics
from haechi.errors import UsageError

ITEMS = st.lists(
    st.tuples(st.booleans(), st.one_of(st.integers(-9, 9).map(float), st.just(float("nan")))),
    min_size=1,
    max_size=30,
)


def risks(labels: list[bool], scores: list[float], counts: list[int] | None = None) -> dict[str, float]:
    weights = np.array([counts or [1] * len(scores)], dtype=np.float64)
    return {k: float(v[0]) for k, v in risk_statistics(labels, scores, 0.0)(weights).items()}


def test_risk_is_that_of_the_clearest() -> None:
    # Sure and right, sure and wrong, unsure and right, no answer.
    found = risks([True, False, True, False, False], [4.0, 3.0, 2.0, -1.0, float("nan")])
    assert found["risk_at_1"] == pytest.approx((1 + 0.5) / 5)
    assert found["risk_at_0.8"] == pytest.approx(1 / 4)
    assert found["risk_at_0.6"] == pytest.approx(1 / 3)
    assert risks([True, False], [1.0, -1.0])["aurc"] == 0.0
    assert risks([True, False], [-1.0, 1.0])["aurc"] == 1.0
    assert risks([True, False], [float("nan")] * 2) == pytest.approx(dict.fromkeys(found, 0.5))


@given(ITEMS)
def test_risk_averages_over_every_order_of_equally_clear_items(items: list[tuple[bool, float]]) -> None:
    labels, scores = [y for y, _ in items], [s for _, s in items]
    rng = np.random.default_rng(0)
    wrong = [0.5 if np.isnan(s) or s == 0 else float((s > 0) != y) for y, s in items]
    clear = np.array([-1.0 if np.isnan(s) else abs(s) for s in scores])
    curves = []
    for _ in range(300):
        order = np.lexsort((rng.random(len(items)), -clear))
        curves.append(np.cumsum(np.array(wrong)[order]))
    expected = np.r_[0.0, np.mean(curves, axis=0)]
    found = risks(labels, scores)
    for c in COVERAGES:
        x = c * len(items)
        assert found[f"risk_at_{c:g}"] == pytest.approx(
            np.interp(x, np.arange(len(items) + 1), expected) / x, abs=0.12
        )


@given(ITEMS, st.data())
def test_weights_mean_repetition_in_risk(items: list[tuple[bool, float]], data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(items), max_size=len(items)))
    labels, scores = [y for y, _ in items], [s for _, s in items]
    found = risks(labels, scores, counts)
    if not sum(counts):
        assert np.isnan(found["aurc"])
        return
    again = risks(list(np.repeat(labels, counts)), list(np.repeat(scores, counts)))
    assert found == pytest.approx(again)


def test_the_area_is_the_mean_over_all_coverages() -> None:
    rng = np.random.default_rng(0)
    labels = rng.random(400) < 0.5
    scores = np.round(rng.normal(size=400) + labels - 0.5, 1)
    weights = np.ones((1, 400))
    import haechi.bench.selective_risk as module

    many = tuple(np.linspace(0.0005, 0.9995, 1000))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "COVERAGES", many)
        found = risk_statistics(labels, scores, 0.0)(weights)
    curve = [float(v[0]) for k, v in found.items() if k != "aurc"]
    assert float(found["aurc"][0]) == pytest.approx(np.mean(curve), abs=2e-3)


def test_one_accused_face_is_told_from_scattered_alarms() -> None:
    rng = np.random.default_rng(1)
    persons = [f"p{k // 20}" for k in range(800)]
    scattered = rng.random(800) < 0.05
    always = np.array([p in {"p7", "p9"} for p in persons])
    fair, unfair = by_person(scattered, persons), by_person(always, persons)
    assert fair["n_persons"] == unfair["n_persons"] == 40
    assert fair["any"]["low"] <= fair["any"]["value"] <= fair["any"]["high"]
    assert fair["any"]["chance"] == pytest.approx(1 - (1 - fair["rate"]) ** 20, abs=0.02)
    assert fair["worst_tenth"]["p"] > 0.05
    assert unfair["rate"] == 0.05
    assert unfair["any"]["value"] == unfair["most"]["value"] == 0.05
    assert unfair["any"]["value"] < unfair["any"]["low"]
    assert unfair["worst_tenth"]["value"] == 0.5
    assert unfair["worst_tenth"]["p"] < 0.001


def test_persons_with_few_pictures_have_no_rate() -> None:
    persons = ["a"] * 4 + ["b"] * 5
    assert by_person(np.ones(9, dtype=bool), persons)["n_persons"] == 1
    assert by_person(np.ones(4, dtype=bool), persons[:4]) == {}


def test_the_mark_is_passed_by_no_more_than_told() -> None:
    scores = np.array([*range(40), float("nan")], dtype=np.float64)
    assert mark_at(scores).sum() == 2
    assert not mark_at(np.full(40, 3.0)).any(), "equal scores pass together"
    assert not mark_at(np.full(3, np.nan)).any()


@pytest.fixture(scope="module")
def scored() -> Scored:
    rng = np.random.default_rng(2)
    fake = np.arange(240) % 2 == 1
    p = np.clip(rng.normal(0.35 + 0.3 * fake, 0.2), 0.01, 0.99)
    p[::24] = np.nan
    return Scored(
        ids=tuple(map(str, range(240))),
        fake=fake,
        sources=("a",) * 240,
        kinds=tuple("gan" if f else "" for f in fake),
        groups=tuple(str(k // 12) for k in range(240)),
        rungs=("clean",),
        names=("verdict", "swap"),
        values={("clean", "verdict"): p, ("clean", "swap"): np.log(p / (1 - p))},
        ran={"clean": np.ones(240, dtype=bool)},
        levels={"clean": tuple("unknown" if np.isnan(v) else "some" if v > 0.6 else "none" for v in p)},
        measures={("clean", FACE_PX): np.where(np.arange(240) < 120, 60.0, 200.0)},
    )


def test_blocks_of_a_result(scored: Scored) -> None:
    clean = r.summarise(scored, resamples=40)["clean"]
    assert clean["risk"]["verdict"]["decided_at"] == 0.5
    # A probability and its log-odds decide alike and are clear in the same order.
    assert clean["risk"]["verdict"]["aurc"] == clean["risk"]["swap"]["aurc"]
    assert set(clean["persons"]["marks"]) == {"strong", "some", "verdict at 5%", "swap at 5%"}
    faces = clean["calibration"]["verdict"]["by_face"]
    assert [(b["from_px"], b["below_px"], b["n"]) for b in faces] == [(0.0, 90.0, 115), (170.0, None, 115)]
    small = np.arange(240) < 120
    assert faces[0]["ece"]["value"] == pytest.approx(
        ece(scored.fake[small], scored.values["clean", "verdict"][small]), abs=1e-4
    )
    assert faces[0]["ece_by_chance"] > clean["calibration"]["verdict"]["ece_by_chance"] > 0
    bins = clean["calibration"]["verdict"]["bins"]
    assert sum(b["n"] for b in bins) == 230
    assert [b["said"] for b in bins] == sorted(b["said"] for b in bins)
    assert "localisation" not in clean


def test_exact_probabilities_show_no_more_than_chance(scored: Scored) -> None:
    rng = np.random.default_rng(0)
    p = rng.random(240)
    exact = replace(scored, fake=rng.random(240) < p, values={**scored.values, ("clean", "verdict"): p})
    found = r.summarise(exact, resamples=10)["clean"]
    by_chance = found["calibration"]["verdict"]["ece_by_chance"]
    assert found["overall"]["scores"]["verdict"]["ece"]["value"] == pytest.approx(by_chance, abs=0.04)
    assert by_chance > 0.05


def test_measures_are_stored_and_no_scores(scored: Scored, tmp_path: Path) -> None:
    (tmp_path / "x.scores.csv.gz").write_bytes(scores_bytes(scored))
    back = read_scores(tmp_path / "x.scores.csv.gz")
    assert back.names == ("verdict", "swap")
    assert np.array_equal(back.measures["clean", FACE_PX], scored.measures["clean", FACE_PX])
    assert scores_bytes(back) == scores_bytes(scored)


def test_views(scored: Scored) -> None:
    found = {"schema": r.SCHEMA, "rungs": r.summarise(scored, resamples=40)}
    assert "| degradation | error at 100% | error at 90% |" in render(found, {"view": "risk"})
    persons = render(found, {"view": "persons", "score": "swap"}, "zh")
    assert persons.startswith("| 界线 | 人数 | 图片数 | 误报率 |")
    assert "| swap at 5%, clean | 20 |" in persons
    assert "| degradation | ECE (by chance) | < 90 px | >= 170 px |" in render(found, {"view": "calibration"})
    assert "| said | was forged | pictures |" in render(found, {"view": "reliability"})
    with pytest.raises(UsageError, match="no mask was given"):
        render(found, {"view": "localisation"})


def test_a_result_gains_new_figures_without_measuring(scored: Scored, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    r.write_result(path, {"created": "then"}, replace(scored, measures={}), resamples=40)
    whole = path.read_bytes()
    old = json.loads(whole)
    del old["rungs"]["clean"]["risk"]
    r.write_json(path, old)
    assert r.differences(path)
    with pytest.raises(UsageError, match="haechi bench again"):
        render(old, {"view": "risk"})
    assert r.renew(path)
    assert path.read_bytes() == whole
    other = shutil.copy(path, tmp_path / "other.json")
    Path(other).write_text('{"schema": "haechi.speed/1"}')
    assert not r.renew(Path(other))
