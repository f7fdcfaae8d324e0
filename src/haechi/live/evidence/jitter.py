"""Jitter: the five points of the finder against where the motion of the skin took them, and the motion of the
face against that of its surroundings. A swapped face is laid on points that tremble."""

from __future__ import annotations

import numpy as np

from haechi.live.evidence.change import Change
from haechi.live.evidence.region import AROUND, CENTRE, INSIDE, SIDE, Region
from haechi.types import F32, F64

NAME = "jitter"
MEASURES = ("points", "shape", "apart")
"""Px of the square, natural logarithms: how far the points are from where the flow took them, the same of
their shape alone, and how far the face moved against its surroundings."""
FLOOR = 0.05
_STEP = 4
_GRID = np.zeros((SIDE, SIDE), bool)
_GRID[::_STEP, ::_STEP] = True
_INSIDE, _AROUND = (np.nonzero(where & _GRID) for where in (INSIDE, AROUND))


def measure(change: Change, region: Region, before_xy: F32, now_xy: F32) -> F64:
    """The MEASURES f64 (3,) between two frames with these points f32 (5, 2), in px of the frame."""
    before, now = (points @ region.matrix[:, :2].T + region.matrix[:, 2] for points in (before_xy, now_xy))
    x, y = np.clip(np.round(now).astype(int), 0, SIDE - 1).T
    off = before - (now + change.flow[y, x])
    shape = off - off.mean(0)
    apart = _shift(change.flow, _INSIDE) - _shift(change.flow, _AROUND)
    return np.log(np.array([_rms(off), _rms(shape), float(np.linalg.norm(apart))]) + FLOOR)


def _rms(off: np.ndarray) -> float:
    return float(np.sqrt((off**2).sum(1).mean()))


def _shift(flow: F32, where: tuple[np.ndarray, ...]) -> np.ndarray:
    """How the middle of the square moves, by the similarity that fits the flow at these places best."""
    y, x = (w.astype(np.float64) for w in where)
    x, y = (x - CENTRE[0]) / SIDE, (y - CENTRE[1]) / SIDE
    one, none = np.ones_like(x), np.zeros_like(x)
    design = np.concatenate([np.stack([one, none, x, -y], 1), np.stack([none, one, y, x], 1)])
    moved = flow[where]
    return np.asarray(np.linalg.lstsq(design, np.concatenate([moved[:, 0], moved[:, 1]]), rcond=None)[0][:2])
