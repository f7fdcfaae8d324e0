"""Perceptual hashes of a face, cut out by its landmarks so that the same picture gives the same hash wherever
in the frame it stands."""

from __future__ import annotations

import cv2
import numpy as np

from haechi import pdq
from haechi.types import F32, U8

SIDE_PX = 128
_PLACES = SIDE_PX * np.array(
    [[0.39, 0.42], [0.61, 0.42], [0.5, 0.54], [0.41, 0.65], [0.59, 0.65]], np.float32
)
"""Of the landmarks: with the hair and a little of what lies around, which tell people apart."""


def aligned(rgb: U8, landmarks_xy: F32) -> U8 | None:
    """The face of a frame u8 (H, W, 3) with landmarks f32 (5, 2), upright: u8 (SIDE_PX, SIDE_PX, 3); None
    where the landmarks lie in one place."""
    matrix, _ = cv2.estimateAffinePartial2D(landmarks_xy, _PLACES, method=cv2.LMEDS)
    if matrix is None or not np.isfinite(matrix).all():
        return None
    part = int(1 / max(float(np.linalg.norm(matrix[:, 0])), 1 / min(rgb.shape[:2])))
    if part > 1:  # a warp skips pixels of what it reduces by more than two, and noise takes their place
        height, width = rgb.shape[0] // part, rgb.shape[1] // part
        rgb = np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        matrix[:, :2] *= part
    face = cv2.warpAffine(rgb, matrix, (SIDE_PX, SIDE_PX), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(face, np.uint8)


def print_of(face: U8) -> U8 | None:
    """u8 (32,): its hash; None where there is too little to see for one."""
    hashed = pdq.hash_rgb(face)
    if hashed.quality < pdq.MIN_QUALITY:
        return None
    return np.frombuffer(bytes.fromhex(hashed.hash), np.uint8)
