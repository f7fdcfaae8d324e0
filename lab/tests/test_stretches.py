"""The marks for stretches of a video: the tail of genuine ones, of whichever kind of clip reaches further."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from haechi.errors import UsageError
from haechi.marks import Tail
from haechi_lab.calibrate.fusion import tail
from haechi_lab.calibrate.stretches import furthest


def test_the_marks_hold_for_clips_like_those_that_set_them() -> None:
    rng = np.random.default_rng(2)
    block = tail(rng.normal(0, 0.2, 2000))
    mark = Tail.of(block).highest(29, 0.05)
    assert (rng.normal(0, 0.2, (4000, 29)).max(1) > mark).mean() <= 0.05


def test_the_kind_of_clip_that_reaches_further_counts() -> None:
    rng = np.random.default_rng(3)
    still, talking = ([{"swap": list(rng.normal(0, s, 100))} for _ in range(5)] for s in (0.1, 0.3))
    alone = tail(np.array([c for clip in talking for c in clip["swap"]]))
    assert furthest({"stills": still, "talking": talking})["swap"] == alone
    assert furthest({"stills": still, "talking": [{"swap": [0.1]}]})["swap"]["nats"] < alone["nats"]


def test_without_stretches_there_are_no_marks() -> None:
    with pytest.raises(UsageError, match="too few stretches"):
        furthest({"stills": [{"swap": [0.1, 0.2]}]})
