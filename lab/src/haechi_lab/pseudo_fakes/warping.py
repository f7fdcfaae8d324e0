"""A picture moved smoothly so that the points of its face mesh go where they are told.

The displacements of the points become a dense field on a coarse grid by normalised convolution (Knutsson &
Westin 1993), a wide bell first and then narrower ones for what it left: between points it is smooth, far from
the face it is zero.
"""

from __future__ import annotations

import cv2
import numpy as np

from haechi.types import F32, U8
from haechi_lab.pseudo_fakes.motion import INNER_LOWER, INNER_UPPER, height
from haechi_lab.pseudo_fakes.regions import LIPS, OVAL

BELLS = (0.12, 0.06, 0.06, 0.03, 0.015, 0.01)
"""Widths of the bells over the height of the face, from wide to narrow."""
FADES = 0.25
"""Share of one point's height below which a bell is no longer heard."""
STILL = (1.25, 1.45, 1.7)
"""The oval grown by these stands still."""
GRID = 130
"""Cells of the coarse grid over the height of the face, at most."""


def field(mesh: F32, displacement: F32, shape: tuple[int, int]) -> F32:
    """From where every pixel of a picture of ``shape`` (H, W) comes, f32 (H, W, 2): offsets dx, dy in pixels.

    ``mesh`` and ``displacement`` f32 (468, 2) in pixels. The ground well beyond the oval of the face stays.
    """
    h, w = shape
    tall = height(mesh)
    step = max(1.0, tall / GRID)
    size = max(2, int(np.ceil(w / step))), max(2, int(np.ceil(h / step)))
    oval, pull = mesh[OVAL], displacement[OVAL]
    # Twice as many points on the oval, so that its edge moves as one and does not scallop.
    edge, edge_pull = (oval + np.roll(oval, 1, 0)) / 2, (pull + np.roll(pull, 1, 0)) / 2
    rest = np.concatenate([(oval - oval.mean(0)) * grow + oval.mean(0) for grow in STILL])
    places = np.concatenate([mesh + displacement, edge + edge_pull, rest]) * (np.array(size) / (w, h))
    values = np.concatenate([-displacement, -edge_pull, np.zeros_like(rest)])
    cells, shares = _cells(places, size)
    weight = _splat(cells, shares, size)
    dense: F32 = np.zeros((size[1], size[0], 2), np.float32)
    at_x, at_y = (places - 0.5).astype(np.float32).T[:, :, None]
    for bell in BELLS:
        sigma = bell * tall / step
        residuals = (
            values - cv2.remap(dense, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]
        )
        pulls = [_splat(cells, shares * residuals[:, i : i + 1], size) for i in (0, 1)]
        heavy = _blur(np.stack([*pulls, weight], 2), sigma)
        dense = dense + heavy[:, :, :2] / (heavy[:, :, 2:] + np.float32(FADES / (2 * np.pi * sigma**2)))
    return _kept_inside(np.asarray(cv2.resize(dense, (w, h), interpolation=cv2.INTER_LINEAR), np.float32))


def _kept_inside(offsets: F32) -> F32:
    """Offsets held back near the border, so that nothing comes from beyond it: d becomes d t / (t + d), t the
    way to the border."""
    h, w = offsets.shape[:2]
    ways = np.arange(w, dtype=np.float32)[None], np.arange(h, dtype=np.float32)[:, None]
    for axis, (way, length) in enumerate(zip(ways, (w, h), strict=True)):
        o = offsets[:, :, axis]
        room = np.where(o < 0, way, length - 1 - way)
        offsets[:, :, axis] = o * room / (room + np.abs(o) + 1e-6)
    return offsets


