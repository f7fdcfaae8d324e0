"""Figures of merit and their uncertainty, in numpy alone.

Conventions: ``labels`` is 1 for fake and 0 for real; a higher ``score`` speaks for fake; an abstention is
NaN. Every metric exists once, as a function of item weights: weights of one give the figure itself, and the
counts of a bootstrap resample give that resample, so a thousand resamples are a few matrix operations.

Shapes: labels bool (n,), scores f64 (n,), weights f64 (R, n) -> f64 (R,); NaN where a figure is undefined
(one class missing). Ranking metrics and ECE leave abstentions out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from haechi.types import F64

Statistic: TypeAlias = Callable[[F64], F64]
"""weights f64 (R, n) -> f64 (R,)"""

Groups: TypeAlias = Sequence[object] | NDArray[np.generic] | int
"""One hashable an item, or the number of items when each stands for itself."""

ECE_BINS = 15
_CELLS = 2_000_000  # weights held at once, so that memory stays under some 100 MB


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with the bounds of its 95% interval; all None when undefined. n items in n_groups groups."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    n_groups: int

    def as_dict(self) -> dict[str, float | None]:
        """{value, low, high}, rounded to 4 places: more would not be repeatable across machines."""
        return {
            k: None if v is None else round(v, 4)
            for k, v in (("value", self.value), ("low", self.low), ("high", self.high))
        }


class Ranking:
    """Labels and scores, sorted once, from which the curves of any reweighting follow.

    labels (n,), scores (n,); NaN scores keep their place in ``weights`` but take no part.
    """

    def __init__(self, labels: ArrayLike, scores: ArrayLike) -> None:
        y = np.asarray(labels).astype(bool)
        s = np.asarray(scores, dtype=np.float64)
        if y.shape != s.shape or y.ndim != 1:
            raise ValueError(f"labels {y.shape} and scores {s.shape} must be flat and of one length")
        self.n = len(s)
        valid = np.flatnonzero(~np.isnan(s))
        self._order = valid[np.argsort(-s[valid], kind="stable")]
        self._fake = y[self._order]
        ordered = s[self._order]
        # Equal scores cannot be told apart by any threshold, so each run of them is one step of the curve.
        self._starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else valid

    def curve(self, weights: F64 | None = None) -> tuple[F64, F64]:
        """(true positives, false positives) at each threshold, strictest first: two f64 (R, U + 1) that
        begin with a column of zeros; the last column holds the class totals."""
        w = np.ones((1, self.n)) if weights is None else weights
        w = w[:, self._order]

        def steps(mask: NDArray[np.bool_]) -> F64:
            part = np.where(mask, w, 0.0)
            runs = np.add.reduceat(part, self._starts, axis=1) if len(self._starts) else part
            return np.concatenate([np.zeros((len(w), 1)), np.cumsum(runs, axis=1)], axis=1)

        return steps(self._fake), steps(~self._fake)

    def rates(self, weights: F64 | None = None) -> tuple[F64, F64]:
        """(true positive rate, false positive rate) at each threshold; NaN where a class is missing."""
        tp, fp = self.curve(weights)
        return _divide(tp, tp[:, -1:]), _divide(fp, fp[:, -1:])

    def auc(self, weights: F64 | None = None) -> F64:
        """P(score of a fake > score of a real) + P(equal) / 2, the Mann-Whitney statistic over the number
        of pairs (Hanley and McNeil 1982), as the area under the trapezoids of the ROC curve."""
        tpr, fpr = self.rates(weights)
        area = np.sum(np.diff(fpr, axis=1) * (tpr[:, 1:] + tpr[:, :-1]) / 2, axis=1)
        return np.where(np.isnan(tpr[:, -1] + fpr[:, -1]), np.nan, area)

    def average_precision(self, weights: F64 | None = None) -> F64:
        """sum_k (recall_k - recall_{k-1}) precision_k over the thresholds, no interpolation (Zhu 2004)."""
        tp, fp = self.curve(weights)
        precision = np.nan_to_num(_divide(tp[:, 1:], tp[:, 1:] + fp[:, 1:]))
        recall = _divide(tp, tp[:, -1:])
        value = np.sum(np.diff(recall, axis=1) * precision, axis=1)
        return np.where(fp[:, -1] > 0, value, np.nan)

    def eer(self, weights: F64 | None = None) -> F64:
        """The rate where false positives and false negatives are equal (ISO/IEC 19795-1), on straight
        lines between the points of the ROC curve."""
        tpr, fpr = self.rates(weights)
        gap = fpr - (1 - tpr)  # from -1 to 1, never falling
        out = np.full(len(gap), np.nan)
        for r in np.flatnonzero(~np.isnan(gap[:, -1])):
            j = max(int(np.searchsorted(gap[r], 0.0)), 1)
            rise = gap[r, j] - gap[r, j - 1]
            t = -gap[r, j - 1] / rise if rise > 0 else 0.0
            out[r] = fpr[r, j - 1] + t * (fpr[r, j] - fpr[r, j - 1])
        return out

    def tpr_at_fpr(self, target: float, weights: F64 | None = None) -> F64:
        """The largest true positive rate of a threshold whose false positive rate is at most ``target``;
        no interpolation, so that with fewer than 1 / target reals no real at all may score above."""
        tpr, fpr = self.rates(weights)
        best = np.max(np.where(fpr <= target + 1e-12, tpr, 0.0), axis=1)
        return np.where(np.isnan(tpr[:, -1] + fpr[:, -1]), np.nan, best)

    def all(self, weights: F64 | None = None) -> dict[str, F64]:
        """Every ranking figure by the name that results carry."""
        return {
            "auc": self.auc(weights),
            "average_precision": self.average_precision(weights),
            "eer": self.eer(weights),
            "tpr_at_fpr_0.01": self.tpr_at_fpr(0.01, weights),
            "tpr_at_fpr_0.05": self.tpr_at_fpr(0.05, weights),
        }


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC curve; see ``Ranking.auc``."""
    return float(Ranking(labels, scores).auc()[0])


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """See ``Ranking.average_precision``."""
    return float(Ranking(labels, scores).average_precision()[0])


