"""Local edits: one feature of the face exchanged, smoothed or painted over."""

from __future__ import annotations

import cv2
import numpy as np

from haechi.lab.forge.pair import Pair, affine, blend, resharpen, tint
from haechi.lab.forge.regions import elastic, part_mask, soften
from haechi.types import F32, U8


def local_edit(rgb: U8, mesh: F32, rng: np.random.Generator) -> Pair:
    """An eye, the nose or the mouth exchanged with a moved, altered, smoothed or inpainted copy of itself."""
    mask = soften(elastic(part_mask(mesh, rgb.shape[0], rng), rng), rng)
    kind = rng.random()
    source: np.ndarray
    if kind < 0.6:
        source = affine(tint(rgb, rng), rng, 0.06, 0.12, 8)
        source = resharpen(source, rng) if rng.random() < 0.6 else source
    elif kind < 0.8:
        source = cv2.bilateralFilter(rgb, 9, float(rng.uniform(30, 90)), 5)
    else:
        half = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        hole = (cv2.resize(mask, half.shape[1::-1]) > 0.4).astype(np.uint8)
        source = cv2.resize(cv2.inpaint(half, hole, 3, cv2.INPAINT_TELEA), rgb.shape[1::-1])
    return Pair(rgb, blend(rgb, source, mask), mask)
