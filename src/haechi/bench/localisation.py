"""Does the map show where the picture was changed? Overlap with the true mask, in pixels of the picture.

A detector's map covers a box around a face (``types.Region``); here it is laid where the report shows it,
joined over the faces, and cut at the threshold of the card (``output.map_threshold``) or at 0.5. The mask is
a picture of the same framing, 8 bit: the share of the forgery in each pixel. Where the share reaches half of
the mask's own maximum is the true area: a blend of a quarter is still a blend, its soft edge still an edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.errors import UsageError
from haechi.types import F32, U8, Region

THRESHOLD = 0.5
FAINTEST = 8
"""A mask that nowhere reaches this, of 255, shows no change that could be found."""
SHIFTED = frozenset({"double_jpeg"})
"""Rungs that cut pixels off, after which a mask no longer lies where it lay."""

Area = NDArray[np.bool_]


def read_mask(path: Path) -> U8:
    """u8 (h, w). Raises UsageError when the file is no picture."""
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise UsageError(f"the mask {path.name} cannot be read as a picture; write an 8-bit PNG")
    return np.asarray(mask, dtype=np.uint8)


def true_area(mask: U8, width_px: int, height_px: int) -> Area | None:
    """Where a mask u8 (h, w) says that a picture of that size was changed, bool (height_px, width_px); None
    when it says so nowhere. It is stretched to the picture, whose size a degradation may have changed."""
    shrinks = mask.shape[0] > height_px
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    fitted = np.asarray(cv2.resize(mask, (width_px, height_px), interpolation=how))
    top = int(fitted.max())
    return fitted >= top / 2 if top >= FAINTEST else None


def picture_map(regions: Iterable[Region], width_px: int, height_px: int) -> F32:
    """The maps of the regions, each stretched over its box, f32 (height_px, width_px); the largest value
    where boxes overlap, 0 outside of all. Boxes are taken to whole pixels and may leave the picture."""
    out = np.zeros((height_px, width_px), dtype=np.float32)
    for region in regions:
        if region.heatmap is None or not region.heatmap.size:
            continue
        x1, y1, x2, y2 = (round(v) for v in region.box_xyxy)
        if min(x2, width_px) <= max(x1, 0) or min(y2, height_px) <= max(y1, 0):
            continue
        values = region.heatmap.astype(np.float32)
        large = np.asarray(cv2.resize(values, (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR))
        inside = large[max(-y1, 0) : height_px - y1, max(-x1, 0) : width_px - x1]
        place = out[max(y1, 0) : max(y1, 0) + inside.shape[0], max(x1, 0) : max(x1, 0) + inside.shape[1]]
        np.maximum(place, inside, out=place)
    return out


def ellipses(boxes_xyxy: Sequence[Sequence[float]], width_px: int, height_px: int) -> Area:
    """The guess of whoever looks at no map: the ellipse in each face's box, bool (height_px, width_px)."""
    y, x = np.ogrid[:height_px, :width_px]
    out = np.zeros((height_px, width_px), dtype=bool)
    for x1, y1, x2, y2 in boxes_xyxy:
        across, down = max(x2 - x1, 1e-6) / 2, max(y2 - y1, 1e-6) / 2
        out |= ((x + 0.5 - (x1 + x2) / 2) / across) ** 2 + ((y + 0.5 - (y1 + y2) / 2) / down) ** 2 <= 1
    return out


def iou(a: Area, b: Area) -> float:
    """Intersection over union of two areas bool (H, W); NaN when both are empty."""
    union = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / union if union else float("nan")
