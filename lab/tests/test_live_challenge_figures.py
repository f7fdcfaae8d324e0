"""What is measured of challenges: that what is drawn moves where it should, and is counted rightly."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from haechi.live.challenges.challenge import CHECKS
from haechi.live.people import Person
from haechi.types import F32, U8
from haechi_lab.live.challenges import Moment, Tally, asked, poisson_upper
from haechi_lab.live.motions import ACT_S, CALM_S, RATE, perform

POINTS = np.array([[100, 90], [140, 90], [120, 112], [105, 130], [135, 130]], np.float32)


def frame(seed: int = 0) -> U8:
    rng = np.random.default_rng(seed)
    return np.asarray(rng.integers(0, 255, (240, 240, 3)), np.uint8)


@pytest.mark.parametrize("name", [*CHECKS])
@pytest.mark.parametrize("share", [1.0, 0.35])
def test_a_challenge_is_drawn_between_two_calm_parts(name: str, share: float) -> None:
    still = frame()
    frames = perform(name, [still] * 4, [POINTS] * 4, share, np.random.default_rng(1))
    assert len(frames) == round(RATE * (2 * CALM_S + ACT_S))
    begin, middle = round(RATE * CALM_S), round(RATE * (CALM_S + ACT_S / 2))
    assert all(np.array_equal(one, still) for one in frames[:begin])
    assert not np.array_equal(frames[middle], still)
    stays = name == "stand" and share == 1.0
    assert np.array_equal(frames[-1], still) is not stays


def test_the_head_turns_and_the_rest_stays() -> None:
    still = frame()
    frames = perform("turn", [still] * 4, [POINTS] * 4, 1.0, np.random.default_rng(1))
    moved = np.any(frames[round(RATE * (CALM_S + ACT_S / 2))] != still, 2)
    rows, columns = np.nonzero(moved)
    assert moved.sum() > 2000
    assert (rows.min() > 20, rows.max() < 200, columns.min() > 40, columns.max() < 200) == (True,) * 4


def moments(heights: list[float]) -> list[Moment]:
    """One person whose face has these heights, five times a second."""
    out = []
    for k, height in enumerate(heights):
        box: F32 = np.array(
            [120 - height / 2, 120 - height / 2, 120 + height / 2, 120 + height / 2], np.float32
        )
        person = Person(1, box, POINTS, k / 5, face_px=height)
        out.append(Moment(k / 5, frame(), [person]))
    return out


def test_what_was_asked_for_is_followed_to_its_end() -> None:
    near = moments([80.0] * 8 + [95.0, 110.0, 122.0, 130.0, 130.0] + [80.0] * 4)
    state, at = asked("close", near, 6)
    assert state is not None
    assert (state.status, at) == ("done", 11)
    state, at = asked("stand", near, 6)
    assert state is not None
    assert (state.status, at) == ("asked", len(near) - 1)


def test_what_fires_by_itself_is_counted_by_the_minute() -> None:
    tally = Tally()
    tally.at_rest("talking", moments([80.0] * 60))
    tally.performed("close", "whole", moments([80.0] * 8 + [95.0, 110.0, 122.0, 130.0, 130.0]))
    tally.performed("turn", "whole", moments([80.0] * 20))
    fields = tally.fields()
    assert fields["minutes"] == {"talking": pytest.approx(11.4 / 60, abs=0.01)}
    assert fields["fired"]["talking"]["close"] == 0
    rows = {row[0]: row[1:] for row in fields["table"]["rows"]}
    assert rows["close"][:3] == ["1 of 1", "0 of 0", "0 of 1"]
    assert rows["turn"][:3] == ["0 of 1", "0 of 0", "0 of 1"]
    assert rows["close"][3].startswith("0 in 0.2 min (at most 15.8 a minute)")


@pytest.mark.parametrize(("count", "bound"), [(0, 2.996), (1, 4.744), (5, 10.513)])
def test_the_bound_of_a_count_is_the_exact_one(count: int, bound: float) -> None:
    assert poisson_upper(count) == pytest.approx(bound, abs=0.001)
