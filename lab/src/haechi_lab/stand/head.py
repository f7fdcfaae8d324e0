"""A head made by code: an ellipsoid with the relief of a face, and a painted skin. Lengths are in distances
between the eyes; x to the right of the picture, y down, z towards the camera; the eyes lie at y = 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.types import F32

Plane: TypeAlias = NDArray[np.floating[Any]]

REACH = 2.2
"""The maps of relief and skin reach from -REACH to REACH both ways."""
MAP_PX = 352


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """half_axes: of the ellipsoid · relief f32 (n, n): on top of it, towards z · skin f32 (n, n, 3): albedo,
    linear RGB in [0, 1] · mouth_y: where the mouth is · b infinite stands for a cylinder."""

    half_axes: tuple[float, float, float]
    relief: F32
    skin: F32
    mouth_y: float


def _grid() -> tuple[F32, F32]:
    line = np.linspace(-REACH, REACH, MAP_PX, dtype=np.float32)
    return np.meshgrid(line, line)  # type: ignore[return-value]


def _bump(x: Plane, y: Plane, at: tuple[float, float], wide: tuple[float, float]) -> Plane:
    spread: Plane = np.exp(-(((x - at[0]) / wide[0]) ** 2) - ((y - at[1]) / wide[1]) ** 2)
    return spread


def _soft(edge: Plane, width: float = 0.05) -> Plane:
    """1 where ``edge`` is below 0, 0 above, with a soft step."""
    step: Plane = 1 / (1 + np.exp(np.clip(edge / width * 4, -30, 30)))
    return step


def head(rng: np.random.Generator, albedo: float | None = None) -> Head:
    """A head of nobody. ``albedo``: of the skin in red, from 0.12 (darkest) to 0.75 (lightest); None draws
    one."""
    x, y = _grid()
    mouth_y, tip_y = float(rng.uniform(0.92, 1.06)), float(rng.uniform(0.58, 0.68))
    skin = _skin(rng, x, y, mouth_y, tip_y, albedo)
    axes = (float(rng.uniform(1.1, 1.25)), float(rng.uniform(1.75, 1.95)), float(rng.uniform(1.35, 1.6)))
    return Head(axes, _relief(rng, mouth_y, tip_y, 1.62), skin, mouth_y)


def _relief(rng: np.random.Generator, mouth_y: float, tip_y: float, chin_y: float) -> F32:
    x, y = _grid()
    nose = float(rng.uniform(0.36, 0.5))
    relief = nose * _bump(x, y, (0, tip_y), (0.2, 0.17))
    relief += 0.55 * nose * _bump(x, y, (0, 0.28), (0.16, 0.35))
    for side in (-1, 1):
        relief -= rng.uniform(0.08, 0.14) * _bump(x, y, (0.5 * side, 0.0), (0.3, 0.18))
        relief += 0.1 * _bump(x, y, (0.52 * side, -0.32), (0.35, 0.12))
        relief += 0.12 * nose * _bump(x, y, (0.2 * side, tip_y + 0.05), (0.12, 0.1))
        relief += 0.06 * _bump(x, y, (0.62 * side, 0.55), (0.25, 0.25))
    relief += 0.09 * _bump(x, y, (0, mouth_y), (0.35, 0.13)) + 0.14 * _bump(x, y, (0, chin_y), (0.3, 0.2))
    return np.asarray(relief, np.float32)


def _skin(
    rng: np.random.Generator, x: F32, y: F32, mouth_y: float, tip_y: float, albedo: float | None
) -> F32:
    red = float(rng.uniform(0.14, 0.7)) if albedo is None else albedo
    base = np.array([red, red * (0.5 + 0.25 * red), red * (0.36 + 0.28 * red)])
    skin = np.ones((MAP_PX, MAP_PX, 3)) * base
    for size, depth in ((6, 0.05), (24, 0.05), (90, 0.07)):
        coarse = rng.normal(0, depth, (size, size)).astype(np.float32)
        skin *= 1 + cv2.resize(coarse, (MAP_PX, MAP_PX), interpolation=cv2.INTER_CUBIC)[..., None]
    for _ in range(int(rng.integers(6, 18))):  # moles and freckles
        spot = _bump(x, y, (rng.uniform(-0.9, 0.9), rng.uniform(-0.9, 1.6)), (0.025, 0.025))
        skin *= 1 - rng.uniform(0.2, 0.6) * spot[..., None]
    hair = base * 0.12 + rng.uniform(0.005, 0.05)

    def paint(mask: Plane, colour: np.ndarray | float) -> None:
        nonlocal skin
        skin = skin * (1 - mask[..., None]) + mask[..., None] * np.asarray(colour)

    for side in (-1, 1):
        ex, ey = x - 0.5 * side, y
        socket = 0.25 * _bump(x, y, (0.5 * side, -0.02), (0.36, 0.17))
        skin *= 1 - socket[..., None]
        white = (ex / 0.225) ** 2 + ((ey + 0.12 * ex**2) / 0.105) ** 2 - 1
        paint(_soft(white * 0.1, 0.03), 0.62)
        paint(_soft(np.hypot(ex, ey) - 0.1, 0.02) * _soft(white * 0.1, 0.03), rng.uniform(0.02, 0.09))
        lash = np.abs(ey + 0.105 - 0.35 * ex**2) - 0.022
        paint(_soft(np.maximum(lash, np.abs(ex) - 0.25), 0.02), hair * 0.5)
        brow = np.abs(y + 0.36 - 0.1 * np.cos(3 * ex)) - 0.055
        paint(0.85 * _soft(np.maximum(brow, np.abs(ex) - 0.3), 0.04), hair)
        paint(0.75 * _bump(x, y, (0.115 * side, tip_y + 0.1), (0.06, 0.035)), base * 0.15)
        skin *= 1 - 0.25 * _bump(x, y, (0.24 * side, tip_y), (0.05, 0.12))[..., None]
    lips: Plane = (x / 0.38) ** 2 + ((y - mouth_y) / 0.115) ** 2 - 1
    paint(0.8 * _soft(lips * 0.1, 0.03), base * [0.8, 0.5, 0.55])
    line = np.maximum(np.abs(y - mouth_y) - 0.012, np.abs(x) - 0.34)
    paint(0.8 * _soft(line, 0.02), base * 0.2)
    crown = y + 1.05 - 0.18 * np.cos(2 * x) + 0.04 * np.sin(9 * x)
    paint(
        _soft(np.minimum(crown, 0.98 + 0.12 * np.sin(5 * y) - np.abs(x) + np.maximum(y, -0.2) * 0.35), 0.1),
        hair,
    )
    out: F32 = np.clip(skin, 0.004, 0.95).astype(np.float32)
    return out


def open_mouth(skin: F32, mouth_y: float, opening: float) -> F32:
    """The skin with the mouth open by ``opening``, from 0 to 1: the lips part and it is dark between them."""
    if opening <= 0.02:
        return skin
    x, y = _grid()
    gap = (x / 0.27) ** 2 + ((y - mouth_y - 0.1 * opening) / (0.24 * opening)) ** 2 - 1
    dark = _soft(gap * 0.1, 0.03)[..., None]
    rim = _soft(np.abs(gap) * 0.1 - 0.05, 0.04)[..., None]
    lips = skin.reshape(-1, 3)[np.argmin(np.abs(x) + np.abs(y - mouth_y - 0.06))]
    out: F32 = ((skin * (1 - rim) + rim * lips) * (1 - dark) + dark * 0.02).astype(np.float32)
    return out
