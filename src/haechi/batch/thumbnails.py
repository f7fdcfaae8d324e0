"""Small pictures of files, decoded in a process of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from haechi.errors import Fault, HaechiError, InputError
from haechi.isolated.process import Process
from haechi.settings import Settings

TARGET = "haechi.batch.thumbnails:ThumbnailChild"
SIDE_PX = 160
_MOST_BYTES = 100_000
_JPEG = b"\xff\xd8\xff"


class Thumbnails:
    """Makes thumbnails one after another; ``stop`` when no more are wanted."""

    def __init__(self, settings: Settings, scratch: Path) -> None:
        self._process = Process(TARGET, settings, scratch=scratch)
        self.stop = self._process.stop

    def of(self, path: str, sha256: str) -> bytes | None:
        """A JPEG at most ``SIDE_PX`` wide and high; None where the file is gone or another, or cannot be
        decoded."""
        try:
            facts, data = self._process.ask({"path": path}, lambda _stage, _part: None)
        except (InputError, Fault):
            return None
        is_same = facts.get("sha256") == sha256
        return data if is_same and data.startswith(_JPEG) and len(data) <= _MOST_BYTES else None


class ThumbnailChild:
    """The child's half: a target of ``haechi.isolated.child``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def answer(
        self, request: Mapping[str, Any], _tell: Callable[[str, float], None]
    ) -> tuple[Mapping[str, Any], bytes]:
        import cv2

        from haechi.media import open_media

        media = open_media(request["path"], self._settings)
        rgb = next(iter(media.frames(1))).rgb
        scale = min(SIDE_PX / max(rgb.shape[:2]), 1.0)
        size = (max(round(rgb.shape[1] * scale), 1), max(round(rgb.shape[0] * scale), 1))
        small = cv2.cvtColor(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
        is_made, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])
        if not is_made:
            raise HaechiError("A small picture could not be encoded: please report it.")
        return {"sha256": media.sha256}, data.tobytes()
