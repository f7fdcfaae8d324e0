"""How the stored frames of a video become what players show: turned, mirrored, with square pixels.

Source: ISO/IEC 14496-12, 8.3.2 (tkhd) and 8.2.2 (mvhd): matrices whose first four numbers (a, b, c, d) send
a point (x, y) to (a x + c y, b x + d y).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, replace

import numpy as np

from haechi.media.containers.boxes import BoxFile
from haechi.media.containers.pieces import Span
from haechi.media.opencv import opencv
from haechi.types import U8

Matrix = tuple[float, float, float, float]
# No camera and no format has pixels of another shape; a header that says so is wrong, and not followed.
_MOST_ASPECT = 8.0


@dataclass(frozen=True, slots=True)
class Orientation:
    """mirrored: left and right are exchanged, before rotation_deg (clockwise, a multiple of 90).
    pixel_aspect: width of a stored pixel over its height."""

    rotation_deg: int = 0
    mirrored: bool = False
    pixel_aspect: float = 1.0

    @classmethod
    def of(cls, matrix: Matrix) -> Orientation:
        a, b, c, d = matrix
        mirrored = a * d - b * c < 0
        if mirrored:
            a, b = -a, -b
        turn_deg = math.degrees(math.atan2(b, a)) if math.isfinite(a) and math.isfinite(b) else 0.0
        return cls(round(turn_deg / 90) * 90 % 360, mirrored)

    def with_pixels(self, aspect: float) -> Orientation:
        """With pixels of this shape, unless no pixels can have it."""
        sane = math.isfinite(aspect) and 1 / _MOST_ASPECT <= aspect <= _MOST_ASPECT
        return replace(self, pixel_aspect=aspect if sane else 1.0)

    def shown(self, width_px: int, height_px: int) -> tuple[int, int]:
        """(width, height) in pixels of a stored frame when it is shown. The side that is too short grows, so
        that nothing of the picture is lost."""
        if self.pixel_aspect >= 1:
            width_px = round(width_px * self.pixel_aspect)
        else:
            height_px = round(height_px / self.pixel_aspect)
        return (height_px, width_px) if self.rotation_deg % 180 else (width_px, height_px)

    def apply(self, rgb: U8) -> U8:
        """A stored frame u8 (H, W, 3) as it is shown."""
        height_px, width_px = rgb.shape[:2]
        square = replace(self, rotation_deg=0).shown(width_px, height_px)
        if square != (width_px, height_px):
            cv2 = opencv()
            rgb = np.asarray(cv2.resize(rgb, square, interpolation=cv2.INTER_CUBIC), np.uint8)
        if self.mirrored:
            rgb = rgb[:, ::-1]
        return np.ascontiguousarray(np.rot90(rgb, -self.rotation_deg // 90))


def display_matrix(moov: bytes) -> Orientation | None:
    """How the first video track of an index (the content of moov) is turned; None when it cannot be told."""
    boxes = BoxFile(moov)
    whole = (0, boxes.size)
    video = next((track for track, handler in boxes.tracks(whole) if handler == b"vide"), None)
    if video is None:
        return None
    # Before them: version and flags, times, a number, a length; then in mvhd the rate, volume and so on.
    track = _matrix(moov, boxes.first(video, b"tkhd"), 40)
    movie = _matrix(moov, boxes.first(whole, b"mvhd"), 36)
    if track is None:
        return None
    return Orientation.of(track if movie is None else _product(track, movie))


def _matrix(moov: bytes, span: Span, at: int) -> Matrix | None:
    start, end = span
    if start == end:
        return None
    start += at + (12 if moov[start] == 1 else 0)
    if end - start < 36:
        return None
    a, b, _, c, d = struct.unpack(">5i", moov[start : start + 20])
    return a / 65536, b / 65536, c / 65536, d / 65536


def _product(one: Matrix, other: Matrix) -> Matrix:
    """First the one, then the other."""
    a, b, c, d = one
    e, f, g, h = other
    return a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h
