"""A decoder's drawing of the same face blended into the photograph that it was drawn from.

Serves every decoder that gives back the person it was given: the latent autoencoder of a diffusion model
(TAEF2), and the bottleneck autoencoders trained here, with and without a discriminator.
"""

from __future__ import annotations

import numpy as np

from haechi.types import F32, U8
from haechi_lab.pseudo_fakes.pair import Pair, affine, blend, tint
from haechi_lab.pseudo_fakes.regions import elastic, face_mask, part_mask, soften


def redrawn(rgb: U8, redrawing: U8, mesh: F32, rng: np.random.Generator) -> Pair:
    """A decoder's drawing of the same face (``drawn``, aligned) blended in: whole face or one feature."""
    side = rgb.shape[0]
    region = face_mask(mesh, side, rng) if rng.random() < 0.75 else part_mask(mesh, side, rng)
    mask = np.minimum(soften(elastic(region, rng), rng) * 1.34, 1.0).astype(np.float32)
    source = tint(redrawing, rng) if rng.random() < 0.6 else redrawing
    source = affine(source, rng, 0.015, 0.02) if rng.random() < 0.4 else source
    return Pair(rgb, blend(rgb, source, mask), mask)
