"""The sequential test of one person: a cumulative sum (Page 1954) of the evidence of each second.

    S = max(0, S + clip(x) - drift)

x is the fused log-odds of a second. The drift is what the test gives away each second, so that a face that
merely looks a little suspicious all the time does not add up to an accusation; the clip bounds what a single
second can do. Seconds of one person resemble each other, so that no formula gives the thresholds: they are
quantiles of the highest sum of whole genuine calls (card ``live``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from haechi.live.types import LiveLevel

LET_GO = 0.5
"""A level that was reached ends when the sum has fallen to this share of its threshold: so it does not
flutter."""
CEILING = 1.5
"""The sum stays below this many times the threshold of an alarm: who was wrongly accused is cleared in
time."""


@dataclass(frozen=True, slots=True)
class CusumRule:
    """Numbers of the card ``live``, all in nats. drift: taken off each second · clip: the most that a second
    may say either way · ask, alarm: the sums at which the levels begin."""

    drift: float
    clip: float
    ask: float
    alarm: float

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> CusumRule:
        """From the parameters of the card."""
        return cls(
            drift=float(parameters["drift_per_second"]),
            clip=float(parameters["clip_per_second"]),
            ask=float(parameters["threshold_ask"]),
            alarm=float(parameters["threshold_alarm"]),
        )

    def step(self, total: float, log_odds: float) -> float:
        """The sum after one more second."""
        clipped = min(max(log_odds, -self.clip), self.clip)
        return min(max(0.0, total + clipped - self.drift), CEILING * self.alarm)


class Cusum:
    """The sum of one person, and the level that it has reached."""

    def __init__(self, rule: CusumRule) -> None:
        self._rule = rule
        self.total = 0.0
        self.level: LiveLevel = "watching"

    def add(self, log_odds: float) -> None:
        """The evidence of the next second, in nats."""
        rule = self._rule
        self.total = rule.step(self.total, log_odds)
        if self.total >= rule.alarm or (self.level == "alarm" and self.total > LET_GO * rule.alarm):
            self.level = "alarm"
        elif self.total >= rule.ask or (self.level != "watching" and self.total > LET_GO * rule.ask):
            self.level = "ask"
        else:
            self.level = "watching"
