"""The figures of merit against slow definitions taken word for word."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haechi.bench import metrics as m

# Few distinct scores on purpose: ties are where rank statistics go wrong.
ITEMS = st.lists(
    st.tuples(st.booleans(), st.one_of(st.integers(0, 6).map(lambda k: k / 6), st.just(float("nan")))),
    min_size=1,
    max_size=40,
)


def split(items: list[tuple[bool, float]]) -> tuple[list[bool], list[float], list[float], list[float]]:
    labels, scores = [y for y, _ in items], [s for _, s in items]
    fakes = [s for y, s in items if y and not np.isnan(s)]
    reals = [s for y, s in items if not y and not np.isnan(s)]
    return labels, scores, fakes, reals


def same(a: float, b: float) -> bool:
    return (np.isnan(a) and np.isnan(b)) or abs(a - b) < 1e-9


@given(ITEMS)
def test_auc_is_the_share_of_pairs_in_order(items: list[tuple[bool, float]]) -> None:
    labels, scores, fakes, reals = split(items)
    pairs = [1.0 if f > r else 0.5 if f == r else 0.0 for f in fakes for r in reals]
    assert same(m.auc(labels, scores), float(np.mean(pairs)) if pairs else float("nan"))


@given(ITEMS)
def test_average_precision_sums_over_thresholds(items: list[tuple[bool, float]]) -> None:
    labels, scores, fakes, reals = split(items)
    expected = float("nan")
    if fakes and reals:
        expected, previous = 0.0, 0.0
        for t in sorted(set(fakes + reals), reverse=True):
            tp, fp = sum(f >= t for f in fakes), sum(r >= t for r in reals)
            expected += (tp / len(fakes) - previous) * tp / (tp + fp)
            previous = tp / len(fakes)
    assert same(m.average_precision(labels, scores), expected)


@given(ITEMS, st.sampled_from([0.01, 0.05, 0.5]))
def test_tpr_at_fpr_tries_every_threshold(items: list[tuple[bool, float]], target: float) -> None:
    labels, scores, fakes, reals = split(items)
    expected = float("nan")
    if fakes and reals:
        tries = [
            (np.mean([r >= t for r in reals]), np.mean([f >= t for f in fakes])) for t in [*reals, *fakes]
        ]
        expected = max([float(tpr) for fpr, tpr in tries if fpr <= target], default=0.0)
    assert same(m.tpr_at_fpr(labels, scores, target), expected)


@given(ITEMS)
def test_eer_lies_between_the_errors_around_it(items: list[tuple[bool, float]]) -> None:
    labels, scores, fakes, reals = split(items)
    value = m.eer(labels, scores)
    if not (fakes and reals):
        assert np.isnan(value)
        return
    bounds = [
        (float(np.mean([r >= t for r in reals])), float(np.mean([f < t for f in fakes])))
        for t in [*fakes, *reals, 2.0]
    ]
    assert min(max(b) for b in bounds) >= value - 1e-9
    assert max(min(b) for b in bounds) <= value + 1e-9
    flipped = m.eer([not y for y in labels], [-s for s in scores])
    assert same(value, flipped)


@given(ITEMS)
def test_ece_bin_by_bin(items: list[tuple[bool, float]]) -> None:
    labels, scores, _fakes, _reals = split(items)
    known = [(y, s) for y, s in items if not np.isnan(s)]
    expected = 0.0 if known else float("nan")
    for b in range(m.ECE_BINS):
        inside = [(y, s) for y, s in known if min(int(s * m.ECE_BINS), m.ECE_BINS - 1) == b]
        if inside:
            gap = abs(np.mean([y for y, _ in inside]) - np.mean([s for _, s in inside]))
            expected += len(inside) / len(known) * float(gap)
    assert same(m.ece(labels, scores), expected)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=30))
def test_spearman_is_pearson_of_midranks(pairs: list[tuple[int, int]]) -> None:
    def midranks(v: list[int]) -> list[float]:
        return [sum(o < x for o in v) + (sum(o == x for o in v) + 1) / 2 for x in v]

    x, y = [p[0] for p in pairs], [p[1] for p in pairs]
    (value,) = m.spearman_statistic(x, y)(np.ones((1, len(x))))
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert np.isnan(value)
    else:
        assert value == pytest.approx(np.corrcoef(midranks(x), midranks(y))[0, 1])


@given(ITEMS, st.data())
def test_weights_mean_repetition(items: list[tuple[bool, float]], data: st.DataObject) -> None:
    labels, scores, _, _ = split(items)
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(items), max_size=len(items)))
    weights = np.array([counts], dtype=np.float64)
    repeated = np.repeat(labels, counts), np.repeat(scores, counts)
    ranking, again = m.Ranking(labels, scores), m.Ranking(*repeated)
    assert same(ranking.auc(weights)[0], again.auc()[0])
    assert same(ranking.average_precision(weights)[0], again.average_precision()[0])
    assert same(ranking.tpr_at_fpr(0.05, weights)[0], again.tpr_at_fpr(0.05)[0])
    assert same(ranking.eer(weights)[0], again.eer()[0])


def test_interval_resamples_groups_not_pictures() -> None:
    rng = np.random.default_rng(1)
    people, each = 30, 20
    person = np.repeat(np.arange(people), each)
    labels = np.tile([0, 1], people * each // 2)
    # The score of a picture is mostly the score of its person, so there are about 30 facts here, not 600.
    scores = labels * rng.normal(0.7, 1, people)[person] + 0.1 * rng.normal(size=people * each)
    statistic = m.Ranking(labels, scores).auc
    grouped, alone = m.figure(statistic, list(person)), m.figure(statistic, people * each)
    assert grouped.value == alone.value
    assert grouped.n_groups == people
    assert None not in {grouped.low, grouped.high, alone.low, alone.high}
    assert grouped.low <= grouped.value <= grouped.high
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for k in range(60):
        labels = np.arange(120) % 2
        scores = rng.normal(size=120) + labels  # AUC = Phi(1 / sqrt 2)
        figure = m.figure(m.Ranking(labels, scores).auc, 120, resamples=300, seed=k)
        assert figure.low is not None
        assert figure.high is not None
        hits += figure.low <= 0.7602 <= figure.high
    assert hits >= 51


def test_a_rate_of_nothing_still_has_an_upper_bound() -> None:
    figure = m.figure(m.mean_statistic(np.zeros(300)), 300, is_rate=True)
    assert figure.value == 0
    assert figure.high == pytest.approx(0.0122, abs=1e-4)
    full = m.figure(m.mean_statistic(np.ones(10)), 10, is_rate=True)
    assert full.high == 1
    assert full.low == pytest.approx(0.6915, abs=1e-4)  # Clopper-Pearson for 10 of 10


def test_undefined_figures_are_none_not_a_number() -> None:
    assert m.figure(m.Ranking([1, 1], [0.1, 0.2]).auc, 2).as_dict() == {
        "value": None,
        "low": None,
        "high": None,
    }
    assert m.figure(m.Ranking([], []).auc, 0).value is None
    assert m.figure(m.Ranking([0, 1], [np.nan, np.nan]).auc, 2).value is None


def test_same_seed_same_interval_and_fast_enough() -> None:
    rng = np.random.default_rng(3)
    labels, groups = rng.integers(0, 2, 2000), list(rng.integers(0, 300, 2000))
    ranking = m.Ranking(labels, rng.normal(size=2000) + labels)
    begin = time.perf_counter()
    assert m.figure(ranking.auc, groups) == m.figure(ranking.auc, groups)
    assert time.perf_counter() - begin < 10
