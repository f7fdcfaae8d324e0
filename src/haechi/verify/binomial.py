"""Exact bounds of a rate (Clopper and Pearson 1934), found by bisection of the binomial tail: no library of
statistics is needed for them."""

from __future__ import annotations

import math

import numpy as np

from haechi.types import F64

_STEPS = 100  # more halvings than a double has bits


def tail(k: int, n: int, p: float) -> float:
    """Probability of at most ``k`` successes in ``n`` trials of probability ``p``."""
    if k >= n:
        return 1.0
    if k < 0:
        return 0.0
    if p <= 0 or p >= 1:
        return 1.0 if p <= 0 else 0.0
    ways = _log_ways(n)
    successes = np.arange(n + 1)
    terms = np.exp(ways + successes * math.log(p) + (n - successes) * math.log1p(-p))
    # The shorter sum: what is close to 1 would lose its digits.
    few = k < n * p
    return float(terms[: k + 1].sum() if few else 1 - terms[k + 1 :].sum())


def upper(k: int, n: int, confidence: float = 0.95) -> float:
    """The rate above which ``k`` of ``n`` or fewer come about with a probability below 1 - ``confidence``:
    the one-sided upper bound. 1 of no trials."""
    if k >= n:
        return 1.0
    low, high, chance = k / n, 1.0, 1 - confidence
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(k, n, middle) > chance else (low, middle)
    return (low + high) / 2


def lower(k: int, n: int, confidence: float = 0.95) -> float:
    """The one-sided lower bound; 0 of no trials."""
    return 1 - upper(n - k, n, confidence) if n else 0.0


def interval(k: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The two-sided interval: a bound on each side, of half the error."""
    half = (1 + confidence) / 2
    return lower(k, n, half), upper(k, n, half)


def _log_ways(n: int) -> F64:
    """f64 (n + 1,): the natural logarithms of n over k."""
    factorials = np.array([math.lgamma(i + 1) for i in range(n + 1)])
    ways: F64 = factorials[n] - factorials - factorials[::-1]
    return ways