def eer(labels: ArrayLike, scores: ArrayLike) -> float:
    """Equal error rate; see ``Ranking.eer``."""
    return float(Ranking(labels, scores).eer()[0])


def tpr_at_fpr(labels: ArrayLike, scores: ArrayLike, target: float = 0.01) -> float:
    """See ``Ranking.tpr_at_fpr``."""
    return float(Ranking(labels, scores).tpr_at_fpr(target)[0])


def ece_statistic(labels: ArrayLike, probabilities: ArrayLike, bins: int = ECE_BINS) -> Statistic:
    """Expected calibration error (Naeini et al. 2015) over ``bins`` bins of EQUAL WIDTH on [0, 1]:
    sum_b (n_b / n) |share of fakes in b - mean probability in b|. Equal width and not equal mass, so that
    a resample does not move the bins."""
    y = np.asarray(labels, dtype=np.float64)
    p = np.asarray(probabilities, dtype=np.float64)
    valid = np.flatnonzero(~np.isnan(p))
    p, y = p[valid], y[valid]
    if len(p) and (p.min() < 0 or p.max() > 1):
        raise ValueError("calibration error needs probabilities in [0, 1]")
    cell = np.minimum((p * bins).astype(np.int64), bins - 1)
    member = (cell[:, None] == np.arange(bins)).astype(np.float64) * (y - p)[:, None]

    def statistic(weights: F64) -> F64:
        w = weights[:, valid]
        return np.asarray(_divide(np.abs(w @ member).sum(axis=1), w.sum(axis=1)))

    return statistic


def ece(labels: ArrayLike, probabilities: ArrayLike, bins: int = ECE_BINS) -> float:
    """Expected calibration error in equal-width bins; see ``ece_statistic``."""
    return float(ece_statistic(labels, probabilities, bins)(np.ones((1, np.size(probabilities))))[0])


def mean_statistic(values: ArrayLike) -> Statistic:
    """Weighted mean of values (n,), leaving NaN out: of 0 and 1, a rate."""
    v = np.asarray(values, dtype=np.float64)
    valid = np.flatnonzero(~np.isnan(v))

    def statistic(weights: F64) -> F64:
        w = weights[:, valid]
        return np.asarray(_divide(w @ v[valid], w.sum(axis=1)))

    return statistic


