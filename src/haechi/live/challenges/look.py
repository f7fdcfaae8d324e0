"""Where one person is in one frame, as far as challenges need it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self, TypeAlias

import numpy as np

from haechi.head import yaw_deg
from haechi.types import F32

Stage: TypeAlias = Literal["asked", "begun", "done"]
"""How far a check has got: nothing of it was seen · something of it was · all of it was."""

JUMP_HEIGHTS, JUMP_GROWTH, LOOK_S = 1.0, 1.35, 0.25
"""Between two looks, LOOK_S apart, a head does not move by more of its own height, nor seem to grow or shrink
by more: what does is a tile of the call that was put elsewhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """box_xyxy f32 (4,) and points_xy f32 (5, 2), in px: of the last frame in which the face was found.
    in_sight: whether that is this one."""

    time_s: float
    box_xyxy: F32
    points_xy: F32
    in_sight: bool

    @property
    def height_px(self) -> float:
        return max(float(self.box_xyxy[3] - self.box_xyxy[1]), 1.0)

    @property
    def yaw_deg(self) -> float:
        """How far the head is turned, by ``haechi.head``."""
        return float(yaw_deg(self.points_xy[None])[0])

    @property
    def centre_xy(self) -> tuple[float, float]:
        x1, y1, x2, y2 = (float(v) for v in self.box_xyxy)
        return (x1 + x2) / 2, (y1 + y2) / 2


@dataclass(frozen=True, slots=True)
class Calm:
    """How somebody sat before they were asked: the centre and height of the box in px, and how far the
    head was turned, in degrees."""

    x: float
    y: float
    height_px: float
    yaw_deg: float

    @classmethod
    def of(cls, looks: Sequence[Look]) -> Self:
        """The median of looks, of which one is needed."""
        rows = [(*look.centre_xy, look.height_px, look.yaw_deg) for look in looks]
        return cls(*(float(v) for v in np.median(np.array(rows), 0)))

    def moved(self, before: Look, now: Look) -> Calm:
        """The same where the tile of the call was put elsewhere, or enlarged, between two looks."""
        (x, y), (was_x, was_y) = now.centre_xy, before.centre_xy
        growth = now.height_px / before.height_px
        return replace(
            self,
            x=x + (self.x - was_x) * growth,
            y=y + (self.y - was_y) * growth,
            height_px=self.height_px * growth,
        )


def jumped(before: Look, now: Look) -> bool:
    """Whether the box moved or changed its size faster than a head does."""
    times = max(1.0, (now.time_s - before.time_s) / LOOK_S)
    (x, y), (was_x, was_y) = now.centre_xy, before.centre_xy
    heights = float(np.hypot(x - was_x, y - was_y)) / min(now.height_px, before.height_px)
    growth = now.height_px / before.height_px
    return heights > JUMP_HEIGHTS * times or max(growth, 1 / growth) > JUMP_GROWTH**times
