"""Up-sampling traces: the picture halved and drawn up again as the decoders of generators do it.

Transposed convolutions and nearest-neighbour up-sampling with a learned filter leave a lattice that ordinary
resizing does not (Odena et al. 2016; Durall et al. 2020). Kernels are drawn at random, so that no one
generator is learned.
"""

from __future__ import annotations

import cv2
import numpy as np

from haechi.types import F32, U8


def upsampled(rgb: U8, rng: np.random.Generator) -> U8:
    """u8 (H, W, 3) -> the same size and content with the traces of a random learned up-sampler."""
    h, w = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
    small = cv2.resize(rgb[:h, :w], (w // 2, h // 2), interpolation=cv2.INTER_AREA).astype(np.float32)
    if rng.random() < 0.5:
        wide = np.zeros((h, w, 3), np.float32)
        wide[::2, ::2] = small * 4
        kernel = _kernel(4, rng)
    else:
        wide = np.repeat(np.repeat(small, 2, 0), 2, 1)
        kernel = _kernel(3, rng)
    drawn = cv2.filter2D(wide, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    # What the decoder adds of its own: part of the lost detail, so that blur is not the sign.
    detail = rgb[:h, :w].astype(np.float32) - cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
    out = rgb.copy()
    out[:h, :w] = np.clip(drawn + float(rng.uniform(0.3, 0.9)) * detail + 0.5, 0, 255).astype(np.uint8)
    return out


def _kernel(size: int, rng: np.random.Generator) -> F32:
    tent = np.array({3: [1, 2, 1], 4: [1, 3, 3, 1]}[size], np.float32)
    k = np.outer(tent, tent) * (1 + rng.normal(0, 0.12, (size, size)))
    out: F32 = (k / k.sum()).astype(np.float32)
    return out
