"""HEIC, as phones save photographs: libheif through pi-heif (libde265 decodes; no encoder is inside)."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from haechi.types import Fact

_GAIN_MAPS = ("hdrgainmap", "tmap")
# libde265 leaves what no data came for at zero in all three planes, which no encoder writes: black with more
# blue and red taken away than there is. By the matrices and ranges in use it becomes one of these greens.
_GAP_GREENS = (77, 84, 89, 94, 136)
_GAP_PX = 16
_BAND_ROWS = 256


class HeicFile:
    """The main picture of a HEIC, with what ``decoders.open_picture`` asks of Pillow's pictures. libheif puts
    tiles together and turns the picture upright; 10 and 12 bits are rounded to 8."""

    def __init__(self, file: BinaryIO) -> None:
        import pi_heif

        self._all = pi_heif.open_heif(file, convert_hdr_to_8bit=True)
        self._main = self._all[self._all.primary_index]
        self.size: tuple[int, int] = self._main.size
        self.n_frames: int = len(self._all)
        self.info: dict[str, Any] = self._main.info

    def __enter__(self) -> HeicFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._all = self._main = None

    @property
    def facts(self) -> dict[str, Fact]:
        """bit_depth; frames where there are several pictures (a burst); gain_map; depth_map."""
        facts: dict[str, Fact] = {"bit_depth": int(self.info.get("bit_depth", 8))}
        if self.n_frames > 1:
            facts["frames"] = self.n_frames
        if any(word in kind.lower() for kind in self.info.get("aux", {}) for word in _GAIN_MAPS):
            facts["gain_map"] = True
        if self.info.get("depth_images"):
            facts["depth_map"] = True
        return facts

    def load(self) -> Any:
        """Pillow's picture of the pixels. Raises what libheif raises, which is an error of any kind."""
        self._main.load()
        # The size may be told otherwise by the stream than by the container.
        if self._main.size != self.size:
            raise OSError("its parts tell of different sizes")
        return self._main.to_pillow()


def holds_gap(image: Any) -> bool:
    """Whether a block of Pillow's picture was never decoded: libde265 tells no stream that ends early.
    One that ends within its last block (64 pixels at most) is not told."""
    width, height = image.size
    for top in range(0, height, _BAND_ROWS):
        band = np.asarray(image.crop((0, top, width, min(height, top + _BAND_ROWS))))
        if band.ndim == 3 and _has_gap(band[:, :, :3]):
            return True
    return False


def _has_gap(rgb: np.ndarray[Any, np.dtype[np.uint8]]) -> bool:
    none = (rgb[:, :, 0] == 0) & (rgb[:, :, 2] == 0)
    if not none.any():
        return False
    for green in _GAP_GREENS:
        gap = none & (np.abs(rgb[:, :, 1].astype(np.int16) - green) <= 1)
        high, wide = (side // _GAP_PX * _GAP_PX for side in gap.shape)
        blocks = gap[:high, :wide].reshape(high // _GAP_PX, _GAP_PX, wide // _GAP_PX, _GAP_PX)
        if blocks.all(axis=(1, 3)).any():
            return True
    return False
