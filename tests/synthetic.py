"""Pictures, clips, tracks and networks made by code, for the stages between Media and Verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from haechi import models
from haechi.models import ModelCard
from haechi.settings import Settings
from haechi.types import F32, U8, FaceTrack, Frame, Media, MediaKind

RED = (255, 0, 0)

STRIDES = (8, 16, 32)
"""Of the face finder's cells."""


def texture(height: int, width: int, seed: int = 0, soft: float = 1.5) -> U8:
    """Coloured noise u8 (height, width, 3), blurred by ``soft`` pixels; never as red as a marker."""
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.integers(0, 256, (height, width, 3)).astype(np.float32), (0, 0), soft)
    spread = (noise - noise.mean()) / (noise.std() + 1e-6) * 20 + 128
    out: U8 = np.clip(spread, 80, 160).astype(np.uint8)
    return out


def with_markers(rgb: U8, boxes: Sequence[tuple[int, int, int, int]]) -> U8:
    """A copy with red rectangles (x1, y1, x2, y2), which ``MarkerNet`` takes for faces."""
    out = rgb.copy()
    for x1, y1, x2, y2 in boxes:
        out[max(y1, 0) : y2, max(x1, 0) : x2] = RED
    return out


def media(frames: Sequence[U8], fps: float = 10.0, kind: MediaKind | None = None, **facts: Any) -> Media:
    """A photograph (one frame) or a video, evenly sampled as ``haechi.media`` does it."""
    height, width = frames[0].shape[:2]
    video = len(frames) > 1 if kind is None else kind == "video"

    def read(n: int) -> Iterator[Frame]:
        for i in np.unique(np.linspace(0, len(frames) - 1, min(n, len(frames))).round().astype(int)):
            yield Frame(frames[i], int(i), float(i / fps))

    return Media(
        name="clip.mp4" if video else "photo.png",
        sha256="0" * 64,
        kind="video" if video else "image",
        width_px=width,
        height_px=height,
        fps=fps if video else None,
        duration_s=len(frames) / fps if video else None,
        container=facts,
        reader=read,
    )


def landmarks_of(boxes: F32) -> F32:
    """Five points f32 (n, 5, 2) where a frontal face has them in boxes f32 (n, 4)."""
    places = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)
    size = (boxes[:, 2:] - boxes[:, :2])[:, None]
    out: F32 = (boxes[:, None, :2] + places * size).astype(np.float32)
    return out


def track(
    times: Sequence[float] = (0.0,),
    *,
    number: int = 1,
    side: int = 200,
    crops: U8 | None = None,
    native: U8 | None = None,
) -> FaceTrack:
    """A face of ``side`` pixels that stands still and is sharp, light and frontal unless told otherwise."""
    k = len(times)
    boxes = np.tile(np.array([100, 100, 100 + side, 100 + side], np.float32), (k, 1))
    seen = np.stack([texture(224, 224, i) for i in range(k)]) if crops is None else crops
    return FaceTrack(
        track_id=number,
        times_s=np.array(times, np.float64),
        boxes_xyxy=boxes,
        landmarks_xy=landmarks_of(boxes),
        scores=np.full(k, 0.9, np.float32),
        crops=seen,
        crop_index=np.arange(len(seen), dtype=np.int64),
        crop_boxes_xyxy=boxes[: len(seen)],
        native=(texture(320, 320) if native is None else native,),
    )


@dataclass
class FakeModel:
    """What ``haechi.models.load`` returns, with outputs from a function of the inputs."""

    raw: Mapping[str, Any]
    outputs: Any = None

    @property
    def card(self) -> ModelCard:
        """That of the shipped model of this name, with what ``raw`` says instead."""
        shipped = models.card(self.raw["name"], Settings()).raw
        return ModelCard.of({**shipped, "version": "9.9.9", "figures": {}, **self.raw})

    def run(self, *arrays: F32) -> tuple[F32, ...]:
        out: tuple[F32, ...] = self.outputs(*arrays)
        return out


class SureLook(FakeModel):
    """In place of the second look: everything is a face, surely, turned by ``turn_deg`` as it is shown."""

    def __init__(self, logit: float = 5.0, turn_deg: float = 0.0) -> None:
        super().__init__(
            {
                "name": "face_check",
                "certain": 0.5,
                "certain_over_time": 0.9,
                "doubtful": 0.2,
                "finder_weight": 0.0,
                "offset": 0.0,
            }
        )
        self.logit, self.turn_deg = logit, turn_deg

    def run(self, *arrays: F32) -> tuple[F32, ...]:
        (x,) = arrays
        assert len(x) in (2, 8), "each quarter turn and then its mirror image, or only both as they are"
        way = np.arange(8)[:: 8 // len(x)]
        a = np.radians(np.where(way < 4, self.turn_deg, -self.turn_deg) - 90 * (way % 4))
        return (np.stack([np.full(len(x), self.logit), np.cos(a), np.sin(a)], 1).astype(np.float32),)


class MarkerNet(FakeModel):
    """In place of the face finder: every red blob is a face, given by the cell in its middle."""

    def __init__(self) -> None:
        super().__init__({"name": "faces", "threshold": 0.5})
        self.boards: list[tuple[int, int]] = []

    def run(self, *arrays: F32) -> tuple[F32, ...]:
        (x,) = arrays
        assert x.shape[0] == 1
        assert x.dtype == np.float32
        _, _, height, width = x.shape
        assert height % 32 == width % 32 == 0
        self.boards.append((height, width))
        red = ((x[0, 0] > 190) & (x[0, 1] < 66) & (x[0, 2] < 66)).astype(np.uint8)
        _, _, blobs, _ = cv2.connectedComponentsWithStats(red, connectivity=4)
        levels = [np.full((height // s, width // s, 15), -9.0, np.float32) for s in STRIDES]
        for left, top, w, h, _ in blobs[1:]:
            level = int(np.searchsorted([56, 150], np.sqrt(w * h)))
            stride = STRIDES[level]
            centre = np.array([left + w / 2, top + h / 2])
            row, column = int(centre[1] // stride), int(centre[0] // stride)
            cell = np.array([column, row]) * stride
            box = np.array([[left, top, left + w, top + h]], np.float32)
            levels[level][row, column] = np.concatenate(
                [
                    [4.0],
                    (centre - cell) / stride,
                    np.log(np.array([w, h]) / stride),
                    ((landmarks_of(box)[0] - cell) / stride).ravel(),
                ]
            )
        return (np.concatenate([level.reshape(-1, 15) for level in levels])[None],)
