"""Does a score follow the forgery, or the quality of the picture?

A detector trained on blurred, dark fakes finds blur and darkness. Two experiments show whether one has:
scores of REAL pictures must not move with sharpness, size, light and compression, and fakes must be told
from reals that are exactly as sharp. All of it works on arrays, with or without a benchmark.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from haechi.bench.metrics import Figure, Groups, Ranking, Statistic, figure, spearman_statistic
from haechi.types import F64


def matched_auc_statistic(labels: ArrayLike, scores: ArrayLike, by: ArrayLike, bins: int = 10) -> Statistic:
    """AUC over pairs of a fake and a real in the same of ``bins`` bins of ``by``: sum n_b AUC_b / sum n_b,
    with n_b the pairs in bin b (a stratified Mann-Whitney statistic, van Elteren 1960). Bins are equal shares
    of the REAL items; an item without ``by`` or without a score is left out."""
    y = np.asarray(labels).astype(bool)
    s, v = np.asarray(scores, dtype=np.float64), np.asarray(by, dtype=np.float64)
    valid = ~(np.isnan(s) | np.isnan(v))
    if not (valid & ~y).any():
        return lambda weights: np.full(len(weights), np.nan)
    edges = np.quantile(v[valid & ~y], np.linspace(0, 1, bins + 1)[1:-1])
    cell = np.where(valid, np.searchsorted(edges, v, side="right"), -1)
    parts = [np.flatnonzero(cell == k) for k in range(bins)]
    rankings = [(p, Ranking(y[p], s[p])) for p in parts if y[p].any() and (~y[p]).any()]

    def statistic(weights: F64) -> F64:
        total, pairs = np.zeros(len(weights)), np.zeros(len(weights))
        for index, ranking in rankings:
            w = weights[:, index]
            count = (w * y[index]).sum(axis=1) * (w * ~y[index]).sum(axis=1)
            total += np.where(count > 0, count * np.nan_to_num(ranking.auc(w)), 0.0)
            pairs += count
        out = np.full(len(weights), np.nan)
        np.divide(total, pairs, out=out, where=pairs > 0)
        return out

    return statistic


def real_correlation(
    labels: ArrayLike,
    scores: ArrayLike,
    by: ArrayLike,
    groups: Groups,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Figure:
    """Spearman's rho of score and ``by`` among the reals, with its interval over groups."""
    real = np.flatnonzero(~np.asarray(labels).astype(bool))
    own: Groups = len(real) if isinstance(groups, int) else [groups[int(k)] for k in real]
    x, y = np.asarray(scores, dtype=np.float64)[real], np.asarray(by, dtype=np.float64)[real]
    return figure(spearman_statistic(x, y), own, resamples=resamples, seed=seed)


def confounder_report(
    labels: ArrayLike,
    scores: Mapping[str, ArrayLike],
    confounders: Mapping[str, ArrayLike],
    groups: Groups,
    *,
    resamples: int = 1000,
    seed: int = 0,
    bins: int = 10,
) -> dict[str, Any]:
    """For each score and confounder: the correlation among reals, the AUC within matched bins, the AUC
    without matching, and the AUC of the confounder alone (how strong it is here). JSON-ready; schema
    ``haechi.confounders/1``, which ``haechi bench tables`` knows."""
    y = np.asarray(labels).astype(bool)
    draw = {"resamples": resamples, "seed": seed}
    out: dict[str, Any] = {}
    for score, values in scores.items():
        s = np.asarray(values, dtype=np.float64)
        plain = figure(Ranking(y, s).auc, groups, resamples=resamples, seed=seed)
        out[score] = {"auc": plain.as_dict(), "by": {}}
        for name, by in confounders.items():
            matching = figure(matched_auc_statistic(y, s, by, bins), groups, resamples=resamples, seed=seed)
            alone = figure(Ranking(y, by).auc, groups, resamples=resamples, seed=seed)
            correlation = real_correlation(y, s, by, groups, resamples=resamples, seed=seed)
            out[score]["by"][name] = {
                "correlation_in_reals": correlation.as_dict(),
                "auc_matched": matching.as_dict(),
                "auc_of_confounder": alone.as_dict(),
            }
    counts = {"n": len(y), "n_real": int((~y).sum()), "n_fake": int(y.sum())}
    return {"schema": "haechi.confounders/1", **counts, "options": {**draw, "bins": bins}, "scores": out}
