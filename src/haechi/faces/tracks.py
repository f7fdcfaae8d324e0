"""Detections in frame after frame -> tracks, with bounded memory however long a video is."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.faces.crops import shown_square, upright_crop, upright_piece
from haechi.faces.detections import Detections, iou, take
from haechi.types import F32, U8, FaceTrack, Frame

NATIVE_KEPT, NATIVE_BUDGET = 6, 128
"""Native pieces kept of one track, and of all together, as far as each keeps one."""
CROP_BUDGET = 512
"""Crops kept of all tracks together, 77 MB, as far as each keeps four."""
BURST, BURST_TRACKS = 20, 8
"""First observations of a track whose crops are kept without a gap, and how many tracks keep them: 24 MB."""
SAME_S, GAP_STEPS = 1.5, 1.5
"""A face that is gone for longer starts a new track: seconds, or steps between frames when that is more."""
CUT_DISTANCE = 0.45
"""Histogram distance between neighbouring frames that means a shot change."""


@dataclass(slots=True, eq=False)
class Growing:
    """A track before it is finished. Crops and native pieces are kept for observations whose number is a
    multiple of a stride that doubles whenever too many have gathered: evenly spread, bounded memory. Beside
    them a burst, the crops of the first observations without a gap, shows how the face changes from one frame
    to the next."""

    times: list[float] = field(default_factory=list)
    boxes: list[F32] = field(default_factory=list)
    landmarks: list[F32] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    certainty: list[float] = field(default_factory=list)
    turns: list[float] = field(default_factory=list)
    own: list[F32] = field(default_factory=list)
    crops: dict[int, U8] = field(default_factory=dict)
    crop_stride: int = 1
    burst: dict[int, U8] = field(default_factory=dict)
    bursting: bool = True
    native: dict[int, U8] = field(default_factory=dict)
    native_stride: int = 1

    def add(self, frame: Frame, found: Detections, i: int) -> None:
        """The next sight of the face: number ``i`` of what was found in a frame."""
        k = len(self.times)
        self.times.append(frame.time_s)
        self.boxes.append(found.boxes_xyxy[i])
        self.landmarks.append(found.landmarks_xy[i])
        self.scores.append(float(found.scores[i]))
        self.certainty.append(float(found.certainty[i]))
        own, turn = found.own_xyxy[i], float(found.turns_deg[i])
        self.turns.append(turn)
        self.own.append(own)
        spread, early = k % self.crop_stride == 0, self.bursting and k < BURST
        if spread or early:
            crop = upright_crop(frame.rgb, own, turn)
            if spread:
                self.crops[k] = crop
            if early:
                self.burst[k] = crop
        if k % self.native_stride == 0:
            self.native[k] = upright_piece(frame.rgb, own, turn)

    def thin(self, most_crops: int, most_native: int) -> None:
        """Keep at most so many crops and native pieces."""
        while len(self.crops) > most_crops:
            self.crop_stride *= 2
            self.crops = {i: c for i, c in self.crops.items() if i % self.crop_stride == 0}
        while len(self.native) > most_native:
            self.native_stride *= 2
            self.native = {i: c for i, c in self.native.items() if i % self.native_stride == 0}

    def drop_burst(self) -> None:
        """Keep the spread crops only, from now on."""
        self.bursting, self.burst = False, {}

    @property
    def side(self) -> float:
        """Median of the shorter side in px."""
        return float(np.median([float((b[2:] - b[:2]).min()) for b in self.boxes]))

    @property
    def weight(self) -> float:
        """How much there is to judge: the side, more when seen more often."""
        return self.side * float(np.sqrt(min(len(self.times), 20)))

    def close(self, track_id: int, of_found: int) -> FaceTrack:
        crops = self.crops | self.burst
        index: NDArray[np.int64] = np.array(sorted(crops), np.int64)
        boxes = np.stack(self.boxes).astype(np.float32)
        return FaceTrack(
            track_id=track_id,
            times_s=np.array(self.times, np.float64),
            boxes_xyxy=boxes,
            landmarks_xy=np.stack(self.landmarks).astype(np.float32),
            scores=np.array(self.scores, np.float32),
            crops=np.stack([crops[i] for i in index]),
            crop_index=index,
            crop_boxes_xyxy=np.stack([shown_square(self.own[i], self.turns[i]) for i in index]),
            native=tuple(self.native[i] for i in sorted(self.native)),
            native_index=np.array(sorted(self.native), np.int64),
            of_found=of_found,
            certainty=float(np.median(self.certainty)),
            crop_turns_deg=np.array([self.turns[i] for i in index], np.float32),
        )


class Tracker:
    """Joins detections to tracks by overlap, then by nearness; a shot change closes all of them."""

    def __init__(self, crops_a_track: int, most: int) -> None:
        """``most``: tracks that ``finish`` returns, and faces of one frame that are followed, the largest; of
        tracks that ended, hardly more are kept in memory. What is left out is counted."""
        self.crops_a_track, self.most = crops_a_track, most
        self.open: list[Growing] = []
        self.done: list[Growing] = []
        self.let_go: list[int] = []  # observations of each track that was not kept
        self.not_followed = 0  # faces beyond ``most``, in the frame that had the most
        self.frames = 0
        self.first_s = self.last_s = 0.0
        self.histogram: F32 | None = None

    def add(self, frame: Frame, found: Detections) -> None:
        """The next frame in order of time, and the faces found in it."""
        if len(found) > self.most:
            self.not_followed = max(self.not_followed, len(found) - self.most)
            sizes = (found.boxes_xyxy[:, 2:] - found.boxes_xyxy[:, :2]).prod(1)
            found = take(found, np.argsort(np.argsort(-sizes, kind="stable")) < self.most)
        step = frame.time_s - self.last_s if self.frames else 0.0
        self.first_s, self.last_s = (self.first_s if self.frames else frame.time_s), frame.time_s
        self.frames += 1
        # Frames of a long video lie further apart than SAME_S: what was in the last one may still be there.
        gap = max(SAME_S, GAP_STEPS * step)
        cut_here = self._shot_changed(frame.rgb)
        still = [t for t in self.open if not cut_here and frame.time_s - t.times[-1] <= gap]
        self.done += [t for t in self.open if t not in still]
        self.open = still
        links = sorted(
            (
                (_closeness(t.boxes[-1], b), ti, bi)
                for ti, t in enumerate(still)
                for bi, b in enumerate(found.boxes_xyxy)
            ),
            reverse=True,
        )
        taken: dict[int, Growing] = {}
        busy: set[int] = set()
        for closeness, ti, bi in links:
            if closeness > 0 and bi not in taken and ti not in busy:
                taken[bi] = still[ti]
                busy.add(ti)
        for bi in range(len(found)):
            track = taken.get(bi)
            if track is None:
                track = Growing()
                self.open.append(track)
            track.add(frame, found, bi)
        self._bound_memory()

    def finish(self) -> tuple[FaceTrack, ...]:
        """The weightiest tracks first and numbered so. Where frames lie close, a face seen once is noise."""
        step = (self.last_s - self.first_s) / max(self.frames - 1, 1)
        least = 2 if self.frames >= 10 and step < SAME_S / 2 else 1
        tracks = [t for t in self.done + self.open if len(t.times) >= least]
        tracks.sort(key=lambda t: t.weight, reverse=True)
        count = len(tracks) + sum(n >= least for n in self.let_go) + self.not_followed
        return tuple(t.close(i + 1, count) for i, t in enumerate(tracks[: self.most]))

    def _bound_memory(self) -> None:
        if len(self.done) > 2 * self.most:
            self.done.sort(key=lambda t: (len(t.times) > 1, t.weight), reverse=True)
            self.let_go += [len(t.times) for t in self.done[self.most :]]
            del self.done[self.most :]
        tracks = self.done + self.open
        crops = int(np.clip(CROP_BUDGET // max(len(tracks), 1), 4, self.crops_a_track))
        native = int(np.clip(NATIVE_BUDGET // max(len(tracks), 1), 1, NATIVE_KEPT))
        for track in tracks:
            track.thin(crops, native)
        bursting = [t for t in tracks if t.bursting]
        if len(bursting) > BURST_TRACKS:
            # A shot that ended early has no burst to speak of; among the others the largest faces are judged.
            over = {id(t) for t in self.done if len(t.times) < BURST}
            bursting.sort(key=lambda t: (id(t) not in over, t.side), reverse=True)
            for track in bursting[BURST_TRACKS:]:
                track.drop_burst()

    def _shot_changed(self, rgb: U8) -> bool:
        small = cv2.resize(rgb, (64, 36), interpolation=cv2.INTER_AREA)
        counts = cv2.calcHist([small], [0, 1, 2], None, [6, 6, 6], [0, 256] * 3).reshape(36, 6)
        shares = np.asarray(cv2.GaussianBlur(counts, (3, 3), 0) / counts.sum(), np.float32)
        before, self.histogram = self.histogram, shares
        return before is not None and float(np.abs(before - shares).sum() / 2) > CUT_DISTANCE


def _closeness(a: F32, b: F32) -> float:
    """Above 0 when b may be a moved on: overlap, or a centre nearer than 0.6 of its size at a like size."""
    size_a, size_b = ((x[2:] - x[:2]).prod() ** 0.5 for x in (a, b))
    if not 0.55 < size_a / max(float(size_b), 1e-6) < 1.8:
        return 0.0
    distance = float(np.linalg.norm((a[:2] + a[2:] - b[:2] - b[2:]) / 2)) / float(max(size_a, size_b))
    return float(iou(a[None], b[None])[0, 0]) + max(0.0, 0.6 - distance)
