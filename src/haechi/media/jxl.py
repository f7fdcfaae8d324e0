"""JPEG XL: libjxl through pylibjxl, whose licences are permissive (those of other bindings are not)."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from haechi.errors import UnknownFormat
from haechi.types import Fact


def _library() -> Any:
    """pylibjxl, which has no build for some machines. Raises UnknownFormat without it."""
    try:
        import pylibjxl
    except ImportError as error:
        raise UnknownFormat(
            "This is a JPEG XL picture, whose decoder is not installed here: run pip install pylibjxl, or "
            "save the picture as PNG with another program."
        ) from error
    return pylibjxl


class JxlFile:
    """A JPEG XL picture, with what ``decoders.open_picture`` asks of Pillow's pictures. libjxl turns it
    upright."""

    def __init__(self, file: BinaryIO) -> None:
        self._data: bytes = file.read()
        self._library = _library()
        self._head: dict[str, Any] = self._library.probe(self._data)
        self.size = (int(self._head["width"]), int(self._head["height"]))
        self.info: dict[str, Any] = {}

    def __enter__(self) -> JxlFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._data = b""

    @property
    def facts(self) -> dict[str, Fact]:
        """bit_depth; animated where there are frames, of which only the first is decoded."""
        moves = {"animated": True} if self._head.get("have_animation") else {}
        return {"bit_depth": int(self._head["bits_per_sample"]), **moves}

    def load(self) -> Any:
        """Pillow's picture of the pixels, 8 bits. Raises what libjxl raises."""
        from PIL import Image

        pixels, notes = self._library.decode(self._data, metadata=True)
        self.info = {"icc_profile": notes.get("icc"), "exif": notes.get("exif")}
        array = np.asarray(pixels, np.uint8)
        return Image.fromarray(array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array)
