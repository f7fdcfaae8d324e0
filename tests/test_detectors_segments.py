"""Stretches of a video that are judged by themselves: none is passed over, and none is a single moment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haechi.detectors.evidence import SEGMENT_PICTURES, SEGMENT_S, Look, scored, stretches
from haechi.models import Calibration
from haechi.types import FaceQuality
from standins import CALIBRATION

GAPS = st.lists(st.floats(0.01, 30.0), min_size=1, max_size=200)


def look(times_s: np.ndarray, logits: np.ndarray) -> Look:
    n = len(times_s)
    return Look(1, logits, float(logits.mean()), times_s, np.zeros((n, 4)), np.zeros((n, 5, 2)))


@given(GAPS)
def test_every_moment_of_a_long_video_lies_in_a_stretch_that_is_long_enough(gaps: list[float]) -> None:
    times = np.concatenate([[0.0], np.cumsum(gaps)])
    parts = stretches(times)
    if not parts:
        return
    seen = np.concatenate([np.arange(p.start, p.stop) for p in parts])
    assert set(seen) == set(range(len(times)))
    for part in parts:
        assert part.stop - part.start >= SEGMENT_PICTURES
        assert times[part.stop - 1] - times[part.start] >= SEGMENT_S - 1e-6
    starts = [p.start for p in parts]
    assert starts == sorted(set(starts)), "no stretch is asked twice"


@pytest.mark.parametrize("times", [[0.0], [0.0, 1.0], np.arange(20) / 5, np.arange(4) * 60.0])
def test_what_is_short_or_seen_seldom_is_judged_as_a_whole_alone(times: list[float]) -> None:
    assert stretches(np.array(times)) == []


def test_four_seconds_in_sixty_are_told_apart_from_the_rest() -> None:
    times = np.arange(0.0, 60.0, 0.4)
    logits = np.where((times >= 30) & (times < 34), 3.0, -2.0)
    quality, calibration = FaceQuality(1, 200.0, 0.7, 0.5), Calibration.of(CALIBRATION)
    evidence = scored("swap", "1", [(look(times, logits), quality)], calibration, moments=True)
    assert evidence.llr is not None
    assert evidence.llr < -1.5
    best = max(evidence.segments, key=lambda s: s.llr)
    assert best.llr > 2.5
    assert abs(best.start_s - 30) <= 1
    assert abs(best.end_s - 34) <= 1
    still = scored("swap", "1", [(look(times[:1], logits[:1]), quality)], calibration, moments=False)
    assert still.segments == ()
