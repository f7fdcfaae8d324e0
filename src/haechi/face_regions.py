"""Where on a face a heat map is bright, in a word that a reader can check by looking.

The word is measured, never guessed: a part is named only when the map is clearly brighter there than on the
rest of the face; otherwise none is.
"""

from __future__ import annotations

import cv2
import numpy as np

from haechi.types import F32, F64

CLEARLY = 1.4
"""A part is named when its mean heat is this many times that of the rest of the face."""
LEAST_HEAT = 0.25
WHOLE, HOT = 0.5, 0.5
"""The whole face is named when this share of it is hotter than HOT."""


def as_shown(heatmap: F32, turn_deg: float) -> F32:
    """The map f32 (h, h) of an upright crop as it lies over a face that is shown turned clockwise by
    ``turn_deg``; what the crop did not hold is 0."""
    if turn_deg % 90 == 0:
        return np.ascontiguousarray(np.rot90(heatmap, -round(turn_deg / 90)))
    side = heatmap.shape[0]
    # Corners of cells, not their middles, are what OpenCV turns about.
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), -turn_deg, 1.0)
    return np.asarray(cv2.warpAffine(heatmap, matrix, (side, side), flags=cv2.INTER_LINEAR), np.float32)


def place(heatmap: F32, box_xyxy: tuple[float, float, float, float], landmarks_xy: F32) -> str | None:
    """Code of the part of a face where ``heatmap`` f32 (h, w) in [0, 1], stretched over ``box_xyxy``, is
    brightest; None when no part stands out. landmarks_xy f32 (5, 2): right eye, left eye, nose tip, right and
    left corner of the mouth of the subject, in pixels of the picture, as is the box."""
    h, w = heatmap.shape
    x1, y1, x2, y2 = box_xyxy
    points = (landmarks_xy - (x1, y1)) / (max(x2 - x1, 1e-6), max(y2 - y1, 1e-6)) * (w, h)
    face, parts = _parts(points.astype(np.float64), h, w)
    if not face.any() or float(heatmap[face].max()) < LEAST_HEAT:
        return None
    if float((heatmap[face] > HOT).mean()) >= WHOLE:
        return "place_whole"
    heat = {
        name: (float(heatmap[part].mean()), float(heatmap[face & ~part].mean()))
        for name, part in parts.items()
        if part.any() and (face & ~part).any()
    }
    clear = {n: mine for n, (mine, rest) in heat.items() if mine >= LEAST_HEAT and mine >= CLEARLY * rest}
    return max(clear, key=lambda n: clear[n]) if clear else None


def _parts(points: F64, h: int, w: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Masks bool (h, w) of the face and of its parts, from five points (5, 2) in cells of the map."""
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    down = mouth - eyes
    size = max(float(np.linalg.norm(down)), float(np.linalg.norm(points[1] - points[0])), 1e-6)
    down = down / max(float(np.linalg.norm(down)), 1e-6)
    across = np.array([down[1], -down[0]])
    y, x = np.mgrid[0:h, 0:w] + 0.5

    def oval(centre: F64, wide: float, tall: float) -> np.ndarray:
        dx, dy = x - centre[0], y - centre[1]
        u, v = dx * across[0] + dy * across[1], dx * down[0] + dy * down[1]
        out: np.ndarray = (u / (wide * size)) ** 2 + (v / (tall * size)) ** 2 <= 1
        return out

    middle = eyes + down * 0.45 * size
    face, core = oval(middle, 1.15, 1.45), oval(middle, 0.85, 1.1)
    left, right = sorted(points[:2].tolist())
    parts = {
        "place_eye_left": oval(np.array(left), 0.36, 0.32),
        "place_eye_right": oval(np.array(right), 0.36, 0.32),
        "place_nose": oval(points[2] - down * 0.15 * size, 0.3, 0.42),
        "place_mouth": oval(mouth, 0.5, 0.32),
        "place_edge": face & ~core,
    }
    parts = {"place_eyes": parts["place_eye_left"] | parts["place_eye_right"], **parts}
    return face, {n: p & face for n, p in parts.items()}
