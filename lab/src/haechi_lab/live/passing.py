"""Something the size of a hand that passes before a face: what a live swapper must either be masked under, or
lets go of the face for."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from haechi.types import F32, U8
from haechi_lab.pseudo_fakes.pair import blend

EVERY_S, LASTS_S = 3.0, (0.8, 1.6)
"""One passes in each so many seconds, and takes so long from one side of the head to the other."""


def pass_before(
    frames: Sequence[U8], points: Sequence[F32 | None], fps: float, rng: np.random.Generator
) -> tuple[list[U8], list[F32 | None]]:
    """The frames u8 (H, W, 3) with it, and the share of each pixel that it covers f32 (H, W), None where it
    is away. ``points``: the five points of the face f32 (5, 2) in each frame."""
    out, covers = list(frames), [None] * len(frames)  # type: list[U8], list[F32 | None]
    every = max(1, round(EVERY_S * fps))
    for first in range(0, len(frames), every):
        lasts = max(2, round(rng.uniform(*LASTS_S) * fps))
        begins = first + int(rng.integers(0, max(1, every - lasts)))
        size, lean = rng.uniform(0.45, 0.8), float(rng.uniform(-50, 50))
        side, height = rng.choice([-1, 1]), rng.uniform(-0.3, 0.5)
        skin = np.array([rng.uniform(90, 225), 0, 0])
        skin[1:] = skin[0] * np.array([rng.uniform(0.68, 0.82), rng.uniform(0.5, 0.72)])
        for k in range(begins, min(begins + lasts, len(frames))):
            at = points[k]
            if at is None:
                continue
            eyes = float(np.linalg.norm(at[1] - at[0]))
            way = side * (-2.4 + 4.8 * (k - begins) / max(lasts - 1, 1))
            centre = at.mean(0) + np.array([way, height]) * eyes
            covers[k] = cover = _hand(frames[k].shape[:2], centre, size * eyes, lean)
            out[k] = blend(frames[k], np.broadcast_to(skin, frames[k].shape), cover)
    return out, covers


def _hand(shape: tuple[int, ...], centre: np.ndarray, radius: float, lean: float) -> F32:
    """A palm and four fingers."""
    cover: np.ndarray = np.zeros(shape, np.float32)
    turn = np.deg2rad(lean)
    up, across = np.array([np.sin(turn), -np.cos(turn)]), np.array([np.cos(turn), np.sin(turn)])

    def ellipse(middle: np.ndarray, axes: tuple[float, float]) -> None:
        where = (int(middle[0]), int(middle[1]))
        cv2.ellipse(cover, where, (max(1, int(axes[0])), max(1, int(axes[1]))), lean, 0, 360, 1.0, -1)

    ellipse(centre, (0.62 * radius, 0.75 * radius))
    for finger in range(4):
        ellipse(centre + ((finger - 1.5) * 0.33 * across + 1.05 * up) * radius, (0.15 * radius, 0.6 * radius))
    return np.asarray(cv2.GaussianBlur(cover, (0, 0), 1.2), np.float32)
