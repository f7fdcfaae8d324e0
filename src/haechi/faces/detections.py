"""Faces found in one picture, and what is done with their boxes."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from haechi.types import F32, F64
from haechi.values import Value

NMS_IOU = 0.45
MERGE_IOU = 0.6
SAME_IOU = 0.3
SURER = 0.95
NESTED = 0.75
"""Share of a box that may lie inside a larger one."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Detections(Value):
    """boxes_xyxy f32 (n, 4), landmarks_xy f32 (n, 5, 2), scores f32 (n,): surest first, in picture pixels.

    What is left out is that of upright faces that nobody doubts: certainty f64 (n,), probability that it is a
    face at all; turns_deg f32 (n,), clockwise from upright; own_xyxy f32 (n, 4): the box that the face
    has when the picture is turned about the box's centre until it stands upright.
    """

    boxes_xyxy: F32
    landmarks_xy: F32
    scores: F32
    certainty: F64 = field(default_factory=lambda: np.zeros(0))
    turns_deg: F32 = field(default_factory=lambda: np.zeros(0, np.float32))
    own_xyxy: F32 = field(default_factory=lambda: np.zeros((0, 4), np.float32))

    def __post_init__(self) -> None:
        n = len(self.scores)
        for name, usual in (
            ("certainty", np.ones(n)), ("turns_deg", np.zeros(n, np.float32)), ("own_xyxy", self.boxes_xyxy),
        ):  # fmt: skip
            if len(getattr(self, name)) != n:
                object.__setattr__(self, name, usual)

    @staticmethod
    def none() -> Detections:
        return Detections(
            np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, np.float32)
        )

    def __len__(self) -> int:
        return len(self.scores)

    def largest(self) -> int:
        """Which box has the largest area. Raises ValueError when there is none."""
        return int((self.boxes_xyxy[:, 2:] - self.boxes_xyxy[:, :2]).prod(1).argmax())

    def judged(self, certainty: F64, turns_deg: F32 | F64) -> Detections:
        """The same with what a second look said."""
        return replace(self, certainty=certainty, turns_deg=np.asarray(turns_deg, np.float32))

    def scaled(self, along_x: float, along_y: float) -> Detections:
        """In pixels of a picture that is so many times as wide and as high."""
        factor = np.array([along_x, along_y], np.float32)
        middle = (self.own_xyxy[:, :2] + self.own_xyxy[:, 2:]) / 2 * factor
        lying = (np.round(self.turns_deg / 90) % 2 == 1)[:, None]
        half = (self.own_xyxy[:, 2:] - self.own_xyxy[:, :2]) / 2 * np.where(lying, factor[::-1], factor)
        boxes = self.boxes_xyxy * np.tile(factor, 2)
        upright = (self.turns_deg == 0)[:, None]
        own = np.where(upright, boxes, np.concatenate([middle - half, middle + half], 1)).astype(np.float32)
        return replace(self, boxes_xyxy=boxes, landmarks_xy=self.landmarks_xy * factor, own_xyxy=own)


_FIELDS = tuple(f.name for f in fields(Detections))


def take(faces: Detections, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Detections:
    return Detections(*(getattr(faces, name)[keep] for name in _FIELDS))


def ordered(faces: Detections) -> Detections:
    """Surest first, equals from left to right: one order, whatever order they came in."""
    x1, y1, x2, y2 = faces.boxes_xyxy.T
    return take(faces, np.lexsort((y2, x2, y1, x1, -faces.scores)))


def join(a: Detections, b: Detections) -> Detections:
    return Detections(*(np.concatenate([getattr(a, name), getattr(b, name)]) for name in _FIELDS))


def mirror(faces: Detections, width: int) -> Detections:
    """Faces of a mirrored picture of that width -> of the picture: the right eye is the left one's mirror."""
    boxes, points = faces.boxes_xyxy.copy(), faces.landmarks_xy[:, [1, 0, 2, 4, 3]].copy()
    boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    points[:, :, 0] = width - points[:, :, 0]
    return Detections(boxes, points, faces.scores)


def suppress_turned(faces: Detections) -> Detections:
    """Of one face found in several quarter turns, the surest one stays and of equals the straighter; surest
    first. Faces of one quarter turn were told apart already."""
    quarter = np.round(faces.turns_deg / 90) % 4
    lean = np.abs((faces.turns_deg + 45) % 90 - 45)
    order = np.argsort(-(faces.certainty - lean / 180), kind="stable")
    overlap = iou(faces.boxes_xyxy, faces.boxes_xyxy)
    keep = np.ones(len(faces), np.bool_)
    for rank, i in enumerate(order):
        rest = order[rank + 1 :]
        keep[rest[keep[i] & (quarter[rest] != quarter[i]) & (overlap[i, rest] >= SAME_IOU)]] = False
    faces = take(faces, keep)
    return take(faces, np.argsort(-faces.scores, kind="stable"))


def one_way_up(faces: Detections, certain: float) -> Detections:
    """A picture is taken one way up: beside a sure face, what stands upright in another quarter turn must be
    surer still."""
    worth = faces.certainty * faces.scores
    if not len(faces) or faces.certainty[worth.argmax()] < certain:
        return faces
    quarter = np.round(faces.turns_deg / 90) % 4
    return take(faces, (quarter == quarter[worth.argmax()]) | (faces.certainty >= SURER))


def suppress(faces: Detections) -> Detections:
    """Non-maximum suppression that averages instead of discarding, surest first; then boxes within boxes.

    Several cells answer for one face, each a little off: the mean of those that agree, weighted by score, is
    steadier than the surest alone (the blending of BlazeFace, Bazarevsky et al. 2019).
    """
    remaining = np.argsort(-faces.scores, kind="stable")
    boxes, points, scores = [], [], []
    while len(remaining):
        best = remaining[0]
        overlap = iou(faces.boxes_xyxy[best][None], faces.boxes_xyxy[remaining])[0]
        same = remaining[overlap >= MERGE_IOU]
        weight = faces.scores[same] ** 2
        boxes.append(np.average(faces.boxes_xyxy[same], axis=0, weights=weight))
        points.append(np.average(faces.landmarks_xy[same], axis=0, weights=weight))
        scores.append(faces.scores[best])
        remaining = remaining[(overlap < NMS_IOU) & (remaining != best)]
    if not boxes:
        return faces
    return _without_nested(
        Detections(
            np.stack(boxes).astype(np.float32),
            np.stack(points).astype(np.float32),
            np.array(scores, np.float32),
        )
    )


def _without_nested(faces: Detections) -> Detections:
    """Of a box within a box, an eye within a face say, the larger stays unless it is far less sure."""
    boxes, scores = faces.boxes_xyxy, faces.scores
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    keep = np.ones(len(faces), np.bool_)
    span = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(
        boxes[:, None, :2], boxes[None, :, :2]
    )
    within = (areas[:, None] < areas) & (np.clip(span, 0, None).prod(2) > NESTED * areas[:, None])
    for small, large in np.argwhere(within):
        if keep[small] and keep[large]:
            keep[small if scores[large] > 0.6 * scores[small] else large] = False
    return take(faces, keep)


def iou(a: F32, b: F32) -> F32:
    """Intersection over union of boxes a (n, 4) with boxes b (m, 4) -> f32 (n, m)."""
    span = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    inter = np.clip(span, 0, None).prod(2)
    area_a, area_b = ((x[:, 2:] - x[:, :2]).prod(1) for x in (a, b))
    out: F32 = (inter / np.maximum(area_a[:, None] + area_b[None] - inter, 1e-9)).astype(np.float32)
    return out
