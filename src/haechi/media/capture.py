"""The reader of videos that is always there: OpenCV with the FFmpeg in its wheel.

Headers lie about the number of frames and their times, so ``measure`` first walks the packets without
decoding any (ten milliseconds a minute of video) and decodes a few frames; ``frames`` then decodes in order
and converts only the frames that are wanted, or seeks them where a video is long. Memory does not grow with
the length of the video, but for the times of its packets. No frame is shown that OpenCV did not write
(``trust``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from haechi.errors import DamagedFile
from haechi.media.extent import Extent
from haechi.media.index import PacketIndex, Wanted, middle_of
from haechi.media.interlace import may_be_interlaced
from haechi.media.limits import check_pixels
from haechi.media.opencv import opencv
from haechi.media.orientation import Orientation
from haechi.media.trust import Unwritten, clears, decoded_elsewhere, fingerprint, retrieved
from haechi.media.video_file import VideoFacts, VideoFile, rate
from haechi.types import U8, Fact, Frame

# The edit lists of ordinary files hide the frame or two by which reordered ones come late.
_MOST_HIDDEN_S = 0.4
# OpenCV seeks 16 frames before the wanted one; pictures that are decoded early add a few.
_LEAD = 20
_MOST_UNWRITTEN = 2
_LOOKED_AT = 20
_CODECS = {
    "avc1": "h264", "avc3": "h264", "x264": "h264", "h264": "h264", "hev1": "hevc", "hvc1": "hevc",
    "hevc": "hevc", "vp80": "vp8", "vp90": "vp9", "vp09": "vp9", "av01": "av1", "mp4v": "mpeg4",
    "fmp4": "mpeg4", "xvid": "mpeg4", "divx": "mpeg4", "dx50": "mpeg4", "mjpg": "mjpeg", "jpeg": "mjpeg",
    "mpg2": "mpeg2", "mp2v": "mpeg2", "dvsd": "dv", "dvc": "dv", "dvcp": "dv", "dv25": "dv",
}  # fmt: skip
# What the wheel is tested to decode. All others go to ffmpeg where it is installed.
_PLAIN = frozenset({"h264", "hevc", "vp8", "vp9", "mpeg4", "mjpeg"})


class Unsuited(Exception):
    """OpenCV is not the reader for this video; the argument ends the sentence "This video …"."""


class CaptureReader:
    """``alone``: there is no other reader to hand the video to."""

    def __init__(self, file: VideoFile, alone: bool) -> None:
        self._file, self._alone = file, alone
        self._index = PacketIndex()
        self._orientation = Orientation()
        self._first = ""
        self._unwritten = 0
        # Interlaced, or of a rare kind: no frame may be missing.
        self._doubtful = False

    def measure(self) -> VideoFacts:
        """Raises DamagedFile, OverLimit, and Unsuited when OpenCV cannot decode it, or not rightly."""
        cv2 = opencv()
        capture = self._open()
        try:
            wide, high = (
                int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
                int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            )
            if wide > 0 and high > 0:
                check_pixels(wide, high, self._file.settings)
            promised = capture.get(cv2.CAP_PROP_FRAME_COUNT)
            header_fps = rate(capture.get(cv2.CAP_PROP_FPS))
            codec = _codec(capture.get(cv2.CAP_PROP_FOURCC))
            turned = Orientation(int(capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360 // 90 * 90)
            aspect = _aspect(capture.get(cv2.CAP_PROP_SAR_NUM), capture.get(cv2.CAP_PROP_SAR_DEN))
            self._orientation = (self._file.orientation or turned).with_pixels(aspect)
            self._doubtful = codec not in _PLAIN or self._interlaced(capture, codec)
            deep = _is_deep(capture.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT))
            if (self._doubtful or deep) and not self._alone:
                raise Unsuited(f"is interlaced or coded in a rare way (codec {codec})")
            first = self._prove(capture, codec)
        finally:
            capture.release()
        # From the packets alone where that works. Those of a trimmed video tell of parts that are not shown.
        if self._file.hidden_s <= _MOST_HIDDEN_S:
            self._index = self._walk(packets=True)
        if self._index.extent.frames == 0:
            self._index = self._walk(packets=False)
        facts: dict[str, Fact] = {"codec": codec, "rotation_deg": self._orientation.rotation_deg}
        return self._facts(self._shown(first), header_fps, promised, facts)

    def frames(self, n: int) -> Iterator[Frame]:
        """At most n frames in order of time, the middles of n equal parts of the video.

        Raises DamagedFile when a part of the stream turns out not to decode, OverLimit when the time for this
        video is used up (that which the caller spends between frames does not count)."""
        count = min(n, self._index.extent.frames)
        wanted = self._index.seeks(count, _LEAD)
        if count > 0:
            yield from self._passing(
                lambda capture: self._sought(capture, wanted) if wanted else self._in_order(capture, count)
            )

    def again(self, wanted: Wanted) -> Iterator[Frame] | None:
        """These frames; None where it costs no less to decode the video from end to end."""
        if not self._index.worth_seeking(wanted.index.tolist(), _LEAD):
            return None
        return self._passing(lambda capture: self._sought(capture, wanted))

    def _passing(self, finding: Callable[[Any], Iterator[tuple[int, float, U8]]]) -> Iterator[Frame]:
        """One pass over the video. Only its own time counts, not what the caller spends between frames."""
        clock = self._file.clock
        clock.start()
        self._unwritten = 0
        capture = self._open()
        try:
            for index, at_s, bgr in finding(capture):
                rgb = self._shown(bgr)
                clock.stop()
                yield Frame(rgb, index, at_s)
                clock.start()
        finally:
            capture.release()
            clock.stop()

    def _open(self) -> Any:
        """A cv2.VideoCapture, for the caller to release, whose frames come as they are stored."""
        cv2 = opencv()
        limit = max(1, min(int(self._file.clock.left_s * 1000), 2**31 - 1))
        options = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit]
        capture = cv2.VideoCapture(self._file.name, cv2.CAP_FFMPEG, options)
        if not capture.isOpened():
            capture.release()
            self._file.clock.check()
            raise DamagedFile(
                "No pictures can be found in this video, because it is damaged or holds only sound: "
                "play it to the end elsewhere, then get the file again."
            )
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        return capture

    def _interlaced(self, capture: Any, codec: str) -> bool:
        """From the parameter sets in the header and in the first packet."""
        if codec not in ("h264", "hevc"):
            return False
        cv2 = opencv()
        _, header = capture.retrieve(flag=int(capture.get(cv2.CAP_PROP_CODEC_EXTRADATA_INDEX)))
        if header is not None and may_be_interlaced(codec, header.tobytes()):
            return True
        packets = self._open()
        try:
            if packets.set(cv2.CAP_PROP_FORMAT, -1) and packets.grab():
                _, packet = packets.retrieve()
                return packet is not None and may_be_interlaced(codec, packet.tobytes())
            return False
        finally:
            packets.release()

    def _prove(self, capture: Any, codec: str) -> U8:
        """The first frame that can be converted, as OpenCV gives it, when it is the file's. Where memory
        cannot be cleared, ``_first`` tells it, or the first one that is not black, again in later passes."""
        first = None
        while first is None:
            if not capture.grab():
                raise _no_frame(codec)
            self._file.clock.check()
            try:
                first = retrieved(capture)
            except Unwritten as error:
                raise self._unconverted(codec) from error
        if not clears():
            seen = first
            while not seen.any() and capture.grab():
                self._file.clock.check()
                again = retrieved(capture)
                seen = seen if again is None else again
            self._first = fingerprint(seen) if seen.any() else ""
            if decoded_elsewhere(self._file.name, self._file.inherited) != self._first:
                raise self._unconverted(codec)
        check_pixels(first.shape[1], first.shape[0], self._file.settings)
        return first

    def _unconverted(self, codec: str) -> Unsuited:
        if codec not in _PLAIN:
            return Unsuited(f"is coded in {codec.upper()}, which the built-in decoder cannot show rightly")
        what = "is interlaced" if self._doubtful else "is interlaced, or its colours are coded in a rare way"
        return Unsuited(f"{what}, which the built-in decoder cannot show rightly")

    def _in_order(self, capture: Any, count: int) -> Iterator[tuple[int, float, U8]]:
        cv2 = opencv()
        whole, decoded = self._index.extent, Extent()
        given, last_s, runs = 0, 0.0, _Runs()
        held = not self._first
        while given < count:
            if not capture.grab():
                whole.check(decoded)
                return
            self._file.clock.check()
            index, at_s = decoded.frames, _seconds(capture.get(cv2.CAP_PROP_POS_MSEC))
            decoded = decoded.with_one(at_s)
            wanted = index == middle_of(given, count, whole.frames)
            if held and not wanted:
                continue
            bgr = self._written(capture)
            held = held or self._is_first(bgr)
            if wanted:
                given, last_s = given + 1, max(last_s, at_s)
                if bgr is not None and runs.goes_on(bgr):
                    self._confirm(at_s)
                if bgr is not None:
                    yield index, last_s, bgr

    def _sought(self, capture: Any, wanted: Wanted) -> Iterator[tuple[int, float, U8]]:
        """The wanted frames, each sought by its time; from end to end where the file cannot be wound."""
        cv2 = opencv()
        held = not self._first
        while not held and capture.grab():
            self._file.clock.check()
            held = self._is_first(self._written(capture))
        apart_s = float(np.diff(wanted.times_s).min(initial=math.inf))
        last_s, runs, found = -1.0, _Runs(), 0
        for index, time_s in zip(wanted.index, wanted.times_s, strict=True):
            capture.set(cv2.CAP_PROP_POS_MSEC, float(time_s) * 1000)
            self._file.clock.check()
            if not capture.grab():
                continue
            at_s = _seconds(capture.get(cv2.CAP_PROP_POS_MSEC))
            if abs(at_s - time_s) > apart_s / 2 and last_s < 0:
                capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
                yield from self._in_order(capture, len(wanted.index))
                return
            bgr = self._written(capture)
            if bgr is not None and at_s > last_s:
                last_s, found = at_s, found + 1
                if runs.goes_on(bgr):
                    self._confirm(at_s)
                yield int(index), at_s, bgr
        wanted.check(found)

    def _written(self, capture: Any) -> U8 | None:
        """The grabbed frame, None when it cannot be converted. Raises DamagedFile when too many were not
        written."""
        try:
            return retrieved(capture)
        except Unwritten as error:
            # One or two may be plain pictures of just the grey of cleared memory: they are left out.
            self._unwritten += 1
            if self._unwritten > (0 if self._doubtful else _MOST_UNWRITTEN):
                raise _not_all() from error
        return None

    def _confirm(self, at_s: float) -> None:
        """Raises DamagedFile when the frame of this time, which is the one before over again, was not
        written: a new capture has a buffer of its own."""
        cv2 = opencv()
        capture = self._open()
        try:
            capture.set(cv2.CAP_PROP_POS_MSEC, at_s * 1000)
            if capture.grab():
                retrieved(capture)
        except Unwritten as error:
            raise _not_all() from error
        finally:
            capture.release()

    def _is_first(self, bgr: U8 | None) -> bool:
        """Whether a frame is the first that is not black. Raises DamagedFile when that is another one now."""
        if bgr is None or not bgr.any():
            return False
        if fingerprint(bgr) != self._first:
            raise DamagedFile(
                "This video gives another first frame each time that it is decoded, because it is damaged: "
                "get the file again, or the original."
            )
        return True

    def _shown(self, bgr: U8) -> U8:
        """As players show it: u8 (H, W, 3) RGB, upright, with square pixels."""
        cv2 = opencv()
        # Where the resolution changes on the way, OpenCV scales to that of the first frame, as players do.
        check_pixels(*self._orientation.shown(bgr.shape[1], bgr.shape[0]), self._file.settings)
        if bgr.dtype != "uint8":
            bgr = cv2.convertScaleAbs(bgr, alpha=1 / 257)
        conversion = cv2.COLOR_GRAY2RGB if bgr.ndim == 2 or bgr.shape[2] == 1 else cv2.COLOR_BGR2RGB
        return self._orientation.apply(np.asarray(cv2.cvtColor(bgr, conversion), np.uint8))

    def _walk(self, packets: bool) -> PacketIndex:
        """One pass over the video that keeps nothing but its times."""
        cv2 = opencv()
        capture = self._open()
        found = PacketIndex()
        try:
            if packets and not capture.set(cv2.CAP_PROP_FORMAT, -1):
                return found
            while capture.grab():
                key = packets and capture.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME) > 0
                found.add(_seconds(capture.get(cv2.CAP_PROP_POS_MSEC)), key)
                self._file.clock.check()
                self._file.check_frames(found.extent.frames)
                if found.extent.frames % 256 == 0:
                    self._file.check_duration(found.extent.span_s)
        finally:
            capture.release()
        return found

    def _facts(
        self, first: U8, header_fps: float | None, promised: float, facts: dict[str, Fact]
    ) -> VideoFacts:
        frames, span_s = self._index.extent.frames, self._index.extent.span_s
        fps = (frames - 1) / span_s if frames > 1 and span_s > 0 else header_fps
        # Matroska rounds times to milliseconds: where both agree, the header's rate is the more exact.
        if fps and header_fps and abs(fps - header_fps) < 0.01 * fps:
            fps = header_fps
        duration_s = span_s + (1 / fps if fps else 0.0)
        self._file.check_duration(duration_s)
        container: dict[str, Fact] = {"format": self._file.form, "frames": frames, **facts}
        if self._orientation.mirrored:
            container["mirrored"] = True
        # A length is optional in several containers, then OpenCV hands out nonsense below zero.
        # Some write twice or twenty times the rate, and as many more frames: then it is the time that counts.
        promised_s = promised / header_fps if header_fps else math.inf
        if 0 < promised < 2**40 and frames < 0.5 * promised and span_s < 0.5 * promised_s:
            container["truncated"] = True
        return VideoFacts(first.shape[1], first.shape[0], fps, duration_s, frames, container)


class _Runs:
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


def _not_all() -> DamagedFile:
    return DamagedFile(
        "Not all frames of this video, which is interlaced or coded in a rare way, can be converted here: "
        "install ffmpeg (https://ffmpeg.org), or convert the video to progressive H.264 MP4."
    )


def _no_frame(codec: str) -> Exception:
    if codec not in _PLAIN:
        return Unsuited(f"is coded in {codec.upper()}, which the built-in decoder does not know")
    return DamagedFile(
        f"Not one frame of this video can be decoded (codec {codec}): it is damaged, encrypted or of a "
        "rare kind; get the file again, or convert it to H.264."
    )


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


def _seconds(milliseconds: float) -> float:
    """A time from OpenCV, at least 0; 0 for what is no number."""
    return max(milliseconds / 1000, 0.0) if math.isfinite(milliseconds) else 0.0


def _codec(fourcc: float) -> str:
    """The codec's usual name from OpenCV's four characters; ``unknown`` when they are none."""
    if not math.isfinite(fourcc) or not 0 < fourcc < 2**32:
        return "unknown"
    tag = int(fourcc).to_bytes(4, "little").decode("latin-1").strip("\x00 ").lower()
    return _CODECS.get(tag, tag) if tag.isascii() and tag.isprintable() and tag else "unknown"
