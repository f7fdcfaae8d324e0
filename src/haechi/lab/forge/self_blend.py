"""Self-blending (Shiohara & Yamasaki 2022), written anew from the facts of the paper."""

from __future__ import annotations

import numpy as np

from haechi.lab.forge.pair import Pair, affine, blend, resharpen, tint
from haechi.lab.forge.regions import elastic, face_mask, soften
from haechi.types import F32, U8


def self_blend(rgb: U8, mesh: F32, rng: np.random.Generator) -> Pair:
    """The person's own face, shifted and altered, blended over itself. Half the time it is the ground, not
    the face, that was altered, so that neither colour nor sharpness gives the label away."""
    altered = resharpen(tint(rgb, rng), rng) if rng.random() < 0.75 else tint(rgb, rng)
    source, target = (altered, rgb) if rng.random() < 0.5 else (rgb, altered)
    source = affine(source, rng, 0.03, 0.05)
    mask = soften(elastic(face_mask(mesh, rgb.shape[0], rng), rng), rng)
    return Pair(target, blend(target, source, mask), mask)
