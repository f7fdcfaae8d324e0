"""Whole calls out of short ones, and thresholds out of whole calls.

A thousand half-hour calls cannot be filmed here. A long call is drawn from a short one: blocks of seconds
that follow each other, at random, until it is long enough (block bootstrap, Kuensch 1989). It keeps how one
person's seconds resemble each other, and it is as often one person as another; what it cannot hold is
anything that happens in real calls and in none of the short ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from haechi.live.cusum import CusumRule
from haechi.types import F64
from haechi_lab.live.series import Heard

CALLS, CALL_S, FORGED_S, BLOCK_S = 1000, 1800, 120, 4
"""Genuine calls, their length and that of forged ones, and the length of a block, in seconds."""
ALARMS, ASKS = 3, 30
"""Of 1,000 genuine calls so many may reach the threshold."""
DRIFTS = tuple(round(0.25 * k, 2) for k in range(13))
CLIPS = (1.0, 1.5, 2.0, 3.0, 4.0)
NEVER = 1e9


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Calls: log_odds f64 (n, seconds) · heard i64 (n,): the number of the short call that each is drawn
    from."""

    log_odds: F64
    heard: np.ndarray


def draw(heard: Sequence[Heard], count: int, seconds: int, seed: int) -> Drawn:
    """So many calls, each of one face. Short calls take turns; in one with several faces, they do."""
    rng = np.random.default_rng(seed)
    source = rng.permutation(np.arange(count) % len(heard))
    rows = np.empty((count, seconds))
    for row, k in zip(rows, source, strict=True):
        people = heard[int(k)].people
        series = people[int(rng.integers(len(people)))]
        length = min(BLOCK_S, len(series))
        starts = rng.integers(0, len(series) - length + 1, -(-seconds // length))
        row[:] = series[(starts[:, None] + np.arange(length)).ravel()][:seconds]
    return Drawn(rows, source)


def sums(calls: F64, rule: CusumRule) -> F64:
    """The sequential test's sum f64 (n, seconds) of calls f64 (n, seconds), by the rule that ships."""
    clipped = np.clip(calls, -rule.clip, rule.clip) - rule.drift
    out = np.empty_like(clipped)
    total = np.zeros(len(calls))
    for k in range(calls.shape[1]):
        total = np.maximum(0.0, total + clipped[:, k])
        out[:, k] = total
    return out


def threshold(highest: F64, allowed: int) -> float:
    """The lowest mark that at most ``allowed`` of the calls reach, whose highest sums these are f64 (n,);
    rounded upwards."""
    mark = float(np.sort(highest)[::-1][allowed])
    return float(np.floor(mark * 1e3) / 1e3 + 1e-3)


def times_s(calls: F64, rule: CusumRule, mark: float) -> F64:
    """Seconds until the sum of each call reaches a mark, f64 (n,); infinity where it does not."""
    reached = sums(calls, rule) >= mark
    return np.where(reached.any(1), reached.argmax(1) + 1.0, np.inf)


def fit(genuine: F64, forged: F64) -> CusumRule:
    """Of all drifts and clips the one by which the most forged calls are told within their length, and then
    the soonest, with the marks that the genuine calls set."""
    best: tuple[tuple[float, float], CusumRule] | None = None
    for drift, clip in product(DRIFTS, CLIPS):
        if drift >= clip:
            continue
        rule = CusumRule(drift, clip, NEVER, NEVER)
        highest = sums(genuine, rule).max(1)
        rule = replace(rule, alarm=threshold(highest, ALARMS), ask=threshold(highest, ASKS))
        times = np.minimum(times_s(forged, rule, rule.alarm), forged.shape[1])
        score = (-float(times.mean()), -float(np.median(times)))
        if best is None or score > best[0]:
            best = score, rule
    assert best is not None
    return best[1]
