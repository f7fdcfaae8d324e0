"""HEIC, as phones save photographs: libheif through pi-heif (libde265 decodes; no encoder is inside)."""

from __future__ import annotations

from typing import Any, BinaryIO

from haechi.types import Fact

_GAIN_MAPS = ("hdrgainmap", "tmap")


class HeicFile:
    """The main picture of a HEIC, with what ``openers.opened`` asks of Pillow's pictures. Tiles are put
    together and the picture is turned upright by libheif; 10 and 12 bits are rounded to 8."""

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
        found: dict[str, Fact] = {"bit_depth": int(self.info.get("bit_depth", 8))}
        if self.n_frames > 1:
            found["frames"] = self.n_frames
        if any(word in kind.lower() for kind in self.info.get("aux", {}) for word in _GAIN_MAPS):
            found["gain_map"] = True
        if self.info.get("depth_images"):
            found["depth_map"] = True
        return found

    def load(self) -> Any:
        """Pillow's picture of the pixels. Raises what libheif raises, which is an error of any kind."""
        self._main.load()
        # The size may be told otherwise by the stream than by the container.
        if self._main.size != self.size:
            raise OSError("its parts tell of different sizes")
        return self._main.to_pillow()
