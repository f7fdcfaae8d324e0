"""Faces found in one picture, and what is done with their boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.types import F32

NMS_IOU = 0.45
MERGE_IOU = 0.6
NESTED = 0.75
"""Share of a box that may lie inside a larger one."""


@dataclass(frozen=True, slots=True)
class Detections:
    """boxes_xyxy f32 (n, 4), landmarks_xy f32 (n, 5, 2), scores f32 (n,): surest first, in picture pixels."""

    boxes_xyxy: F32
    landmarks_xy: F32
    scores: F32

    def __len__(self) -> int:
        return len(self.scores)

    def largest(self) -> int:
        """Which box has the largest area. Raises ValueError when there is none."""
        return int((self.boxes_xyxy[:, 2:] - self.boxes_xyxy[:, :2]).prod(1).argmax())


def take(found: Detections, keep: NDArray[np.bool_]) -> Detections:
    return Detections(found.boxes_xyxy[keep], found.landmarks_xy[keep], found.scores[keep])


def join(a: Detections, b: Detections) -> Detections:
    return Detections(
        np.concatenate([a.boxes_xyxy, b.boxes_xyxy]),
        np.concatenate([a.landmarks_xy, b.landmarks_xy]),
        np.concatenate([a.scores, b.scores]),
    )


def suppress(found: Detections) -> Detections:
    """Non-maximum suppression that averages instead of discarding, surest first; then boxes within boxes.

    Several cells answer for one face, each a little off: the mean of those that agree, weighted by score, is
    steadier than the surest alone (the blending of BlazeFace, Bazarevsky et al. 2019).
    """
    left = np.argsort(-found.scores, kind="stable")
    boxes, points, scores = [], [], []
    while len(left):
        best = left[0]
        overlap = iou(found.boxes_xyxy[best][None], found.boxes_xyxy[left])[0]
        same = left[overlap >= MERGE_IOU]
        weight = found.scores[same] ** 2
        boxes.append(np.average(found.boxes_xyxy[same], axis=0, weights=weight))
        points.append(np.average(found.landmarks_xy[same], axis=0, weights=weight))
        scores.append(found.scores[best])
        left = left[(overlap < NMS_IOU) & (left != best)]
    if not boxes:
        return found
    return _without_nested(
        Detections(
            np.stack(boxes).astype(np.float32),
            np.stack(points).astype(np.float32),
            np.array(scores, np.float32),
        )
    )


def _without_nested(found: Detections) -> Detections:
    """Of a box within a box, an eye within a face say, the larger stays unless it is far less sure."""
    boxes, scores = found.boxes_xyxy, found.scores
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    keep = np.ones(len(found), np.bool_)
    span = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(
        boxes[:, None, :2], boxes[None, :, :2]
    )
    within = (areas[:, None] < areas) & (np.clip(span, 0, None).prod(2) > NESTED * areas[:, None])
    for small, large in np.argwhere(within):
        if keep[small] and keep[large]:
            keep[small if scores[large] > 0.6 * scores[small] else large] = False
    return take(found, keep)


def iou(a: F32, b: F32) -> F32:
    """Intersection over union of boxes a (n, 4) with boxes b (m, 4) -> f32 (n, m)."""
    span = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    inter = np.clip(span, 0, None).prod(2)
    area_a, area_b = ((x[:, 2:] - x[:, :2]).prod(1) for x in (a, b))
    out: F32 = (inter / np.maximum(area_a[:, None] + area_b[None] - inter, 1e-9)).astype(np.float32)
    return out