def _cells(places: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The four cells around each of n points, i64 (n, 4), and how it is shared among them, f64 (n, 4);
    the share in a cell outside of the grid is 0."""
    w, h = size
    places = np.nan_to_num(places - 0.5, nan=-99, posinf=-99, neginf=-99).clip(-99, max(w, h) + 99)
    corner = np.floor(places).astype(np.int64)
    part = places - corner
    cells, shares = [], []
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        x, y = corner[:, 0] + dx, corner[:, 1] + dy
        inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
        cells.append(np.where(inside, y * w + x, 0))
        shares.append(np.abs(1 - dx - part[:, 0]) * np.abs(1 - dy - part[:, 1]) * inside)
    return np.stack(cells, 1), np.stack(shares, 1)


def _splat(cells: np.ndarray, weights: np.ndarray, size: tuple[int, int]) -> F32:
    flat = np.bincount(cells.ravel(), weights.ravel(), size[0] * size[1])
    return flat.reshape(size[1], size[0]).astype(np.float32)


def _blur(cells: F32, sigma: float) -> F32:
    """Gaussian blur; a wide one on a reduced grid, where it costs little and loses nothing."""
    h, w = cells.shape[:2]
    part = max(1, min(int(sigma / 2), min(h, w) // 4))
    small: np.ndarray = cells
    if part > 1:
        small = cv2.resize(cells, (max(2, w // part), max(2, h // part)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / part, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(small if part == 1 else cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR))


def mouth_inside(mesh: F32, displacement: F32, shape: tuple[int, int]) -> F32:
    """How much of each pixel the mouth opened to, f32 (H, W) in [0, 1]; all 0 when it did not open."""
    target = mesh + displacement
    gap, before = (
        float(np.linalg.norm(m[INNER_LOWER] - m[INNER_UPPER], axis=1).max()) for m in (target, mesh)
    )
    gain = (gap - before) / height(mesh)
    out = np.zeros(shape, np.float32)
    # A mouth that stood open has an inside of its own, which the warp has stretched.
    if gain < 0.01 or before > 0.04 * height(mesh):
        return out
    ring = np.concatenate([target[INNER_UPPER], target[INNER_LOWER][-2:0:-1]])
    cv2.fillPoly(out, [np.round(ring.clip(-9999, 9999) * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(out, (0, 0), max(0.4, 0.006 * height(mesh))), np.float32)


def paint_mouth(rgb: U8, colour: F32, inside: F32) -> U8:
    """The opened mouth filled with a colour f32 (3,), darker towards its middle."""
    if not inside.any():
        return rgb
    deep = cv2.GaussianBlur(inside, (0, 0), max(1.0, float(np.sqrt(inside.sum())) * 0.15))
    fill = colour * (1.25 - 0.6 * deep[:, :, None])
    out: U8 = (rgb + (fill - rgb) * inside[:, :, None] + 0.5).clip(0, 255).astype(np.uint8)
    return out


def mouth_colour(rgb: U8, mesh: F32) -> F32:
    """A dark red that suits the light on the lips, f32 (3,)."""
    h, w = rgb.shape[:2]
    x, y = np.round(mesh[LIPS].clip(0, (w - 1, h - 1))).astype(int).T
    dark = np.percentile(rgb[y, x].astype(np.float32), 30, 0)
    return (dark * np.array([0.42, 0.3, 0.3])).astype(np.float32)


def warp(rgb: U8, mesh: F32, displacement: F32, interpolation: int = cv2.INTER_CUBIC) -> U8:
    """``rgb`` u8 (H, W, 3) with the points of ``mesh`` moved by ``displacement``, both f32 (468, 2) in px.

    A mouth that opens from closed shows a dark inside, painted, as cheap animations have it.
    """
    h, w = rgb.shape[:2]
    offsets = field(mesh, displacement, (h, w))
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    picture = cv2.remap(
        rgb, x + offsets[:, :, 0], y + offsets[:, :, 1], interpolation, borderMode=cv2.BORDER_REFLECT_101
    )
    inside = mouth_inside(mesh, displacement, (h, w))
    return paint_mouth(np.asarray(picture, np.uint8), mouth_colour(rgb, mesh), inside)
