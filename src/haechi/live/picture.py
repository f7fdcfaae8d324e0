"""Whether there is a picture at all: windows that cannot be captured come black or stand still, and must be
told as that, never judged."""

from __future__ import annotations

import math

import cv2
import numpy as np

from haechi.types import F32, U8, Reason

LEAST_SIDE_PX = 96
"""A picture with a shorter side below this shows no face large enough to be judged, only enlarged ones."""
BLACK_BELOW, BLACK_SHARE = 24, 0.98
"""A picture is black when so large a share of it is darker than this, of 255: coded black is 16, and what a
window draws over it, such as its name, is small."""
STILL_S = 2.0
"""Somebody before a camera does not keep still for so long, to within STILL_STEPS of 255 in every cell of a
coarse picture: a picture, or a tile of one, that does has stopped."""
STILL_STEPS = 1
MISSING_S = 2.0
"""After so long without a frame there is no picture any more."""
GRID, TILE_GRID = (64, 36), (16, 16)


def coarse(rgb: U8, grid: tuple[int, int]) -> U8:
    """u8 (H, W, 3) -> u8 (h, w, 3) of the mean colours of ``grid`` (w, h) cells."""
    return np.asarray(cv2.resize(rgb, grid, interpolation=cv2.INTER_AREA), np.uint8)


class Stillness:
    """How long a coarse picture has not changed."""

    def __init__(self) -> None:
        self._first: U8 | None = None
        self._since_s = math.inf

    def seconds(self, cells: U8, time_s: float) -> float:
        """Seconds for which it has looked as it does now; 0 when it just changed."""
        first = self._first
        if first is None or int(cv2.absdiff(first, cells).max()) > STILL_STEPS:
            # Held against the first of the run, not the last: what creeps is not taken for what stands still.
            self._first, self._since_s = cells, time_s
        return time_s - self._since_s


class TileStillness:
    """The same of the part of the picture that shows one face."""

    def __init__(self) -> None:
        self._box: tuple[int, int, int, int] | None = None
        self._still = Stillness()

    def seconds(self, rgb: U8, box_xyxy: F32, time_s: float) -> float:
        """Seconds for which the picture has stood still where the face was when it last moved."""
        box = self._box or _whole_pixels(box_xyxy, rgb)
        seconds = self._still.seconds(_cells(rgb, box), time_s)
        if seconds == 0.0:
            box = _whole_pixels(box_xyxy, rgb)
            self._still = Stillness()
            self._still.seconds(_cells(rgb, box), time_s)
        self._box = box
        return seconds


def _whole_pixels(box_xyxy: F32, rgb: U8) -> tuple[int, int, int, int]:
    height, width = rgb.shape[:2]
    x1, y1, x2, y2 = (int(v) for v in box_xyxy)
    x1, y1 = min(max(x1, 0), width - 1), min(max(y1, 0), height - 1)
    return x1, y1, min(max(x2, x1 + 1), width), min(max(y2, y1 + 1), height)


def _cells(rgb: U8, box: tuple[int, int, int, int]) -> U8:
    x1, y1, x2, y2 = box
    part = rgb[y1 : min(y2, rgb.shape[0]), x1 : min(x2, rgb.shape[1])]
    return coarse(part, TILE_GRID) if part.size else np.zeros((*TILE_GRID, 3), np.uint8)


class PictureCheck:
    """Asked about every frame, in order of time."""

    def __init__(self) -> None:
        self._still = Stillness()

    def problem(self, rgb: U8, time_s: float) -> Reason | None:
        """Why nothing can be said of a frame u8 (H, W, 3), None where something can."""
        height, width = rgb.shape[:2]
        if min(height, width) < LEAST_SIDE_PX:
            about = {"width_px": width, "height_px": height, "least_px": LEAST_SIDE_PX}
            return Reason("live_small_picture", about)
        cells = coarse(rgb, GRID)
        seconds = self._still.seconds(cells, time_s)
        if float((cells.max(2) < BLACK_BELOW).mean()) >= BLACK_SHARE:
            return Reason("live_black")
        if seconds > STILL_S:
            return Reason("live_frozen", {"seconds": int(seconds)})
        return None
