"""Challenges: what is seen of them in looks, what is not taken for one, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls import CallPipeline, screen, write_rule
from haechi.live import LiveSession, LiveState
from haechi.live.challenges.asking import Challenges
from haechi.live.challenges.challenge import CHECKS, SETTLE_S, TIME_S, Challenge
from haechi.live.challenges.hand import Hand
from haechi.live.challenges.look import Calm, Look
from haechi.live.challenges.offers import PAUSE_S, Offers
from haechi.live.people import Person
from haechi.live.types import CHALLENGES, ChallengeName, ChallengeState
from haechi.settings import Settings
from haechi.types import F32, U8
from synthetic import texture

EMPTY = np.zeros((480, 640, 3), np.uint8)
FACE = np.array([250, 150, 390, 330], np.float32)


def points(box: F32, turned: float = 0.0) -> F32:
    """Five points of a face whose nose is moved so far from the middle, 0.8 at an eye."""
    x1, y1, x2, y2 = (float(v) for v in box)
    w, h = x2 - x1, y2 - y1
    eyes = np.array([[x1 + 0.3 * w, y1 + 0.4 * h], [x1 + 0.7 * w, y1 + 0.4 * h]])
    nose = [x1 + 0.5 * w + turned * 0.25 * w, y1 + 0.6 * h]
    return np.array([*eyes, nose, [x1 + 0.35 * w, y1 + 0.8 * h], [x1 + 0.65 * w, y1 + 0.8 * h]], np.float32)


def look(time_s: float, box: F32 = FACE, turned: float = 0.0, *, lost: bool = False) -> Look:
    return Look(time_s, box, points(box, turned), not lost)


BEFORE = [look(k / 5) for k in range(5)]
START_S = 1.0


def asked(name: ChallengeName, refused: int = 0) -> Challenge:
    return Challenge(name, 1, BEFORE, START_S, newest_id=1, refused=refused)


def after(challenge: Challenge, looks: Sequence[Look], frames: Sequence[U8] = ()) -> str:
    """The status after looks."""
    for k, one in enumerate(looks):
        challenge.see(one, frames[k] if len(frames) else EMPTY)
        state = challenge.state(one.time_s)
    return state.status


def along(values: Sequence[float], make: Callable[[float, float], Look]) -> list[Look]:
    """Five looks a second, each made of its time and a value."""
    return [make(START_S + (k + 1) / 5, value) for k, value in enumerate(values)]


def turning(values: Sequence[float]) -> list[Look]:
    return along(values, lambda t, v: look(t, turned=v))


def rising(values: Sequence[float]) -> list[Look]:
    return along(values, lambda t, v: look(t, FACE - np.array([0, v, 0, v], np.float32) * 180))


def growing(values: Sequence[float]) -> list[Look]:
    middle = np.tile((FACE[:2] + FACE[2:]) / 2, 2)
    return along(values, lambda t, v: look(t, np.asarray(middle + (FACE - middle) * v, np.float32)))


@pytest.mark.parametrize(
    ("name", "whole", "part"),
    [
        ("turn", turning([0.2, 0.6, 1.1, 1.2, 0.6, 0.1]), turning([0.2, 0.45, 0.6, 0.45, 0.0, 0.0])),
        ("turn", turning([-0.3, -0.7, -1.1, -0.5, 0.0]), turning([1.1, 1.2, 1.1, 1.1, 1.1])),
        ("turn", turning([0.6, 0.6, 0.1]), turning([0.6, -0.6, 0.7, -0.7, 0.0])),
        ("stand", rising([0.2, 0.5, 0.75, 0.8, 0.8]), rising([0.1, 0.3, 0.4, 0.4, 0.1])),
        ("close", growing([1.1, 1.3, 1.5, 1.6, 1.6]), growing([1.1, 1.2, 1.3, 1.2, 1.0])),
        ("close", growing([1.1, 1.3, 1.5, 1.6, 1.6]), growing([1.2, 1.4, 1.55, 1.3, 1.0])),
    ],
)
def test_the_whole_of_it_is_seen_and_a_part_is_not(
    name: ChallengeName, whole: list[Look], part: list[Look]
) -> None:
    assert after(asked(name), whole) == "done"
    assert after(asked(name), part) != "done"
    for other in {"turn", "stand", "close"} - {name}:
        assert after(asked(other), whole) != "done", f"{name} is not {other}"


def test_a_face_that_is_lost_while_it_turns_and_comes_back_has_turned() -> None:
    lost = [look(START_S + 0.6 + k / 5, turned=0.48, lost=True) for k in range(4)]
    there = turning([0.45, 0.48])
    back = [look(START_S + 1.6, turned=0.1)]
    assert after(asked("turn"), [*there, *lost]) == "begun"
    assert after(asked("turn"), [*there, *lost, *back]) == "done"
    missed = [look(START_S + 0.4 + k / 5, lost=True) for k in range(4)]
    assert after(asked("turn"), [*turning([0.1, 0.1]), *missed, *back]) != "done", "lost, but not sideways"


def test_who_leaves_the_picture_upwards_has_stood_up() -> None:
    at_top = rising([0.2, 0.5, 0.8])[:2]
    edge = [look(START_S + 0.6, FACE - np.array([0, 130, 0, 130], np.float32))]
    lost = [look(START_S + 0.8 + k / 5, edge[0].box_xyxy, lost=True) for k in range(4)]
    assert after(asked("stand"), [*at_top, *edge, *lost]) == "done"
    gone = [look(START_S + 0.2 + k / 5, lost=True) for k in range(20)]
    assert after(asked("stand"), gone) != "done", "lost, but not upwards"


@pytest.mark.parametrize("name", ["stand", "close", "turn"])
def test_a_tile_that_is_put_elsewhere_or_enlarged_is_no_challenge(name: ChallengeName) -> None:
    moved = [look(START_S + 0.2 + k / 5, FACE / 2) for k in range(5)]
    back = [look(START_S + 1.4 + k / 5, FACE * np.float32(1.4)) for k in range(8)]
    assert after(asked(name), [*moved, *back]) == "asked"


def portrait(seed: int = 3) -> U8:
    """A frame whose face shows enough in every part of it to be found again."""
    frame = np.full((480, 640, 3), 110, np.uint8)
    x1, y1, x2, y2 = FACE.astype(int)
    frame[y1:y2, x1:x2] = texture(int(y2 - y1), int(x2 - x1), seed, soft=6)
    return frame


def veiled(left: float, width: float = 0.45) -> U8:
    """That frame with something plain before it: from ``left`` on, in widths of the face."""
    frame = portrait()
    x1, _, x2, _ = FACE.astype(int)
    a, b = (x1 + int((x2 - x1) * v) for v in (left, left + width))
    frame[140:480, max(a, 0) : max(b, 0)] = (200, 160, 130)
    return frame


def passing(starts: Sequence[float]) -> list[U8]:
    return [portrait(), portrait(), *(veiled(v) for v in starts), portrait(), portrait()]


ACROSS = [-0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


@pytest.mark.parametrize(
    ("frames", "status"),
    [
        (passing(ACROSS), "done"),
        (passing(ACROSS[::-1]), "done"),
        (passing([-0.4, -0.2, 0.0, 0.0, -0.2, -0.4]), "asked"),
        (passing([0.2] * 6), "asked"),
        ([portrait(), portrait(), *[portrait(9)] * 6, portrait(), portrait()], "asked"),
        ([np.roll(portrait(), k % 3, 1) for k in range(10)], "asked"),
    ],
    ids=["across", "the other way", "a part of the way", "held before it", "all at once", "trembling"],
)
def test_a_hand_that_passes_is_seen_and_nothing_else_is(frames: list[U8], status: str) -> None:
    looks = [look(START_S + (k + 1) / 5) for k in range(len(frames))]
    assert after(asked("hand"), looks, frames) == status


def test_a_hand_that_hides_the_face_from_the_finder_is_seen_too() -> None:
    frames = passing(ACROSS)
    looks = [look(START_S + (k + 1) / 5, lost=4 <= k <= 7) for k in range(len(frames))]
    assert after(asked("hand"), looks, frames) == "done"


def test_what_covers_the_face_for_good_is_no_passing_hand() -> None:
    check = Hand(Calm.of(BEFORE))
    frames = [portrait(), *[veiled(0.1)] * 60]
    stages = [check.add(look(START_S + k / 5), frame) for k, frame in enumerate(frames)]
    assert "done" not in stages


def test_time_runs_out_and_nobody_is_suspected_for_what_the_program_did_not_see() -> None:
    state = asked("turn").state(START_S + 5)
    assert (state.status, state.judge, state.left_s, state.advice) == ("asked", "video", TIME_S - 5, None)
    for before in (0, 1, 5):
        late = asked("turn", before).state(START_S + TIME_S)
        assert (late.status, late.advice, late.left_s) == ("not_seen", "again", None)


def test_who_will_not_read_a_word_twice_is_to_be_called_back() -> None:
    for before, advice in ((0, "again"), (1, "verify")):
        challenge = asked("word", before)
        challenge.judge(False, START_S + 3)
        assert challenge.state(START_S + 3).advice == advice


@pytest.mark.parametrize(
    ("statistics", "judged_s", "advice"),
    [
        ([0.1, 0.1, 0.1, 0.1], 4.0, "watch"),
        ([0.1, 0.3, 0.6, 0.2], 4.0, "verify"),
        ([0.1, 0.1, 0.1, 0.1], 1.0, "again"),
        ([2.4, 2.4, 2.4, 2.4], 4.0, "verify"),
    ],
    ids=["as before", "it rose", "hardly judged", "an alarm stays one"],
)
def test_only_the_seconds_of_a_done_challenge_count(
    statistics: list[float], judged_s: float, advice: str
) -> None:
    challenge = asked("turn")
    challenge.weigh(START_S, 0.9 if advice == "watch" else 0.1, 0.0)  # before it began: it does not count
    challenge.weigh(START_S + 0.1, statistics[0], 0.0)
    assert after(challenge, turning([0.2, 0.6, 1.2, 0.6, 0.0])) == "done"
    done_s = START_S + 1.0
    for k, statistic in enumerate(statistics[1:]):
        challenge.weigh(done_s + k, statistic, judged_s * (k + 1) / 3)
        if k == 0:
            assert challenge.state(done_s + k).advice is None, "its last seconds are not over"
    challenge.weigh(done_s + SETTLE_S, statistics[-1], judged_s)
    assert challenge.state(done_s + SETTLE_S).advice == advice


def test_nothing_is_said_of_a_face_of_which_nothing_came_any_more() -> None:
    challenge = asked("close")
    assert after(challenge, growing([1.1, 1.3, 1.5, 1.6, 1.6])) == "done"
    assert challenge.state(100.0).advice == "again"


def test_a_word_is_judged_by_the_user_alone() -> None:
    challenge = asked("word")
    assert after(challenge, turning([0.2, 0.6, 1.2, 0.6, 0.0])) == "asked"
    state = challenge.state(START_S + 500)
    assert (state.status, state.judge, state.left_s) == ("asked", "user", None)
    challenge.judge(False, START_S + 500)
    assert challenge.state(START_S + 500).status == "not_seen"
    other = asked("turn")
    other.judge(True, 3.0)
    assert other.state(3.0).status == "asked", "what the video shows is not for the user to say"


def person(number: int, last_s: float, box: F32 = FACE) -> Person:
    return Person(number, box, points(box), last_s)


def test_they_are_drawn_without_repeating_until_all_were_asked() -> None:
    challenges = Challenges(Random(4))
    challenges.see(EMPTY, 0.0, [person(1, 0.0)])
    names: list[Any] = []
    for _ in range(12):
        assert challenges.ask(1, 0.0)
        state = challenges.state(0.0)
        assert state is not None
        names.append(state.name)
    assert all(set(names[k : k + 4]) == set(CHECKS) for k in (0, 4, 8))
    assert all(a != b for a, b in pairwise(names))
    assert not challenges.ask(7, 0.0), "nobody of that number"
    assert set(CHALLENGES) == {*CHECKS, "word"}


def test_who_comes_back_under_a_new_number_is_whoever_was_asked() -> None:
    challenges = Challenges(Random(4))
    for k in range(5):
        challenges.see(EMPTY, k / 5, [person(1, k / 5)])
    challenges.ask(1, 0.8, "close")
    elsewhere = FACE + np.float32(240)
    for k, box in enumerate(one.box_xyxy for one in growing([1.1, 1.3, 1.5, 1.6, 1.6])):
        now_s = 1.0 + k / 5
        challenges.see(EMPTY, now_s, [person(1, 0.8), person(2, now_s, elsewhere), person(3, now_s, box)])
    state = challenges.state(2.0)
    assert state is not None
    assert (state.status, state.person_id) == ("done", 1)


looks_of = st.lists(
    st.tuples(*[st.floats(-300, 900, width=32)] * 4, st.booleans(), st.floats(-3, 3)), min_size=1, max_size=30
)


@given(looks_of, st.sampled_from([*CHECKS]))
def test_no_look_whatever_it_is_breaks_a_check(rows: list[Any], name: ChallengeName) -> None:
    challenge = asked(name)
    for k, (x1, y1, x2, y2, in_sight, turned) in enumerate(rows):
        box = np.array([min(x1, x2), min(y1, y2), max(x1, x2) + 1, max(y1, y2) + 1], np.float32)
        challenge.see(Look(START_S + k / 5, box, points(box, turned), in_sight), EMPTY)
        assert challenge.state(START_S + k / 5).status in ("asked", "begun", "done", "not_seen")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return write_rule(tmp_path)


def test_a_session_asks_whoever_shows_the_most_and_says_how_it_stands(settings: Settings) -> None:
    pipeline = CallPipeline(settings)
    session = LiveSession(pipeline, Random(1))
    assert session.ask() is False, "nobody is there yet"
    tiles = [(20, 120, 180, 1), (320, 120, 180, 2)]
    pipeline.finder.tiles = tiles
    for k in range(40):
        state = session.add(screen(tiles, k, forged=[2]), k / 5)
    assert state.challenge is None
    assert session.ask("close")
    state = session.add(screen(tiles, 40, forged=[2]), 8.0)
    asked_of = next(p for p in state.people if p.box_xyxy[0] == 320)
    assert state.challenge is not None
    assert (state.challenge.name, state.challenge.person_id) == ("close", asked_of.track_id)
    assert session.miss(40.0).challenge.status == "not_seen"  # type: ignore[union-attr]
    assert not session.ask("word"), "there is no picture"
    session.add(screen(tiles, 41, forged=[2]), 40.5)
    assert session.ask("word")
    session.judge(True)
    state = session.add(screen(tiles, 42, forged=[2]), 41.0)
    assert state.challenge is not None
    assert (state.challenge.status, state.challenge.judge) == ("done", "user")


def test_a_program_asks_when_signs_are_there_and_not_without_end() -> None:
    def at(time_s: float, level: Any, advice: Any = None, status: Any = None) -> LiveState:
        challenge = ChallengeState("turn", 1, status, "video", 1.0, advice) if status else None
        return LiveState(time_s, level, (), (), 1, 1, challenge)

    offers = Offers()
    assert not offers.due(at(0, "watching"))
    assert offers.due(at(1, "ask"))
    assert not offers.due(at(2, "ask", None, "begun"))
    assert not offers.due(at(9, "ask", "again", "not_seen"))
    assert offers.due(at(9 + PAUSE_S, "ask", "again", "not_seen"))
    assert not Offers().due(at(900, "alarm", "verify", "done"))
    assert not Offers().due(at(900, "watching", "watch", "done"))
