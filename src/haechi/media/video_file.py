"""The file of a video as its readers share it: what to open, what its structure says, and how much time is
left for it; and what a reader finds out about it."""

from __future__ import annotations

import math
import os
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from haechi.errors import DamagedFile, OverLimit
from haechi.media.clock import Clock
from haechi.media.containers import matroska, riff
from haechi.media.containers.boxes import BoxFile
from haechi.media.damage import cut_off
from haechi.media.iso_structure import IsoStructure, iso_structure
from haechi.media.orientation import Orientation
from haechi.media.packet_index import FrameSelection
from haechi.settings import Settings
from haechi.types import Fact, Frame

MAX_FRAMES = 2_000_000
_CURE = "cut the video shorter"
_RIFF_HEAD_BYTES, _MATROSKA_HEAD_BYTES = 12, 4096
NAMES = {
    "mp4": "MP4", "mov": "MOV", "webm": "WebM", "mkv": "MKV", "avi": "AVI",
    "ts": "MPEG transport stream", "mpg": "MPEG program stream",
}  # fmt: skip
# An open file under a name, which a program that inherits it can open anew and wind for itself.
_DESCRIPTORS = Path("/proc/self/fd")


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """width_px and height_px are those of the first frame, upright."""

    width_px: int
    height_px: int
    fps: float | None
    duration_s: float
    frames: int
    container: dict[str, Fact] = field(default_factory=dict)


class Reader(Protocol):
    """Decodes one video: OpenCV (``capture``) or the program ffmpeg (``ffmpeg``)."""

    def measure(self) -> VideoFacts:
        """Looks through the video; before it nothing is read."""

    def frames(self, n: int) -> Iterator[Frame]:
        """At most n frames in order of time, the middles of n equal parts of the video."""

    def again(self, selection: FrameSelection) -> Iterator[Frame] | None:
        """These frames; None where it costs no less to decode the video from end to end."""


class VideoFile:
    """One video file. ``data``: its content, where it has no name; it is then kept in a file without one
    where the system can do that, so that no kill leaves it behind, else in a temporary one.

    Raises OSError when it cannot be opened or written."""

    def __init__(self, path: Path | None, form: str, settings: Settings, data: bytes = b"") -> None:
        self.form, self.settings = form, settings
        self.clock = Clock(settings.decode_timeout_s, _CURE)
        self.clock.stop()
        self.inherited: tuple[int, ...] = ()
        handle, leftover = -1, ""
        if path is None:
            handle, leftover = _stored(data, form)
            self.name = leftover or f"{_DESCRIPTORS}/{handle}"
        else:
            self.name = os.path.abspath(path)  # noqa: PTH100 - "http://x" must stay a name, no address
            if not _is_text(self.name) and _DESCRIPTORS.is_dir():
                # OpenCV takes names in UTF-8 only.
                handle = os.open(path, os.O_RDONLY)
                self.name = f"{_DESCRIPTORS}/{handle}"
        if handle >= 0 and not leftover:
            self.inherited = (handle,)
        self.close = weakref.finalize(self, _close, handle, leftover)
        self.hidden_s = 0.0
        self.orientation: Orientation | None = None

    def check_structure(self) -> None:
        """Raises DamagedFile when the file is not all there, encrypted or without a video; tells ``hidden_s``
        (seconds that an edit list leaves out) and, where the container says it in its index,
        ``orientation``."""
        path, name = Path(self.name), NAMES[self.form]
        size = path.stat().st_size
        with path.open("rb") as file:
            if (self.form == "avi" and riff.cut(file.read(_RIFF_HEAD_BYTES), size)) or (
                self.form in ("webm", "mkv") and matroska.cut(file.read(_MATROSKA_HEAD_BYTES), size)
            ):
                raise cut_off(name)
            if self.form in ("mp4", "mov"):
                self._take(iso_structure(BoxFile(file), name), name)

    def _take(self, structure: IsoStructure, name: str) -> None:
        if not structure.has_index:
            raise DamagedFile(
                f"The {name} has no index (its moov part), as when a recording or download was not finished: "
                "get the whole file again."
            )
        if structure.encrypted:
            raise DamagedFile(f"The {name} is encrypted (protected by DRM): give a copy without protection.")
        if structure.has_video is False and structure.damaged:
            raise DamagedFile(
                f"The {name} cannot be read because its index (its moov part) is damaged: get the file "
                "again, or the original."
            )
        if structure.has_video is False:
            raise DamagedFile(
                f"The {name} holds no video track: it has no frames, or only sound; give the whole video."
            )
        self.hidden_s, self.orientation = structure.hidden_s, structure.orientation

    def check_duration(self, seconds: float) -> None:
        if seconds > self.settings.max_duration_s:
            raise OverLimit(
                f"The video lasts longer than the limit of {self.settings.max_duration_s:g} s: cut out the "
                "part in question, or raise HAECHI_MAX_DURATION_S."
            )

    def check_frames(self, frames: int) -> None:
        if frames > MAX_FRAMES:
            raise OverLimit(f"The video has more than {MAX_FRAMES:,} frames: cut out the part in question.")


def _stored(data: bytes, form: str) -> tuple[int, str]:
    """The content in a file of its own: (descriptor, "") of one without a name, or (-1, its name), readable
    to this user alone."""
    if _DESCRIPTORS.is_dir():
        with tempfile.TemporaryFile(prefix="haechi-") as file:
            file.write(data)
            file.flush()
            return os.dup(file.fileno()), ""
    handle, name = tempfile.mkstemp(prefix="haechi-", suffix=f".{form}")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except BaseException:
        _close(-1, name)
        raise
    return -1, name


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _close(handle: int, leftover: str) -> None:
    if handle >= 0:
        os.close(handle)
    if leftover:
        Path(leftover).unlink(missing_ok=True)


def frame_rate(fps: float) -> float | None:
    """Frames a second from a header, None for what cannot be one."""
    return fps if math.isfinite(fps) and 0 < fps <= 1000 else None
