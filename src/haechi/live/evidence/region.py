"""The part of a frame in which the signs are measured: a square that stands upright on the five points of a
face, the face in the middle and what surrounds it around that."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from haechi.types import F32, U8

SIDE = 192
"""Px of the square; the face is about 110 of them high."""
POINTS = np.array([[46, 52], [82, 52], [64, 72], [50, 92], [78, 92]], np.float32) + (SIDE - 128) / 2
"""Where the eyes, the nose and the corners of the mouth lie in it, as the finder orders them."""
CENTRE = (SIDE / 2, SIDE / 2 + 4)
AXES = (46.0, 57.0)
"""Of the ellipse that follows the face from temple to temple and from brow to chin, px."""
LEAST_SCALE, MOST_SCALE = 0.6, 2.0
"""Px of the frame for one of the square, between which detail is looked at as the frame holds it."""


def _radius() -> F32:
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    return np.asarray(np.hypot((x - CENTRE[0]) / AXES[0], (y - CENTRE[1]) / AXES[1]), np.float32)


RADIUS = _radius()
"""Distance from the middle of the face f32 (SIDE, SIDE): 1 where it ends."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """matrix f64 (2, 3): from px of the frame to px of the square · scale: px of the frame for one of the
    square · share_inside: share of the surroundings that lies within the frame."""

    matrix: np.ndarray
    scale: float
    share_inside: float

    @classmethod
    def of(cls, landmarks_xy: F32, width_px: int, height_px: int) -> Region | None:
        """Around a face with these five points f32 (5, 2); None where they lie on one spot."""
        points = landmarks_xy.astype(np.float32)
        matrix = np.asarray(cv2.estimateAffinePartial2D(points, POINTS, method=cv2.LMEDS)[0])
        if matrix.ndim != 2:  # None
            return None
        size = float(np.hypot(matrix[0, 0], matrix[1, 0]))
        if not np.isfinite(size) or size < 1e-3:
            return None
        # Where the corners of the surroundings come to lie tells how much of them is picture.
        ring = np.array(CENTRE) + 1.65 * np.array(AXES) * _CIRCLE
        at = (ring - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
        inside = (at >= 0).all(1) & (at[:, 0] < width_px) & (at[:, 1] < height_px)
        return cls(np.asarray(matrix, np.float64), 1 / size, float(inside.mean()))

    def cut(self, grey: U8, zoom: float = 1.0) -> U8:
        """Of a frame u8 (H, W), the square u8 (zoom * SIDE, zoom * SIDE)."""
        side = round(SIDE * zoom)
        matrix = self.matrix * zoom
        border = cv2.BORDER_REPLICATE
        return np.asarray(cv2.warpAffine(grey, matrix, (side, side), borderMode=border), np.uint8)


_CIRCLE = np.stack([np.cos(a := np.linspace(0, 2 * np.pi, 32, endpoint=False)), np.sin(a)], 1)
