"""A face drawn by code, with the dense mesh that the pseudo-fakes are made by."""

from __future__ import annotations

import cv2
import numpy as np

from haechi.types import F32, U8
from haechi_lab.pseudo_fakes.regions import BROW_LEFT, BROW_RIGHT, EYE_LEFT, EYE_RIGHT, LIPS, NOSE, OVAL
from synthetic import texture

SIDE = 224


def _ring(count: int, x: float, y: float, rx: float, ry: float) -> F32:
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False) - np.pi / 2
    return np.stack([x + rx * np.cos(turn), y + ry * np.sin(turn)], 1).astype(np.float32)


def mesh() -> F32:
    """f32 (468, 2) in pixels: the points that the lab names stand where a face has them."""
    points = _ring(468, 112, 116, 40, 50)
    points[OVAL] = _ring(len(OVAL), 112, 116, 62, 84)
    points[LIPS] = _ring(len(LIPS), 112, 164, 26, 10)
    for eye, brow, x in ((EYE_RIGHT, BROW_RIGHT, 86), (EYE_LEFT, BROW_LEFT, 138)):
        points[eye] = _ring(len(eye), x, 96, 14, 6)
        points[brow] = _ring(len(brow), x, 80, 16, 4)
    points[NOSE] = _ring(len(NOSE), 112, 122, 12, 20)
    # Points that stand for something of their own: outer corners of the eyes, tip of the nose, corners of the
    # mouth, forehead and chin.
    for index, place in {33: (72, 96), 263: (152, 96), 1: (112, 136), 61: (86, 164), 291: (138, 164)}.items():
        points[index] = place
    points[10], points[152] = (112, 32), (112, 200)
    return points


def face(seed: int = 0) -> U8:
    """u8 (SIDE, SIDE, 3): a textured oval with eyes and a mouth before a textured ground."""
    rgb = texture(SIDE, SIDE, seed, soft=1.0)
    skin = texture(SIDE, SIDE, seed + 100, soft=2.0) // 2 + np.array([95, 70, 55], np.uint8)
    oval = np.zeros((SIDE, SIDE), np.uint8)
    cv2.ellipse(oval, (112, 116), (62, 84), 0, 0, 360, 1, -1)
    rgb[oval == 1] = skin[oval == 1]
    for x in (86, 138):
        cv2.ellipse(rgb, (x, 96), (14, 6), 0, 0, 360, (235, 235, 230), -1)
        cv2.circle(rgb, (x, 96), 5, (60, 40, 30), -1)
    cv2.ellipse(rgb, (112, 164), (26, 10), 0, 0, 360, (150, 60, 60), -1)
    return rgb
