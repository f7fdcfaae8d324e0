"""Whole calls out of short ones, and thresholds out of whole calls.

A thousand half-hour calls cannot be filmed here. A long call is drawn from a short one: blocks of seconds
that follow each other, at random, until it is long enough (block bootstrap, Kuensch 1989). It keeps how one
person's seconds resemble each other, and it is as often one person as another; what it cannot hold is
anything that happens in real calls and in none of the short ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from haechi.errors import UsageError
from haechi.live.cusum import Mark
from haechi.marks import Tail
from haechi.types import F64
from haechi_lab.live.series import Heard

CALLS, CALL_S, FORGED_S, BLOCK_S = 1000, 1800, 120, 4
"""Genuine calls, their length and that of forged ones, and the length of a block, in seconds."""
ALARMS, ASKS = 1, 30
"""Of 1,000 genuine calls so many may reach the threshold. Three are promised for alarms: of other people more
reach it than of those that it was set on."""
SURE, TRIES = 0.95, 400
"""An alarm gives away each second as much as the tail of genuine people asks for in this share of so many
draws of other people."""
DRIFTS = (0.0, 0.15, 0.3, 0.6, 1.0)
"""What the drift may lie above the least that the tail of genuine people leaves, in nats."""
CLIPS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
LEAST_THRESHOLD = 2.0
"""Nats. Nor is a threshold lower than what one second may add to a sum: no level is reached by fewer than
two."""


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


def sums(calls: F64, mark: Mark) -> F64:
    """The sums f64 (n, seconds) of calls f64 (n, seconds), as ``Mark.step`` makes them, without a
    ceiling."""
    clipped = np.clip(calls, -mark.clip, mark.clip) - mark.drift
    out = np.empty_like(clipped)
    total = np.zeros(len(calls))
    for k in range(calls.shape[1]):
        total = np.maximum(0.0, total + clipped[:, k])
        out[:, k] = total
    return out


def threshold(highest: F64, allowed: int, second: float = 0.0) -> float:
    """The lowest threshold that at most ``allowed`` of the calls reach, whose highest sums these are f64
    (n,); rounded upwards, and above what a single ``second`` can add."""
    mark = float(np.sort(highest)[::-1][allowed])
    return float(np.floor(max(mark, second, LEAST_THRESHOLD) * 1e3) / 1e3 + 1e-3)


def times_s(calls: F64, mark: Mark) -> F64:
    """Seconds until the sum of each call reaches the threshold, f64 (n,); infinity where it does not."""
    reached = sums(calls, mark) >= mark.threshold
    return np.where(reached.any(1), reached.argmax(1) + 1.0, np.inf)


def tail(means: F64, share: float) -> float:
    """The mean log-odds that so small a share of people passes, read off the tail of some people's means f64
    (n,): beyond the upper decile it falls exponentially, by its mean excess, as in ``haechi.marks``."""
    decile = float(np.quantile(means, 0.9))
    return Tail(decile, float((means[means >= decile] - decile).mean())).highest(1, share)


def sure_tail(by_person: Sequence[F64], share: float, seed: int) -> float:
    """The same of the means of each of some people, as high as it may be of others: the quantile SURE of
    draws with replacement, of people (Efron 1979)."""
    rng = np.random.default_rng(seed)
    draws = (rng.integers(len(by_person), size=len(by_person)) for _ in range(TRIES))
    tails = [tail(np.concatenate([by_person[k] for k in some]), share) for some in draws]
    return float(np.quantile(tails, SURE))


def fit(genuine: Drawn, least: float, forged: F64, allowed: int) -> Mark:
    """Of the drifts from ``least`` on, and all clips, the ones by which the most forged calls are told the
    soonest, with the threshold that the genuine calls set."""
    # Never below 0: seconds that speak for a genuine face must not add up to an alarm.
    least = max(0.0, least)
    best: tuple[float, Mark] | None = None
    for more, clip in product(DRIFTS, CLIPS):
        drift = round(least + more, 2)
        if drift >= clip:
            continue
        highest = sums(genuine.log_odds, Mark(drift, clip, np.inf)).max(1)
        allowed_of_these = int(allowed * len(highest) / 1000)
        mark = Mark(drift, clip, threshold(highest, allowed_of_these, clip - drift))
        score = -float(np.minimum(times_s(forged, mark), forged.shape[1]).mean())
        if best is None or score > best[0]:
            best = score, mark
    if best is None:
        raise UsageError(
            "genuine people look so suspicious to this network that no mark can be set for calls"
        )
    return best[1]
