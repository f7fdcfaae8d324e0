"""A video file -> what it is, and its frames one at a time.

Headers lie about the number of frames and their times, so ``probe`` first walks the packets without
decoding any (ten milliseconds a minute of video) and decodes one frame; ``VideoReader`` then decodes in order
and converts only the frames that are wanted. Memory does not grow with the length of the video.
"""

from __future__ import annotations

import math
import os
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from haechi.errors import DamagedFile, OverLimit
from haechi.media.clock import Clock
from haechi.media.extent import Extent
from haechi.media.limits import check_pixels
from haechi.media.opencv import opencv
from haechi.media.structure import iso_boxes, matroska_check, riff_check
from haechi.settings import Settings
from haechi.types import U8, Fact, Frame

MAX_FRAMES = 2_000_000
# The edit lists of ordinary files hide the frame or two by which reordered ones come late.
_MOST_HIDDEN_S = 0.4
_CURE = "cut the video shorter"
_NAMES = {"mp4": "MP4", "mov": "MOV", "webm": "WebM", "mkv": "MKV", "avi": "AVI"}
_CODECS = {
    "avc1": "h264", "avc3": "h264", "x264": "h264", "hev1": "hevc", "hvc1": "hevc", "hevc": "hevc",
    "vp80": "vp8", "vp90": "vp9", "vp09": "vp9", "av01": "av1", "mp4v": "mpeg4", "fmp4": "mpeg4",
    "xvid": "mpeg4", "divx": "mpeg4", "dx50": "mpeg4", "mjpg": "mjpeg", "jpeg": "mjpeg",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """width_px and height_px are those of the first frame, upright."""

    width_px: int
    height_px: int
    fps: float | None
    duration_s: float
    frames: int
    container: dict[str, Fact] = field(default_factory=dict)


class VideoReader:
    """Reads one video file as often as asked: ``reader(n)`` yields at most n evenly spaced Frames.

    ``temporary``: the file was written for this reader; it goes with it, or at ``close``."""

    def __init__(self, path: Path, settings: Settings, temporary: bool = False) -> None:
        self._settings = settings
        self._path = os.path.abspath(path)  # noqa: PTH100 - "http://x" must stay a name and not become an address
        self.extent = Extent()
        leftovers = [self._path] if temporary else []
        try:
            self._path.encode("utf-8")
        except UnicodeEncodeError:
            # OpenCV takes names in UTF-8 only: reach the file through a link that has such a name.
            folder = tempfile.mkdtemp(prefix="haechi-")
            link = Path(folder) / "video"
            link.symlink_to(self._path)
            leftovers += [str(link), folder]
            self._path = str(link)
        self.close = weakref.finalize(self, _remove, leftovers)

    def open(self) -> Any:
        """A cv2.VideoCapture, upright by the rotation flag, for the caller to release. Raises DamagedFile."""
        cv2 = opencv()
        limit = max(1, min(int(self._settings.decode_timeout_s * 1000), 2**31 - 1))
        options = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit]
        capture = cv2.VideoCapture(self._path, cv2.CAP_FFMPEG, options)
        if not capture.isOpened():
            capture.release()
            raise DamagedFile(
                "No pictures can be found in this video, because it is damaged or holds only sound: "
                "play it to the end elsewhere, then get the file again."
            )
        # OpenCV turns the frames by the container's flag. It does so by default; saying it keeps it at once.
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        return capture

    def __call__(self, n: int) -> Iterator[Frame]:
        """At most n frames in order of time, the middles of n equal parts of the video.

        Raises DamagedFile when a part of the stream turns out not to decode, OverLimit after
        decode_timeout_s of decoding (the time the caller spends between frames does not count)."""
        frames = self.extent.frames
        count = min(n, frames)
        if count <= 0:
            return
        cv2 = opencv()
        clock = Clock(self._settings.decode_timeout_s, _CURE)
        capture = self.open()
        decoded = Extent()
        try:
            given, last_s = 0, 0.0
            while given < count:
                if not capture.grab():
                    self.extent.check(decoded)
                    return
                clock.check()
                index = decoded.frames
                at_s = _seconds(capture.get(cv2.CAP_PROP_POS_MSEC))
                decoded = decoded.with_one(at_s)
                if index == (2 * given + 1) * frames // (2 * count):
                    given, last_s = given + 1, max(last_s, at_s)
                    rgb = self._retrieve(capture)
                    if rgb is not None:
                        clock.stop()
                        yield Frame(rgb, index, last_s)
                        clock.start()
        finally:
            capture.release()

    def _retrieve(self, capture: Any) -> U8 | None:
        """The grabbed frame as u8 (H, W, 3) RGB; None when it cannot be converted."""
        cv2 = opencv()
        try:
            ok, bgr = capture.retrieve()
        except cv2.error:
            return None
        if not ok or bgr is None or bgr.size == 0:
            return None
        # Where the resolution changes on the way, OpenCV scales to that of the first frame, as players do.
        check_pixels(bgr.shape[1], bgr.shape[0], self._settings)
        if bgr.dtype != "uint8":
            bgr = cv2.convertScaleAbs(bgr, alpha=1 / 257)
        conversion = cv2.COLOR_GRAY2RGB if bgr.ndim == 2 or bgr.shape[2] == 1 else cv2.COLOR_BGR2RGB
        rgb: U8 = cv2.cvtColor(bgr, conversion)
        return rgb


