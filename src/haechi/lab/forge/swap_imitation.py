"""Swap imitation: what a live swapper that works at 128 px leaves behind, on the person's own face."""

from __future__ import annotations

import cv2
import numpy as np

from haechi.lab.forge.pair import Pair, blend, tint
from haechi.lab.forge.regions import LIPS, hull
from haechi.types import F32, U8


def imitate_swap(rgb: U8, mesh: F32, rng: np.random.Generator) -> Pair:
    """What a 128-px live swapper leaves behind, done to the person's own face: aligned, shrunk to 128 px,
    smoothed and sharpened again, warped back bilinearly, pasted through an eroded and feathered square or
    ellipse; sometimes the mouth is put back, sometimes grain is added."""
    side = rgb.shape[0]
    angle = float(np.degrees(np.arctan2(*(mesh[263] - mesh[33])[::-1])))
    centre = mesh[[33, 263, 1, 61, 291]].mean(0)
    extent = float(np.linalg.norm(mesh[10] - mesh[152])) * rng.uniform(1.05, 1.25)
    m = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), angle, 128 / extent)
    m[:, 2] = m[:, 2] + (64 - centre)
    face: np.ndarray = cv2.warpAffine(
        rgb, m, (128, 128), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    face = cv2.GaussianBlur(face, (0, 0), rng.uniform(0.5, 1.1))
    if rng.random() < 0.6:
        face = cv2.addWeighted(
            face, 1 + (k := rng.uniform(0.5, 1.5)), cv2.GaussianBlur(face, (0, 0), 1.5), -k, 0
        )
    face = tint(np.asarray(face, np.uint8), rng)
    window: np.ndarray = np.zeros((128, 128), np.float32)
    edge = int(rng.integers(6, 18))
    if rng.random() < 0.5:
        window[edge:-edge, edge:-edge] = 1
    else:
        cv2.ellipse(window, (64, 66), (60 - edge // 2, 64 - edge // 2), 0, 0, 360, 1.0, -1)
    window = cv2.GaussianBlur(window, (0, 0), rng.uniform(3, 8))
    back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    source = cv2.warpAffine(face, m, (side, side), flags=back, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(window, m, (side, side), flags=back).astype(np.float32)
    if rng.random() < 0.3:
        mask = mask * (1 - cv2.GaussianBlur(hull(mesh[LIPS], side, 1.4), (0, 0), 3))
    if rng.random() < 0.3:
        source = (source + rng.normal(0, rng.uniform(2, 6), source.shape)).clip(0, 255).astype(np.uint8)
    return Pair(rgb, blend(rgb, source, mask), mask)
