"""Does a score follow the forgery, or the quality of the picture?

A detector trained on blurred, dark fakes finds blur and darkness. Two experiments show whether one has:
scores of REAL pictures must not move with sharpness, size, light and compression, and fakes must be told
from reals that are exactly as sharp. All of it works on arrays, with or without a benchmark.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike

from haechi.bench.metrics import Figure, Groups, Ranking, Statistic, figure, spearman_statistic
from haechi.types import F64, U8

SIDE_PX = 128


def face_nuisances(rgb: U8, box_xyxy: tuple[float, float, float, float] | None = None) -> dict[str, float]:
    """Properties of a face that say nothing of forgery. rgb u8 (H, W, 3); box in pixels, None for the whole
    picture. Raises ValueError when the box does not touch the picture.

    sharpness: log of the variance of the Laplacian of the luma, at 128 x 128 px; size_px: the shorter side of
    the box; luma: its mean, in [0, 1].
    """
    height, width = rgb.shape[:2]
    x1, y1, x2, y2 = box_xyxy or (0, 0, width, height)
    face = rgb[max(0, round(y1)) : max(0, round(y2)), max(0, round(x1)) : max(0, round(x2))]
    if face.size == 0:
        raise ValueError(f"the box {box_xyxy} does not touch the picture of {width} x {height} px")
    grey = cv2.cvtColor(np.ascontiguousarray(face), cv2.COLOR_RGB2GRAY)
    shrinks = min(grey.shape) >= SIDE_PX
    fixed = cv2.resize(
        grey, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    laplacian = cv2.Laplacian(fixed.astype(np.float32), cv2.CV_32F)
    return {
        "sharpness": float(np.log(float(laplacian.var()) + 1e-3)),
        "size_px": float(min(x2 - x1, y2 - y1)),
        "luma": float(grey.mean()) / 255.0,
    }


def matched_auc_statistic(labels: ArrayLike, scores: ArrayLike, by: ArrayLike, bins: int = 10) -> Statistic:
    """AUC over pairs of a fake and a real in the same of ``bins`` bins of ``by``: sum n_b AUC_b / sum n_b,
    with n_b the pairs in bin b (a stratified Mann-Whitney statistic, van Elteren 1960). Bins are equal shares
    of the REAL items; an item without ``by`` or without a score is left out."""
    y = np.asarray(labels).astype(bool)
    s, v = np.asarray(scores, dtype=np.float64), np.asarray(by, dtype=np.float64)
    kept = ~(np.isnan(s) | np.isnan(v))
    if not (kept & ~y).any():
        return lambda weights: np.full(len(weights), np.nan)
    edges = np.quantile(v[kept & ~y], np.linspace(0, 1, bins + 1)[1:-1])
    cell = np.where(kept, np.searchsorted(edges, v, side="right"), -1)
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


def matched_auc(labels: ArrayLike, scores: ArrayLike, by: ArrayLike, bins: int = 10) -> float:
    """AUC within bins of ``by``; see ``matched_auc_statistic``."""
    return float(matched_auc_statistic(labels, scores, by, bins)(np.ones((1, np.size(scores))))[0])


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


def nuisance_report(
    labels: ArrayLike,
    scores: Mapping[str, ArrayLike],
    nuisances: Mapping[str, ArrayLike],
    groups: Groups,
    *,
    resamples: int = 1000,
    seed: int = 0,
    bins: int = 10,
) -> dict[str, Any]:
    """For each score and nuisance: the correlation among reals, the AUC within matched bins, the AUC without
    matching, and the AUC of the nuisance alone (how badly it is confounded here). JSON-ready; schema
    ``haechi.nuisance/1``, which ``haechi bench tables`` knows."""
    y = np.asarray(labels).astype(bool)
    draw = {"resamples": resamples, "seed": seed}
    out: dict[str, Any] = {}
    for score, values in scores.items():
        s = np.asarray(values, dtype=np.float64)
        plain = figure(Ranking(y, s).auc, groups, resamples=resamples, seed=seed)
        out[score] = {"auc": plain.as_dict(), "by": {}}
        for name, by in nuisances.items():
            matching = figure(matched_auc_statistic(y, s, by, bins), groups, resamples=resamples, seed=seed)
            alone = figure(Ranking(y, by).auc, groups, resamples=resamples, seed=seed)
            correlation = real_correlation(y, s, by, groups, resamples=resamples, seed=seed)
            out[score]["by"][name] = {
                "correlation_in_reals": correlation.as_dict(),
                "auc_matched": matching.as_dict(),
                "auc_of_nuisance": alone.as_dict(),
            }
    counts = {"n": len(y), "n_real": int((~y).sum()), "n_fake": int(y.sum())}
    return {"schema": "haechi.nuisance/1", **counts, "options": {**draw, "bins": bins}, "scores": out}
