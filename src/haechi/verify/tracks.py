"""Points of a face followed from frame to frame, by sparse optical flow (Lucas and Kanade 1981, in pyramids:
Bouguet 2000); and landmarks that are carried along by the points around them.

A finder looks at every frame alone and draws landmarks as most faces have them, which hides part of a turn;
what is carried goes where the skin goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.types import F32, U8

Flags: TypeAlias = NDArray[np.bool_]

MOST_POINTS = 200
NEAR = 0.22
"""Points so near to a landmark carry it, in lengths from the eyes to the mouth."""
LEAST_NEAR = 2
GRID, GRID_REACH = 4, 0.15
"""Around each landmark so many points each way are followed besides the corners, so far out, in the same
lengths: smooth or dark skin has hardly a corner, and a landmark without points is lost."""
SOFT_PX = 1.2
"""Frames are blurred by so much before they are followed: the noise of a dark room carries points away."""
_WINDOW_PX, _HALVINGS = (15, 15), 3
_SAME_PX = 2.0
_ROUND_TRIP_PX = 1.5
"""A point that does not come back to where it was when followed backwards was lost on the way."""


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Of N points in K frames: xy f32 (K, N, 2) in px, followed bool (K, N)."""

    xy: F32
    followed: Flags


def grey_of(rgb: U8) -> U8:
    """A frame u8 (H, W, 3) as it is followed: u8 (H, W)."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), SOFT_PX), np.uint8)


def follow(greys: Sequence[U8], landmarks_xy: F32) -> Paths:
    """Frames of ``grey_of``, at least one; the landmarks f32 (5, 2) of the face in the first."""
    mask = _face_mask(greys[0].shape, landmarks_xy)
    spacing = max(3.0, _length(landmarks_xy) / 16)
    corners = cv2.goodFeaturesToTrack(greys[0], MOST_POINTS, 0.004, spacing, mask=mask)
    sharp = np.zeros((0, 2), np.float32) if corners is None else np.asarray(corners, np.float32)[:, 0]
    start = np.concatenate([sharp, _grid(landmarks_xy, sharp)])[:, None]
    xy, followed = _flow(greys, start)
    return Paths(xy, followed)


def between(greys: Sequence[U8], paths: Paths) -> tuple[F32, F32]:
    """Points f32 (M, 2) in the first frame and in the last of ``greys``, without those that do not come back
    when they are followed backwards. ``paths``: of these frames and perhaps later ones."""
    last = len(greys) - 1
    back, followed = _flow(greys[::-1], paths.xy[last][:, None])
    returns = np.linalg.norm(back[-1] - paths.xy[0], axis=1) < _ROUND_TRIP_PX
    fine = paths.followed[last] & followed[-1] & returns
    return paths.xy[0][fine], paths.xy[last][fine]


def carried(paths: Paths, landmarks_xy: F32) -> F32:
    """f32 (K, 5, 2): the landmarks of the first frame, each moved as the points around it are; NaN where too
    few of them are left."""
    near = np.linalg.norm(paths.xy[0][:, None] - landmarks_xy[None], axis=2) < NEAR * _length(landmarks_xy)
    out = np.full((len(paths.xy), 5, 2), np.nan, np.float32)
    for k, (xy, followed) in enumerate(zip(paths.xy, paths.followed, strict=True)):
        steps = xy - paths.xy[0]
        for mark in range(5):
            around = near[:, mark] & followed
            if around.sum() >= LEAST_NEAR:
                out[k, mark] = landmarks_xy[mark] + np.median(steps[around], 0)
    return out


def _flow(greys: Sequence[Any], start: F32) -> tuple[F32, Flags]:
    points: Any = start
    xy, fine = [start[:, 0]], [np.ones(len(start), bool)]
    for one, other in pairwise(greys):
        if len(start):
            ends = np.zeros_like(points)
            points, status, _ = cv2.calcOpticalFlowPyrLK(
                one, other, points, ends, winSize=_WINDOW_PX, maxLevel=_HALVINGS
            )
            fine.append(fine[-1] & (np.asarray(status).ravel() == 1))
        else:
            fine.append(fine[-1])
        xy.append(np.asarray(points)[:, 0])
    return np.array(xy, np.float32), np.array(fine)


def _grid(landmarks_xy: F32, sharp: F32) -> F32:
    """f32 (n, 2): points around the landmarks, but for those where a sharp one f32 (m, 2) is already."""
    line = np.linspace(-GRID_REACH, GRID_REACH, GRID, dtype=np.float32) * _length(landmarks_xy)
    steps = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    points: F32 = (landmarks_xy[:, None] + steps).reshape(-1, 2).astype(np.float32)
    distances = np.linalg.norm(points[:, None] - sharp[None], axis=2)
    apart: F32 = points[distances.min(1, initial=np.inf) > _SAME_PX]
    return apart


def _length(landmarks_xy: F32) -> float:
    return float(np.linalg.norm(landmarks_xy[3:].mean(0) - landmarks_xy[:2].mean(0)))


def _face_mask(shape: tuple[int, ...], landmarks_xy: F32) -> U8:
    """The face from the brows to below the mouth, ear to ear."""
    eyes, mouth = landmarks_xy[:2].mean(0), landmarks_xy[3:].mean(0)
    length = _length(landmarks_xy)
    centre = eyes + 0.45 * (mouth - eyes)
    angle = float(np.degrees(np.arctan2(*(mouth - eyes)[::-1]))) - 90
    mask = np.zeros(shape, np.uint8)
    axes = (int(0.95 * length), int(1.15 * length))
    cv2.ellipse(mask, (int(centre[0]), int(centre[1])), axes, angle, 0, 360, 255, -1)
    return mask
