"""Angles of heads that were turned by known ones, and of pictures that have no depth."""

from __future__ import annotations

import numpy as np
import pytest

from haechi.head import PROTRUSION, length_px, nose_below, yaw_deg
from haechi.types import F32

HEAD = np.array([[-0.45, 0, 0], [0.45, 0, 0], [0, 0.55, PROTRUSION], [-0.35, 1, 0], [0.35, 1, 0]])
FLAT = HEAD * [1, 1, 0]


def held(points: np.ndarray, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> F32:
    """f32 (1, 5, 2): as a camera far off sees them, 80 px from the eyes to the mouth."""
    a, b, c = np.radians([yaw, pitch, roll])
    x, y, z = points.T
    x, z = x * np.cos(a) + z * np.sin(a), z * np.cos(a) - x * np.sin(a)
    y, z = y * np.cos(b) + z * np.sin(b), z * np.cos(b) - y * np.sin(b)
    seen = np.stack([x * np.cos(c) - y * np.sin(c), x * np.sin(c) + y * np.cos(c)], 1)
    return (80 * seen + 300)[None].astype(np.float32)


@pytest.mark.parametrize("roll", [-25.0, 0.0, 40.0])
@pytest.mark.parametrize("yaw", [-60.0, -20.0, 0.0, 35.0, 75.0])
def test_a_turn_is_told_in_degrees_however_the_head_leans(yaw: float, roll: float) -> None:
    assert yaw_deg(held(HEAD, yaw, roll=roll))[0] == pytest.approx(yaw, abs=0.1)
    assert yaw_deg(held(FLAT, yaw, roll=roll))[0] == pytest.approx(0, abs=0.1), "no depth, no turn"


def test_a_nod_moves_the_nose_down_and_is_no_turn() -> None:
    nod = held(HEAD, pitch=20.0)
    assert nose_below(nod)[0] - nose_below(held(HEAD))[0] > 0.12
    assert yaw_deg(nod)[0] == pytest.approx(0, abs=0.1)
    assert nose_below(held(FLAT, pitch=20.0))[0] == pytest.approx(nose_below(held(FLAT))[0], abs=1e-3)


def test_the_length_of_a_face_survives_a_turn() -> None:
    assert length_px(held(HEAD, yaw=50.0))[0] == pytest.approx(80, abs=0.1)


def test_where_there_is_no_face_there_is_no_angle() -> None:
    lost = np.full((1, 5, 2), np.nan, np.float32)
    assert np.isnan([yaw_deg(lost)[0], nose_below(lost)[0], length_px(lost)[0]]).all()
    assert np.isfinite(yaw_deg(np.zeros((1, 5, 2), np.float32))).all(), (
        "five points in one place are no error"
    )
