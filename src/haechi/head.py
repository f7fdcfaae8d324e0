"""How a head is held, as far as five landmarks tell it: for challenges of a call and of a verification.

Landmarks are f32 (K, 5, 2) in px: the subject's right eye, left eye, nose tip, right and left corner of the
mouth, each of K frames; where one is NaN, so is what comes of it."""

from __future__ import annotations

import numpy as np

from haechi.types import F32, F64

PROTRUSION = 0.42
"""How far the tip of the nose stands out before the eyes, in lengths from the eyes to the mouth: the least of
usual faces, so that an angle is rather told too large than too small."""


def yaw_deg(landmarks_xy: F32) -> F64:
    """f64 (K,): how far the head is turned, in degrees, positive towards the subject's left. It goes by how
    far the tip of the nose lies off the middle of the eyes: turning moves it because the nose stands out; on
    anything flat it does not move, however it is turned. Nobody's nose is in the very middle: what counts is
    the difference from rest."""
    nose, _, across, length = _frame(landmarks_xy)
    out: F64 = np.degrees(np.arcsin(np.clip((nose * across).sum(1) / length / PROTRUSION, -1.0, 1.0)))
    return out


def nose_below(landmarks_xy: F32) -> F64:
    """f64 (K,): how far the tip of the nose lies below the eyes, in lengths from the eyes to the mouth; a nod
    moves it."""
    nose, down, _, length = _frame(landmarks_xy)
    below: F64 = (nose * down).sum(1) / length
    return below


def length_px(landmarks_xy: F32) -> F64:
    """f64 (K,): from the middle of the eyes to that of the mouth, which a turn of the head leaves as it
    is."""
    marks = landmarks_xy.astype(np.float64)
    distance: F64 = np.linalg.norm(marks[:, :2].mean(1) - marks[:, 3:].mean(1), axis=1)
    return distance


def _frame(landmarks_xy: F32) -> tuple[F64, F64, F64, F64]:
    """From the middle of the eyes: the nose (K, 2), unit vectors down and towards the subject's left (K, 2),
    the length to the mouth (K,)."""
    marks = landmarks_xy.astype(np.float64)
    eyes, mouth = marks[:, :2].mean(1), marks[:, 3:].mean(1)
    length = np.maximum(length_px(landmarks_xy), 1e-6)
    down = (mouth - eyes) / length[:, None]
    return marks[:, 2] - eyes, down, np.stack([down[:, 1], -down[:, 0]], 1), length
