"""A video as OpenCV opens it: a capture, what it says of its stream, and what its pictures may look like."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from haechi.errors import DamagedFile
from haechi.media.interlace import may_be_interlaced
from haechi.media.opencv import opencv
from haechi.media.orientation import Orientation
from haechi.media.video_file import VideoFile, frame_rate
from haechi.types import U8

_CODECS = {
    "avc1": "h264", "avc3": "h264", "x264": "h264", "h264": "h264", "hev1": "hevc", "hvc1": "hevc",
    "hevc": "hevc", "vp80": "vp8", "vp90": "vp9", "vp09": "vp9", "av01": "av1", "mp4v": "mpeg4",
    "fmp4": "mpeg4", "xvid": "mpeg4", "divx": "mpeg4", "dx50": "mpeg4", "mjpg": "mjpeg", "jpeg": "mjpeg",
    "mpg2": "mpeg2", "mp2v": "mpeg2", "dvsd": "dv", "dvc": "dv", "dvcp": "dv", "dv25": "dv",
}  # fmt: skip
# Of a run of equal frames, one in so many is looked at again.
_LOOKED_AT = 20


class Stream(NamedTuple):
    """What a capture says of its pictures, which may be wrong. frames: as the header promises, below 0 or
    beyond reason where it does not. deep: more than 8 bits a channel."""

    width_px: int
    height_px: int
    frames: float
    fps: float | None
    codec: str
    orientation: Orientation
    pixel_aspect: float
    deep: bool

    @classmethod
    def of(cls, capture: Any) -> Stream:
        cv2 = opencv()
        return cls(
            int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            capture.get(cv2.CAP_PROP_FRAME_COUNT),
            frame_rate(capture.get(cv2.CAP_PROP_FPS)),
            _codec(capture.get(cv2.CAP_PROP_FOURCC)),
            Orientation(int(capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360 // 90 * 90),
            _aspect(capture.get(cv2.CAP_PROP_SAR_NUM), capture.get(cv2.CAP_PROP_SAR_DEN)),
            _is_deep(capture.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)),
        )


def open_capture(file: VideoFile) -> Any:
    """A cv2.VideoCapture, for the caller to release, whose frames come as they are stored."""
    cv2 = opencv()
    limit = max(1, min(int(file.clock.left_s * 1000), 2**31 - 1))
    options = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit]
    capture = cv2.VideoCapture(file.name, cv2.CAP_FFMPEG, options)
    if not capture.isOpened():
        capture.release()
        file.clock.check()
        raise DamagedFile(
            "No pictures can be found in this video, because it is damaged or holds only sound: "
            "play it to the end elsewhere, then get the file again."
        )
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
    return capture


def interlaced(file: VideoFile, capture: Any, codec: str) -> bool:
    """From the parameter sets in the header and in the first packet."""
    if codec not in ("h264", "hevc"):
        return False
    cv2 = opencv()
    _, header = capture.retrieve(flag=int(capture.get(cv2.CAP_PROP_CODEC_EXTRADATA_INDEX)))
    if header is not None and may_be_interlaced(codec, header.tobytes()):
        return True
    packets = open_capture(file)
    try:
        if packets.set(cv2.CAP_PROP_FORMAT, -1) and packets.grab():
            _, packet = packets.retrieve()
            return packet is not None and may_be_interlaced(codec, packet.tobytes())
        return False
    finally:
        packets.release()


def position_s(capture: Any) -> float:
    """The time of the frame or packet that was grabbed, at least 0; 0 for what is no number."""
    milliseconds = float(capture.get(opencv().CAP_PROP_POS_MSEC))
    return max(milliseconds / 1000, 0.0) if math.isfinite(milliseconds) else 0.0


class FrameRuns:
    """Runs of equal frames: what a still scene looks like, and what frames do that are not written."""

    def __init__(self) -> None:
        self._before: U8 | None = None
        self._length = 0

    def goes_on(self, bgr: U8) -> bool:
        """Whether the frame equals the one before and is worth a closer look: the first such one of a run,
        and some behind it."""
        again = self._before is not None and np.array_equal(self._before, bgr)
        self._before, self._length = bgr, self._length + 1 if again else 0
        return again and self._length % _LOOKED_AT == 1


def _aspect(width: float, height: float) -> float:
    """Width of a pixel over its height; 1 where the file does not say it."""
    return width / height if width > 0 and height > 0 else 1.0


def _is_deep(pixels: float) -> bool:
    """Whether the four characters of a pixel format, as FFmpeg makes them, say more than 8 bits: "Y3", the
    kind of chroma and the number of bits. So is all video of high dynamic range, whose first conversion takes
    OpenCV many seconds."""
    if not 0 < pixels < 2**32:
        return False
    tag = int(pixels).to_bytes(4, "little")
    return tag[:2] == b"Y3" and 8 < tag[3] <= 16


def _codec(fourcc: float) -> str:
    """The codec's usual name from OpenCV's four characters; ``unknown`` when they are none."""
    if not math.isfinite(fourcc) or not 0 < fourcc < 2**32:
        return "unknown"
    tag = int(fourcc).to_bytes(4, "little").decode("latin-1").strip("\x00 ").lower()
    return _CODECS.get(tag, tag) if tag.isascii() and tag.isprintable() and tag else "unknown"
