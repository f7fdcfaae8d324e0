"""Faces put upright into a square and back again: the frame in which the generators of pseudo-fakes work.

A similarity transform (turn, scale, shift; never a shear) takes five points of the face mesh to their places
in a unit square, by least squares (Umeyama 1991). The square holds the face from the hairline to the chin and
a small margin, as the encoders and decoders of the classic deepfake see it.
"""

from __future__ import annotations

import cv2
import numpy as np

from haechi.types import F32, F64, U8

POINTS = [33, 263, 1, 61, 291]
"""Outer corners of the eyes, tip of the nose, corners of the mouth: numbers of the mesh."""
PLACES: F64 = np.array([[0.26, 0.34], [0.74, 0.34], [0.5, 0.535], [0.359, 0.705], [0.641, 0.705]])
"""Where they stand in the unit square, x and y: the median of the genuine faces of the training data, scaled
so that forehead and chin (10 and 152 of the mesh) come to about 0.05 and 0.95."""


def similarity(points: F32, onto: F64) -> F64:
    """f64 (2, 3) that takes points (n, 2) onto others as nearly as turning, scaling and shifting can.

    Raises ValueError when the points all lie in one place."""
    source = points.astype(np.float64)
    middle, target = source.mean(0), onto.mean(0)
    centred, target_centred = source - middle, onto - target
    spread = float((centred**2).sum())
    if not spread > 0:
        raise ValueError("the points of the face lie all in one place")
    a = float((centred * target_centred).sum()) / spread
    b = float((centred[:, 0] * target_centred[:, 1] - centred[:, 1] * target_centred[:, 0]).sum()) / spread
    turn = np.array([[a, -b], [b, a]])
    return np.concatenate([turn, (target - turn @ middle)[:, None]], 1)


def frame(mesh: F32, side: int, widen: float = 1.0) -> F64:
    """f64 (2, 3): pixels of the picture that the mesh (468, 2) lies in -> pixels of the square of ``side``.

    ``widen`` > 1 shows more around the face. Pixel centres count, as in OpenCV."""
    places = (PLACES - 0.5) / widen + 0.5
    return similarity(mesh[POINTS], places * side - 0.5)


def askew(mesh: F32) -> float:
    """How far the five points are from where they should be, over the side of the square: about 0.02 for a
    face that looks into the camera, 0.06 and more for one in half profile."""
    m = frame(mesh, 1)
    there = mesh[POINTS].astype(np.float64) @ m[:, :2].T + m[:, 2]
    return float(np.sqrt(((there - (PLACES - 0.5)) ** 2).sum(1).mean()))


def cut_face(rgb: U8, m: F64, side: int) -> U8:
    """The square that ``m`` (see :func:`frame`) describes, u8 (side, side, 3). What lies beyond the picture
    is its mirror image. Shrinking averages: the frame is cut at a multiple of its size first."""
    scale = float(np.hypot(m[0, 0], m[1, 0]))
    times = int(np.clip(np.ceil(0.8 / scale), 1, 6))
    finer = m * times
    finer[:, 2] += (times - 1) / 2
    wide = cv2.warpAffine(
        rgb, finer, (side * times,) * 2, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    if times > 1:
        wide = cv2.resize(wide, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(wide, np.uint8)


def window(side: int, feather: float = 0.06) -> F32:
    """f32 (side, side): 1 inside, falling to 0 at the edges over ``feather`` of the side."""
    ramp = np.minimum(np.arange(side) + 0.5, side - np.arange(side) - 0.5) / (feather * side)
    edge = np.clip(ramp, 0, 1)
    return np.outer(edge, edge).astype(np.float32)


def put_back(rgb: U8, face: U8, m: F64, feather: float = 0.06) -> U8:
    """The picture with the square redrawn, u8 of its own shape; outside the square it keeps its pixels."""
    height, width = rgb.shape[:2]
    back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    layer = cv2.warpAffine(face, m, (width, height), flags=back, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.warpAffine(window(face.shape[0], feather), m, (width, height), flags=back)[:, :, None]
    out = rgb + (layer.astype(np.float32) - rgb) * share
    return (out + 0.5).clip(0, 255).astype(np.uint8)
