"""For video: what the swap network sees of a face from frame to frame, weighed over time."""

from __future__ import annotations

import numpy as np

from haechi.types import F32, F64

MAP_FACTS = 6


def describe(logits: F64 | F32, maps: F32, features: F32) -> F32:
    """What is known of each crop, f32 (n, 1 + MAP_FACTS + F): the logit (n,); of the map (n, h, w) in [0, 1]
    its mean, its brightest tenth, its brightest cell, the share of bright cells, and where its light lies (x
    and y in [-1, 1]); the features (n, F)."""
    n, h, w = maps.shape
    flat = np.sort(maps.reshape(n, -1), 1)
    weight = maps / maps.sum((1, 2), keepdims=True).clip(1e-6)
    x = weight.sum(1) @ np.linspace(-1, 1, w)
    y = weight.sum(2) @ np.linspace(-1, 1, h)
    tenth = flat[:, -max(1, h * w // 10) :].mean(1)
    columns = [logits, flat.mean(1), tenth, flat[:, -1], (flat > 0.5).mean(1), x, y]
    return np.concatenate([np.stack(columns, 1), features], 1).astype(np.float32)
