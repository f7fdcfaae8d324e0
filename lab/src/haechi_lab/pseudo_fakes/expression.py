"""The photo brought to life: one still face made to blink, speak, frown, smile, nod or turn by a smooth warp.

That is what identity fraud shows to a camera. Nothing is drawn by a network: pixels move, the background
stands still, and a mouth that opens is dark inside.
"""

from __future__ import annotations

import cv2
import numpy as np

from haechi.types import F32, U8
from haechi_lab.pseudo_fakes.motion import KINDS, displacement, height, motion, mouth_gap
from haechi_lab.pseudo_fakes.pair import Pair
from haechi_lab.pseudo_fakes.warping import field, mouth_colour, mouth_inside, paint_mouth, warp

__all__ = ["KINDS", "displacement", "expression", "motion", "warp"]

LEAST_MOVE, FULL_MOVE = 0.003, 0.012
"""Shares of the face's height: below the first a pixel counts as still, from the second as wholly moved."""


def expression(rgb: U8, mesh: F32, rng: np.random.Generator) -> Pair:
    """u8 (S, S, 3) and f32 (468, 2) -> the still face and the same with another expression.

    Half the time both are re-sampled by one small turn and shift, the fake through one joint map, so that it
    has been interpolated as often as the real and softness is not the sign.
    """
    h, w = rgb.shape[:2]
    m: np.ndarray = np.eye(2, 3)
    if rng.random() < 0.5:
        m = cv2.getRotationMatrix2D((w / 2, h / 2), float(rng.normal(0, 1)), float(rng.uniform(0.98, 1.02)))
        m[:, 2] = m[:, 2] + rng.uniform(-1, 1, 2)
    # m maps the pixels of the pair to those of ``rgb``; the mesh goes the other way.
    back = cv2.invertAffineTransform(m)
    mesh = (mesh @ back[:, :2].T + back[:, 2]).astype(np.float32)
    amounts = _amounts(mesh, rng)
    moves = displacement(mesh, amounts)
    how = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4], p=[0.5, 0.4, 0.1]))
    offsets = field(mesh, moves, (h, w))
    if np.abs(offsets).max() < 2 * FULL_MOVE * height(mesh):
        # Eyes that were shut cannot blink: smile as well.
        moves = displacement(mesh, {**amounts, "smile": 0.9})
        offsets = field(mesh, moves, (h, w))
    far = np.sqrt(offsets[:, :, 0] ** 2 + offsets[:, :, 1] ** 2) / np.float32(height(mesh))
    # Smoothed, because a motion that is nowhere at one point of its way is one motion all the same.
    far = np.asarray(cv2.GaussianBlur(far, (0, 0), max(0.5, 0.01 * height(mesh))), np.float32)
    offsets[far < LEAST_MOVE] = 0
    real = _sampled(rgb, m, np.zeros_like(offsets), how)
    fake = _sampled(rgb, m, offsets, how)
    inside = mouth_inside(mesh, moves, (h, w))
    fake = paint_mouth(fake, mouth_colour(real, mesh), inside)
    mask = np.clip((far - LEAST_MOVE) / (FULL_MOVE - LEAST_MOVE), 0, 1)
    return Pair(real, fake, np.maximum(mask, np.minimum(inside, 1)).astype(np.float32))


def _sampled(rgb: U8, m: np.ndarray, offsets: F32, how: int) -> U8:
    """``rgb`` read at m (pixel + offset), for m f64 (2, 3) and offsets f32 (H, W, 2): one interpolation."""
    h, w = offsets.shape[:2]
    x = np.arange(w, dtype=np.float32) + offsets[:, :, 0]
    y = np.arange(h, dtype=np.float32)[:, None] + offsets[:, :, 1]
    a = m.astype(np.float32)
    at = [a[i, 0] * x + a[i, 1] * y + a[i, 2] for i in (0, 1)]
    return np.asarray(cv2.remap(rgb, at[0], at[1], how, borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def _amounts(mesh: F32, rng: np.random.Generator) -> dict[str, float]:
    """One to three motions, none so weak that nobody would see it."""
    count = int(rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2]))
    odds = np.array([0.2, 0.05, 0.05, 0.22, 0.12, 0.08, 0.08, 0.1, 0.1])
    out: dict[str, float] = {}
    for kind in rng.choice(KINDS, count, replace=False, p=odds):
        strength = float(rng.uniform(0.4, 1.0))
        both_ways = kind in ("nod", "turn") or (kind == "mouth" and mouth_gap(mesh) > 0.03)
        out[str(kind)] = -strength if both_ways and rng.random() < 0.5 else strength
    return out
