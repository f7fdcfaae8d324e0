"""Small fits: weighted logistic regression, Platt scaling, with group weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from haechi.types import F64


def logistic(x: F64, y: F64, weight: F64, ridge: float = 1e-2, steps: int = 50) -> F64:
    """Weighted logistic regression by Newton's method. x f64 (n, k), y 0/1 (n,) -> coefficients (k + 1,), the
    intercept last and unpenalised."""
    a = np.concatenate([x, np.ones((len(x), 1))], 1)
    penalty = np.diag([ridge] * x.shape[1] + [0.0])
    w = np.zeros(a.shape[1])
    weight = weight / weight.mean()
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(a @ w, -30, 30)))
        hessian = (a * (weight * p * (1 - p))[:, None]).T @ a / len(a) + penalty + 1e-9 * np.eye(len(w))
        change = np.linalg.solve(hessian, a.T @ (weight * (y - p)) / len(a) - penalty @ w)
        w = w + change * min(1.0, 4.0 / (np.abs(change).max() + 1e-9))
        if np.abs(change).max() < 1e-8:
            break
    return w


def balanced(labels: Sequence[int], sources: Sequence[str]) -> F64:
    """Weights that give both classes, and within a class every source, the same say (square root of its
    count, so that a handful of pictures does not rule)."""
    keys = list(zip(labels, sources, strict=True))
    counts = {k: keys.count(k) for k in set(keys)}
    raw = np.array([1 / np.sqrt(counts[k]) for k in keys])
    y = np.asarray(labels)
    for c in (0, 1):
        raw[y == c] *= 0.5 / raw[y == c].sum()
    out: F64 = raw * len(raw)
    return out
