"""A call under watch: who is on the screen, when there is no picture, and when evidence becomes an alarm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from calls import RULE, CallPipeline, Tile, screen, write_rule
from haechi.errors import ModelError, UsageError
from haechi.live import LiveSession, LiveState
from haechi.live.cusum import Cusum, CusumRule, Mark
from haechi.live.seconds import CROPS_A_SECOND, CROPS_OF_ALL
from haechi.live.session import rule_of
from haechi.settings import Settings
from haechi.types import U8

ALONE: Tile = (200, 120, 200, 1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return write_rule(tmp_path)


def watch(
    pipeline: CallPipeline,
    seconds: float,
    tiles: Sequence[Tile] = (ALONE,),
    forged: Sequence[int] = (),
    session: LiveSession | None = None,
    start_s: float = 0.0,
) -> Iterator[LiveState]:
    """Five frames a second of people who move."""
    session = LiveSession(pipeline) if session is None else session
    pipeline.finder.tiles = tiles
    for k in range(round(seconds * 5)):
        yield session.add(screen(tiles, k, forged), start_s + k / 5)


def last(states: Iterator[LiveState]) -> LiveState:
    *_, state = states
    return state


def test_a_forged_caller_alarms_and_a_genuine_one_does_not(settings: Settings) -> None:
    levels = [s.level for s in watch(CallPipeline(settings), 8, forged=[1])]
    assert levels[0] == "watching"
    assert levels[-1] == "alarm"
    assert levels.index("ask") < levels.index("alarm")
    assert {s.level for s in watch(CallPipeline(settings), 20)} == {"watching"}


def test_each_person_is_judged_alone(settings: Settings) -> None:
    tiles = [(20, 20, 180, 1), (320, 20, 180, 2), (20, 250, 180, 3)]
    state = last(watch(CallPipeline(settings), 8, tiles, forged=[2]))
    levels = {tuple(p.box_xyxy[:2]): p.level for p in state.people}
    assert levels == {(20, 20): "watching", (320, 20): "alarm", (20, 250): "watching"}
    assert state.level == "alarm"


def test_an_alarm_stays_with_the_person_when_tiles_move(settings: Settings) -> None:
    pipeline = CallPipeline(settings)
    session = LiveSession(pipeline)
    before = last(watch(pipeline, 8, [(20, 20, 180, 1), (320, 20, 180, 2)], [2], session))
    after = last(watch(pipeline, 0.6, [(20, 250, 180, 2), (320, 250, 180, 1)], [2], session, 8.0))
    people = [{tuple(p.box_xyxy[:2]): (p.track_id, p.level) for p in s.people} for s in (before, after)]
    assert people[0][(320, 20)] == people[1][(20, 250)]
    assert people[0][(320, 20)][1] == "alarm"
    assert people[0][(20, 20)] == people[1][(320, 250)]


def test_somebody_else_in_the_same_place_inherits_nothing(settings: Settings) -> None:
    pipeline = CallPipeline(settings)
    session = LiveSession(pipeline)
    assert last(watch(pipeline, 8, forged=[1], session=session)).level == "alarm"
    state = last(watch(pipeline, 2, [(*ALONE[:3], 7)], session=session, start_s=8.0))
    assert [(p.track_id, p.level, p.statistic) for p in state.people] == [(2, "watching", 0.0)]


def test_who_is_hidden_for_a_moment_keeps_their_number_and_what_was_found(settings: Settings) -> None:
    """As by a hand that passes: the finder follows it, and takes it for somebody else."""
    pipeline = CallPipeline(settings)
    session = LiveSession(pipeline)
    before = last(watch(pipeline, 8, forged=[1], session=session))
    last(watch(pipeline, 0.8, [(*ALONE[:3], 9)], session=session, start_s=8.0))
    after = last(watch(pipeline, 0.4, forged=[1], session=session, start_s=8.8))
    assert [(p.track_id, p.level) for p in before.people] == [(1, "alarm")]
    assert (1, "alarm") in [(p.track_id, p.level) for p in after.people]


@pytest.mark.parametrize(
    ("code", "frame"),
    [
        ("live_black", np.full((480, 640, 3), 16, np.uint8)),
        ("live_small_picture", np.full((64, 64, 3), 128, np.uint8)),
        ("live_no_face", np.full((480, 640, 3), 128, np.uint8)),
    ],
)
def test_without_a_picture_nothing_is_said(settings: Settings, code: str, frame: U8) -> None:
    pipeline = CallPipeline(settings)
    session = LiveSession(pipeline)
    states = [session.add(frame, k / 5) for k in range(9)]
    assert {(s.level, s.people, s.reasons[0].code) for s in states} == {("no_picture", (), code)}
    assert pipeline.network.asked_for == []


def test_a_picture_that_stands_still_is_not_judged_any_more(settings: Settings) -> None:
    pipeline = CallPipeline(settings)
    session = LiveSession(pipeline)
    pipeline.finder.tiles = (ALONE,)
    states = [session.add(screen([ALONE], 0, [1]), k / 5) for k in range(50)]
    assert states[5].level == "watching"
    assert {(s.level, s.reasons[0].code) for s in states[11:]} == {("no_picture", "live_frozen")}
    assert "alarm" not in {s.level for s in states}
    asked_for = sum(pipeline.network.asked_for)
    assert session.add(screen([ALONE], 4, [1]), 10.0).level != "no_picture"
    assert sum(pipeline.network.asked_for) > asked_for


def test_a_tile_that_stands_still_among_others_gathers_no_evidence(settings: Settings) -> None:
    pipeline = CallPipeline(settings)
    session = LiveSession(pipeline)
    tiles = [(20, 20, 180, 1), (320, 20, 180, 2)]
    pipeline.finder.tiles, states = tiles, []
    for k in range(60):
        states.append(session.add(screen(tiles, k, forged=[1], frozen=[1]), k / 5))
    state, early = states[-1], states[15]
    reasons = {int(p.box_xyxy[0]): p.reason and p.reason.code for p in state.people}
    assert reasons == {20: "live_frozen", 320: None}
    assert [p.statistic for p in state.people] == [p.statistic for p in early.people]
    assert state.level != "alarm"


def test_when_frames_stop_coming_the_state_says_so(settings: Settings) -> None:
    pipeline = CallPipeline(settings)
    session = LiveSession(pipeline)
    last(watch(pipeline, 3, session=session))
    assert session.miss(4.0).level == "watching"
    state = session.miss(5.5)
    assert (state.level, state.reasons[0].code, state.people) == ("no_picture", "live_no_frame", ())


@pytest.mark.parametrize(
    ("tile", "code"), [((200, 120, 30, 1), "face_too_small"), ((200, 120, 200, 1), "face_too_blurred")]
)
def test_a_face_that_cannot_be_judged_gets_a_reason_and_no_score(
    settings: Settings, tile: Tile, code: str
) -> None:
    pipeline = CallPipeline(settings)
    pipeline.finder.tiles = (tile,)
    session = LiveSession(pipeline)
    blank = code == "face_too_blurred"
    for k in range(15):
        frame = np.full((480, 640, 3), 120 + k % 3, np.uint8) if blank else screen([tile], k, [1])
        state = session.add(frame, k / 5)
    assert state.level == "no_picture"
    assert [p.reason and p.reason.code for p in state.people] == [code]
    assert pipeline.network.asked_for == []


def test_what_may_be_no_face_is_nobody(settings: Settings) -> None:
    pipeline = CallPipeline(settings)
    pipeline.finder.certainty = 0.2
    state = last(watch(pipeline, 4, forged=[1]))
    assert (state.level, state.people, pipeline.network.asked_for) == ("no_picture", (), [])


def test_a_crowd_is_looked_at_in_turn(settings: Settings) -> None:
    tiles = [(10 + 155 * (k % 4), 10 + 155 * (k // 4), 140, k + 1) for k in range(12)]
    pipeline = CallPipeline(settings)
    state = last(watch(pipeline, 10, tiles))
    assert len(state.people) == 12
    assert min(p.seen_s for p in state.people) >= 4
    assert sum(pipeline.network.asked_for) <= 10 * max(CROPS_OF_ALL, 12 * 2)
    alone = CallPipeline(settings)
    last(watch(alone, 10))
    assert sum(alone.network.asked_for) <= 10 * CROPS_A_SECOND + CROPS_A_SECOND


def test_frames_of_a_fast_camera_are_not_all_searched(settings: Settings) -> None:
    pipeline = CallPipeline(settings)
    pipeline.finder.tiles = (ALONE,)
    session = LiveSession(pipeline)
    for k in range(60):
        state = session.add(screen([ALONE], k), k / 30)
    assert state.frames == 60
    assert state.looks <= 2 * CROPS_A_SECOND + 1


def test_frames_out_of_order_are_refused(settings: Settings) -> None:
    session = LiveSession(CallPipeline(settings))
    session.add(screen([ALONE], 0), 3.0)
    with pytest.raises(UsageError, match="order of time"):
        session.add(screen([ALONE], 1), 2.0)


def test_signs_are_weighed_beside_the_network_and_told_by_name(tmp_path: Path) -> None:
    sign = {"weights": [0.0] * 3, "intercept": 2.5, "cap_for": 2.0, "cap_against": 1.0}
    fusion = {"weights": {"swap": 0.0, "sharpness": 1.0}, "intercept": 0.0}
    settings = write_rule(tmp_path, signs={"sharpness": sign}, fusion=fusion)
    state = last(watch(CallPipeline(settings), 10))
    (person,) = state.people
    assert person.second["sharpness"] == 2.0
    assert set(person.second) == {"swap", "sharpness"}
    assert person.level == "alarm"


def test_thresholds_of_other_networks_are_refused(tmp_path: Path) -> None:
    settings = write_rule(tmp_path, fitted_with="0" * 64)
    with pytest.raises(ModelError, match="other networks"):
        LiveSession(CallPipeline(settings))


def test_the_shipped_thresholds_belong_to_the_shipped_networks() -> None:
    rule = rule_of(Settings())
    for mark in (rule.asks, rule.alarms):
        assert 0 <= mark.drift < mark.clip
        assert mark.threshold > 0
    assert rule.asks.drift <= rule.alarms.drift


def test_the_sum_forgives_and_has_a_ceiling() -> None:
    test = Cusum(CusumRule.of(RULE))
    test.add(100.0)
    assert test.height == pytest.approx(2 / 3)  # one second says no more than the clip
    for _ in range(50):
        test.add(100.0)
    assert (test.height, test.level) == (2.5, "alarm")
    levels = []
    for _ in range(4):
        test.add(-1.0)
        levels.append(test.level)
    assert levels == ["alarm", "alarm", "watching", "watching"]
    test.add(-100.0)
    assert test.height == 0.0


def test_who_looks_a_little_suspicious_all_the_time_is_asked_but_not_accused() -> None:
    rule = CusumRule(Mark(0.5, 3.0, 4.0), Mark(1.5, 3.0, 4.0))
    test = Cusum(rule)
    for _ in range(500):
        test.add(1.2)
    assert (test.height, test.level) == (1.0, "ask")
