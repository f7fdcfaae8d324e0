"""Masks of the face and its parts from the 468 points of the face mesh."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from haechi.types import F32

OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148,
        176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]  # fmt: skip
LIPS = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185]
EYE_LEFT = [263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466]
EYE_RIGHT = [33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246]
BROW_LEFT = [276, 283, 282, 295, 285, 300, 293, 334, 296, 336]
BROW_RIGHT = [46, 53, 52, 65, 55, 70, 63, 105, 66, 107]
NOSE = [168, 6, 98, 327, 2, 129, 358, 49, 279, 122, 351]

PARTS = {
    "eye_left": [EYE_LEFT + BROW_LEFT], "eye_right": [EYE_RIGHT + BROW_RIGHT], "eyes": [EYE_LEFT, EYE_RIGHT],
    "brows": [BROW_LEFT, BROW_RIGHT], "nose": [NOSE], "mouth": [LIPS],
}  # fmt: skip
"""Of each feature the outlines that it is made of."""


def hull(points: F32, side: int, grow: float = 1.0) -> F32:
    """Convex hull of points (n, 2), grown about its centre, as f32 (side, side) of 0 and 1."""
    centre = points.mean(0)
    outline = cv2.convexHull(((points - centre) * grow + centre).astype(np.float32))
    mask = np.zeros((side, side), np.float32)
    cv2.fillConvexPoly(mask, outline.astype(np.int32), 1.0)
    return mask


def face_mask(mesh: F32, side: int, rng: np.random.Generator) -> F32:
    """One of several ideas of where a swap would cut: oval, without forehead, features only, an ellipse."""
    kind = rng.integers(0, 4)
    if kind == 0:
        return hull(mesh[OVAL], side, rng.uniform(0.92, 1.05))
    if kind == 1:
        brows = mesh[BROW_LEFT + BROW_RIGHT]
        lower = mesh[OVAL][mesh[OVAL][:, 1] > brows[:, 1].mean()]
        return hull(np.concatenate([lower, brows]), side, rng.uniform(0.92, 1.08))
    if kind == 2:
        return hull(
            mesh[LIPS + EYE_LEFT + EYE_RIGHT + BROW_LEFT + BROW_RIGHT + NOSE], side, rng.uniform(0.98, 1.25)
        )
    ellipse = cv2.fitEllipse(mesh[OVAL].astype(np.float32))
    mask = np.zeros((side, side), np.float32)
    grow = rng.uniform(0.8, 1.0)
    cv2.ellipse(mask, (ellipse[0], (ellipse[1][0] * grow, ellipse[1][1] * grow), ellipse[2]), 1.0, -1)
    return mask


def part_mask(mesh: F32, side: int, rng: np.random.Generator) -> F32:
    """One or two features of the face."""
    names = rng.choice(list(PARTS), size=1 if rng.random() < 0.7 else 2, replace=False)
    return feature_mask(mesh, side, [str(name) for name in names], rng)


def feature_mask(mesh: F32, side: int, names: Sequence[str], rng: np.random.Generator) -> F32:
    """Some of PARTS, grown by a random share and, so that a narrow eye is not a streak, by a few pixels."""
    mask: np.ndarray = np.zeros((side, side), np.float32)
    for name in names:
        for outline in PARTS[name]:
            mask = np.maximum(mask, hull(mesh[outline], side, rng.uniform(1.1, 1.6)))
    more = int(np.linalg.norm(mesh[152] - mesh[10]) * rng.uniform(0.01, 0.04))
    if more:
        mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * more + 1, 2 * more + 1)))
    return mask


def elastic(mask: F32, rng: np.random.Generator) -> F32:
    """Deform a mask by smooth random shifts of up to about 4% of its side."""
    side = mask.shape[0]
    coarse = rng.normal(0, side * 0.02, (2, 5, 5)).astype(np.float32)
    dx, dy = (cv2.resize(c, (side, side), interpolation=cv2.INTER_CUBIC) for c in coarse)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    out: F32 = np.asarray(cv2.remap(mask, x + dx, y + dy, cv2.INTER_LINEAR), np.float32)
    return out


def soften(mask: F32, rng: np.random.Generator) -> F32:
    """Blur, cut, blur again, and make it partly see-through (Shiohara & Yamasaki 2022, step 4)."""
    first, second = (int(rng.integers(2, 13)) * 2 + 1 for _ in range(2))
    soft = cv2.GaussianBlur(mask, (first, first), 0)
    # The cut is a share of the most that is left: a blur as wide as an eye must not wipe it out.
    level = rng.uniform(0.3, 0.7) * float(soft.max())
    soft = cv2.GaussianBlur((soft > level).astype(np.float32), (second, second), 0)
    out: F32 = soft * float(rng.choice([0.25, 0.5, 0.75, 1.0, 1.0, 1.0]))
    return out
