"""How a head is held, as far as five landmarks tell it."""

from __future__ import annotations

import numpy as np

from haechi.types import F32, F64


def yaw_statistic(landmarks_xy: F32) -> F64:
    """f32 (K, 5, 2) -> f64 (K,): how far the tip of the nose lies off the middle of the eyes, towards the
    subject's left, in lengths from the eyes to the mouth. Turning moves it because the nose stands out; on
    anything flat it does not move, however it is turned."""
    nose, _, across, length = _frame(landmarks_xy)
    shift: F64 = (nose * across).sum(1) / length
    return shift


def pitch_statistic(landmarks_xy: F32) -> F64:
    """The same of how far the tip of the nose lies below the eyes."""
    nose, down, _, length = _frame(landmarks_xy)
    shift: F64 = (nose * down).sum(1) / length
    return shift


def _frame(landmarks_xy: F32) -> tuple[F64, F64, F64, F64]:
    """From the middle of the eyes: the nose (K, 2), unit vectors down and towards the subject's left (K, 2),
    the length to the mouth (K,)."""
    marks = landmarks_xy.astype(np.float64)
    eyes, mouth = marks[:, :2].mean(1), marks[:, 3:].mean(1)
    length = np.linalg.norm(mouth - eyes, axis=1)
    down = (mouth - eyes) / np.maximum(length, 1e-6)[:, None]
    return marks[:, 2] - eyes, down, np.stack([down[:, 1], -down[:, 0]], 1), np.maximum(length, 1e-6)


PROTRUSION = 0.42
"""How far the tip of the nose stands out before the eyes, in lengths from the eyes to the mouth: the least of
usual faces, so that an angle is rather told too large than too small."""


def yaw_deg(statistic: float, at_rest: float) -> float:
    """The angle of a turn from rest, in degrees, positive towards the subject's left."""
    sine = np.clip((statistic - at_rest) / PROTRUSION, -1.0, 1.0)
    return float(np.degrees(np.arcsin(sine)))
