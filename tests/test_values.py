"""Values that hold arrays compare, hash and print as a reader expects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest

from haechi import types
from haechi.faces import Detections
from haechi.types import (
    Evidence,
    FaceTrack,
    Frame,
    Media,
    ModelRef,
    Preview,
    Reason,
    Region,
    Series,
)
from haechi.values import Value


def track(x: float = 0.0) -> FaceTrack:
    return FaceTrack(
        track_id=1,
        times_s=np.arange(3) / 10,
        boxes_xyxy=np.full((3, 4), x, np.float32),
        landmarks_xy=np.zeros((3, 5, 2), np.float32),
        scores=np.ones(3, np.float32),
        crops=np.zeros((2, 8, 8, 3), np.uint8),
        crop_index=np.array([0, 2]),
        crop_boxes_xyxy=np.zeros((2, 4), np.float32),
        native=(np.zeros((4, 4, 3), np.uint8),),
    )


def region(llr: float = 1.0, heat: float = 0.5) -> Region:
    return Region(1, 0.0, (0.0, 0.0, 8.0, 8.0), llr, np.full((4, 4), heat, np.float32))


def media(name: str = "a.png") -> Media:
    return Media(name, "0" * 64, "image", 4, 4, None, None, {"format": "png"}, lambda _: iter(()))


def detections(score: float = 0.5) -> Detections:
    return Detections(
        np.zeros((1, 4), np.float32), np.zeros((1, 5, 2), np.float32), np.full(1, score, np.float32)
    )


def evidence(heat: float = 0.5) -> Evidence:
    return Evidence("swap", "1", "scored", 1.0, Reason("scored"), regions=(region(heat=heat),))


MAKERS: list[tuple[Callable[[], Value], Value]] = [
    (track, track(1.0)),
    (track, replace(track(), native=())),
    (region, region(heat=0.25)),
    (region, replace(region(), heatmap=None)),
    (lambda: Series(1, np.arange(3.0), np.arange(3.0)), Series(1, np.arange(3.0), np.arange(1.0, 4.0))),
    (lambda: Frame(np.zeros((2, 2, 3), np.uint8), 0, 0.0), Frame(np.zeros((2, 3, 3), np.uint8), 0, 0.0)),
    (
        lambda: Preview(np.zeros((2, 2, 3), np.uint8), 0.0, 1.0),
        Preview(np.ones((2, 2, 3), np.uint8), 0.0, 1.0),
    ),
    (media, media("b.png")),
    (detections, detections(0.75)),
    (evidence, evidence(heat=0.25)),
    (lambda: Reason("a", {"n": 1}), Reason("a", {"n": 2})),
    (lambda: ModelRef("m", "1", "0", {"auc": [1, 2]}), ModelRef("m", "1", "0", {"auc": [1, 3]})),
]


@pytest.mark.parametrize(("make", "other"), MAKERS, ids=lambda v: type(v).__name__)
def test_values_are_equal_when_what_they_hold_is(make: Callable[[], Value], other: Value) -> None:
    one, same = make(), make()
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert len({one, same, other}) == 2
    assert one in [other, same]
    assert one != "something else"


@pytest.mark.parametrize(("make", "other"), MAKERS, ids=lambda v: type(v).__name__)
def test_values_print_in_a_line_whatever_they_hold(make: Callable[[], Value], other: Value) -> None:
    for value in (make(), other):
        assert repr(value).startswith(f"{type(value).__name__}(")
        assert "\n" not in repr(value)
        assert len(repr(value)) < 500


def test_nan_is_equal_to_nan() -> None:
    assert region(llr=float("nan")) == region(llr=float("nan"))
    assert hash(region(llr=float("nan"))) == hash(region(llr=float("nan")))
    assert region(heat=float("nan")) == region(heat=float("nan")) != region()


def test_a_track_is_short_when_printed() -> None:
    assert "boxes_xyxy=float32[3, 4]" in repr(track())
    long = replace(track(), native=tuple(np.zeros((4, 4, 3), np.uint8) for _ in range(50)))
    assert "native=(50 items)" in repr(long)


def test_a_media_is_known_by_its_content_not_by_what_reads_it() -> None:
    assert media() == replace(media(), reader=lambda n: iter(()))


def test_every_frozen_value_of_the_stages_is_compared_so() -> None:
    kinds: list[Any] = [
        kind for kind in vars(types).values() if isinstance(kind, type) and is_dataclass(kind)
    ]
    assert len(kinds) >= 14
    for kind in kinds:
        assert issubclass(kind, Value), kind
        assert "__eq__" not in vars(kind), kind
        assert fields(kind)
