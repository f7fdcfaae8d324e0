"""All signs of one person, look by look, gathered to a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from haechi.live.evidence import dropouts, flicker, jitter, sharpness
from haechi.live.evidence.change import LONGEST_S, Change, flow_finder
from haechi.live.evidence.dropouts import DropOuts
from haechi.live.evidence.region import Region
from haechi.types import F32, F64, U8

SIGNS: Mapping[str, tuple[str, ...]] = {
    module.NAME: module.MEASURES for module in (sharpness, flicker, jitter, dropouts)
}
"""What each of them measures."""
LEAST_SHOWN = 0.7
"""Where less of the surroundings lies within the frame, nothing is held against them."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A frame as grey u8 (H, W), and the five points of a person's face in it f32 (5, 2)."""

    grey: U8
    landmarks_xy: F32
    time_s: float


class Signs:
    """Of one person; keeps a few numbers, and no picture."""

    def __init__(self) -> None:
        self._flow_finder: cv2.DISOpticalFlow | None = None
        self._drop_outs = DropOuts()
        self._looks: dict[str, list[F64]] = {}

    def add(self, look: Look, before: Look | None) -> None:
        """The next look at the face, and the one at the frame before if the face was in it."""
        height, width = look.grey.shape
        region = Region.of(look.landmarks_xy, width, height)
        if region is None or region.shown < LEAST_SHOWN:
            return
        self._keep(sharpness.NAME, sharpness.measure(look.grey, region))
        if before is None or before.grey.shape != look.grey.shape:
            return
        if look.time_s - before.time_s > LONGEST_S:
            return
        if self._flow_finder is None:
            self._flow_finder = flow_finder()
        change = Change.of(before.grey, look.grey, region, self._flow_finder)
        self._keep(flicker.NAME, flicker.measure(change))
        self._keep(jitter.NAME, jitter.measure(change, region, before.landmarks_xy, look.landmarks_xy))
        self._keep(dropouts.NAME, self._drop_outs.measure(change))

    def second(self) -> dict[str, F64]:
        """What the looks since the last second measured, by sign: their mean, of drop-outs the highest. A
        sign that could not be measured is missing."""
        looks, self._looks = self._looks, {}
        return {
            name: np.max(values, 0) if name == dropouts.NAME else np.mean(values, 0)
            for name, values in looks.items()
        }

    def _keep(self, name: str, measures: F64 | None) -> None:
        if measures is not None and np.isfinite(measures).all():
            self._looks.setdefault(name, []).append(measures)
