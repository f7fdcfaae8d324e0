"""The packets of a video: when its frames are shown, where decoding can begin, and which to look at."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.media.extent import Extent
from haechi.types import F64

# Shorter videos (five minutes of most) are decoded from end to end.
_LONG = 9_000
#: Seeking must save this much of the decoding: it has costs of its own.
_WORTH = 0.5


@dataclass(frozen=True, slots=True)
class Wanted:
    """Frames to be looked at: index i64 (K,) in order of time, ascending, and times_s f64 (K,)."""

    index: NDArray[np.int64]
    times_s: F64


class PacketIndex:
    """Grows a packet at a time, in the order of the file."""

    def __init__(self) -> None:
        self.extent = Extent()
        self._times_s = array("d")
        self._keys_s = array("d")

    def add(self, at_s: float, key: bool) -> None:
        self.extent = self.extent.with_one(at_s)
        self._times_s.append(at_s)
        if key:
            self._keys_s.append(at_s)

    def seeks(self, n: int, lead: int) -> Wanted | None:
        """Which n frames, the middles of n equal parts, are worth to be sought one by one; None when the
        video is short or decoding it from end to end costs less.

        lead: how many frames behind a key frame a frame must lie for the decoder to begin there. In a part
        with key frames the one nearest to its middle stands for it, that frame or the one ``lead`` behind."""
        total = len(self._times_s)
        if total < _LONG or not self._keys_s or not 0 < n < total:
            return None
        times = np.sort(np.asarray(self._times_s))
        if times[0] == times[-1]:
            return None
        cheap = np.unique(np.searchsorted(times, np.asarray(self._keys_s))) + lead
        index, cost = [], 0
        for i in range(n):
            middle, start, stop = middle_of(i, n, total), i * total // n, (i + 1) * total // n
            inside = cheap[np.searchsorted(cheap, start) : np.searchsorted(cheap, stop)]
            if len(inside):
                index.append(int(inside[np.abs(inside - middle).argmin()]))
                cost += lead + 1
            else:
                before = np.searchsorted(cheap, middle, side="right") - 1
                index.append(middle)
                cost += middle - (int(cheap[before]) - lead if before >= 0 else 0) + 1
        if cost > _WORTH * total:
            return None
        chosen = np.asarray(index, np.int64)
        return Wanted(chosen, times[chosen])


def middle_of(part: int, parts: int, frames: int) -> int:
    """The frame in the middle of one of equal parts of a video."""
    return (2 * part + 1) * frames // (2 * parts)
