"""A call under watch, frame by frame."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random
from typing import Any

from haechi import models
from haechi.errors import ModelError, UsageError
from haechi.faces import SEARCH_S
from haechi.live.challenges import Challenges
from haechi.live.cusum import Cusum, CusumRule
from haechi.live.fusion import Fusion
from haechi.live.people import Person
from haechi.live.picture import MISSING_S, PictureCheck
from haechi.live.seconds import Second, Seconds, fingerprint
from haechi.live.types import LEVELS, ChallengeName, LiveLevel, LiveState, PersonState
from haechi.pipeline import Pipeline
from haechi.settings import Settings
from haechi.types import U8, Frame, Reason

PRESENT_S = 1.0
"""Who was seen so short a while ago is in the picture."""


def parameters_of(settings: Settings) -> Mapping[str, Any]:
    """Of the card ``live``: the sequential test and the weights of the evidence. Raises ModelError when it is
    missing or altered, or was fitted with other networks or signs than these: its thresholds would promise
    what nobody measured."""
    card = models.load("live", settings).card
    if card.parameters.get("fitted_with") != fingerprint(settings):
        raise ModelError(
            "The thresholds for live calls (card 'live') were measured with other networks than those "
            "installed, so that they promise nothing here: reinstall haechi, or run haechi train live"
        )
    return card.parameters


def rule_of(settings: Settings) -> CusumRule:
    """The sequential test of the card ``live``. Raises ModelError as ``parameters_of``."""
    return CusumRule.of(parameters_of(settings))


class LiveSession:
    """One call. Deterministic; memory does not grow; not for several threads.

    session = LiveSession(pipeline)
    state = session.add(rgb, time_s)     # each frame; five a second are searched
    state = session.miss(time_s)         # when none came for a while
    session.ask()                        # for a challenge; ``state.challenge`` tells how it stands
    """

    def __init__(self, pipeline: Pipeline, rng: Random | None = None) -> None:
        """``rng`` draws the challenges, that of the system where none is given. Raises ModelError when a
        model, or the card ``live``, is missing or altered."""
        parameters = parameters_of(pipeline.settings)
        self._rule, self._fusion = CusumRule.of(parameters), Fusion.of(parameters)
        self._seconds = Seconds(pipeline)
        self._picture = PictureCheck()
        self._challenges = Challenges(rng)
        self._tests: dict[int, Cusum] = {}
        self._ratios: dict[int, Mapping[str, float]] = {}
        self._judged_s: dict[int, float] = {}
        self._searched_s = self._last_s = -math.inf
        self._frames = 0
        self._problem: Reason | None = None

    def add(self, rgb: U8, time_s: float) -> LiveState:
        """The next frame u8 (H, W, 3), upright. Raises UsageError for a frame older than the one before."""
        if not time_s >= self._last_s:
            raise UsageError(
                f"A frame of {time_s:.3f} s came after one of {self._last_s:.3f} s: add frames in order of "
                "time, or begin a new session."
            )
        self._last_s = time_s
        self._frames += 1
        self._problem = self._picture.problem(rgb, time_s)
        if self._problem is None and time_s - self._searched_s >= SEARCH_S:
            self._searched_s = time_s
            for second in self._seconds.add(Frame(rgb, self._frames - 1, time_s)):
                self._count(second)
            self._forget()
            self._challenges.see(rgb, time_s, self._seconds.people)
            self._weigh(time_s)
        return self._state(time_s)

    def ask(self, name: ChallengeName | None = None) -> bool:
        """Ask whoever shows the most signs, of those in the picture, for this challenge or for one that is
        drawn; False when there is nobody. One that is under way ends."""
        people = self._state(self._last_s).people
        if not people:
            return False
        person = max(people, key=lambda p: (p.statistic, -p.track_id))
        return self._challenges.ask(person.track_id, self._last_s, name)

    def judge(self, was_done: bool) -> None:
        """Whether the challenge was done: of one that no picture shows the user tells it."""
        self._challenges.judge(was_done, self._last_s)

    def miss(self, time_s: float) -> LiveState:
        """The state at a time when no frame came: after two seconds without one, ``no_picture``."""
        if time_s - self._last_s > MISSING_S:
            self._problem = Reason("live_no_frame")
        return self._state(max(time_s, self._last_s))

    def _count(self, second: Second) -> None:
        person = second.person_id
        ratios = self._fusion.ratios(second.networks, second.measures)
        self._tests.setdefault(person, Cusum(self._rule)).add(self._fusion.log_odds(ratios))
        self._ratios[person] = ratios
        self._judged_s[person] = self._judged_s.get(person, 0.0) + 1.0

    def _weigh(self, time_s: float) -> None:
        test = self._tests.get(self._challenges.person_id or 0)
        if test is not None:
            judged_s = self._judged_s.get(self._challenges.person_id or 0, 0.0)
            self._challenges.weigh(time_s, test.height, judged_s)

    def _forget(self) -> None:
        known_ids = {person.person_id for person in self._seconds.people}
        for by_person in (self._tests, self._ratios, self._judged_s):
            for person_id in [k for k in by_person if k not in known_ids]:
                del by_person[person_id]

    def _state(self, time_s: float) -> LiveState:
        challenge = self._challenges.state(time_s)
        counts = self._frames, self._seconds.looks, challenge
        if self._problem is not None:
            return LiveState(time_s, "no_picture", (), (self._problem,), *counts)
        people = tuple(
            PersonState(
                track_id=p.person_id,
                box_xyxy=p.box_xyxy,
                level=self._level(p.person_id, p.reason),
                seen_s=self._judged_s.get(p.person_id, 0.0),
                statistic=self._tests[p.person_id].height if p.person_id in self._tests else 0.0,
                second=self._ratios.get(p.person_id, {}),
                reason=p.reason,
            )
            for p in self._seconds.people
            if self._searched_s - p.last_s <= PRESENT_S and not self._may_be_nobody(p)
        )
        level: LiveLevel = max((p.level for p in people), key=LEVELS.index, default="no_picture")
        reasons = () if people else (Reason("live_no_face"),)
        return LiveState(time_s, level, people, reasons, *counts)

    def _may_be_nobody(self, person: Person) -> bool:
        """A pattern that was never taken for a face beyond doubt is nobody yet."""
        doubted = person.reason is not None and person.reason.code == "face_doubtful"
        return doubted and person.person_id not in self._tests

    def _level(self, person_id: int, reason: Reason | None) -> LiveLevel:
        test = self._tests.get(person_id)
        if test is not None and test.level != "watching":
            return test.level
        return "watching" if reason is None else "no_picture"
