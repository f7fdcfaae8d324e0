"""Faces of a source as its frames come: a frame in, the faces that are in it and their tracks out.

    stream = FaceStream(finder, settings)                      # a video; kind="image" for a photograph
    live = FaceStream(finder, settings, window=Window())       # a camera or a call, which has no end
    for frame in frames:                                       # in order of time
        for face in stream.add(frame):                         # each face of this frame
            face.track_id, face.box_xyxy, face.crop
    stream.tracks()                                            # everything so far, as often as one likes

``FaceFinder.find`` is this, over the frames of a file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from haechi.errors import UsageError
from haechi.faces.detections import Detections
from haechi.faces.rules import FaceRules
from haechi.faces.track_buffer import TrackBuffer, Window
from haechi.faces.tracks import Tracker
from haechi.settings import Settings
from haechi.types import F32, U8, FaceTrack, Frame, MediaKind
from haechi.values import Value

SEARCH_S = 0.18
"""Whoever watches a camera or a call gives the stream a frame when the last one is so long ago: five a second
at usual rates."""
QUARTERS = (0, 1, 3, 2)
TRIES = 8
"""Frames of a video without an upright face that are searched in all four quarter turns."""


class PictureFinder(Protocol):
    """Finds faces in one picture. ``certain``: from this probability on it is a face beyond doubt."""

    @property
    def certain(self) -> float: ...

    def detect(
        self, rgb: U8, search_px: Sequence[int], quarters: Sequence[int], both_ways: bool
    ) -> Detections: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sighting(Value):
    """A face in the frame that was added last. ``track_id``: of its track, in order of appearance, from 1;
    the same as long as the face is followed. ``observations``: how often it was seen, this time included.
    box_xyxy f32 (4,) and landmarks_xy f32 (5, 2) in px of the frame; score and certainty in [0, 1]; turn_deg
    clockwise from upright; crop u8 (S, S, 3), upright, None where none was kept: a stream with a window keeps
    those of the eight largest faces in every frame."""

    track_id: int
    observations: int
    time_s: float
    box_xyxy: F32
    landmarks_xy: F32
    score: float
    certainty: float
    turn_deg: float
    crop: U8 | None

    @classmethod
    def of(cls, track: TrackBuffer) -> Sighting:
        detection = track.last
        return cls(
            track_id=track.track_id,
            observations=track.count,
            time_s=detection.time_s,
            box_xyxy=detection.box_xyxy,
            landmarks_xy=detection.landmarks_xy,
            score=detection.score,
            certainty=detection.certainty,
            turn_deg=detection.turn_deg,
            crop=track.last_crop,
        )


class FaceStream:
    """Follows faces through frames that are added one by one. Deterministic; not for several threads.

    Memory is bounded whatever comes: crops and native pieces by the budgets of ``tracks``, and with a
    ``window`` everything else too, so that a stream need never end. So is the time that one frame costs: one
    search in one way up, or in four until it is known which way up the camera is held."""

    def __init__(
        self,
        finder: PictureFinder,
        settings: Settings,
        *,
        kind: MediaKind = "video",
        window: Window | None = None,
        rules: FaceRules | None = None,
    ) -> None:
        """``rules``: what is searched for and cut out, by default what the cards of these settings ask for.
        Raises ModelError when they cannot be read."""
        self._finder, self._kind, self._window = finder, kind, window
        self._rules = FaceRules.of(settings) if rules is None else rules
        self._tracker = Tracker(settings.video_crops, settings.max_faces, self._rules, window)
        self._quarters: Sequence[int] = QUARTERS
        self._tries = TRIES
        self._sure_s: float | None = None
        self._last_s = -math.inf

    @property
    def open_ids(self) -> frozenset[int]:
        """Numbers of the tracks that a next frame may go on; those of faces that left are not among them."""
        return frozenset(track.track_id for track in self._tracker.open)

    def add(self, frame: Frame) -> tuple[Sighting, ...]:
        """Find and follow the faces of the next frame, in order of time: what is in it, by ``track_id``.

        Raises UsageError, in a stream with a window, for a frame that is older than the one before: nothing
        would be forgotten any more."""
        if self._window is not None:
            if not frame.time_s >= self._last_s:
                raise UsageError(
                    f"A frame of {frame.time_s:.3f} s came after one of {self._last_s:.3f} s: add frames in "
                    "order of time, or begin a new stream."
                )
            self._last_s = frame.time_s
        return tuple(Sighting.of(track) for track in self._tracker.add(frame, self._detect(frame)))

    def tracks(self) -> tuple[FaceTrack, ...]:
        """The faces so far, weightiest first, at most ``settings.max_faces``, under their own numbers. Where
        frames lie close, a face seen once is noise and left out. Changes nothing: call it at any time."""
        return self._tracker.tracks()

    def _detect(self, frame: Frame) -> Detections:
        if self._kind == "image":
            return self._finder.detect(frame.rgb, self._rules.search_px["still"], QUARTERS, both_ways=True)
        search_px = self._rules.search_px["video"]
        faces = self._finder.detect(frame.rgb, search_px, self._quarters, both_ways=False)
        sure = np.flatnonzero(faces.certainty >= self._finder.certain)
        if len(sure):
            # A video is filmed one way up: where its first face stands, the others are looked for.
            self._quarters = (round(float(faces.turns_deg[sure[0]]) / 90) % 4,)
            self._sure_s = frame.time_s
        elif len(self._quarters) > 1:
            self._tries -= 1
            self._quarters = QUARTERS if self._tries else (0,)
        else:
            self._ask_again(frame.time_s)
        return faces

    def _ask_again(self, now_s: float) -> None:
        """A camera that shows nobody for the length of the window may be held another way up by now."""
        if self._window is None:
            return
        self._sure_s = now_s if self._sure_s is None else self._sure_s
        if now_s - self._sure_s > self._window.seconds:
            self._quarters, self._tries, self._sure_s = QUARTERS, 1, now_s


def ranked(tracks: Sequence[FaceTrack]) -> tuple[FaceTrack, ...]:
    """Numbered from 1 in this order, as reports count the faces of a whole file."""
    return tuple(replace(track, track_id=rank) for rank, track in enumerate(tracks, 1))
