"""Which challenge is asked for, of whom, and how it stands."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from random import Random, SystemRandom

from haechi.live.challenges.challenge import CHECKS, Challenge
from haechi.live.challenges.look import Look
from haechi.live.people import Person
from haechi.live.types import ChallengeName, ChallengeState
from haechi.types import U8

BEFORE = 10
"""Looks by which it is known how somebody sat before: two seconds of them."""


class Challenges:
    """At most one at a time. ``rng`` draws it, that of the system where none is given: who knows what is
    coming could be ready for it."""

    def __init__(self, rng: Random | None = None) -> None:
        self._rng = rng or SystemRandom()
        self._deck: list[ChallengeName] = []
        self._looks: dict[int, deque[Look]] = {}
        self._now: Challenge | None = None

    @property
    def person_id(self) -> int | None:
        """Who was asked last."""
        return None if self._now is None else self._now.person_id

    def see(self, rgb: U8, time_s: float, people: Sequence[Person]) -> None:
        """A frame u8 (H, W, 3), and everybody who was seen a short while ago, by number."""
        now = {p.person_id: Look(time_s, p.box_xyxy, p.points_xy, p.last_s == time_s) for p in people}
        self._looks = {k: looks for k, looks in self._looks.items() if k in now}
        for person_id, look in now.items():
            if look.in_sight:
                self._looks.setdefault(person_id, deque(maxlen=BEFORE)).append(look)
        if self._now is not None:
            self._now.see(self._now.choose(now, time_s), rgb)

    def ask(self, person_id: int, time_s: float, name: ChallengeName | None = None) -> bool:
        """Ask somebody who was seen for this one, or for one that is drawn; False when they were not seen."""
        before = self._looks.get(person_id)
        if not before:
            return False
        again = self._now is not None and self._now.person_id == person_id
        refused = self._now.refused if self._now is not None and again else 0
        self._now = Challenge(
            name or self._draw(),
            person_id,
            list(before),
            time_s,
            newest_id=max(self._looks),
            refused=refused,
        )
        return True

    def judge(self, was_done: bool, time_s: float) -> None:
        """Whether one that no picture shows was done, as the user says."""
        if self._now is not None:
            self._now.judge(was_done, time_s)

    def weigh(self, time_s: float, statistic: float, judged_s: float) -> None:
        """How the evidence stands against whoever was asked."""
        if self._now is not None:
            self._now.weigh(time_s, statistic, judged_s)

    def state(self, time_s: float) -> ChallengeState | None:
        """The last challenge; None before the first."""
        return None if self._now is None else self._now.state(time_s)

    def _draw(self) -> ChallengeName:
        """One whose doing is seen; none comes again before all others have, nor twice in a row."""
        if not self._deck:
            self._deck = [*CHECKS]
            self._rng.shuffle(self._deck)
            if self._now is not None and self._deck[-1] == self._now.name:
                self._deck.insert(0, self._deck.pop())
        return self._deck.pop()
