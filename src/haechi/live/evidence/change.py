"""What changed between two frames of a face, beside motion."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from haechi.live.evidence.region import SIDE, Region
from haechi.types import F32, U8

LONGEST_S = 0.45
"""Frames further apart are not compared: heads turn."""
_Y, _X = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """flow f32 (SIDE, SIDE, 2): px of the square from where something is in the later frame to where it was
    in the earlier · left f32 (SIDE, SIDE): later less earlier, when motion is taken away."""

    flow: F32
    left: F32

    @classmethod
    def of(cls, before: U8, grey: U8, region: Region, finder: cv2.DISOpticalFlow) -> Change:
        """Between two frames u8 (H, W) of one size, in the region of the later."""
        earlier, now = region.cut(before), region.cut(grey)
        flow = np.asarray(finder.calc(now, earlier, None), np.float32)  # type: ignore[call-overload]
        moved = cv2.remap(
            earlier, _X + flow[..., 0], _Y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return cls(flow, np.asarray(now.astype(np.float32) - moved, np.float32))


def flow_finder() -> cv2.DISOpticalFlow:
    """Dense flow (Kroeger et al. 2016) at its quickest."""
    return cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)


def mean(values: np.ndarray, where: U8) -> float:
    """Over the px that are set."""
    return float(cv2.mean(values, where)[0])
