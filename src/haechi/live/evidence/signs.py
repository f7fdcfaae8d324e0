"""All signs of one person, look by look, gathered to a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from haechi.live.evidence import sharpness
from haechi.live.evidence.region import Region
from haechi.types import F32, F64, U8

SIGNS: Mapping[str, tuple[str, ...]] = {module.NAME: module.MEASURES for module in (sharpness,)}
"""What each of them measures."""
LEAST_SHOWN = 0.7
"""Where less of the surroundings lies within the frame, nothing is held against them."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A frame as grey u8 (H, W), and the five points of a person's face in it f32 (5, 2)."""

    grey: U8
    landmarks_xy: F32


class Signs:
    """Of one person; keeps a few numbers, and no picture."""

    def __init__(self) -> None:
        self._looks: dict[str, list[F64]] = {}

    def add(self, look: Look) -> None:
        """The next look at the face."""
        height, width = look.grey.shape
        region = Region.of(look.landmarks_xy, width, height)
        if region is None or region.share_inside < LEAST_SHOWN:
            return
        measures = sharpness.measure(look.grey, region)
        if np.isfinite(measures).all():
            self._looks.setdefault(sharpness.NAME, []).append(measures)

    def second(self) -> dict[str, F64]:
        """The mean of what the looks since the last second measured, by sign. One that could not be measured
        is missing."""
        looks, self._looks = self._looks, {}
        return {name: np.mean(values, 0) for name, values in looks.items()}
