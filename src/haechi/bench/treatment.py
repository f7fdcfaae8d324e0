"""The same treatment for both classes before anything is measured (rule 5 of DESIGN.md).

Collections differ in size, framing and JPEG quality, and a collection often holds one class only. A treatment
gives every picture the same size law and the same encoder, so that what is left to find is the forgery.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from haechi.bench.corruptions import encode, resize_to
from haechi.errors import UsageError
from haechi.types import U8

SIZE_LAWS = "keep, square:SIDE or square:LEAST-MOST (centre square, resized), crop:SIDE (centre, not resized)"


@dataclass(frozen=True, slots=True)
class Treatment:
    """``reencode``: JPEG quality, 0 for none. ``size``: one of SIZE_LAWS; a range draws the side by the
    item's id, never by its label. The default changes nothing."""

    reencode: int = 0
    size: str = "keep"

    def __post_init__(self) -> None:
        if not 0 <= self.reencode <= 100:
            raise UsageError(f"--reencode {self.reencode}: give a JPEG quality of 1 to 100, or 0 for none")
        self._law()

    @property
    def is_nothing(self) -> bool:
        return not self.reencode and self.size == "keep"

    def apply(self, rgb: U8, item: str) -> bytes:
        """rgb u8 (H, W, 3) -> the bytes of a JPEG, or of a PNG when nothing is re-encoded."""
        out = np.ascontiguousarray(self._sized(rgb, item))
        return encode(out, "JPEG", self.reencode) if self.reencode else _lossless(out)

    def _sized(self, rgb: U8, item: str) -> U8:
        kind, least, most = self._law()
        if kind == "keep":
            return rgb
        height, width = rgb.shape[:2]
        draw = int.from_bytes(hashlib.sha256(f"size/{item}".encode()).digest()[:8], "big")
        side = least + draw % (most - least + 1)
        edge = min(height, width, side) if kind == "crop" else min(height, width)
        y, x = (height - edge) // 2, (width - edge) // 2
        square = rgb[y : y + edge, x : x + edge]
        return square if kind == "crop" else resize_to(square, side, side, Image.Resampling.LANCZOS)

    def _law(self) -> tuple[str, int, int]:
        kind, _, sides = self.size.partition(":")
        least, _, most = sides.partition("-")
        try:
            law = (kind, int(least or 0), int(most or least or 0))
        except ValueError:
            law = ("", 0, 0)
        good = {"keep": sides == "", "square": True, "crop": law[1] == law[2]}.get(law[0], False)
        if not good or (kind != "keep" and not 16 <= law[1] <= law[2] <= 8192):
            raise UsageError(f"--size {self.size}: write {SIZE_LAWS}")
        return law


def _lossless(rgb: U8) -> bytes:
    import cv2

    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1])