def spearman_statistic(x: ArrayLike, y: ArrayLike) -> Statistic:
    """Spearman's rho: the Pearson correlation of midranks, tie-aware; pairs with a NaN are left out."""
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    valid = np.flatnonzero(~(np.isnan(a) | np.isnan(b)))
    a, b = a[valid], b[valid]

    def ranks(values: F64, w: F64) -> F64:
        _, cell = np.unique(values, return_inverse=True)
        order = np.argsort(cell, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(cell[order]) > 0])
        mass = np.add.reduceat(w[:, order], starts, axis=1)
        return np.asarray((np.cumsum(mass, axis=1) - mass / 2)[:, cell])

    def statistic(weights: F64) -> F64:
        w = weights[:, valid]
        if len(valid) < 2:
            return np.full(len(w), np.nan)
        total = w.sum(axis=1, keepdims=True)
        ra, rb = ranks(a, w), ranks(b, w)
        ra -= _divide((w * ra).sum(axis=1, keepdims=True), total)
        rb -= _divide((w * rb).sum(axis=1, keepdims=True), total)
        spread = np.sqrt((w * ra**2).sum(axis=1) * (w * rb**2).sum(axis=1))
        return np.asarray(_divide((w * ra * rb).sum(axis=1), spread))

    return statistic


def figure(
    statistic: Statistic,
    groups: Groups,
    *,
    resamples: int = 1000,
    seed: int = 0,
    is_rate: bool = False,
) -> Figure:
    """One statistic with its interval; see ``figures``."""
    both = figures(lambda w: {"": statistic(w)}, groups, resamples=resamples, seed=seed, is_rate=is_rate)
    return both.get("", Figure(None, None, None, 0, 0))


def figures(
    statistics: Callable[[F64], Mapping[str, F64]],
    groups: Groups,
    *,
    resamples: int = 1000,
    seed: int = 0,
    is_rate: bool = False,
) -> dict[str, Figure]:
    """Several statistics of the same resamples, each with its 95% percentile bootstrap interval (Efron 1979)
    over whole groups; {} without items.

    Pictures of one person are not independent: drawing pictures would give intervals that are too narrow,
    so each resample draws as many GROUPS as there are, with replacement, and every picture of a group comes
    as often as its group was drawn. ``groups``: one hashable a picture (n,), or n when each picture stands
    for itself. Resamples where a statistic is undefined are left out.

    ``is_rate``: a rate of exactly 0 or 1 has no spread to resample; its open end is then the exact binomial
    bound for as many trials as there are groups (Clopper and Pearson 1934), 1 - 0.025 ** (1 / n_groups).
    """
    n = groups if isinstance(groups, int) else len(groups)
    if n == 0:
        return {}
    cell, n_groups = _cells(groups)
    values = {name: float(value[0]) for name, value in statistics(np.ones((1, n))).items()}
    samples: dict[str, list[F64]] = {name: [] for name in values}
    rng = np.random.default_rng(seed)
    chunk = max(1, _CELLS // n)
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        counts = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=size).astype(np.float64)
        for name, sample in statistics(counts[:, cell]).items():
            samples[name].append(sample)
    return {
        name: _with_interval(value, np.concatenate([np.empty(0), *samples[name]]), n, n_groups, is_rate)
        for name, value in values.items()
    }


def _with_interval(value: float, samples: F64, n: int, n_groups: int, is_rate: bool) -> Figure:
    if np.isnan(value):
        return Figure(None, None, None, n, n_groups)
    samples = samples[~np.isnan(samples)]
    low, high = np.quantile(samples, [0.025, 0.975]) if len(samples) else (value, value)
    if is_rate and value in {0.0, 1.0}:
        bound = 1 - 0.025 ** (1 / n_groups)
        low, high = (0.0, bound) if value == 0.0 else (1 - bound, 1.0)
    return Figure(value, float(low), float(high), n, n_groups)


def _cells(groups: Groups) -> tuple[NDArray[np.int64], int]:
    if isinstance(groups, int):
        return np.arange(groups), groups
    cells: dict[object, int] = {}
    cell = np.array([cells.setdefault(g, len(cells)) for g in groups], dtype=np.int64)
    return cell, len(cells)


def _divide(a: F64, b: F64) -> F64:
    """a / b, NaN where b is 0, without a warning."""
    out = np.full(np.broadcast_shapes(a.shape, b.shape), np.nan)
    np.divide(a, b, out=out, where=b != 0)
    return out
