"""Faces found in one picture, and what is done with their boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.types import F32

NMS_IOU = 0.45


@dataclass(frozen=True, slots=True)
class Detections:
    """boxes_xyxy f32 (n, 4), landmarks_xy f32 (n, 5, 2), scores f32 (n,): surest first, in picture pixels."""

    boxes_xyxy: F32
    landmarks_xy: F32
    scores: F32

    def __len__(self) -> int:
        return len(self.scores)


def take(found: Detections, keep: NDArray[np.bool_]) -> Detections:
    return Detections(found.boxes_xyxy[keep], found.landmarks_xy[keep], found.scores[keep])


def join(a: Detections, b: Detections) -> Detections:
    return Detections(
        np.concatenate([a.boxes_xyxy, b.boxes_xyxy]),
        np.concatenate([a.landmarks_xy, b.landmarks_xy]),
        np.concatenate([a.scores, b.scores]),
    )


def suppress(found: Detections) -> Detections:
    """Greedy non-maximum suppression, surest first."""
    left = list(np.argsort(-found.scores, kind="stable"))
    kept: list[int] = []
    while left:
        best = left.pop(0)
        kept.append(best)
        if left:
            overlap = iou(found.boxes_xyxy[best], found.boxes_xyxy[left])
            left = [i for i, o in zip(left, overlap, strict=True) if o < NMS_IOU]
    return Detections(found.boxes_xyxy[kept], found.landmarks_xy[kept], found.scores[kept])


def iou(box: F32, boxes: F32) -> F32:
    """Intersection over union of one box (4,) with boxes (n, 4) -> f32 (n,)."""
    lt, rb = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    inter = np.clip(rb - lt, 0, None).prod(1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1) + (box[2:] - box[:2]).prod() - inter
    out: F32 = (inter / np.maximum(areas, 1e-9)).astype(np.float32)
    return out
