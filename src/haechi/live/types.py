"""What a call under watch looks like at one moment: frozen values, like those of ``haechi.types``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from haechi.types import F32, Reason
from haechi.values import Value

LiveLevel: TypeAlias = Literal["no_picture", "watching", "ask", "alarm"]

LEVELS: tuple[LiveLevel, ...] = ("no_picture", "watching", "ask", "alarm")
"""Ascending. ``no_picture``: nothing can be said of what is shown, which is never an all-clear ·
``watching``: no more was found than in genuine calls · ``ask``: as much as few of them show, so ask the
other side for a challenge · ``alarm``: more than at most 3 of 1,000 show, so call back on a number that you
know. No level refuses anybody by itself."""


ChallengeName: TypeAlias = Literal["turn", "hand", "stand", "close", "word"]
"""Turn the head to the side · pass a hand across the face · stand up · come close · read a word aloud."""

CHALLENGES: tuple[ChallengeName, ...] = ("turn", "hand", "stand", "close", "word")

ChallengeStatus: TypeAlias = Literal["asked", "begun", "done", "not_seen"]
"""``asked``: nothing of it was seen yet · ``begun``: it is being done · ``done`` · ``not_seen``: the time is
over, or the user says that it was not done."""

Advice: TypeAlias = Literal["watch", "again", "verify"]
"""``watch``: it was done, and the evidence did not rise; no all-clear · ``again``: it was not done, or the
face could hardly be judged meanwhile: ask for another · ``verify``: the evidence rose while it was done, or
several were not done: call back on a number that you know."""


@dataclass(frozen=True, slots=True)
class ChallengeState:
    """A challenge at one moment. person_id: who was asked · judge: who tells whether it was done, ``video``
    or, where no picture shows it, ``user`` · left_s: seconds to do it, None where none run · advice: what
    follows from it, None before that is known."""

    name: ChallengeName
    person_id: int
    status: ChallengeStatus
    judge: Literal["video", "user"]
    left_s: float | None
    advice: Advice | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PersonState(Value):
    """One person on the screen.

    track_id: the same as long as the face is followed, from 1 in order of appearance · box_xyxy f32 (4,):
    where the face was seen last, in px of the frame · seen_s: seconds in which the face was judged ·
    statistic: how far the sequential test has come, at least 0; from 1 on it asks, from 2 on it alarms ·
    second: evidence of the last judged second by name, natural-log likelihood ratios; empty before the
    first · reason: why the face cannot be judged at the moment, None where it can. An ``ask`` or
    ``alarm`` that was reached stays while the face is turned away or leaves the picture for a moment.
    """

    track_id: int
    box_xyxy: F32
    level: LiveLevel
    seen_s: float
    statistic: float
    second: Mapping[str, float] = field(default_factory=dict)
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LiveState(Value):
    """The call at one moment.

    time_s: of the newest frame · level: the highest of the people in the picture, ``no_picture`` without any
    who can be judged · people: those in the picture now, by ``track_id`` · reasons: why there is no picture,
    empty where there is one · frames: how many came so far · looks: how many crops of faces the networks were
    asked about so far · challenge: the last that was asked for, None before the first.
    """

    time_s: float
    level: LiveLevel
    people: tuple[PersonState, ...]
    reasons: tuple[Reason, ...]
    frames: int
    looks: int
    challenge: ChallengeState | None = None
