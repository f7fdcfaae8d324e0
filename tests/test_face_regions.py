"""A part of the face is named only where the map is clearly bright."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from haechi.face_regions import place

BOX = (100.0, 50.0, 324.0, 274.0)
POINTS = np.array([[170, 140], [250, 140], [210, 185], [178, 220], [242, 220]], np.float32)


def hot(*centres: tuple[float, float], radius: float = 2.5) -> np.ndarray:
    """A 28 x 28 map, bright about places of the picture."""
    y, x = np.mgrid[0:28, 0:28] + 0.5
    out = np.full((28, 28), 0.03, np.float32)
    for cx, cy in centres:
        near = (x - (cx - 100) / 8) ** 2 + (y - (cy - 50) / 8) ** 2 <= radius**2
        out[near] = 0.9
    return out


@pytest.mark.parametrize(
    ("heat", "name"),
    [
        (hot((210, 220)), "place_mouth"),
        (hot((170, 140)), "place_eye_left"),
        (hot((250, 140)), "place_eye_right"),
        (hot((170, 140), (250, 140)), "place_eyes"),
        (hot((210, 178)), "place_nose"),
        (hot((210, 175), radius=20), "place_whole"),
        (hot(), None),
        (np.full((28, 28), 0.4, np.float32), None),
    ],
)
def test_the_bright_part_is_named(heat: np.ndarray, name: str | None) -> None:
    assert place(heat, BOX, POINTS) == name


def test_a_bright_outline_is_the_edge() -> None:
    y, x = np.mgrid[0:28, 0:28] + 0.5
    ring = np.hypot(x - 13.7, (y - 15.6) / 1.2)
    heat = np.where((ring > 9) & (ring < 12), 0.9, 0.03).astype(np.float32)
    assert place(heat, BOX, POINTS) == "place_edge"


def test_left_and_right_are_those_of_the_picture() -> None:
    """A mirrored face has the subject's right eye on the right of the picture."""
    turned = POINTS[[1, 0, 2, 4, 3]]
    assert place(hot((170, 140)), BOX, turned) == "place_eye_left"


@given(
    arrays(np.float32, (28, 28), elements=st.floats(0, 1, width=32)),
    arrays(np.float32, (5, 2), elements=st.floats(-1e4, 1e4, width=32)),
)
def test_any_map_and_any_points_are_borne(heat: np.ndarray, points: np.ndarray) -> None:
    name = place(heat, BOX, points)
    assert name is None or name.startswith("place_")
