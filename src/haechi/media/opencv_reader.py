"""The reader of videos that is always there: OpenCV with the FFmpeg in its wheel.

Headers lie about the number of frames and their times, so ``measure`` first walks the packets without
decoding any (ten milliseconds a minute of video) and decodes a few frames; ``frames`` then decodes in order
and converts only the frames that are wanted, or seeks them where a video is long. Memory does not grow with
the length of the video, but for the times of its packets. No frame is shown that OpenCV did not write
(``unwritten_frames``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from haechi.errors import DamagedFile
from haechi.media.extent import Extent
from haechi.media.limits import check_pixels
from haechi.media.opencv import opencv
from haechi.media.opencv_stream import FrameRuns, Stream, interlaced, open_capture, position_s
from haechi.media.orientation import Orientation
from haechi.media.packet_index import FrameSelection, PacketIndex, middle_of
from haechi.media.unwritten_frames import (
    UnwrittenFrame,
    fingerprint,
    first_frame_elsewhere,
    memory_can_be_cleared,
    retrieve,
)
from haechi.media.video_file import VideoFacts, VideoFile
from haechi.types import U8, Fact, Frame

# The edit lists of ordinary files hide the frame or two by which reordered ones come late.
_MOST_HIDDEN_S = 0.4
# OpenCV seeks 16 frames before the wanted one; pictures that are decoded early add a few.
_LEAD = 20
_MOST_UNWRITTEN = 2
# What the wheel is tested to decode. All others go to ffmpeg where it is installed.
_PLAIN = frozenset({"h264", "hevc", "vp8", "vp9", "mpeg4", "mjpeg"})


class Unsuited(Exception):
    """OpenCV is not the reader for this video; the argument ends the sentence "This video …"."""


class OpenCvReader:
    """Decodes one video by OpenCV. ``alone``: there is no other reader to hand the video to."""

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
        capture = open_capture(self._file)
        try:
            stream = Stream.of(capture)
            if stream.width_px > 0 and stream.height_px > 0:
                check_pixels(stream.width_px, stream.height_px, self._file.settings)
            orientation = self._file.orientation or stream.orientation
            self._orientation = orientation.with_pixels(stream.pixel_aspect)
            self._doubtful = stream.codec not in _PLAIN or interlaced(self._file, capture, stream.codec)
            if (self._doubtful or stream.deep) and not self._alone:
                raise Unsuited(f"is interlaced or coded in a rare way (codec {stream.codec})")
            first = self._prove(capture, stream.codec)
        finally:
            capture.release()
        # From the packets alone where that works. Those of a trimmed video tell of parts that are not shown.
        if self._file.hidden_s <= _MOST_HIDDEN_S:
            self._index = self._walk(packets=True)
        if self._index.extent.frames == 0:
            self._index = self._walk(packets=False)
        return self._facts(self._shown(first), stream)

    def frames(self, n: int) -> Iterator[Frame]:
        """At most n frames in order of time, the middles of n equal parts of the video.

        Raises DamagedFile when a part of the stream turns out not to decode, OverLimit when the time for this
        video is used up (that which the caller spends between frames does not count)."""
        count = min(n, self._index.extent.frames)
        selection = self._index.seeks(count, _LEAD)
        if count > 0:
            yield from self._pass(
                lambda capture: (
                    self._seek(capture, selection) if selection else self._in_order(capture, count)
                )
            )

    def again(self, selection: FrameSelection) -> Iterator[Frame] | None:
        """These frames; None where it costs no less to decode the video from end to end."""
        if not self._index.worth_seeking(selection.index.tolist(), _LEAD):
            return None
        return self._pass(lambda capture: self._seek(capture, selection))

    def _pass(self, frames_of: Callable[[Any], Iterator[tuple[int, float, U8]]]) -> Iterator[Frame]:
        """One pass over the video. Only its own time counts, not what the caller spends between frames."""
        clock = self._file.clock
        clock.start()
        self._unwritten = 0
        capture = open_capture(self._file)
        try:
            for index, at_s, bgr in frames_of(capture):
                rgb = self._shown(bgr)
                clock.stop()
                yield Frame(rgb, index, at_s)
                clock.start()
        finally:
            capture.release()
            clock.stop()

    def _prove(self, capture: Any, codec: str) -> U8:
        """The first frame that can be converted, as OpenCV gives it, when it is the file's. Where memory
        cannot be cleared, ``_first`` tells it, or the first one that is not black, again in later passes."""
        first = None
        while first is None:
            if not capture.grab():
                raise _no_frame(codec)
            self._file.clock.check()
            try:
                first = retrieve(capture)
            except UnwrittenFrame as error:
                raise self._unconverted(codec) from error
        if not memory_can_be_cleared():
            frame = first
            while not frame.any() and capture.grab():
                self._file.clock.check()
                following = retrieve(capture)
                frame = frame if following is None else following
            self._first = fingerprint(frame) if frame.any() else ""
            if first_frame_elsewhere(self._file.name, self._file.inherited) != self._first:
                raise self._unconverted(codec)
        check_pixels(first.shape[1], first.shape[0], self._file.settings)
        return first

    def _unconverted(self, codec: str) -> Unsuited:
        if codec not in _PLAIN:
            return Unsuited(f"is coded in {codec.upper()}, which the built-in decoder cannot show rightly")
        what = "is interlaced" if self._doubtful else "is interlaced, or its colours are coded in a rare way"
        return Unsuited(f"{what}, which the built-in decoder cannot show rightly")

    def _in_order(self, capture: Any, count: int) -> Iterator[tuple[int, float, U8]]:
        whole, decoded = self._index.extent, Extent()
        part, last_s, runs = 0, 0.0, FrameRuns()
        confirmed = not self._first
        while part < count:
            if not capture.grab():
                whole.check(decoded)
                return
            self._file.clock.check()
            index, at_s = decoded.frames, position_s(capture)
            decoded = decoded.with_one(at_s)
            is_middle = index == middle_of(part, count, whole.frames)
            if confirmed and not is_middle:
                continue
            bgr = self._frame(capture)
            confirmed = confirmed or self._is_first(bgr)
            if is_middle:
                part, last_s = part + 1, max(last_s, at_s)
                if bgr is not None and runs.goes_on(bgr):
                    self._confirm(at_s)
                if bgr is not None:
                    yield index, last_s, bgr

    def _seek(self, capture: Any, selection: FrameSelection) -> Iterator[tuple[int, float, U8]]:
        """The selected frames, each sought by its time; from end to end where the file cannot be wound."""
        cv2 = opencv()
        confirmed = not self._first
        while not confirmed and capture.grab():
            self._file.clock.check()
            confirmed = self._is_first(self._frame(capture))
        apart_s = float(np.diff(selection.times_s).min(initial=math.inf))
        last_s, runs, count = -1.0, FrameRuns(), 0
        for index, time_s in zip(selection.index, selection.times_s, strict=True):
            capture.set(cv2.CAP_PROP_POS_MSEC, float(time_s) * 1000)
            self._file.clock.check()
            if not capture.grab():
                continue
            at_s = position_s(capture)
            if abs(at_s - time_s) > apart_s / 2 and last_s < 0:
                capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
                yield from self._in_order(capture, len(selection.index))
                return
            bgr = self._frame(capture)
            if bgr is not None and at_s > last_s:
                last_s, count = at_s, count + 1
                if runs.goes_on(bgr):
                    self._confirm(at_s)
                yield int(index), at_s, bgr
        selection.check(count)

    def _frame(self, capture: Any) -> U8 | None:
        """The grabbed frame, None when it cannot be converted. Raises DamagedFile when too many were not
        written."""
        try:
            return retrieve(capture)
        except UnwrittenFrame as error:
            # One or two may be plain pictures of just the grey of cleared memory: they are left out.
            self._unwritten += 1
            if self._unwritten > (0 if self._doubtful else _MOST_UNWRITTEN):
                raise _not_all() from error
        return None

    def _confirm(self, at_s: float) -> None:
        """Raises DamagedFile when the frame of this time, which is the one before over again, was not
        written: a new capture has a buffer of its own."""
        cv2 = opencv()
        capture = open_capture(self._file)
        try:
            capture.set(cv2.CAP_PROP_POS_MSEC, at_s * 1000)
            if capture.grab():
                retrieve(capture)
        except UnwrittenFrame as error:
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
        capture = open_capture(self._file)
        index = PacketIndex()
        try:
            if packets and not capture.set(cv2.CAP_PROP_FORMAT, -1):
                return index
            while capture.grab():
                key = packets and capture.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME) > 0
                index.add(position_s(capture), key)
                self._file.clock.check()
                self._file.check_frames(index.extent.frames)
                if index.extent.frames % 256 == 0:
                    self._file.check_duration(index.extent.span_s)
        finally:
            capture.release()
        return index

    def _facts(self, first: U8, stream: Stream) -> VideoFacts:
        frames, span_s = self._index.extent.frames, self._index.extent.span_s
        fps = (frames - 1) / span_s if frames > 1 and span_s > 0 else stream.fps
        # Matroska rounds times to milliseconds: where both agree, the header's rate is the more exact.
        if fps and stream.fps and abs(fps - stream.fps) < 0.01 * fps:
            fps = stream.fps
        duration_s = span_s + (1 / fps if fps else 0.0)
        self._file.check_duration(duration_s)
        facts: dict[str, Fact] = {
            "format": self._file.form, "frames": frames, "codec": stream.codec,
            "rotation_deg": self._orientation.rotation_deg,
        }  # fmt: skip
        if self._orientation.mirrored:
            facts["mirrored"] = True
        # A length is optional in several containers, then OpenCV hands out nonsense below zero.
        # Some write twice or twenty times the rate, and as many more frames: then it is the time that counts.
        promised_s = stream.frames / stream.fps if stream.fps else math.inf
        if 0 < stream.frames < 2**40 and frames < 0.5 * stream.frames and span_s < 0.5 * promised_s:
            facts["truncated"] = True
        return VideoFacts(first.shape[1], first.shape[0], fps, duration_s, frames, facts)


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
