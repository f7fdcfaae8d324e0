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
from haechi.faces.rules import FaceRules
from haechi.faces.second_look import SecondLook, doubted, roll_of
from haechi.faces.stream import QUARTERS, FaceStream, ranked
from haechi.faces.track_buffer import Window
from haechi.faces.turns import from_quarter, quarter_of, straighten
from haechi.settings import Settings
from haechi.types import F64, U8, FaceTrack, Media, MediaKind

TURNED_DOUBT = 1.5
"""Nats. Pictures are rarely shown turned: what looks like a face in a turned one only must look more so."""
CLEARLY_UPRIGHT = 0.9
"""A face that the finder is so sure of, and that the second look does not see upside down, stands upright: of
faces that lie or stand on their heads it is less sure."""


class FaceFinder:
    """The project's own face finder (cards ``faces`` and ``face_check``) and a tracker over what it finds."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.network = FinderNetwork(settings)
        self.look = SecondLook(settings)
        self.rules = FaceRules.of(settings)

    @property
    def certain(self) -> float:
        """The probability from which on it is a face beyond doubt."""
        return self.look.certain

    def find(self, media: Media, progress: Callable[[float], None] | None = None) -> tuple[FaceTrack, ...]:
        """All faces of a source through time, weightiest first, at most ``settings.max_faces``."""
        frame_count = self.settings.video_frames if media.kind == "video" else 1
        stream = self.stream(media.kind)
        for number, frame in enumerate(media.frames(frame_count), 1):
            stream.add(frame)
            if progress is not None:
                progress(number / frame_count)
        return ranked(stream.tracks())

    def stream(self, kind: MediaKind = "video", window: Window | None = None) -> FaceStream:
        """For frames that come one by one; ``window`` where they come without an end."""
        return FaceStream(self, self.settings, kind=kind, window=window, rules=self.rules)

    def detect(
        self,
        rgb: U8,
        search_px: Sequence[int] | None = None,
        quarters: Sequence[int] = QUARTERS,
        both_ways: bool = True,
    ) -> Detections:
        """Faces in one picture u8 (H, W, 3), from about 20 px to the whole frame, surest first, in its own
        pixels; which way up the picture is shown, and whether it is mirrored, makes no difference.

        Those found in the first of the quarter turns, in those that lying faces ask for, and in all when the
        first holds none that clearly stands upright. ``search_px``: longest sides at which it is searched, by
        default those of a still; ``both_ways``: also mirrored."""
        search_px = search_px or self.rules.search_px["still"]
        small = _reduced(rgb, search_px[-1])
        faces, lying_quarters = self._upright(
            small, quarters[0], search_px, both_ways, single_quarter=len(quarters) == 1
        )
        sure = bool(((faces.certainty >= self.certain) & (faces.scores >= CLEARLY_UPRIGHT)).any())
        for k in quarters[1:]:
            if k in lying_quarters or (not sure and self._promising(small, k, search_px)):
                faces = join(faces, self._upright(small, k, search_px, both_ways)[0])
        faces = one_way_up(suppress_turned(faces), self.certain)
        faces = straighten(small, faces, self.network, self.look)
        return faces.scaled(rgb.shape[1] / small.shape[1], rgb.shape[0] / small.shape[0])

    def _promising(self, rgb: U8, quarter: int, search_px: Sequence[int]) -> bool:
        """Whether a quick search of a quarter turn shows a face that stands upright there."""
        board = np.ascontiguousarray(np.rot90(rgb, quarter))
        faces = self.network.detect(board, search_px[:2])
        certainty, rolls = self.look.at(board, faces)
        certainty = doubted(certainty, TURNED_DOUBT)
        face = certainty >= self.look.doubtful
        return bool((self._quarters(board, take(faces, face), rolls[face]) == 0).any())

    def _upright(
        self, rgb: U8, quarter: int, search_px: Sequence[int], both_ways: bool, single_quarter: bool = False
    ) -> tuple[Detections, set[int]]:
        """Faces that stand upright in a quarter turn of the picture, in pixels of the picture as it is shown,
        and the quarter turns in which the others that were found would. ``single_quarter``: this is the
        only one to be searched, so that no face is asked for another."""
        board = np.ascontiguousarray(np.rot90(rgb, quarter))
        faces = self.network.detect(board, search_px, both_ways)
        certainty, rolls = self.look.at(board, faces, all_ways=not single_quarter)
        if quarter and not single_quarter:
            certainty = doubted(certainty, TURNED_DOUBT)
        face = certainty >= self.look.doubtful
        faces, certainty = take(faces, face), certainty[face]
        away = np.zeros(len(faces), np.int64) if single_quarter else self._quarters(board, faces, rolls[face])
        lean = np.array([roll_of(p) for p in faces.landmarks_xy])
        upright = take(faces.judged(certainty, lean), away == 0)
        lying_quarters = {(quarter + int(k)) % 4 for k in away if k}
        return from_quarter(upright, quarter, *rgb.shape[:2]), lying_quarters

    def _quarters(self, board: U8, faces: Detections, rolls: F64) -> NDArray[np.int64]:
        """How many quarter turns counter-clockwise set each face upright, 0 to 3."""
        clear = (faces.scores >= CLEARLY_UPRIGHT) & (np.abs(rolls) < 90)
        return np.array(
            [
                0
                if clear[i]
                else quarter_of(board, faces.boxes_xyxy[i], float(faces.scores[i]), self.network)
                for i in range(len(faces))
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
