"""Flicker: what changes from look to look though nothing moved, along the border of a face against its inside
and its surroundings. The seam of a pasted face trembles, and the noise of the camera is missing within it."""

from __future__ import annotations

import cv2
import numpy as np

from haechi.live.evidence.change import Change, mean
from haechi.live.evidence.region import AROUND, BORDER, INSIDE
from haechi.types import F64

NAME = "flicker"
MEASURES = ("border", "fine_border", "inside", "fine_inside")
"""Change along the border against the two others, and inside against around; of the whole, and of its finest
detail; natural logarithms."""
FLOOR = 0.05
_WHERE = tuple(where.astype(np.uint8) for where in (INSIDE, BORDER, AROUND))


def measure(change: Change) -> F64:
    """The MEASURES f64 (4,)."""
    fine = np.abs(cv2.Laplacian(change.left, cv2.CV_32F))
    out = []
    for left in (np.abs(change.left), fine):
        inside, border, around = (np.log(mean(left, where) + FLOOR) for where in _WHERE)
        out.append((border - (inside + around) / 2, inside - around))
    return np.array([out[0][0], out[1][0], out[0][1], out[1][1]])
