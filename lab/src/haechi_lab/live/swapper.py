"""A live swapper's hand in the frames of a call: what a program that works at 128 px leaves behind, frame by
frame, in the ways that such programs offer. The face is the person's own, a little reshaped and recoloured:
what is imitated is the craft, not another identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from haechi.types import F32, U8
from haechi_lab.pseudo_fakes.pair import blend, recolour, tint

WORK_PX = 128
POINTS = np.array([[46.3, 51.7], [81.5, 51.5], [64.0, 71.7], [49.5, 92.4], [78.7, 92.2]], np.float32)
"""Where the eyes, the nose and the corners of the mouth lie in the square that swappers work in (Deng et al.
2019, at 128 px); in the order of ``FaceTrack.landmarks_xy``."""


@dataclass(frozen=True, slots=True)
class Craft:
    """ellipse: pasted through a feathered ellipse, else an eroded square · poisson: blended by gradients ·
    mouth: the caller's own mouth is put back · opacity: share of the swap · sharpen: of an unsharp mask ·
    last: share of the frame before · polish: as a face restorer leaves it, at twice the size · crossed: a
    hand passes before the face, ``masked`` under it (the hand shows as it is), or the swap ``lets go``, then
    and for single frames."""

    ellipse: bool = True
    poisson: bool = False
    mouth: bool = False
    opacity: float = 1.0
    sharpen: float = 0.0
    last: float = 0.0
    polish: bool = False
    crossed: Literal["", "masked", "lets go"] = ""


SPECIES: Mapping[str, Craft] = {
    "plain": Craft(ellipse=False),
    "feathered ellipse": Craft(),
    "Poisson blend": Craft(poisson=True),
    "mouth put back": Craft(mouth=True),
    "opacity 0.6": Craft(opacity=0.6),
    "sharpened": Craft(sharpen=1.0),
    "mixed with the last frame": Craft(last=0.4),
    "polished": Craft(polish=True),
    "drop-outs": Craft(crossed="lets go"),
    "masked under a hand": Craft(crossed="masked"),
}
"""The ways in which a swap may be pasted, each measured alone."""
COVERED = (0.02, 0.1)
"""From such a share of the face on, when it is covered, a swapper loses it."""
LOST_S, LOST_EVERY_S = (0.2, 1.0), 5.0
"""How long it stays lost when the hand is gone, and how often it is for one frame without any."""


class LiveSwap:
    """One forged caller: what is drawn here once stays the same for the whole call, but for the tremble
    of the points by which the face is aligned."""

    def __init__(self, craft: Craft, rng: np.random.Generator, fps: float = 25.0) -> None:
        self._craft, self._rng = craft, rng
        coarse = rng.normal(0, 1.3, (2, 5, 5)).astype(np.float32)
        self._shift = [cv2.resize(c, (WORK_PX, WORK_PX), interpolation=cv2.INTER_CUBIC) for c in coarse]
        self._blur, self._match = float(rng.uniform(0.5, 0.9)), float(rng.uniform(0.4, 1.0))
        self._tremble = float(rng.uniform(0.1, 0.5))
        self._tint_seed = int(rng.integers(2**31))
        self._window = _window(craft.ellipse, rng)
        self._before: U8 | None = None
        self._fps, self._lost = fps, 0
        self._loses_at = float(rng.uniform(*COVERED))

    def frame(self, rgb: U8, points_xy: F32, cover: F32 | None = None) -> U8:
        """The next frame u8 (H, W, 3), with the five points of its face f32 (5, 2), forged. ``cover`` f32
        (H, W): the share of each pixel that a hand hides."""
        points = points_xy + self._rng.normal(0, self._tremble, (5, 2)).astype(np.float32)
        m = np.asarray(cv2.estimateAffinePartial2D(points, POINTS, method=cv2.LMEDS)[0])
        if m.ndim != 2:  # None: the points lie on one spot
            return rgb
        border = cv2.BORDER_REFLECT_101
        aligned = np.asarray(cv2.warpAffine(rgb, m, (WORK_PX, WORK_PX), borderMode=border), np.uint8)
        face, scale = self._drawn_anew(aligned)
        size, back = (rgb.shape[1], rgb.shape[0]), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        large = np.asarray(m, np.float64) * scale
        large[:, 2] += (scale - 1) / 2
        source = cv2.warpAffine(face, large, size, flags=back, borderMode=cv2.BORDER_REPLICATE)
        mask = np.asarray(cv2.warpAffine(self._window, m, size, flags=back), np.float32)
        if self._craft.crossed == "lets go" and self._is_lost(mask, cover):
            return rgb
        if self._craft.crossed == "masked" and cover is not None:
            mask = np.asarray(mask * (1 - cover), np.float32)
        out = self._pasted(rgb, np.asarray(source, np.uint8), mask)
        if self._craft.last and self._before is not None and self._before.shape == out.shape:
            share = (mask * self._craft.last).astype(np.float32)
            out = blend(out, self._before, share)
        self._before = out
        return out

    def _is_lost(self, mask: F32, cover: F32 | None) -> bool:
        covered = 0.0 if cover is None else float((mask * cover).sum() / max(float(mask.sum()), 1e-6))
        if covered > self._loses_at:
            self._lost = max(self._lost, round(self._fps * float(self._rng.uniform(*LOST_S))))
            return True
        self._lost = max(0, self._lost - 1)
        return self._lost > 0 or self._rng.random() < 1 / (LOST_EVERY_S * self._fps)

    def _drawn_anew(self, aligned: U8) -> tuple[U8, int]:
        """The aligned face as the swapper's network draws it, and how many times WORK_PX its side is."""
        y, x = np.mgrid[0:WORK_PX, 0:WORK_PX].astype(np.float32)
        dx, dy = self._shift
        reshaped = cv2.remap(aligned, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        soft = np.asarray(cv2.GaussianBlur(reshaped, (0, 0), self._blur), np.uint8)
        inner = np.zeros((WORK_PX, WORK_PX), np.float32)
        inner[24:-16, 24:-24] = 1
        face = recolour(tint(soft, np.random.default_rng(self._tint_seed)), aligned, inner, self._match)
        if self._craft.polish:
            large = np.asarray(cv2.resize(face, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
            smooth = cv2.bilateralFilter(cv2.bilateralFilter(large, 5, 30, 3), 5, 30, 3)
            return _sharpened(np.asarray(smooth, np.uint8), 2.0, 1.2), 2
        return (_sharpened(face, 1.5, self._craft.sharpen) if self._craft.sharpen else face), 1

    def _pasted(self, rgb: U8, source: U8, mask: F32) -> U8:
        if self._craft.mouth:
            mask = mask * (1 - _around_mouth(mask, rgb.shape[:2]))
        if self._craft.poisson:
            source = _by_gradients(rgb, source, mask)
        return blend(rgb, source, (mask * self._craft.opacity).clip(0, 1).astype(np.float32))


def _around_mouth(mask: F32, size: tuple[int, int]) -> F32:
    """Where the mouth lies below the middle of a pasted face, f32 (H, W), feathered."""
    ys, xs = np.nonzero(mask > 0.5)
    out: np.ndarray = np.zeros(size, np.float32)
    if len(ys):
        width, height = np.ptp(xs) + 1, np.ptp(ys) + 1
        centre = (int(xs.mean()), int(ys.min() + 0.75 * height))
        axes = (max(2, int(0.26 * width)), max(2, int(0.14 * height)))
        cv2.ellipse(out, centre, axes, 0, 0, 360, 1.0, -1)
        out = cv2.GaussianBlur(out, (0, 0), max(1.0, 0.02 * width))
    return np.asarray(out, np.float32)


def _by_gradients(rgb: U8, source: U8, mask: F32) -> U8:
    """Poisson blending (Perez et al. 2003) inside the mask; the source as it is where that is
    impossible."""
    area = ((mask > 0.1) * 255).astype(np.uint8)
    area[[0, 1, -2, -1]] = 0
    area[:, [0, 1, -2, -1]] = 0
    x, y, w, h = cv2.boundingRect(area)
    if not w or not h:
        return source
    centre = (x + w // 2, y + h // 2)
    return np.asarray(cv2.seamlessClone(source, rgb, area, centre, cv2.NORMAL_CLONE), np.uint8)


def _window(ellipse: bool, rng: np.random.Generator) -> F32:
    """What of the aligned square is pasted, f32 (WORK_PX, WORK_PX)."""
    window = np.zeros((WORK_PX, WORK_PX), np.float32)
    edge = int(rng.integers(8, 20))
    if ellipse:
        cv2.ellipse(window, (64, 66), (60 - edge, 64 - edge // 2), 0, 0, 360, 1.0, -1)
        feather = rng.uniform(4, 8)
    else:
        window[edge:-edge, edge:-edge] = 1
        feather = rng.uniform(2, 4)
    return np.asarray(cv2.GaussianBlur(window, (0, 0), feather), np.float32)


def _sharpened(rgb: U8, sigma: float, amount: float) -> U8:
    soft = cv2.GaussianBlur(rgb, (0, 0), sigma)
    return np.asarray(cv2.addWeighted(rgb, 1 + amount, soft, -amount, 0), np.uint8)
