"""A watched call in words and in JSON: a line where something changed, an object a second."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from haechi.live.types import LEVELS, ChallengeState, LiveLevel, LiveState, PersonState
from haechi.report.formatting import clock
from haechi.report.messages import say, sentence
from haechi.types import Reason

SCHEMA = "haechi.live/1"


class Changes:
    """Says a line for each change, in the language ``lang``."""

    def __init__(self, lang: str) -> None:
        self._lang = lang
        self._problem: str | None = None
        self._levels: dict[int, tuple[LiveLevel, str | None]] = {}
        self._challenge: tuple[object, ...] = ()
        self.highest: LiveLevel = "no_picture"

    def lines(self, state: LiveState) -> Iterator[str]:
        """What changed since the state before."""
        self.highest = max(self.highest, state.level, key=LEVELS.index)
        time = clock(state.time_s)
        problem = state.reasons[0].code if state.reasons else None
        if problem != self._problem:
            why = say("live_picture_back", self._lang) if problem is None else ""
            yield f"{time}  {why or sentence(state.reasons[0], self._lang)}"
            self._problem = problem
        for person in state.people:
            now = person.level, person.reason.code if person.level == "no_picture" and person.reason else None
            if self._levels.get(person.track_id) != now:
                self._levels[person.track_id] = now
                yield f"{time}  {self._person(person)}"
        yield from (f"{time}  {line}" for line in self._challenge_lines(state.challenge))

    def _challenge_lines(self, challenge: ChallengeState | None) -> Iterator[str]:
        if challenge is None:
            return
        before, now = self._challenge, (challenge.name, challenge.status, challenge.advice)
        self._challenge = now
        if now[:2] != before[:2]:
            yield challenge_sentence(challenge, self._lang)
        if challenge.advice is not None and now != before:
            yield say(f"live_advice_{challenge.advice}", self._lang)

    def _person(self, person: PersonState) -> str:
        name = say("live_person", self._lang, n=person.track_id)
        if person.level == "no_picture" and person.reason is not None:
            return f"{name}: {sentence(person.reason, self._lang)}"
        return f"{name}: {say(f'live_level_{person.level}', self._lang)}"

    def ending(self, state: LiveState) -> str:
        """The last line."""
        gaps = {"seconds": round(state.time_s), "frames": state.frames, "looks": state.looks}
        return say("live_ended", self._lang, **gaps)


def challenge_sentence(challenge: ChallengeState, lang: str) -> str:
    """What is to be said to the other side, then how far it is."""
    by_user = challenge.judge == "user" and challenge.status in ("done", "not_seen")
    gaps = {"n": challenge.person_id, "say": say(f"live_say_{challenge.name}", lang)}
    return say(f"live_challenge_{challenge.status}{'_user' if by_user else ''}", lang, **gaps)


class EachSecond:
    """Lets one state a second through."""

    def __init__(self) -> None:
        self._second = -math.inf

    def due(self, state: LiveState) -> bool:
        """Whether the state is the first of its second."""
        second = math.floor(state.time_s)
        if second <= self._second:
            return False
        self._second = second
        return True


def record(state: LiveState, lang: str) -> dict[str, Any]:
    """The state as JSON holds it: schema ``haechi.live/1``."""
    return {
        "schema": SCHEMA,
        "time_s": round(state.time_s, 3),
        "level": state.level,
        "reasons": [_reason(reason, lang) for reason in state.reasons],
        "people": [
            {
                "id": person.track_id,
                "box_xyxy": [round(float(v), 1) for v in person.box_xyxy],
                "level": person.level,
                "judged_s": person.seen_s,
                "statistic": round(person.statistic, 4),
                "evidence": {name: round(value, 4) for name, value in person.second.items()},
                "reason": None if person.reason is None else _reason(person.reason, lang),
            }
            for person in state.people
        ],
        "frames": state.frames,
        "looks": state.looks,
        "challenge": None if state.challenge is None else _challenge(state.challenge, lang),
    }


def _challenge(challenge: ChallengeState, lang: str) -> dict[str, Any]:
    return {
        "name": challenge.name,
        "person": challenge.person_id,
        "status": challenge.status,
        "judge": challenge.judge,
        "left_s": None if challenge.left_s is None else round(challenge.left_s, 1),
        "advice": challenge.advice,
        "say": say(f"live_say_{challenge.name}", lang),
    }


def _reason(reason: Reason, lang: str) -> dict[str, str]:
    return {"code": reason.code, "text": sentence(reason, lang)}
