"""Swap imitation: what a live swapper that works at 128 px leaves behind, on the person's own face."""

from __future__ import annotations

import cv2
import numpy as np

from haechi.types import F32, U8
from haechi_lab.pseudo_fakes.pair import Pair, blend, recolour, tint
from haechi_lab.pseudo_fakes.regions import LIPS, elastic, face_mask, hull

WORK_PX = 128


def imitate_swap(rgb: U8, mesh: F32, rng: np.random.Generator) -> Pair:
    """u8 (S, S, 3) and f32 (468, 2) -> the picture, and the same with its face as a swapper would paste it.

    Aligned by eyes and mouth, shrunk to 128 px, its shape shifted a little, smoothed as a small decoder does
    or polished as a face restorer does, coloured like the face beneath, warped back bilinearly and pasted
    through an eroded, feathered square, ellipse or face hull; sometimes the mouth is put back, sometimes
    grain is added.
    """
    side = rgb.shape[0]
    m = _alignment(mesh, rng)
    border = cv2.BORDER_REFLECT_101
    aligned = np.asarray(cv2.warpAffine(rgb, m, (WORK_PX, WORK_PX), borderMode=border), np.uint8)
    face = _reshaped(aligned, rng) if rng.random() < 0.7 else aligned
    face = np.asarray(cv2.GaussianBlur(face, (0, 0), rng.uniform(0.4, 0.9)), np.uint8)
    face = tint(face, rng)
    if rng.random() < 0.6:
        inner = np.zeros((WORK_PX, WORK_PX), np.float32)
        inner[24:-16, 24:-24] = 1
        face = recolour(face, aligned, inner, float(rng.uniform(0.4, 1.0)))
    scale = 1
    if rng.random() < 0.45:
        face, scale = _restored(face, rng), 2
    elif rng.random() < 0.6:
        face = _sharpened(face, 1.5, float(rng.uniform(0.5, 1.5)))
    back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    source: np.ndarray = cv2.warpAffine(
        face, _scaled(m, scale), (side, side), flags=back, borderMode=cv2.BORDER_REPLICATE
    )
    mask = np.asarray(cv2.warpAffine(_window(rng), m, (side, side), flags=back), np.float32)
    if rng.random() < 0.3:
        outline = elastic(face_mask(mesh, side, rng), rng)
        mask = mask * cv2.GaussianBlur(outline, (0, 0), rng.uniform(2, 6))
    if rng.random() < 0.3:
        mask = mask * (1 - cv2.GaussianBlur(hull(mesh[LIPS], side, 1.4), (0, 0), 3))
    if rng.random() < 0.3:
        grain = rng.standard_normal(source.shape, np.float32) * np.float32(rng.uniform(2, 6))
        source = (source + grain).clip(0, 255).astype(np.uint8)
    mask = mask.clip(0, 1)
    return Pair(rgb, blend(rgb, source, mask), mask)


def _alignment(mesh: F32, rng: np.random.Generator) -> np.ndarray:
    """The similarity f64 (2, 3) that takes the picture to the square of WORK_PX that swappers work in."""
    angle = float(np.degrees(np.arctan2(*(mesh[263] - mesh[33])[::-1])))
    centre = mesh[[33, 263, 1, 61, 291]].mean(0)
    extent = max(float(np.linalg.norm(mesh[10] - mesh[152])), 4.0) * rng.uniform(1.0, 1.2)
    m = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), angle, WORK_PX / extent)
    m[:, 2] = m[:, 2] + (WORK_PX / 2 - centre)
    return np.asarray(m)


def _scaled(m: np.ndarray, scale: int) -> np.ndarray:
    """``m`` to a picture ``scale`` times as large, pixel centres kept in place."""
    out = m * scale
    out[:, 2] += (scale - 1) / 2
    return out


def _window(rng: np.random.Generator) -> F32:
    """What of the aligned square is pasted, f32 (WORK_PX, WORK_PX): a square or an ellipse, feathered."""
    window = np.zeros((WORK_PX, WORK_PX), np.float32)
    edge = int(rng.integers(8, 24))
    if rng.random() < 0.5:
        window[edge:-edge, edge:-edge] = 1
    else:
        cv2.ellipse(window, (64, 66), (62 - edge, 64 - edge // 2), 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(window, (0, 0), rng.uniform(3, 8)), np.float32)


def _reshaped(face: U8, rng: np.random.Generator) -> U8:
    """Features moved smoothly by a pixel or two: another face never has quite the same shape."""
    size = face.shape[0]
    coarse = rng.normal(0, 1.3, (2, 5, 5)).astype(np.float32)
    dx, dy = (cv2.resize(c, (size, size), interpolation=cv2.INTER_CUBIC) for c in coarse)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    out = cv2.remap(face, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(out, np.uint8)


def _restored(face: U8, rng: np.random.Generator) -> U8:
    """As a face restorer leaves it, twice the size: skin without pores between edges drawn too sharp, mixed
    with what it was given."""
    large = np.asarray(cv2.resize(face, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
    smooth: np.ndarray = large
    for _ in range(2):
        smooth = cv2.bilateralFilter(smooth, 5, float(rng.uniform(15, 40)), 3)
    crisp = _sharpened(np.asarray(smooth, np.uint8), 2.0, float(rng.uniform(0.6, 1.8)))
    share = float(rng.uniform(0.6, 1.0))
    return np.asarray(cv2.addWeighted(crisp, share, large, 1 - share, 0), np.uint8)


def _sharpened(rgb: U8, sigma: float, amount: float) -> U8:
    soft = cv2.GaussianBlur(rgb, (0, 0), sigma)
    return np.asarray(cv2.addWeighted(rgb, 1 + amount, soft, -amount, 0), np.uint8)
