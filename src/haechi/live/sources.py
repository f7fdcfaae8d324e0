"""Where the frames of a watched call come from: a camera, a stream of this network, or a file."""

from __future__ import annotations

import ipaddress
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import numpy as np

from haechi.errors import InputError, NotAFile, UnknownFormat, UsageError
from haechi.media import open_media
from haechi.media.opencv import opencv
from haechi.settings import Settings
from haechi.types import U8, Frame

Arrival: TypeAlias = tuple[U8 | None, float]
"""A frame u8 (H, W, 3) and its time in seconds from the beginning; None where none came for a while."""

FILE_RATE = 5.0
"""Frames a second that are taken of a file: as many as are searched."""
WAIT_S, GONE_S = 0.5, 15.0
"""After so long without a frame it is said that none comes; after the second, that the source has ended."""
_OPEN_MS = 8000
_RTSP = "protocol_whitelist;rtsp,rtp,udp,tcp|rtsp_transport;tcp"
_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"


def arrivals(source: str, settings: Settings, *, fast: bool = False) -> Iterator[Arrival]:
    """The frames of ``camera``, ``camera:N``, ``rtsp://...`` or a file, as they come; of a file at its own
    pace, unless ``fast``.

    Raises UsageError for an address outside this network, InputError when the source cannot be opened, or
    stops."""
    if not is_live(source):
        return _file(Path(source), settings, fast)
    return _live(_private(source) if "://" in source else _camera_number(source))


def is_live(source: str) -> bool:
    """Whether somebody may be there now, who can be asked for something: not in a file."""
    return source == "camera" or source.startswith("camera:") or "://" in source


def _camera_number(source: str) -> int:
    number = source.partition(":")[2] or "0"
    if not number.isascii() or not number.isdigit() or int(number) > 99:
        raise UsageError("--source camera:N takes the number of a camera, 0 to 99; camera alone is the first")
    return int(number)


def _private(url: str) -> str:
    """The address, which is on this machine or in this network. Raises UsageError for any other, and for a
    name: to look one up, too, would be to ask somebody."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if parts.scheme.lower() != "rtsp" or not host or port == 0:
        raise UsageError("--source takes camera, camera:N, a video file or rtsp://ADDRESS/...")
    if host == "localhost":
        return url
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        raise UsageError(
            "The rtsp address names its host, and Haechi looks no name up: write its number, as in "
            "rtsp://192.168.1.20/..."
        ) from None
    number = getattr(number, "ipv4_mapped", None) or number
    if not (number.is_loopback or number.is_private or number.is_link_local):
        raise UsageError(
            "The rtsp address leads out of this network, and Haechi asks nothing of the internet: give one "
            "of this machine or network"
        )
    return url


def _file(path: Path, settings: Settings, fast: bool) -> Iterator[Arrival]:
    if not path.is_file():
        raise NotAFile("There is no such file: --source takes camera, camera:N, a video file or rtsp://...")
    # A call is decoded while it is watched: the limit is how long a video may be, not how quickly it is read.
    limit_s = max(settings.decode_timeout_s, settings.max_duration_s)
    media = open_media(path, replace(settings, decode_timeout_s=limit_s))
    if media.kind != "video" or not media.duration_s:
        raise UnknownFormat(
            "This is no video: a call needs pictures that follow each other. Try haechi check"
        )
    return _paced(media.frames(int(np.ceil(media.duration_s * FILE_RATE)) + 1), fast)


def _paced(frames: Iterator[Frame], fast: bool) -> Iterator[Arrival]:
    began_s = time.monotonic()
    for frame in frames:
        ahead_s = frame.time_s - (time.monotonic() - began_s)
        if not fast and ahead_s > 0:
            time.sleep(ahead_s)
        yield frame.rgb, frame.time_s


@dataclass(slots=True)
class _Newest:
    """The newest frame BGR and when it came; what nobody took in time is overwritten."""

    bgr: np.ndarray[Any, Any] | None = None
    time_s: float = 0.0


class _Camera:
    """A capture that a thread of its own reads, so that no stale frame waits in a queue."""

    def __init__(self, target: int | str) -> None:
        """Raises InputError when it cannot be opened."""
        self._capture = _opened(target)
        self._newest = _Newest()
        self._fresh = threading.Condition()
        self._stopping = False
        self._began_s = time.monotonic()
        self._thread = threading.Thread(target=self._read, name="haechi-camera", daemon=True)
        self._thread.start()

    def next(self) -> Arrival:
        """The newest frame that was not taken yet, None with the time when there is none for WAIT_S."""
        with self._fresh:
            self._fresh.wait_for(lambda: self._newest.bgr is not None, WAIT_S)
            bgr, time_s = self._newest.bgr, self._newest.time_s
            self._newest.bgr = None
        if bgr is None:
            return None, time.monotonic() - self._began_s
        return np.ascontiguousarray(bgr[:, :, ::-1], np.uint8), time_s

    def close(self) -> None:
        self._stopping = True
        self._thread.join(WAIT_S)
        if not self._thread.is_alive():  # else a driver hangs in its read: the end of the process frees it
            self._capture.release()

    def _read(self) -> None:
        while not self._stopping:
            ok, bgr = self._capture.read()
            if not ok or bgr is None:
                time.sleep(0.05)
                continue
            with self._fresh:
                self._newest.bgr, self._newest.time_s = bgr, time.monotonic() - self._began_s
                self._fresh.notify()


def _live(target: int | str) -> Iterator[Arrival]:
    camera, last_s = _Camera(target), 0.0
    try:
        while True:
            rgb, time_s = camera.next()
            last_s = time_s if rgb is not None else last_s
            if time_s - last_s > GONE_S:
                raise InputError(
                    f"The source has sent no picture for {GONE_S:.0f} s: see that it still runs, then begin "
                    "again"
                )
            yield rgb, time_s
    finally:
        camera.close()


def _opened(target: int | str) -> Any:
    cv2 = opencv()
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _OPEN_MS]
    if isinstance(target, int):
        capture = cv2.VideoCapture(target)
        why = (
            f"Camera {target} cannot be opened: there is none, another program uses it, or this one may not. "
            "Close other programs, allow the camera, or name another: --source camera:1"
        )
    else:
        with _rtsp_allowed():
            capture = cv2.VideoCapture(target, cv2.CAP_FFMPEG, limits)
        why = (
            "Nothing answers at the rtsp address, or it sends no video: see that it runs and is spelt rightly"
        )
    if not capture.isOpened():
        capture.release()
        raise InputError(why)
    return capture


@contextmanager
def _rtsp_allowed() -> Iterator[None]:
    """OpenCV reads from the environment what FFmpeg may open; elsewhere that is local files alone."""
    before = os.environ.get(_OPTIONS)
    os.environ[_OPTIONS] = _RTSP
    try:
        yield
    finally:
        if before is None:
            del os.environ[_OPTIONS]
        else:
            os.environ[_OPTIONS] = before
