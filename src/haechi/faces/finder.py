"""The face finder: a picture at several sizes through the network, its rows decoded to faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import cv2
import numpy as np

from haechi import models
from haechi.faces.detections import Detections, join, suppress, take
from haechi.faces.tracks import Tracker
from haechi.settings import Settings
from haechi.types import F32, U8, FaceTrack, Media

STRIDES = (8, 16, 32)
SEARCH_PX = (320, 512, 1280)
"""Longest sides at which a picture is searched: large faces, ordinary ones, and in photographs small ones.
Against human boxes (scenes.csv, 400-px pictures) 512 found more than 640, and costs two thirds of it."""
VIDEO_SEARCH_PX = (320, 640)
"""The same for the frames of a video, of which there are hundreds."""
LARGEST_PX = 224
"""Largest face that a finer search than the first may report: the network was taught at 320 px."""
LARGEST_SHARE = 2.0
"""A box larger than this share of the searched board is no face; its crop would be as large as it claims."""


class FaceFinder:
    """The project's own face finder (card ``faces``) and a tracker over its detections."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.model = models.load("faces", settings)
        self.threshold = float(self.model.card.raw["threshold"])

    def detect(self, rgb: U8, search_px: Sequence[int] = SEARCH_PX) -> Detections:
        """Faces in one picture u8 (H, W, 3), from about 20 px to the whole frame, searched with its longest
        side reduced to each of ``search_px``, ascending; it is not enlarged."""
        small = _reduced(rgb, search_px[-1])
        found = self._at_all_sizes(small, search_px)
        factor = np.array([rgb.shape[1] / small.shape[1], rgb.shape[0] / small.shape[0]], np.float32)
        return Detections(found.boxes_xyxy * np.tile(factor, 2), found.landmarks_xy * factor, found.scores)

    def _at_all_sizes(self, rgb: U8, search_px: Sequence[int]) -> Detections:
        longest = max(rgb.shape[:2])
        found = self._search(rgb, search_px[0], 1.0)
        for side in (s for s in search_px[1:] if longest > 0.625 * s):
            finer = self._search(rgb, side, 1.0)
            size = np.sqrt((finer.boxes_xyxy[:, 2:] - finer.boxes_xyxy[:, :2]).prod(1))
            found = suppress(join(found, take(finer, size * min(1.0, side / longest) < LARGEST_PX)))
        if not len(found):
            # A tight crop may leave the network no surroundings: give it some.
            found = self._search(rgb, search_px[0], 0.6)
        return found

    def find(self, media: Media, progress: Callable[[float], None] | None = None) -> tuple[FaceTrack, ...]:
        """All faces of a source through time, largest first, at most ``settings.max_faces``."""
        wanted = self.settings.video_frames if media.kind == "video" else 1
        search_px = VIDEO_SEARCH_PX if media.kind == "video" else SEARCH_PX
        tracker = Tracker(self.settings.video_crops, self.settings.max_faces)
        for seen, frame in enumerate(media.frames(wanted), 1):
            tracker.add(frame, self.detect(frame.rgb, search_px))
            if progress is not None:
                progress(seen / wanted)
        return tracker.finish()

    def _search(self, rgb: U8, longest_px: int, fill: float) -> Detections:
        h, w = rgb.shape[:2]
        scale = min(1.0, longest_px / max(h, w)) * fill if fill == 1.0 else longest_px * fill / max(h, w)
        size = (max(1, round(w * scale)), max(1, round(h * scale)))
        small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        margin = round(max(size) * (1 / fill - 1) / 2)
        board_w, board_h = (-(-(n + 2 * margin) // 32) * 32 for n in size)
        board = np.full((board_h, board_w, 3), 114, np.uint8)
        board[margin : margin + size[1], margin : margin + size[0]] = small
        (raw,) = self.model.run(np.ascontiguousarray(board.transpose(2, 0, 1)[None], dtype=np.float32))
        found = self._decode(raw[0], board_h, board_w)
        sides = (found.boxes_xyxy[:, 2:] - found.boxes_xyxy[:, :2]).max(1)
        found = take(found, sides <= LARGEST_SHARE * max(board_h, board_w))
        factor = np.array([w / size[0], h / size[1]], np.float32)
        boxes = (found.boxes_xyxy - margin) * np.tile(factor, 2)
        return suppress(Detections(boxes, (found.landmarks_xy - margin) * factor, found.scores))

    def _decode(self, raw: F32, board_h: int, board_w: int) -> Detections:
        """Rows f32 (cells, 15) of the network (lab/networks/finder.py) above the threshold -> detections."""
        corner, stride = _cells(board_h, board_w)
        keep = raw[:, 0] > np.log(self.threshold / (1 - self.threshold))
        rows, at, unit = raw[keep], corner[keep], stride[keep, None]
        centre, size = at + rows[:, 1:3] * unit, np.exp(np.minimum(rows[:, 3:5], 6)) * unit
        boxes = np.concatenate([centre - size / 2, centre + size / 2], 1)
        points = (rows[:, 5:] * unit).reshape(-1, 5, 2) + at[:, None]
        return Detections(boxes, points, 1 / (1 + np.exp(-rows[:, 0])))


def _reduced(rgb: U8, longest_px: int) -> U8:
    """A picture of at most that side, once for all searches. Halving is many times faster than other factors,
    so that is done as far as it goes; an odd last row or column is averaged with its neighbours."""
    longest = max(rgb.shape[:2])
    while longest > longest_px:
        factor = 0.5 if longest >= 1.8 * longest_px else longest_px / longest
        size = tuple(max(1, round(n * factor)) for n in rgb.shape[1::-1])
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        longest = max(rgb.shape[:2])
    return rgb


@lru_cache(maxsize=16)
def _cells(board_h: int, board_w: int) -> tuple[F32, F32]:
    """Corner f32 (cells, 2) in board pixels and stride f32 (cells,) of every row of the network."""
    corners, strides = [], []
    for stride in STRIDES:
        y, x = np.mgrid[0 : board_h // stride, 0 : board_w // stride]
        corners.append(np.stack([x, y], -1).reshape(-1, 2) * stride)
        strides.append(np.full(x.size, stride))
    return np.concatenate(corners).astype(np.float32), np.concatenate(strides).astype(np.float32)
