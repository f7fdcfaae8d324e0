"""Frames that OpenCV did not write are found out, and never shown: they may be another file's picture.

OpenCV 4.13, 4.14 and 5.0 leave the buffer of a frame untouched, and say that all went well, when FFmpeg
refuses to convert it: interlaced pictures, and the colour systems YCgCo, ICtCp and BT.2020 with constant
luminance. (FFmpeg's sws_scale_frame fails, which CvCapture_FFMPEG::retrieveFrame does not look at.) What is
shown then is old memory of the process, such as the picture of the file before.

So memory is cleared: while OpenCV makes the buffer of a frame, the allocator of glibc fills what it hands out
with one value, and a frame of nothing but that value was not written. Where there is no glibc, the first
frame of a video that is not black must be the one that a new process decodes, whose memory never held another
file's.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from haechi.media.first_frame_process import fingerprint
from haechi.media.opencv import opencv
from haechi.types import U8

_PROCESS = Path(__file__).with_name("first_frame_process.py")
_PATIENCE_S = 20.0
#: What cleared memory holds: the complement of what glibc's mallopt is told. No uniform grey is so seldom.
_CLEARED = 0x5B
_M_PERTURB = -6


class UnwrittenFrame(Exception):
    """OpenCV handed out a frame that it did not write."""


def _allocator() -> Callable[[int, int], int] | None:
    """glibc's mallopt; None where there is none."""
    try:
        library = ctypes.CDLL(None)
        _ = library.gnu_get_libc_version
        mallopt: Callable[[int, int], int] = library.mallopt
    except (AttributeError, OSError, TypeError):
        return None
    return mallopt


class _Clearing:
    """Memory is cleared while anybody is within: several threads may decode at once."""

    def __init__(self) -> None:
        self.mallopt = _allocator()
        self._guard = threading.Lock()
        self._inside = 0

    @contextmanager
    def within(self) -> Iterator[None]:
        self._change(1)
        try:
            yield
        finally:
            self._change(-1)

    def _change(self, by: int) -> None:
        if self.mallopt is None:
            return
        with self._guard:
            self._inside += by
            if self._inside == max(by, 0):
                self.mallopt(_M_PERTURB, _CLEARED ^ 0xFF if by > 0 else 0)


_clearing = _Clearing()


def memory_can_be_cleared() -> bool:
    """Whether memory can be cleared here, so that ``retrieve`` finds out by itself what was not written."""
    return _clearing.mallopt is not None


def retrieve(capture: Any) -> U8 | None:
    """The grabbed frame as OpenCV gives it, BGR or grey; None when it says that it cannot be converted.

    Raises UnwrittenFrame when it says nothing but did not write it."""
    cv2 = opencv()
    try:
        with _clearing.within():
            ok, bgr = capture.retrieve()
    except cv2.error:
        return None
    if not ok or bgr is None or not bgr.size:
        return None
    is_suspect = memory_can_be_cleared() and bgr.dtype == "uint8" and bgr.flat[0] == _CLEARED
    if is_suspect and (bgr == _CLEARED).all():
        raise UnwrittenFrame
    return bgr  # type: ignore[no-any-return]


def first_frame_elsewhere(descriptor: str, inherited: tuple[int, ...]) -> str:
    """The fingerprint of the first frame that is not black as a new process decodes it; empty without one.

    ``descriptor``, ``inherited``: the file's name, and what a process must be given to open it."""
    command = [sys.executable, "-P", str(_PROCESS), descriptor]
    try:
        run = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            pass_fds=inherited,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.decode("ascii", "replace").strip()


__all__ = ["UnwrittenFrame", "fingerprint", "first_frame_elsewhere", "memory_can_be_cleared", "retrieve"]
