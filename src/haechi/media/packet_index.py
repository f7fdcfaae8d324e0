"""The packets of a video: when its frames are shown, where decoding can begin, and which to look at."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.errors import DamagedFile
from haechi.media.extent import Extent
from haechi.types import F64

# Shorter videos (five minutes of most) are decoded from end to end.
_LONG = 9_000
#: Seeking must save this much of the decoding: it has costs of its own.
_WORTH = 0.5
_LEAST_DECODED = 0.8


@dataclass(frozen=True, slots=True)
class FrameSelection:
    """Frames to be looked at: index i64 (K,) in order of time, ascending, and times_s f64 (K,). least: the
    share of them that must decode."""

    index: NDArray[np.int64]
    times_s: F64
    least: float = 0.0

    def check(self, decoded: int) -> None:
        """Raises DamagedFile when too few of them could be decoded."""
        if decoded < self.least * len(self.index):
            raise DamagedFile(
                f"Only {decoded} of the {len(self.index)} frames of this video that were looked for can be "
                "decoded, because the rest is damaged: get the file again, or the original."
            )


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

    def seeks(self, n: int, lead: int) -> FrameSelection | None:
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
        cheap = self._cheap(times, lead)
        index = []
        for i in range(n):
            middle, start, stop = middle_of(i, n, total), i * total // n, (i + 1) * total // n
            inside = cheap[np.searchsorted(cheap, start) : np.searchsorted(cheap, stop)]
            index.append(int(inside[np.abs(inside - middle).argmin()]) if len(inside) else middle)
        if not self.worth_seeking(index, lead):
            return None
        order = np.asarray(index, np.int64)
        return FrameSelection(order, times[order], _LEAST_DECODED)

    def worth_seeking(self, index: Sequence[int], lead: int) -> bool:
        """Whether these frames, sought one by one, cost much less than to decode all frames."""
        if not self._keys_s:
            return False
        cheap = self._cheap(np.sort(np.asarray(self._times_s)), lead)
        before = np.searchsorted(cheap, index, side="right") - 1
        begins = np.where(before >= 0, cheap[np.maximum(before, 0)] - lead, 0)
        return int((np.asarray(index) - begins + 1).sum()) <= _WORTH * len(self._times_s)

    def _cheap(self, times: F64, lead: int) -> NDArray[np.int64]:
        """The frames that cost the least, ascending."""
        return np.unique(np.searchsorted(times, np.asarray(self._keys_s))).astype(np.int64) + lead


def middle_of(part: int, parts: int, frames: int) -> int:
    """The frame in the middle of one of equal parts of a video."""
    return (2 * part + 1) * frames // (2 * parts)
