"""How sharp a face is against what surrounds it, octave by octave. A swapper draws at its own resolution,
most at 128 px: what it pastes is softer, or sharpened, and its detail falls otherwise from octave to octave
than the camera left it in hair, neck and background."""

from __future__ import annotations

import cv2
import numpy as np

from haechi.live.evidence.region import LEAST_SCALE, MOST_SCALE, RADIUS, Region
from haechi.types import F64, U8

NAME = "sharpness"
MEASURES = ("fine", "middle", "coarse", "fall_fine", "fall_middle")
"""Detail inside against around in three octaves, and how much there is inside from one to the next; natural
logarithms."""
FLOOR = 0.3
"""Added to detail, of 255: less than that is rounding."""
OCTAVES = 3
INSIDE_TO, AROUND_FROM, AROUND_TO = 0.8, 1.2, 1.9


def measure(grey: U8, region: Region) -> F64:
    """The MEASURES f64 (5,) of a frame u8 (H, W)."""
    zoom = float(np.clip(region.scale, LEAST_SCALE, MOST_SCALE))
    picture: np.ndarray = region.cut(grey, zoom).astype(np.float32)
    inside, around = np.empty(OCTAVES), np.empty(OCTAVES)
    for octave in range(OCTAVES):
        detail = np.abs(cv2.Laplacian(picture, cv2.CV_32F, ksize=1))
        radius = cv2.resize(RADIUS, detail.shape[::-1], interpolation=cv2.INTER_NEAREST)
        within = (radius < INSIDE_TO).astype(np.uint8)
        ring = ((radius > AROUND_FROM) & (radius < AROUND_TO)).astype(np.uint8)
        inside[octave], around[octave] = cv2.mean(detail, within)[0], cv2.mean(detail, ring)[0]
        picture = cv2.pyrDown(picture)
    inside, around = np.log(inside + FLOOR), np.log(around + FLOOR)
    return np.concatenate([inside - around, inside[:-1] - inside[1:]])
