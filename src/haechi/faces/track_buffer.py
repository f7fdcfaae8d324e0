"""What is remembered of one face while it is followed, in bounded memory however long it is seen."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from haechi.errors import UsageError
from haechi.faces.crops import shown_square, upright_crop, upright_piece
from haechi.faces.detections import Detections
from haechi.faces.rules import FaceRules
from haechi.types import F32, U8, FaceTrack, Frame

BURST = 20
"""Observations whose crops are kept without a gap: the first of a track, in an endless stream the last."""
LEAST_WINDOW_S = 2.0


@dataclass(frozen=True, slots=True)
class Window:
    """How much of a stream without an end is remembered: what is older than ``seconds`` is forgotten, and of
    one face no more than ``observations`` are held. Raises UsageError when that is too little to follow a
    face."""

    seconds: float = 10.0
    observations: int = 600

    def __post_init__(self) -> None:
        if not self.seconds >= LEAST_WINDOW_S or self.observations < BURST:
            raise UsageError(
                f"A window of {self.seconds:g} s and {self.observations} observations is too short to follow "
                f"a face: give at least {LEAST_WINDOW_S:g} s and {BURST} observations."
            )


class Observation(NamedTuple):
    """A face in one frame; the arrays are rows of ``Detections``."""

    time_s: float
    box_xyxy: F32
    landmarks_xy: F32
    score: float
    certainty: float
    turn_deg: float
    own_xyxy: F32

    @classmethod
    def of(cls, time_s: float, faces: Detections, i: int) -> Observation:
        """Number ``i`` of the faces of a frame."""
        return cls(
            time_s,
            faces.boxes_xyxy[i],
            faces.landmarks_xy[i],
            float(faces.scores[i]),
            float(faces.certainty[i]),
            float(faces.turns_deg[i]),
            faces.own_xyxy[i],
        )


@dataclass(slots=True, eq=False)
class TrackBuffer:
    """A track before it is finished. Crops and native pieces are kept for observations whose number is a
    multiple of a stride that doubles whenever too many have gathered: evenly spread, bounded memory. Beside
    them a burst of crops without a gap shows how the face changes from one frame to the next.

    With a ``window`` the old observations are forgotten with their crops, and the burst moves along."""

    track_id: int
    rules: FaceRules
    window: Window | None = None
    observations: deque[Observation] = field(default_factory=deque)
    forgotten: int = 0
    crops: dict[int, U8] = field(default_factory=dict)
    crop_stride: int = 1
    burst: dict[int, U8] = field(default_factory=dict)
    bursting: bool = True
    native: dict[int, U8] = field(default_factory=dict)
    native_stride: int = 1

    @property
    def count(self) -> int:
        """How often the face was seen, what is forgotten included."""
        return self.forgotten + len(self.observations)

    @property
    def last(self) -> Observation:
        return self.observations[-1]

    @property
    def last_crop(self) -> U8 | None:
        """u8 (S, S, 3) of the last observation, None where it was not kept."""
        k = self.count - 1
        return self.burst.get(k, self.crops.get(k))

    def add(self, frame: Frame, observation: Observation) -> None:
        """The next sight of the face."""
        k = self.count
        self.observations.append(observation)
        own, turn = observation.own_xyxy, observation.turn_deg
        spread = k % self.crop_stride == 0 or not self.crops
        in_burst = self.bursting and (k < BURST or self.window is not None)
        if spread or in_burst:
            crop = upright_crop(frame.rgb, own, turn, self.rules.crop)
            if spread:
                self.crops[k] = crop
            if in_burst:
                self.burst[k] = crop
                self.burst.pop(k - BURST, None)
        if k % self.native_stride == 0:
            self.native[k] = upright_piece(frame.rgb, own, turn, self.rules.piece)

    def forget(self, before_s: float, most: int) -> None:
        """Let go of observations from before a time, and of the oldest beyond ``most``; the newest crop
        stays, with its observation, as long as the track does."""
        newest_crop = max(self.crops)
        while self.forgotten < newest_crop and (
            self.observations[0].time_s < before_s or len(self.observations) > most
        ):
            self.observations.popleft()
            self.forgotten += 1
        for pictures in (self.crops, self.burst, self.native):
            for k in [k for k in pictures if k < self.forgotten]:
                del pictures[k]

    def thin(self, most_crops: int, most_native: int) -> None:
        """Keep at most so many crops and native pieces."""
        while len(self.crops) > most_crops:
            self.crop_stride *= 2
            newest = max(self.crops)
            self.crops = {i: c for i, c in self.crops.items() if i % self.crop_stride == 0} or {
                newest: self.crops[newest]
            }
        while len(self.native) > most_native:
            self.native_stride *= 2
            self.native = {i: c for i, c in self.native.items() if i % self.native_stride == 0}
        if self.window is not None:
            # What filled the budget, other faces say, may be gone: there is room for more again.
            if self.crop_stride > 1 and 4 * len(self.crops) <= most_crops:
                self.crop_stride //= 2
            if self.native_stride > 1 and 4 * len(self.native) <= most_native:
                self.native_stride //= 2

    def drop_burst(self) -> None:
        """Keep the spread crops only, from now on."""
        self.bursting, self.burst = False, {}

    @property
    def side(self) -> float:
        """Median of the shorter side in px."""
        boxes = (o.box_xyxy for o in self.observations)
        return float(np.median([float((b[2:] - b[:2]).min()) for b in boxes]))

    @property
    def weight(self) -> float:
        """How much there is to judge: the side, more when seen more often."""
        return self.side * float(np.sqrt(min(len(self.observations), 20)))

    def track(self, of_found: int) -> FaceTrack:
        """The track so far; the buffer stays as it is."""
        square = self.rules.crop.square
        crops, sights = self.crops | self.burst, list(self.observations)
        index: NDArray[np.int64] = np.array(sorted(crops), np.int64)
        native: NDArray[np.int64] = np.array(sorted(self.native), np.int64)
        in_crops = [sights[k - self.forgotten] for k in index]
        return FaceTrack(
            track_id=self.track_id,
            times_s=np.array([o.time_s for o in sights], np.float64),
            boxes_xyxy=np.stack([o.box_xyxy for o in sights]).astype(np.float32),
            landmarks_xy=np.stack([o.landmarks_xy for o in sights]).astype(np.float32),
            scores=np.array([o.score for o in sights], np.float32),
            crops=np.stack([crops[k] for k in index]),
            crop_index=index - self.forgotten,
            crop_boxes_xyxy=np.stack([shown_square(o.own_xyxy, o.turn_deg, square) for o in in_crops]),
            native=tuple(self.native[k] for k in native),
            of_found=of_found,
            certainty=float(np.median([o.certainty for o in sights])),
            crop_turns_deg=np.array([o.turn_deg for o in in_crops], np.float32),
        )
