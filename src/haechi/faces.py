"""Media -> FaceTracks: find, landmark, track, crop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi import models
from haechi.settings import Settings
from haechi.types import F32, U8, FaceTrack, Frame, Media

CROP_PX = 224
"""Side of the crop that the swap network reads (card ``swap``: ``crop.size_px``)."""
CROP_SCALE = 1.0
"""Side of the crop square over the mean of the box's width and height (measured on the DFDC crops)."""
CROP_DOWN = 0.05
"""How far the square's centre lies below the box's centre, in box heights (same measurement)."""

STRIDES = (8, 16, 32)
SEARCH_PX = (320, 640, 1280)
"""Longest sides at which a picture is searched: large faces, ordinary ones, and, in photographs, small ones."""
LARGEST_PX = 224
"""Largest face that a search believes when there was one at half its scale: the network was taught at 320 px."""
NMS_IOU = 0.45
NATIVE_SCALE, NATIVE_LEAST_PX, NATIVE_MOST_PX = 1.6, 192, 768
"""The native piece: a square of NATIVE_SCALE times the crop, within these bounds, inside the picture."""
NATIVE_KEPT = 6
CROP_BUDGET = 512
"""Crops kept for all tracks of a video together: 77 MB, however many faces it shows."""
SAME_S = 1.5
"""A face that is gone for longer starts a new track."""
CUT_DISTANCE = 0.45
"""Histogram distance between neighbouring frames that means a shot change."""


@dataclass(frozen=True, slots=True)
class Detections:
    """boxes_xyxy f32 (n, 4), landmarks_xy f32 (n, 5, 2), scores f32 (n,): surest first, in picture pixels."""

    boxes_xyxy: F32
    landmarks_xy: F32
    scores: F32

    def __len__(self) -> int:
        return len(self.scores)


def crop_box(box_xyxy: F32) -> F32:
    """The square that the swap network sees, f32 (4,) xyxy in picture pixels; it may leave the picture."""
    x1, y1, x2, y2 = (float(v) for v in box_xyxy)
    side = CROP_SCALE * ((x2 - x1) + (y2 - y1)) / 2
    cx, cy = (x1 + x2) / 2, (y1 + y2) / 2 + CROP_DOWN * (y2 - y1)
    return np.array([cx - side / 2, cy - side / 2, cx + side / 2, cy + side / 2], np.float32)


def cut(rgb: U8, box_xyxy: F32, size_px: int) -> U8:
    """The area of ``box_xyxy`` resampled to u8 (size_px, size_px, 3).

    Averages areas when it shrinks and interpolates linearly when it grows; outside the picture the border
    pixels repeat, so that no black edge tells how the picture was framed.
    """
    h, w = rgb.shape[:2]
    x1, y1, x2, y2 = (float(v) for v in box_xyxy)
    left, top = int(np.floor(x1)), int(np.floor(y1))
    right, bottom = max(int(np.ceil(x2)), left + 1), max(int(np.ceil(y2)), top + 1)
    ix1, iy1, ix2, iy2 = max(left, 0), max(top, 0), min(right, w), min(bottom, h)
    if ix1 >= ix2 or iy1 >= iy2:
        ix1, iy1 = min(max(left, 0), w - 1), min(max(top, 0), h - 1)
        ix2, iy2 = ix1 + 1, iy1 + 1
    piece = rgb[iy1:iy2, ix1:ix2]
    pads = (max(iy1 - top, 0), max(bottom - iy2, 0), max(ix1 - left, 0), max(right - ix2, 0))
    if any(pads):
        piece = cv2.copyMakeBorder(piece, *pads, cv2.BORDER_REPLICATE)
    how = cv2.INTER_AREA if piece.shape[0] > size_px else cv2.INTER_LINEAR
    return np.ascontiguousarray(cv2.resize(piece, (size_px, size_px), interpolation=how))


def native_piece(rgb: U8, box_xyxy: F32) -> U8:
    """Pixels around a face as they are, u8 (h, w, 3): cut out, never resampled, never beyond the picture."""
    h, w = rgb.shape[:2]
    square = crop_box(box_xyxy)
    side = float(np.clip(NATIVE_SCALE * (square[2] - square[0]), NATIVE_LEAST_PX, NATIVE_MOST_PX))
    x1, y1 = (round(float(np.clip((square[i] + square[i + 2] - side) / 2, 0, max(0.0, n - side)))) for i, n in ((0, w), (1, h)))
    return rgb[y1 : y1 + round(side), x1 : x1 + round(side)].copy()


