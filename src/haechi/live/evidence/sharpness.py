"""How sharp a face is against what surrounds it, octave by octave. A swapper draws at its own resolution,
most at 128 px: what it pastes is softer, or sharpened, and its detail falls otherwise from octave to octave
than the camera left it in hair, neck and background."""

from __future__ import annotations

import cv2
import numpy as np

from haechi.live.evidence.region import LEAST_SCALE, MOST_SCALE, RADIUS, Region
from haechi.types import F64, U8

NAME = "sharpness"
MEASURES = ("middle", "coarse", "fall")
"""Detail inside against around in the second and the third octave from the finest, and how much there is
inside in the second against the third; natural logarithms. The finest holds little but what coding left."""
FLOOR = 0.3
"""Added to detail, of 255: less than that is rounding."""
INSIDE_TO, AROUND_FROM, AROUND_TO = 0.8, 1.2, 1.9


def measure(grey: U8, region: Region) -> F64:
    """The MEASURES f64 (3,) of a frame u8 (H, W)."""
    zoom = float(np.clip(region.scale, LEAST_SCALE, MOST_SCALE))
    picture: np.ndarray = region.cut(grey, zoom).astype(np.float32)
    inside, around = [], []
    for _ in MEASURES[:2]:
        picture = cv2.pyrDown(picture)
        detail = np.abs(cv2.Laplacian(picture, cv2.CV_32F, ksize=1))
        radius = cv2.resize(RADIUS, detail.shape[::-1], interpolation=cv2.INTER_NEAREST)
        within = (radius < INSIDE_TO).astype(np.uint8)
        ring = ((radius > AROUND_FROM) & (radius < AROUND_TO)).astype(np.uint8)
        inside.append(np.log(cv2.mean(detail, within)[0] + FLOOR))
        around.append(np.log(cv2.mean(detail, ring)[0] + FLOOR))
    return np.array([inside[0] - around[0], inside[1] - around[1], inside[0] - inside[1]])
