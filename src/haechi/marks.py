"""Where the levels begin: for one face, for one of many, and for a stretch of a video held against the rest.

The highest of many values is high by chance, so the marks rise with their number n until of genuine sources
with n faces no more pass than the levels promise (``PROMISE``): the upper tail of genuine faces falls
exponentially (Pickands 1975).

Stretches of one face are no such crowd. People differ from each other by much more than the seconds of one
person do, so that n stretches of a genuine face reach hardly more than the face as a whole; and what a
stretch says more than the rest of the same face (``contrasts``) tells four forged seconds from three hundred
genuine ones far better than any mark on what it says by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from haechi.types import Level, Segment

LEVELS: tuple[Level, ...] = ("none", "some", "strong")
PROMISE = {"some": 0.05, "strong": 0.01}
"""The share of genuine sources that may reach a level."""
LEAST_REST = 3
"""A stretch is held against so many others at least that it does not overlap."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The upper tail of genuine values: a tenth of them lies above ``decile``, and from there on the share
    falls e-fold every ``nats``."""

    decile: float
    nats: float

    @staticmethod
    def of(block: Mapping[str, Any]) -> Tail:
        """From a block of the card ``verdict``."""
        return Tail(float(block["decile"]), float(block["nats"]))

    def highest(self, count: int, share: float) -> float:
        """What the highest of so many genuine values passes in this share of cases."""
        return self.decile + self.nats * float(np.log(max(count, 1) * 0.1 / share))


@dataclass(frozen=True, slots=True)
class Marks:
    """On log-odds from which ``rise`` was taken: where the levels begin."""

    some: float
    strong: float
    rise: float

    @staticmethod
    def of(card: Mapping[str, Any], count: int) -> Marks:
        """For so many faces that are looked at; ``card``: the parameters of ``verdict``."""
        tail = Tail.of(card["tail"])
        some, strong = (
            max(float(card["thresholds"][level]), tail.highest(count, share))
            for level, share in PROMISE.items()
        )
        of_one = float(card["thresholds"]["some"])
        rise = some - of_one
        return Marks(of_one, max(strong, some) - rise, rise)

    def level(self, fused: float) -> Level:
        """Of log-odds from which ``rise`` was taken."""
        return "strong" if fused >= self.strong else "some" if fused >= self.some else "none"

    def standing_out(self, contrast: float, tail: Tail, count: int, face: Tail) -> float:
        """Log-odds on this scale of a stretch, of so many, that says so much more than the rest of its face:
        as rare among genuine ones as a face (``face``: the tail of these) with the same log-odds. Never as
        much as ``strong``: genuine videos are too few to promise it."""
        beyond = (contrast - tail.highest(count, PROMISE["some"])) * face.nats / max(tail.nats, 1e-6)
        return min(self.some + beyond, (self.some + self.strong) / 2)


def contrasts(segments: Sequence[Segment]) -> list[float | None]:
    """What each stretch of a detector says more, in nats, than the middle one of those of the same face that
    it does not overlap; None where they are too few."""
    out: list[float | None] = []
    for s in segments:
        rest = [
            o.llr
            for o in segments
            if o.track_id == s.track_id and (o.start_s >= s.end_s or o.end_s <= s.start_s)
        ]
        out.append(s.llr - float(np.median(rest)) if len(rest) >= LEAST_REST else None)
    return out
