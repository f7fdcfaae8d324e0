"""The sequential test of one person: two cumulative sums (Page 1954) of the evidence of each second.

    S = max(0, S + clip(x) - drift)

x is the fused log-odds of a second. The drift is what a sum gives away each second, so that a face that
merely looks a little suspicious all the time does not add up to an accusation; the clip bounds what a single
second can do. The sum that asks gives away less than the one that alarms: people differ more from each other
than the seconds of one person do, so that hardly anybody may look as suspicious, all the time, as the drift.
Seconds of one person resemble each other, so that no formula gives the thresholds: they are quantiles of the
highest sum of whole genuine calls (card ``live``).

Both sums are told as one height: 1 is where ``ask`` begins, 2 where ``alarm`` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from haechi.live.types import LiveLevel

LET_GO = 0.5
"""A level that was reached ends when its sum has fallen to this share of its threshold: it does not
flutter."""
CEILING = 1.5
"""A sum stays below this many times its threshold: who was wrongly accused is cleared in time."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One of the sums, in nats. drift: taken off each second · clip: the most that a second may say either
    way · threshold: the sum at which the level begins."""

    drift: float
    clip: float
    threshold: float

    @classmethod
    def of(cls, block: Mapping[str, Any]) -> Mark:
        """From a block of the card ``live``."""
        return cls(float(block["drift"]), float(block["clip"]), float(block["threshold"]))

    def step(self, total: float, log_odds: float) -> float:
        """The sum after one more second."""
        clipped = min(max(log_odds, -self.clip), self.clip)
        return min(max(0.0, total + clipped - self.drift), CEILING * self.threshold)


@dataclass(frozen=True, slots=True)
class CusumRule:
    """The sums of the card ``live``: ``asks`` and ``alarms``. ``ask`` and ``alarm``: the heights at which the
    levels begin."""

    asks: Mark
    alarms: Mark
    ask: ClassVar[float] = 1.0
    alarm: ClassVar[float] = 2.0

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> CusumRule:
        """From the parameters of the card."""
        return cls(Mark.of(parameters["ask"]), Mark.of(parameters["alarm"]))


class Cusum:
    """The sums of one person, and the level that they have reached."""

    def __init__(self, rule: CusumRule) -> None:
        self._rule = rule
        self._asks = self._alarms = 0.0
        self.level: LiveLevel = "watching"

    @property
    def height(self) -> float:
        """At least 0; from 1 on as much as asks for a challenge, from 2 on as much as alarms."""
        alarms = self._alarms / self._rule.alarms.threshold
        if alarms >= 1:
            return 1 + alarms
        asks = self._asks / self._rule.asks.threshold
        return asks if asks < 1 else 1 + alarms

    def add(self, log_odds: float) -> None:
        """The evidence of the next second, in nats."""
        asks, alarms = self._rule.asks, self._rule.alarms
        self._asks, self._alarms = asks.step(self._asks, log_odds), alarms.step(self._alarms, log_odds)
        height = self.height
        if height >= 2 or (self.level == "alarm" and self._alarms > LET_GO * alarms.threshold):
            self.level = "alarm"
        elif height >= 1 or (self.level != "watching" and self._asks > LET_GO * asks.threshold):
            self.level = "ask"
        else:
            self.level = "watching"
