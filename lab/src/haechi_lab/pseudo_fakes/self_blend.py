"""Self-blending (Shiohara & Yamasaki 2022), written anew from the facts of the paper."""

from __future__ import annotations

import numpy as np

from haechi.types import F32, U8
from haechi_lab.pseudo_fakes.pair import Pair, affine, blend, resharpen, tint
from haechi_lab.pseudo_fakes.regions import NOSE, OVAL, elastic, face_mask, hull, soften

LOWER_FACE = 0.1
"""How often only the part below the nose is blended, as lip-sync forgeries do."""


def self_blend(rgb: U8, mesh: F32, rng: np.random.Generator) -> Pair:
    """The person's own face, shifted and altered, blended over itself; u8 (S, S, 3), f32 (468, 2).

    Half the time it is the ground, not the face, that was altered, so that neither colour nor sharpness gives
    the label away. The mask moves along with the face half the time, and else stays where the face was.
    """
    side = rgb.shape[0]
    altered = resharpen(tint(rgb, rng), rng) if rng.random() < 0.75 else tint(rgb, rng)
    source: np.ndarray
    source, target = (altered, rgb) if rng.random() < 0.5 else (rgb, altered)
    area = _lower_face(mesh, side, rng) if rng.random() < LOWER_FACE else face_mask(mesh, side, rng)
    if rng.random() < 0.5:
        both = affine(np.dstack([source, (area * 255).astype(np.uint8)]), rng, 0.03, 0.05)
        source, area = both[:, :, :3], (both[:, :, 3] / 255).astype(np.float32)
    else:
        source = affine(source, rng, 0.03, 0.05)
    mask = soften(elastic(area, rng), rng)
    return Pair(target, blend(target, source, mask), mask)


def _lower_face(mesh: F32, side: int, rng: np.random.Generator) -> F32:
    """What lies below the middle of the nose, towards the chin of a face however it is turned."""
    down = mesh[152] - mesh[10]
    oval = mesh[OVAL]
    low = oval[(oval - mesh[NOSE].mean(0)) @ down > 0]
    return hull(np.concatenate([low, mesh[NOSE]]), side, rng.uniform(0.85, 1.0))