def probe(reader: VideoReader, path: Path, form: str, settings: Settings) -> VideoFacts:
    """Measures the video behind ``reader`` and tells the reader its extent.

    Raises DamagedFile when the file is cut off, encrypted or without one frame that decodes, OverLimit."""
    trimmed = _check_structure(path, form) > _MOST_HIDDEN_S
    cv2 = opencv()
    clock = Clock(settings.decode_timeout_s, _CURE)
    capture = reader.open()
    try:
        wide, high = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        if wide > 0 and high > 0:
            check_pixels(wide, high, settings)
        promised = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        header_fps = _plausible_fps(capture.get(cv2.CAP_PROP_FPS))
        codec = _codec(capture.get(cv2.CAP_PROP_FOURCC))
        rotation = int(capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360
        first = None
        while first is None:
            if not capture.grab():
                raise _no_frame(codec)
            clock.check()
            first = reader._retrieve(capture)
    finally:
        capture.release()
    # From the packets alone where that works. Those of a trimmed video tell of parts that are not shown.
    extent = Extent() if trimmed else _walk(reader, settings, clock, packets=True)
    if extent.frames == 0:
        extent = _walk(reader, settings, clock, packets=False)
    frames, span_s = extent.frames, extent.span_s
    fps = (frames - 1) / span_s if frames > 1 and span_s > 0 else header_fps
    # Matroska rounds times to milliseconds: where both agree, the header's rate is the more exact.
    if fps and header_fps and abs(fps - header_fps) < 0.01 * fps:
        fps = header_fps
    duration_s = span_s + (1 / fps if fps else 0.0)
    _check_duration(duration_s, settings)
    reader.extent = extent
    container: dict[str, Fact] = {
        "format": form, "codec": codec, "frames": frames, "rotation_deg": rotation,
    }  # fmt: skip
    # A length is optional in several containers, then OpenCV hands out nonsense below zero.
    # Some write twice or twenty times the rate, and as many more frames: then it is the time that counts.
    promised_s = promised / header_fps if header_fps else math.inf
    if 0 < promised < 2**40 and frames < 0.5 * promised and span_s < 0.5 * promised_s:
        container["truncated"] = True
    return VideoFacts(first.shape[1], first.shape[0], fps, duration_s, frames, container)


def _walk(reader: VideoReader, settings: Settings, clock: Clock, packets: bool) -> Extent:
    """One pass over the video that keeps nothing but its extent."""
    cv2 = opencv()
    capture = reader.open()
    extent = Extent()
    try:
        if packets and not capture.set(cv2.CAP_PROP_FORMAT, -1):
            return extent
        while capture.grab():
            extent = extent.with_one(_seconds(capture.get(cv2.CAP_PROP_POS_MSEC)))
            clock.check()
            if extent.frames > MAX_FRAMES:
                raise OverLimit(
                    f"The video has more than {MAX_FRAMES:,} frames: cut out the part in question."
                )
            if extent.frames % 256 == 0:
                _check_duration(extent.span_s, settings)
    finally:
        capture.release()
    return extent


def _check_structure(path: Path, form: str) -> float:
    """Seconds that an edit list leaves out. Raises DamagedFile when the file is not all there."""
    name, size = _NAMES[form], path.stat().st_size
    with path.open("rb") as file:
        if form == "avi":
            riff_check(file.read(12), size, name)
        elif form in ("webm", "mkv"):
            matroska_check(file.read(4096), size, name)
        else:
            boxes = iso_boxes(file, size, name)
            if not boxes.has_index:
                raise DamagedFile(
                    f"The {name} has no index (its moov part), as when a recording or download was "
                    "not finished: get the whole file again."
                )
            if boxes.encrypted:
                raise DamagedFile(
                    f"The {name} is encrypted (protected by DRM): give a copy without protection."
                )
            if boxes.has_video is False:
                raise DamagedFile(
                    f"The {name} holds no video track: it has no frames, or only sound; give the whole video."
                )
            return boxes.hidden_s
    return 0.0


def _check_duration(seconds: float, settings: Settings) -> None:
    if seconds > settings.max_duration_s:
        raise OverLimit(
            f"The video lasts longer than the limit of {settings.max_duration_s:g} s: cut out the part "
            "in question, or raise HAECHI_MAX_DURATION_S."
        )


def _no_frame(codec: str) -> DamagedFile:
    if codec == "av1":
        return DamagedFile(
            "The video is coded in AV1, which cannot be decoded here: convert it to H.264 first."
        )
    return DamagedFile(
        f"Not one frame of this video can be decoded (codec {codec}): it is damaged, encrypted or of a "
        "rare kind; get the file again, or convert it to H.264."
    )


def _seconds(milliseconds: float) -> float:
    """A time from OpenCV, at least 0; 0 for what is no number."""
    return max(milliseconds / 1000, 0.0) if math.isfinite(milliseconds) else 0.0


def _plausible_fps(fps: float) -> float | None:
    return fps if math.isfinite(fps) and 0 < fps <= 1000 else None


def _codec(fourcc: float) -> str:
    """The codec's usual name from OpenCV's four characters; ``unknown`` when they are none."""
    if not math.isfinite(fourcc) or not 0 < fourcc < 2**32:
        return "unknown"
    tag = int(fourcc).to_bytes(4, "little").decode("latin-1").strip("\x00 ").lower()
    return _CODECS.get(tag, tag) if tag.isascii() and tag.isprintable() and tag else "unknown"


def _remove(leftovers: list[str]) -> None:
    """Removes temporary files, and folders behind what was in them."""
    for name in leftovers:
        path = Path(name)
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
