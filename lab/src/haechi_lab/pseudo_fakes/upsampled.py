"""Up-sampling traces: the picture halved or quartered, and drawn up again as decoders of generators do it.

Whatever a decoder draws, it doubles its maps with few filters that know nothing of where they are, and that
leaves a lattice that ordinary resizing does not (Odena et al. 2016; Durall et al. 2020). How it doubles, the
filters and how strong the lattice is are drawn at random, so that no one generator is learned.
"""

from __future__ import annotations

import cv2
import numpy as np

from haechi.types import F32, U8
from haechi_lab.pseudo_fakes.pair import Pair, blend
from haechi_lab.pseudo_fakes.regions import elastic, face_mask, soften

UPS = ("nearest", "bilinear", "transposed", "shuffle")


def upsampled(rgb: U8, rng: np.random.Generator) -> U8:
    """u8 (H, W, 3) -> the same size and content with the traces of a random learned up-sampler."""
    times = 2 if rng.random() < 0.25 else 1
    part = 2**times
    h, w = rgb.shape[0] // part * part, rgb.shape[1] // part * part
    if not h or not w:
        return rgb.copy()
    small = cv2.resize(rgb[:h, :w], (w // part, h // part), interpolation=cv2.INTER_AREA).astype(np.float32)
    how, uneven = str(rng.choice(UPS)), float(rng.uniform(0.03, 0.12))
    picture: F32 = small
    for _ in range(times):
        picture = _double(picture, how, uneven, rng)
    # What the decoder adds of its own: part of the lost detail, so that blur is not the sign.
    detail = rgb[:h, :w].astype(np.float32) - cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
    # Light that the filters gained or lost as a whole is not the sign either.
    picture = picture + (small.mean((0, 1)) - picture.mean((0, 1)))
    out = rgb.copy()
    share = float(rng.uniform(0.1, 0.8) if times == 1 else rng.uniform(0.5, 0.85))
    out[:h, :w] = np.clip(picture + share * detail + 0.5, 0, 255).astype(np.uint8)
    return out


def upsampled_face(rgb: U8, mesh: F32, rng: np.random.Generator) -> Pair:
    """u8 (S, S, 3) and f32 (468, 2) -> the picture, and the same with the traces in its face alone."""
    mask = soften(elastic(face_mask(mesh, rgb.shape[0], rng), rng), rng)
    # Traces of a level or two that are blended in by a quarter are gone.
    mask = (mask / max(float(mask.max()), 1e-6) * rng.choice([0.75, 1.0, 1.0])).astype(np.float32)
    return Pair(rgb, blend(rgb, upsampled(rgb, rng), mask), mask)


def _double(x: F32, how: str, uneven: float, rng: np.random.Generator) -> F32:
    """f32 (h, w, 3) -> (2 h, 2 w, 3) by one of UPS, with filters that are ``uneven`` by that share."""
    h, w = x.shape[:2]
    if how == "shuffle":
        # Four filters, one for each place in the cell; each looks towards its own corner.
        wide = np.empty((2 * h, 2 * w, 3), np.float32)
        for i in (0, 1):
            for j in (0, 1):
                taps = (np.array(t, np.float32) for t in ((1, 3, 0) if k == 0 else (0, 3, 1) for k in (i, j)))
                wide[i::2, j::2] = _filtered(x, np.outer(*taps), uneven, rng)
        return wide
    if how == "transposed":
        wide = np.zeros((2 * h, 2 * w, 3), np.float32)
        wide[::2, ::2] = x * 4
        tent = np.array([1, 2, 1] if rng.random() < 0.4 else [1, 3, 3, 1], np.float32)
        return _filtered(wide, np.outer(tent, tent), uneven / 3, rng)
    if how == "nearest":
        wide = np.repeat(np.repeat(x, 2, 0), 2, 1)
        return _filtered(wide, np.outer([1, 2, 1], [1, 2, 1]), 2 * uneven, rng)
    wide = np.asarray(cv2.resize(x, (2 * w, 2 * h), interpolation=cv2.INTER_LINEAR), np.float32)
    sharp = np.outer([-1, 6, -1], [-1, 6, -1]).astype(np.float32)
    return _filtered(wide, sharp, 2 * uneven, rng)


def _filtered(x: F32, kernel: np.ndarray, uneven: float, rng: np.random.Generator) -> F32:
    """``x`` through a kernel whose weights are off by a share ``uneven``, normalised to 1."""
    k = kernel * (1 + rng.normal(0, uneven, kernel.shape))
    out = cv2.filter2D(x, -1, (k / k.sum()).astype(np.float32), borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(out, np.float32)