class FaceFinder:
    """The project's own face finder (card ``faces``) and a tracker over its detections."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.model = models.load("faces", settings)
        self.threshold = float(self.model.card.raw["threshold"])
        self._grids: dict[tuple[int, int], tuple[F32, F32]] = {}

    def detect(self, rgb: U8, thorough: bool = True) -> Detections:
        """Faces in one picture u8 (H, W, 3), from about 20 px to the whole frame.

        ``thorough`` searches large photographs at up to 1280 px too, for small faces."""
        longest = max(rgb.shape[:2])
        sides = [SEARCH_PX[0], *(s for s in SEARCH_PX[1 : 3 if thorough else 2] if longest > 0.625 * s)]
        found = self._search(rgb, sides[0], 1.0)
        for side in sides[1:]:
            finer = self._search(rgb, side, 1.0)
            size = np.sqrt((finer.boxes_xyxy[:, 2:] - finer.boxes_xyxy[:, :2]).prod(1))
            found = _suppress(_join(found, _take(finer, size * min(1.0, side / longest) < LARGEST_PX)))
        if not len(found):
            # A tight crop may leave the network no surroundings: give it some.
            found = self._search(rgb, SEARCH_PX[0], 0.6)
        return found

    def find(self, media: Media, progress: Callable[[float], None] | None = None) -> tuple[FaceTrack, ...]:
        """All faces of a source through time, largest first, at most ``settings.max_faces``."""
        wanted = self.settings.video_frames if media.kind == "video" else 1
        tracker = _Tracker(self.settings.video_crops)
        seen = 0
        for frame in media.frames(wanted):
            tracker.add(frame, self.detect(frame.rgb, thorough=media.kind == "image"))
            seen += 1
            if progress is not None:
                progress(seen / wanted)
        return tracker.finish(seen, self.settings.max_faces)

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
        factor = np.array([w / size[0], h / size[1]], np.float32)
        boxes = (found.boxes_xyxy - margin) * np.tile(factor, 2)
        return _suppress(Detections(boxes, (found.landmarks_xy - margin) * factor, found.scores))

    def _decode(self, raw: F32, board_h: int, board_w: int) -> Detections:
        """Rows f32 (cells, 15) of the network (lab/networks/finder.py) above the threshold -> detections."""
        if (board_h, board_w) not in self._grids:
            corners, strides = [], []
            for s in STRIDES:
                y, x = np.mgrid[0 : board_h // s, 0 : board_w // s]
                corners.append(np.stack([x, y], -1).reshape(-1, 2) * s)
                strides.append(np.full(x.size, s))
            self._grids[board_h, board_w] = (np.concatenate(corners).astype(np.float32), np.concatenate(strides).astype(np.float32))
        corner, stride = self._grids[board_h, board_w]
        keep = raw[:, 0] > np.log(self.threshold / (1 - self.threshold))
        r, c, s = raw[keep], corner[keep], stride[keep, None]
        centre, size = c + r[:, 1:3] * s, np.exp(np.minimum(r[:, 3:5], 6)) * s
        points = (r[:, 5:] * s).reshape(-1, 5, 2) + c[:, None]
        return Detections(np.concatenate([centre - size / 2, centre + size / 2], 1), points, 1 / (1 + np.exp(-r[:, 0])))


def _take(found: Detections, keep: NDArray[np.bool_]) -> Detections:
    return Detections(found.boxes_xyxy[keep], found.landmarks_xy[keep], found.scores[keep])


def _join(a: Detections, b: Detections) -> Detections:
    return Detections(
        np.concatenate([a.boxes_xyxy, b.boxes_xyxy]),
        np.concatenate([a.landmarks_xy, b.landmarks_xy]),
        np.concatenate([a.scores, b.scores]),
    )


def _suppress(found: Detections) -> Detections:
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


@dataclass(slots=True)
class _Open:
    """A track that is still growing. Crops and native pieces are kept for observations whose number is a
    multiple of a stride that doubles whenever too many have gathered: evenly spread, bounded memory."""

    track_id: int
    times: list[float] = field(default_factory=list)
    boxes: list[F32] = field(default_factory=list)
    landmarks: list[F32] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    crops: dict[int, U8] = field(default_factory=dict)
    crop_stride: int = 1
    native: dict[int, U8] = field(default_factory=dict)
    native_stride: int = 1

    def add(self, frame: Frame, box: F32, landmarks: F32, score: float, most_crops: int) -> None:
        k = len(self.times)
        self.times.append(frame.time_s)
        self.boxes.append(box)
        self.landmarks.append(landmarks)
        self.scores.append(score)
        if k % self.crop_stride == 0:
            self.crops[k] = cut(frame.rgb, crop_box(box), CROP_PX)
            while len(self.crops) > most_crops:
                self.crop_stride *= 2
                self.crops = {i: c for i, c in self.crops.items() if i % self.crop_stride == 0}
        if k % self.native_stride == 0:
            self.native[k] = native_piece(frame.rgb, box)
            if len(self.native) > NATIVE_KEPT:
                self.native_stride *= 2
                self.native = {i: c for i, c in self.native.items() if i % self.native_stride == 0}

    def close(self, track_id: int) -> FaceTrack:
        index: NDArray[np.int64] = np.array(sorted(self.crops), np.int64)
        boxes = np.stack(self.boxes).astype(np.float32)
        return FaceTrack(
            track_id=track_id,
            times_s=np.array(self.times, np.float64),
            boxes_xyxy=boxes,
            landmarks_xy=np.stack(self.landmarks).astype(np.float32),
            scores=np.array(self.scores, np.float32),
            crops=np.stack([self.crops[i] for i in index]),
            crop_index=index,
            crop_boxes_xyxy=np.stack([crop_box(boxes[i]) for i in index]),
            native=tuple(self.native[i] for i in sorted(self.native)),
            native_index=np.array(sorted(self.native), np.int64),
        )


class _Tracker:
    """Joins detections to tracks by overlap, then by nearness; a shot change closes all of them."""

    def __init__(self, crops_per_track: int) -> None:
        self.crops_per_track = crops_per_track
        self.open: list[_Open] = []
        self.done: list[_Open] = []
        self.count = 0
        self.histogram: F32 | None = None

    def add(self, frame: Frame, found: Detections) -> None:
        if self._shot_changed(frame.rgb):
            self.done += self.open
            self.open = []
        still = [t for t in self.open if frame.time_s - t.times[-1] <= SAME_S]
        self.done += [t for t in self.open if frame.time_s - t.times[-1] > SAME_S]
        self.open = still
        links = sorted(
            ((_closeness(t.boxes[-1], b), ti, bi) for ti, t in enumerate(still) for bi, b in enumerate(found.boxes_xyxy)),
            reverse=True,
        )
        taken: dict[int, _Open] = {}
        busy: set[int] = set()
        for closeness, ti, bi in links:
            if closeness > 0 and bi not in taken and ti not in busy:
                taken[bi] = still[ti]
                busy.add(ti)
        for bi in range(len(found)):
            track = taken.get(bi)
            if track is None:
                track = _Open(self.count)
                self.count += 1
                self.open.append(track)
            most = int(np.clip(CROP_BUDGET // max(self.count, 1), 4, self.crops_per_track))
            track.add(frame, found.boxes_xyxy[bi], found.landmarks_xy[bi], float(found.scores[bi]), most)

    def finish(self, frames: int, most: int) -> tuple[FaceTrack, ...]:
        """Closed tracks, largest median face first and numbered so. In a longer video a face seen once is noise."""
        least = 2 if frames >= 10 else 1
        tracks = [t for t in self.done + self.open if len(t.times) >= least]
        size = lambda t: float(np.median([(b[2:] - b[:2]).min() for b in t.boxes])) * min(len(t.times), 20) ** 0.5  # noqa: E731
        return tuple(t.close(i + 1) for i, t in enumerate(sorted(tracks, key=size, reverse=True)[:most]))

    def _shot_changed(self, rgb: U8) -> bool:
        small = cv2.resize(rgb, (64, 36), interpolation=cv2.INTER_AREA)
        hist = cv2.calcHist([small], [0, 1, 2], None, [6, 6, 6], [0, 256] * 3).ravel()
        hist = cv2.GaussianBlur(hist.reshape(36, 6), (3, 3), 0).ravel() / hist.sum()
        before, self.histogram = self.histogram, hist
        return before is not None and float(np.abs(before - hist).sum() / 2) > CUT_DISTANCE


def _closeness(a: F32, b: F32) -> float:
    """Above 0 when b may be a moved on: overlap, or a centre nearer than 0.6 of its size at a like size."""
    size_a, size_b = ((x[2:] - x[:2]).prod() ** 0.5 for x in (a, b))
    if not 0.55 < size_a / max(float(size_b), 1e-6) < 1.8:
        return 0.0
    distance = float(np.linalg.norm((a[:2] + a[2:] - b[:2] - b[2:]) / 2)) / float(max(size_a, size_b))
    return float(iou(a, b[None])[0]) + max(0.0, 0.6 - distance)
