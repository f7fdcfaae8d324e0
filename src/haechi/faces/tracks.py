"""Detections in frame after frame -> tracks, with bounded memory however long a video is."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import cv2
import numpy as np

from haechi.faces.detections import Detections, iou, ordered, take
from haechi.faces.rules import FaceRules
from haechi.faces.track_buffer import BURST, Observation, TrackBuffer, Window
from haechi.types import F32, U8, FaceTrack, Frame

NATIVE_KEPT, NATIVE_BUDGET = 6, 128
"""Native pieces kept of one track, and of all together, as far as each keeps one."""
CROP_BUDGET = 512
"""Crops kept of all tracks together, 77 MB, as far as each keeps four."""
BURST_TRACKS = 8
"""How many tracks keep a burst: 24 MB."""
SAME_S, GAP_STEPS = 1.5, 1.5
"""A face that is gone for longer starts a new track: seconds, or steps between frames when that is more."""
CUT_DISTANCE = 0.45
"""Histogram distance between neighbouring frames that means a shot change."""


class Tracker:
    """Joins detections to tracks by overlap, then by nearness; a shot change closes all of them. The order of
    the faces within a frame makes no difference."""

    def __init__(self, crops_a_track: int, most: int, rules: FaceRules, window: Window | None = None) -> None:
        """``most``: tracks that ``tracks`` returns, and faces of one frame that are followed, the largest; of
        tracks that ended, hardly more are kept in memory. What is left out is counted. ``window``: for a
        stream without an end, how much of it is remembered; None remembers the whole source."""
        self.crops_a_track, self.most, self.rules, self.window = crops_a_track, most, rules, window
        self.open: list[TrackBuffer] = []
        self.closed: list[TrackBuffer] = []
        # Of tracks not kept: last time, observations. No more than that in a window, whatever its times say.
        self.let_go: deque[tuple[float, int]] = deque(maxlen=most * window.observations if window else None)
        # Of frames with more faces than ``most``: time, how many more.
        self.crowds: deque[tuple[float, int]] = deque(maxlen=window.observations if window else None)
        self.times_s: deque[float] = deque()  # of the frames
        self.histogram: F32 | None = None
        self.numbered = 0

    def add(self, frame: Frame, faces: Detections) -> tuple[TrackBuffer, ...]:
        """The next frame in order of time, and the faces found in it -> the tracks of these, by number."""
        faces = self._largest(frame, ordered(faces))
        step = frame.time_s - self.times_s[-1] if self.times_s else 0.0
        self.times_s.append(frame.time_s)
        self._close(frame, step)
        links = self._links(faces)
        tracks = []
        for i in range(len(faces)):
            track = links.get(i)
            if track is None:
                self.numbered += 1
                track = TrackBuffer(self.numbered, self.rules, self.window)
                self.open.append(track)
            track.add(frame, Observation.of(frame.time_s, faces, i))
            tracks.append(track)
        if self.window is not None:
            self._forget(frame.time_s, self.window)
        self._bound_memory()
        return tuple(sorted(tracks, key=lambda t: t.track_id))

    def tracks(self) -> tuple[FaceTrack, ...]:
        """The weightiest tracks first. Where frames lie close, a face seen once is noise."""
        frames = len(self.times_s)
        step = (self.times_s[-1] - self.times_s[0]) / max(frames - 1, 1) if frames else 0.0
        least = 2 if frames >= 10 and step < SAME_S / 2 else 1
        tracks = [t for t in self.closed + self.open if t.count >= least]
        tracks.sort(key=lambda t: t.weight, reverse=True)
        not_followed = max((count for _, count in self.crowds), default=0)
        count = len(tracks) + sum(n >= least for _, n in self.let_go) + not_followed
        return tuple(t.track(count) for t in tracks[: self.most])

    def _largest(self, frame: Frame, faces: Detections) -> Detections:
        if len(faces) <= self.most:
            return faces
        self.crowds.append((frame.time_s, len(faces) - self.most))
        sizes = (faces.boxes_xyxy[:, 2:] - faces.boxes_xyxy[:, :2]).prod(1)
        return take(faces, np.argsort(np.argsort(-sizes, kind="stable")) < self.most)

    def _close(self, frame: Frame, step: float) -> None:
        """Close the tracks that cannot go on in this frame."""
        # Frames of a long video lie further apart than SAME_S: what was in the last one may still be there.
        gap = max(SAME_S, GAP_STEPS * step)
        is_new_shot = self._shot_changed(frame.rgb)
        ended = [is_new_shot or frame.time_s - t.last.time_s > gap for t in self.open]
        if self.window is not None and len(self.open) > 2 * self.most:
            # Each frame costs as much as there are open tracks: those that were seen last stay.
            by_age = sorted(range(len(self.open)), key=lambda i: -self.open[i].last.time_s)
            for i in by_age[2 * self.most :]:
                ended[i] = True
        self.closed += [t for t, end in zip(self.open, ended, strict=True) if end]
        self.open = [t for t, end in zip(self.open, ended, strict=True) if not end]

    def _links(self, faces: Detections) -> dict[int, TrackBuffer]:
        """Number of a face -> the open track that it goes on; the closest pairs find each other first."""
        pairs = sorted(
            (
                (_closeness(t.last.box_xyxy, box), ti, fi)
                for ti, t in enumerate(self.open)
                for fi, box in enumerate(faces.boxes_xyxy)
            ),
            reverse=True,
        )
        links: dict[int, TrackBuffer] = {}
        busy: set[int] = set()
        for closeness, ti, fi in pairs:
            if closeness > 0 and fi not in links and ti not in busy:
                links[fi] = self.open[ti]
                busy.add(ti)
        return links

    def _forget(self, now_s: float, window: Window) -> None:
        """Let go of everything that is older than the window."""
        before_s = now_s - window.seconds
        self.open = [t for t in self.open if t.last.time_s >= before_s]
        self.closed = [t for t in self.closed if t.last.time_s >= before_s]
        for track in self.open + self.closed:
            track.forget(before_s, window.observations)
        for aged in (self.let_go, self.crowds):
            while aged and aged[0][0] < before_s:
                aged.popleft()
        while self.times_s[0] < before_s or len(self.times_s) > window.observations:
            self.times_s.popleft()

    def _bound_memory(self) -> None:
        if len(self.closed) > 2 * self.most:
            self.closed.sort(key=lambda t: (t.count > 1, t.weight), reverse=True)
            self.let_go += [(t.last.time_s, t.count) for t in self.closed[self.most :]]
            del self.closed[self.most :]
        tracks = self.closed + self.open
        crops = int(np.clip(CROP_BUDGET // max(len(tracks), 1), 4, self.crops_a_track))
        native = int(np.clip(NATIVE_BUDGET // max(len(tracks), 1), 1, NATIVE_KEPT))
        for track in tracks:
            track.thin(crops, native)
        self._share_bursts(tracks)

    def _share_bursts(self, tracks: Sequence[TrackBuffer]) -> None:
        """Of many tracks, the largest that have a burst to speak of keep it."""
        if self.window is not None:
            # Whoever is in front of the camera now: a burst comes back when there is room for it again.
            for track in self.closed:
                track.drop_burst()
            largest = sorted(self.open, key=lambda t: -_side(t.last.box_xyxy))
            for track in largest[BURST_TRACKS:]:
                track.drop_burst()
            for track in largest[:BURST_TRACKS]:
                track.bursting = True
            return
        bursting = [t for t in tracks if t.bursting]
        if len(bursting) > BURST_TRACKS:
            # A shot that ended early has no burst to speak of; among the others the largest faces are judged.
            short = {id(t) for t in self.closed if t.count < BURST}
            bursting.sort(key=lambda t: (id(t) not in short, t.side), reverse=True)
            for track in bursting[BURST_TRACKS:]:
                track.drop_burst()

    def _shot_changed(self, rgb: U8) -> bool:
        small = cv2.resize(rgb, (64, 36), interpolation=cv2.INTER_AREA)
        counts = cv2.calcHist([small], [0, 1, 2], None, [6, 6, 6], [0, 256] * 3).reshape(36, 6)
        shares = np.asarray(cv2.GaussianBlur(counts, (3, 3), 0) / counts.sum(), np.float32)
        before, self.histogram = self.histogram, shares
        return before is not None and float(np.abs(before - shares).sum() / 2) > CUT_DISTANCE


def _side(box_xyxy: F32) -> float:
    """The shorter side of a box in px."""
    return float((box_xyxy[2:] - box_xyxy[:2]).min())


def _closeness(a: F32, b: F32) -> float:
    """Above 0 when b may be a moved on: overlap, or a centre nearer than 0.6 of its size at a like size."""
    size_a, size_b = ((x[2:] - x[:2]).prod() ** 0.5 for x in (a, b))
    if not 0.55 < size_a / max(float(size_b), 1e-6) < 1.8:
        return 0.0
    distance = float(np.linalg.norm((a[:2] + a[2:] - b[:2] - b[2:]) / 2)) / float(max(size_a, size_b))
    return float(iou(a[None], b[None])[0, 0]) + max(0.0, 0.6 - distance)
