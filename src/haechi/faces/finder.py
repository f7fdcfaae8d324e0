"""Faces of a picture whichever way up it is shown, and of a video through time.

The network finds faces that stand upright in a picture, and some that lie or stand on their heads. A second
look at each finding says whether it is a face and by how much it is turned; the picture is searched again in
the quarter turn in which that face stands upright, and in all of them when nothing is found upright.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.faces.detections import Detections, join, one_way_up, suppress_turned, take
from haechi.faces.network import FinderNetwork
from haechi.faces.second_look import SecondLook, doubted, roll_of
from haechi.faces.tracks import Tracker
from haechi.faces.turns import from_quarter, quarter_of, straighten
from haechi.settings import Settings
from haechi.types import F64, U8, FaceTrack, Media

SEARCH_PX = (320, 512, 1280)
"""Longest sides at which a picture is searched: large faces, ordinary ones, and in photographs small ones.
Against human boxes (scenes.csv, 400-px pictures) 512 found more than 640, and costs two thirds of it."""
VIDEO_SEARCH_PX = (320, 640)
"""The same for the frames of a video, of which there are hundreds."""
TURNED_DOUBT = 1.5
"""Nats. Pictures are rarely shown turned: what looks like a face in a turned one only must look more so."""
CLEARLY_UPRIGHT = 0.9
"""A face that the finder is so sure of, and that the second look does not see upside down, stands upright: of
faces that lie or stand on their heads it is less sure."""
QUARTERS = (0, 1, 3, 2)
TRIES = 8
"""Frames of a video without an upright face that are searched in all four quarter turns."""


class FaceFinder:
    """The project's own face finder (cards ``faces`` and ``face_check``) and a tracker over what it finds."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.network = FinderNetwork(settings)
        self.look = SecondLook(settings)

    def detect(self, rgb: U8, search_px: Sequence[int] = SEARCH_PX) -> Detections:
        """Faces in one picture u8 (H, W, 3), from about 20 px to the whole frame, surest first, in its own
        pixels; which way up the picture is shown, and whether it is mirrored, makes no difference."""
        return self._detect(rgb, search_px, QUARTERS, both_ways=True)

    def find(self, media: Media, progress: Callable[[float], None] | None = None) -> tuple[FaceTrack, ...]:
        """All faces of a source through time, largest first, at most ``settings.max_faces``."""
        video = media.kind == "video"
        wanted = self.settings.video_frames if video else 1
        tracker = Tracker(self.settings.video_crops, self.settings.max_faces)
        tries = TRIES
        quarters: Sequence[int] = QUARTERS
        for seen, frame in enumerate(media.frames(wanted), 1):
            if video:
                found = self._detect(frame.rgb, VIDEO_SEARCH_PX, quarters, both_ways=False)
                sure = np.flatnonzero(found.certainty >= self.look.certain)
                if len(sure):
                    # A video is filmed one way up: where its first face stands, the others are looked for.
                    quarters = (round(float(found.turns_deg[sure[0]]) / 90) % 4,)
                elif len(quarters) > 1:
                    tries -= 1
                    quarters = QUARTERS if tries else (0,)
            else:
                found = self.detect(frame.rgb)
            tracker.add(frame, found)
            if progress is not None:
                progress(seen / wanted)
        return tracker.finish()

    def _detect(
        self, rgb: U8, search_px: Sequence[int], quarters: Sequence[int], both_ways: bool
    ) -> Detections:
        """Faces found in the first of the quarter turns, in those that lying faces ask for, and in all when
        the first holds none that clearly stands upright."""
        small = _reduced(rgb, search_px[-1])
        found, asked = self._upright(small, quarters[0], search_px, both_ways, known=len(quarters) == 1)
        sure = bool(((found.certainty >= self.look.certain) & (found.scores >= CLEARLY_UPRIGHT)).any())
        for k in quarters[1:]:
            if k in asked or (not sure and self._promising(small, k, search_px)):
                found = join(found, self._upright(small, k, search_px, both_ways)[0])
        found = one_way_up(suppress_turned(found), self.look.certain)
        found = straighten(small, found, self.network, self.look)
        return found.scaled(rgb.shape[1] / small.shape[1], rgb.shape[0] / small.shape[0])

    def _promising(self, rgb: U8, quarter: int, search_px: Sequence[int]) -> bool:
        """Whether a quick search of a quarter turn shows a face that stands upright there."""
        board = np.ascontiguousarray(np.rot90(rgb, quarter))
        found = self.network.detect(board, search_px[:2])
        certainty, rolls = self.look.at(board, found)
        certainty = doubted(certainty, TURNED_DOUBT)
        face = certainty >= self.look.doubtful
        return bool((self._quarters(board, take(found, face), rolls[face]) == 0).any())

    def _upright(
        self, rgb: U8, quarter: int, search_px: Sequence[int], both_ways: bool, known: bool = False
    ) -> tuple[Detections, set[int]]:
        """Faces that stand upright in a quarter turn of the picture, in pixels of the picture as it is shown,
        and the quarter turns in which the others that were found would. ``known``: that the picture stands
        upright in this one, so that no face is asked."""
        board = np.ascontiguousarray(np.rot90(rgb, quarter))
        found = self.network.detect(board, search_px, both_ways)
        certainty, rolls = self.look.at(board, found, all_ways=not known)
        if quarter and not known:
            certainty = doubted(certainty, TURNED_DOUBT)
        face = certainty >= self.look.doubtful
        found, certainty = take(found, face), certainty[face]
        away = np.zeros(len(found), np.int64) if known else self._quarters(board, found, rolls[face])
        lean = np.array([roll_of(p) for p in found.landmarks_xy])
        kept = take(found.judged(certainty, lean), away == 0)
        asked = {(quarter + int(k)) % 4 for k in away if k}
        return from_quarter(kept, quarter, *rgb.shape[:2]), asked

    def _quarters(self, board: U8, found: Detections, rolls: F64) -> NDArray[np.int64]:
        """How many quarter turns counter-clockwise set each face upright, 0 to 3."""
        clear = (found.scores >= CLEARLY_UPRIGHT) & (np.abs(rolls) < 90)
        return np.array(
            [
                0
                if clear[i]
                else quarter_of(board, found.boxes_xyxy[i], float(found.scores[i]), self.network)
                for i in range(len(found))
            ],
            np.int64,
        )


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
