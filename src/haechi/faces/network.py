"""The face finder's network in one orientation: a picture at several sizes, its rows decoded to faces."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from haechi import models
from haechi.faces.detections import Detections, join, mirror, suppress, take
from haechi.models.feed import feed, probability
from haechi.settings import Settings
from haechi.types import F32, U8

LARGEST_PX = 224
"""Largest face that a finer search than the first may report: the network was taught at 320 px."""
LARGEST_SHARE = 2.0
"""A box larger than this share of the searched board is no face; its crop would be as large as it claims."""
CLOSE_PX, LEAST_SIDE_PX = 512, 260
"""A close search looks at this size; a picture smaller than the second is shown with a margin."""


class FinderNetwork:
    """Card ``faces``: upright faces and faces rolled by up to about 45 degrees."""

    def __init__(self, settings: Settings) -> None:
        self.model = models.load("faces", settings)
        card = self.model.card
        self.input, self.strides, self.threshold = card.needs_input(), card.strides, card.mark("threshold")

    def detect(self, rgb: U8, search_px: Sequence[int], both_ways: bool = False) -> Detections:
        """Faces of a picture u8 (H, W, 3), searched with its longest side reduced to each of ``search_px``,
        ascending; it is not enlarged. ``both_ways``: in the mirrored picture as well, what is found in both
        averaged, so that a mirrored copy gives the same, mirrored."""
        longest = max(rgb.shape[:2])
        faces = self.search(rgb, search_px[0], 1.0, both_ways=both_ways)
        for side in (s for s in search_px[1:] if longest > 0.625 * s):
            finer = self.search(rgb, side, 1.0, both_ways=both_ways)
            size = np.sqrt((finer.boxes_xyxy[:, 2:] - finer.boxes_xyxy[:, :2]).prod(1))
            faces = suppress(join(faces, take(finer, size * min(1.0, side / longest) < LARGEST_PX)))
        if not len(faces):
            # A tight crop may leave the network no surroundings: give it some.
            faces = self.search(rgb, search_px[0], 0.6, both_ways=both_ways)
        return faces

    def close(self, rgb: U8, least: float) -> Detections:
        """What one search finds from the score ``least`` on."""
        return self.search(rgb, CLOSE_PX, 1.0 if max(rgb.shape[:2]) > LEAST_SIDE_PX else 0.6, least)

    def search(
        self, rgb: U8, longest_px: int, fill: float, least: float | None = None, *, both_ways: bool = False
    ) -> Detections:
        """One search with the longest side at ``fill`` of ``longest_px``, the rest of the board a margin;
        from the score ``least`` on, by default the card's."""
        h, w = rgb.shape[:2]
        scale = min(1.0, longest_px / max(h, w)) * fill if fill == 1.0 else longest_px * fill / max(h, w)
        size = (max(1, round(w * scale)), max(1, round(h * scale)))
        small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        each = self.input.multiple_of
        margin = round(max(size) * (1 / fill - 1) / 2)
        board_w, board_h = (-(-(n + 2 * margin) // each) * each for n in size)
        faces = Detections.none()
        for mirrored in (False, True) if both_ways else (False,):
            board = np.full((board_h, board_w, 3), self.input.border, np.uint8)
            board[margin : margin + size[1], margin : margin + size[0]] = (
                small[:, ::-1] if mirrored else small
            )
            (raw,) = self.model.run(feed(board[None], self.input))
            part = self._decode(raw[0], board_h, board_w, self.threshold if least is None else least)
            faces = join(faces, mirror(part, size[0] + 2 * margin) if mirrored else part)
        sides = (faces.boxes_xyxy[:, 2:] - faces.boxes_xyxy[:, :2]).max(1)
        faces = take(faces, sides <= LARGEST_SHARE * max(board_h, board_w))
        factor = np.array([w / size[0], h / size[1]], np.float32)
        boxes = (faces.boxes_xyxy - margin) * np.tile(factor, 2)
        return suppress(Detections(boxes, (faces.landmarks_xy - margin) * factor, faces.scores))

    def _decode(self, raw: F32, board_h: int, board_w: int, least: float) -> Detections:
        """Rows f32 (cells, 15) of the network (lab/networks/finder.py) above ``least`` -> detections."""
        corner, stride = _cells(board_h, board_w, self.strides)
        keep = raw[:, 0] > np.log(least / (1 - least))
        rows, at, unit = raw[keep], corner[keep], stride[keep, None]
        centre, size = at + rows[:, 1:3] * unit, np.exp(np.minimum(rows[:, 3:5], 6)) * unit
        boxes = np.concatenate([centre - size / 2, centre + size / 2], 1)
        points = (rows[:, 5:] * unit).reshape(-1, 5, 2) + at[:, None]
        return Detections(boxes, points, probability(rows[:, 0]))


@lru_cache(maxsize=16)
def _cells(board_h: int, board_w: int, strides: tuple[int, ...]) -> tuple[F32, F32]:
    """Corner f32 (cells, 2) in board pixels and stride f32 (cells,) of every row of the network."""
    corners, sizes = [], []
    for stride in strides:
        y, x = np.mgrid[0 : board_h // stride, 0 : board_w // stride]
        corners.append(np.stack([x, y], -1).reshape(-1, 2) * stride)
        sizes.append(np.full(x.size, stride))
    return np.concatenate(corners).astype(np.float32), np.concatenate(sizes).astype(np.float32)
