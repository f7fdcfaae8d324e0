"""One challenge, from the moment in which it is asked for to what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, Protocol

import numpy as np

from haechi.live.challenges.close import Close
from haechi.live.challenges.hand import Hand
from haechi.live.challenges.look import Calm, Look, Stage, jumped
from haechi.live.challenges.stand import Stand
from haechi.live.challenges.turn import Turn
from haechi.live.cusum import CusumRule
from haechi.live.types import Advice, ChallengeName, ChallengeState, ChallengeStatus
from haechi.types import U8

TIME_S = 20.0
"""To say the words, and to do it."""
SETTLE_S = 2.5
"""What the face does until so long after it was done is counted as well: the last second ends then."""
LEAST_JUDGED_S = 2.0
ROSE = 0.25
"""Of the statistic, 1 being where ``ask`` begins: by so much it rises only where the seconds of the challenge
showed more than the drift takes off, which those of hardly any genuine people do."""
HERE = 0.75
"""Of the face's height: who appears so near to where a face was lost is whoever was lost there."""
REFUSED = 2
"""So many in a row that were not done, as the user says, are reason enough to use another channel. What was
not seen in the video is none: half of what is done is not seen (``results/live-challenges.json``)."""


class Check(Protocol):
    """Looks at somebody from the moment on in which they were asked."""

    def add(self, look: Look, rgb: U8) -> Stage: ...


CHECKS: Mapping[ChallengeName, Callable[[Calm], Check]] = {
    "turn": Turn,
    "hand": Hand,
    "stand": Stand,
    "close": Close,
}
"""Those whose doing is seen in the video."""


class Challenge:
    """Asked of one person at ``asked_s``, who looked like ``before``: looks in which the face was in sight,
    at least one. ``newest_id``: the highest number that anybody had then · ``refused``: how many before
    it were not done, one after the other, as the user says."""

    def __init__(
        self,
        name: ChallengeName,
        person_id: int,
        before: Sequence[Look],
        asked_s: float,
        *,
        newest_id: int,
        refused: int = 0,
    ) -> None:
        self.name, self.person_id = name, person_id
        self._asked_s, self._refused = asked_s, refused
        self._calm = Calm.of(before)
        self._check = CHECKS[name](self._calm) if name in CHECKS else None
        self._last = before[-1]
        self._newest_id, self._numbers = newest_id, list[int]()
        self._status: ChallengeStatus = "asked"
        self._advice: Advice | None = None
        self._done_s: float | None = None
        self._at_begin: tuple[float, float] | None = None  # the statistic, and the seconds judged
        self._highest = self._judged_s = 0.0

    @property
    def refused(self) -> int:
        """How many were not done in a row, this one included; what was merely not seen changes nothing."""
        if self._check is not None:
            return self._refused if self._status == "not_seen" else 0
        return self._refused + 1 if self._status == "not_seen" else 0

    @property
    def open(self) -> bool:
        """Whether it may still be done."""
        return self._status in ("asked", "begun")

    def choose(self, looks: Mapping[int, Look], time_s: float) -> Look:
        """Whoever was asked, among the looks of a frame by number: also under a new number, which who comes
        back changed may get. Their evidence is another's then, and is not counted."""
        for person_id in (self.person_id, *self._numbers):
            if person_id in looks and looks[person_id].in_sight:
                return looks[person_id]
        for person_id, look in looks.items():
            (x, y), (was_x, was_y) = look.centre_xy, self._last.centre_xy
            near = float(np.hypot(x - was_x, y - was_y)) <= HERE * self._last.height_px
            if person_id > self._newest_id and look.in_sight and near:
                self._numbers.append(person_id)
                return look
        return replace(self._last, time_s=time_s, in_sight=False)

    def see(self, look: Look, rgb: U8) -> None:
        """The next look at the person, and its frame u8 (H, W, 3)."""
        if not self.open or self._check is None:
            return
        if look.in_sight and jumped(self._last, look):
            # The tile was put elsewhere: what was done before it cannot be told from that.
            self._calm = self._calm.moved(self._last, look)
            self._check = CHECKS[self.name](self._calm)
        self._last = look if look.in_sight else self._last
        stage = self._check.add(look, rgb)
        if stage == "done":
            self._finish(look.time_s)
        else:
            self._status = stage

    def judge(self, was_done: bool, time_s: float) -> None:
        """What the user says of one that no picture shows; of others nothing."""
        if not self.open or self._check is not None:
            return
        if was_done:
            self._finish(time_s)
        else:
            self._miss()

    def weigh(self, time_s: float, statistic: float, judged_s: float) -> None:
        """How the evidence against the person stands. While nothing of it was seen that is where it starts
        from; from then on it counts."""
        if self._at_begin is None or (self._status == "asked" and self._check is not None):
            self._at_begin = statistic, judged_s
            self._highest = statistic
        self._highest, self._judged_s = max(self._highest, statistic), judged_s
        if self._done_s is not None and self._advice is None and time_s - self._done_s >= SETTLE_S:
            self._advice = self._outcome()

    def state(self, time_s: float) -> ChallengeState:
        """At a time, not before that of the last look."""
        left_s = None if self._check is None else max(0.0, self._asked_s + TIME_S - time_s)
        if self.open and left_s == 0.0:
            self._miss()
        if self._done_s is not None and self._advice is None and time_s - self._done_s >= 2 * SETTLE_S:
            self._advice = self._outcome()  # nothing came any more by which to weigh it
        judge: Literal["video", "user"] = "user" if self._check is None else "video"
        return ChallengeState(
            self.name, self.person_id, self._status, judge, left_s if self.open else None, self._advice
        )

    def _finish(self, time_s: float) -> None:
        self._status, self._done_s = "done", time_s

    def _miss(self) -> None:
        self._status = "not_seen"
        self._advice = "verify" if self._check is None and self.refused >= REFUSED else "again"

    def _outcome(self) -> Advice:
        """What follows from how the face behaved while it was done."""
        statistic, judged_s = self._at_begin or (0.0, 0.0)
        if self._highest - statistic >= ROSE or self._highest >= CusumRule.alarm:
            return "verify"
        return "again" if self._judged_s - judged_s < LEAST_JUDGED_S else "watch"
