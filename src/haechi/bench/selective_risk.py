"""What abstaining buys: the error that is left when only the clearest pictures are answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from haechi.types import F64

COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


def risk_statistics(
    labels: ArrayLike, scores: ArrayLike, decided_at: float
) -> Callable[[F64], Mapping[str, F64]]:
    """weights f64 (R, n) -> ``aurc`` and ``risk_at_C`` for every C of COVERAGES, f64 (R,) each.

    A picture is called fake when its score is above ``decided_at`` (0 for a log-likelihood ratio, 0.5 for a
    probability) and answered the sooner the further the score lies from there. Risk at coverage C is the
    share of wrong calls among the C clearest of ALL pictures; AURC is its mean over C from 0 to 1 (Geifman
    and El-Yaniv 2017). An abstention comes last and is half an error, which is what a coin would make of it:
    so figures of scores that abstain differently can be compared, and abstaining is worth something only when
    what is answered becomes surer. Equally clear pictures are answered in every order alike, which matters
    for scores that are capped.
    """
    y = np.asarray(labels).astype(bool)
    s = np.asarray(scores, dtype=np.float64)
    answered = ~np.isnan(s)
    clear = np.where(answered, np.abs(np.nan_to_num(s) - decided_at), -1.0)
    wrong = np.where(answered & (clear > 0), (s > decided_at) != y, 0.5)
    order = np.argsort(-clear, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(clear[order]) != 0]) if len(s) else order

    def sums(values: F64) -> F64:
        runs = np.add.reduceat(values[:, order], starts, axis=1) if len(starts) else values
        return np.concatenate([np.zeros((len(values), 1)), np.cumsum(runs, axis=1)], axis=1)

    def statistics(weights: F64) -> Mapping[str, F64]:
        mass, error = sums(weights), sums(weights * wrong)
        total = mass[:, -1]
        valid_total = np.where(total > 0, total, np.nan)
        out = {"aurc": _area(mass, error) / valid_total}
        for c in COVERAGES:
            errors = [np.interp(c * t, m, e) for t, m, e in zip(total, mass, error, strict=True)]
            out[f"risk_at_{c:g}"] = np.array(errors, dtype=np.float64) / (c * valid_total)
        return out

    return statistics


def _area(mass: F64, error: F64) -> F64:
    """The integral of error / mass over mass, where error grows in straight lines between its points: both
    f64 (R, U + 1), the first column zero. Exact, so that doubling every picture changes nothing."""
    before, after = mass[:, :-1], mass[:, 1:]
    step = after - before
    slope = np.divide(np.diff(error, axis=1), step, out=np.zeros_like(step), where=step > 0)
    ratio = np.divide(after, before, out=np.ones_like(step), where=(before > 0) & (step > 0))
    parts = (error[:, :-1] - slope * before) * np.log(ratio) + slope * step
    return np.asarray(parts.sum(axis=1))
