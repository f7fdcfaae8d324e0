"""Reduced copies of the frames that a reader of the HTML report should see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np

from haechi.types import Evidence, Frame, Media, Preview

LONGEST_PX = 1280
COUNT = 8
_STRONGEST = 4


def keyframes(media: Media, evidence: Sequence[Evidence], examined: int) -> tuple[Preview, ...]:
    """One preview of a photograph; at most eight of a video, in order of time: up to four where the evidence
    is strongest, the others evenly spaced, all of the ``examined`` frames. Seeks them, or decodes the video
    once more where that costs no more."""
    if media.kind == "image":
        return tuple(_reduced(frame) for frame in media.frames(1))
    wanted_s = _wanted_s(media, evidence)
    again = media.again(examined, wanted_s)
    if again is None:
        again = _nearest(media.frames(examined), wanted_s)
    return tuple(_reduced(frame) for frame in again)


def _wanted_s(media: Media, evidence: Sequence[Evidence]) -> list[float]:
    """Times in seconds, ascending."""
    duration_s = media.duration_s or 0.0
    apart_s = duration_s / (2 * COUNT)
    times_s: list[float] = []
    regions = sorted((r for e in evidence for r in e.regions), key=lambda region: -region.llr)
    for region in regions:
        if all(abs(region.time_s - other) >= apart_s for other in times_s):
            times_s.append(region.time_s)
        if len(times_s) == _STRONGEST:
            break
    rest = COUNT - len(times_s)
    return sorted([*times_s, *((i + 0.5) / rest * duration_s for i in range(rest))])


def _nearest(frames: Iterable[Frame], wanted_s: Sequence[float]) -> Iterator[Frame]:
    """For each wanted time the nearest frame, each frame once; holds two frames at most."""
    queue = list(reversed(wanted_s))
    before: Frame | None = None
    last = -1
    for frame in frames:
        while queue and frame.time_s >= queue[-1]:
            time_s = queue.pop()
            nearer = frame if before is None or frame.time_s - time_s <= time_s - before.time_s else before
            if nearer.index > last:
                last = nearer.index
                yield nearer
        if not queue:
            return
        before = frame
    if before is not None and before.index > last:
        yield before


def _reduced(frame: Frame) -> Preview:
    height, width = frame.rgb.shape[:2]
    scale = min(1.0, LONGEST_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    rgb = frame.rgb
    if scale < 1.0:
        # The mean over whole pixels first, then less than a halving: as good as the mean over parts of pixels
        # for the eye, in a fraction of its time.
        whole = int(1 / scale)
        if whole > 1:
            parts = (max(1, width // whole), max(1, height // whole))
            rgb = np.asarray(cv2.resize(rgb, parts, interpolation=cv2.INTER_AREA), np.uint8)
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return Preview(np.ascontiguousarray(rgb), frame.time_s, scale)
