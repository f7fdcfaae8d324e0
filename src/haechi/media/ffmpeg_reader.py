"""The reader of videos that OpenCV cannot decode, or not rightly: the programs ffmpeg and ffprobe, where the
user has them installed.

Frames come through a pipe as they are stored, deinterlaced, and are turned and tone-mapped here like all
others.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence

import numpy as np

from haechi.errors import DamagedFile, InputError, OverLimit
from haechi.media.extent import Extent
from haechi.media.ffmpeg import FfmpegStream, command, input_options, number, probe
from haechi.media.limits import check_pixels
from haechi.media.orientation import Orientation
from haechi.media.packet_index import FrameSelection, PacketIndex, middle_of
from haechi.media.program import Program
from haechi.media.tonemap import HLG, PQ, to_standard
from haechi.media.video_file import VideoFacts, VideoFile
from haechi.types import U8, Fact, Frame

_TIME = re.compile(r"\bpts:\s*\S+\s+pts_time:\s*(\S+)")
_DEINTERLACE = "bwdif=mode=send_frame:deint=interlaced"
# Colour systems that FFmpeg takes for another one without a word.
_STRANGE = frozenset({"ycgco", "bt2020c", "ictcp", "smpte2085", "chroma-derived-c", "ycgco-re", "ycgco-ro"})
_EARLY_S = 5.0
# A pair of fields of a wide picture, each coded as a picture of half the height, is wider than any screen.
_FIELD_ASPECT = 2.5


class FfmpegReader:
    """Decodes one video by ffmpeg."""

    def __init__(self, file: VideoFile) -> None:
        self._file = file
        self._index = PacketIndex()
        self._start_s = 0.0
        self._stream = FfmpegStream(0, "unknown", (0, 0), (1.0, 0.0, 0.0, 1.0), 1.0, None, "", "")
        self._stderr: list[str] = []
        self._orientation = Orientation()

    def measure(self) -> VideoFacts:
        """Raises DamagedFile, OverLimit."""
        self._stream = stream = FfmpegStream.of(self._file)
        self._orientation = self._file.orientation or Orientation.of(stream.matrix)
        self._orientation = self._orientation.with_pixels(stream.pixel_aspect)
        self._check_colours()
        if self._fields:
            self._orientation = self._orientation.with_pixels(self._orientation.pixel_aspect / 2)
        check_pixels(*stream.size, self._file.settings)
        check_pixels(*self._orientation.shown(*stream.size), self._file.settings)
        self._walk()
        first = next(self._decoded(["-frames:v", "1"], "null"), None)
        if first is None:
            raise self._failure()
        return self._facts(self._shown(first))

    def _facts(self, first: U8) -> VideoFacts:
        extent = self._index.extent
        fps = self._stream.fps
        if extent.frames > 1 and extent.span_s > 0:
            fps = (extent.frames - 1) / extent.span_s
        duration_s = extent.span_s + (1 / fps if fps else 0.0)
        self._file.check_duration(duration_s)
        facts: dict[str, Fact] = {
            "format": self._file.form, "codec": self._stream.codec, "frames": extent.frames,
            "rotation_deg": self._orientation.rotation_deg,
        }  # fmt: skip
        if self._orientation.mirrored:
            facts["mirrored"] = True
        return VideoFacts(first.shape[1], first.shape[0], fps, duration_s, extent.frames, facts)

    def frames(self, n: int) -> Iterator[Frame]:
        """At most n frames in order of time, the middles of n equal parts of the video.

        Raises DamagedFile when a part of the stream turns out not to decode, OverLimit when the time for this
        video is used up (that which the caller spends between frames does not count)."""
        count = min(n, self._index.extent.frames)
        selection = self._index.seeks(count, 0)
        if count > 0:
            yield from self._pass(self._seek(selection) if selection else self._in_order(count))

    def again(self, selection: FrameSelection) -> Iterator[Frame] | None:
        """These frames; None where it costs no less to decode the video from end to end."""
        if not self._index.worth_seeking(selection.index.tolist(), 0):
            return None
        return self._pass(self._seek(selection))

    def _pass(self, frames: Iterator[tuple[int, float, U8]]) -> Iterator[Frame]:
        """One pass over the video. Only its own time counts, not what the caller spends between frames."""
        clock = self._file.clock
        clock.start()
        try:
            for index, at_s, rgb in frames:
                picture = self._shown(rgb)
                clock.stop()
                yield Frame(picture, index, at_s)
                clock.start()
        finally:
            clock.stop()

    @property
    def _fields(self) -> bool:
        """Whether each picture is one field, as HEVC codes interlaced video; H.264 and others weave two."""
        wide, high = self._orientation.shown(*self._stream.size)
        return self._stream.codec == "hevc" and wide / max(high, 1) > _FIELD_ASPECT

    def _check_colours(self) -> None:
        if self._stream.colours in _STRANGE:
            raise DamagedFile(
                f"The colours of this video are coded in a rare way ({self._stream.colours}) that is "
                "not read here: convert it to H.264 MP4."
            )

    def _walk(self) -> None:
        """The times of all packets that are shown, and which begin anew."""
        stream, fields = str(self._stream.index), "packet=pts_time,dts_time,flags"
        options = ("-v", "quiet", "-select_streams", stream, "-show_entries", fields, "-of", "csv=p=0")
        run = probe(self._file, *options)
        times: list[tuple[float, bool]] = []
        try:
            for line in run.lines():
                pts, dts, flags = [*line.split(","), "", "", ""][:3]
                at_s = number(pts) if number(pts) is not None else number(dts)
                if at_s is not None and "D" not in flags:
                    times.append((at_s, flags.startswith("K")))
                    self._file.check_frames(len(times))
            run.end()
        finally:
            run.close()
        self._start_s = min((at_s for at_s, _ in times), default=0.0)
        for at_s, key in times:
            self._index.add(at_s - self._start_s, key)
        self._file.check_duration(self._index.extent.span_s)

    def _in_order(self, count: int) -> Iterator[tuple[int, float, U8]]:
        total = self._index.extent.frames
        # Frame n is the middle of a part when one more middle lies before n + 1 than before n.
        middles = f"gt(ceil((2*(n+1)*{count}-{total})/{2 * total}),ceil((2*n*{count}-{total})/{2 * total}))"
        times = _Times(self._start_s)
        part, last_s = 0, 0.0
        for rgb in self._decoded([], f"select='{middles}'", times):
            index = middle_of(part, count, total)
            at_s = times.of(index, self._file.clock.left_s)
            part, last_s = part + 1, last_s if at_s is None else max(last_s, at_s)
            yield index, last_s, rgb
        if not part:
            raise self._failure()
        decoded = Extent()
        for at_s in times.all_s:
            decoded = decoded.with_one(at_s)
        self._index.extent.check(decoded)

    def _seek(self, selection: FrameSelection) -> Iterator[tuple[int, float, U8]]:
        # A stream without an index is sought by guessing.
        early_s = _EARLY_S if self._file.form in ("ts", "mpg") else 0.0
        last_s, count = -1.0, 0
        for index, time_s in zip(selection.index, selection.times_s, strict=True):
            # Half a millisecond early, so that rounding does not lose the frame itself.
            at_s = float(time_s) + self._start_s - 0.0005
            seek = ["-seek_timestamp", "1", "-ss", f"{max(at_s - early_s, 0.0):.6f}"]
            frame = next(self._decoded(["-frames:v", "1"], f"select='gte(t,{at_s:.6f})'", before=seek), None)
            if frame is not None and time_s > last_s:
                last_s, count = float(time_s), count + 1
                yield int(index), last_s, frame
        selection.check(count)

    def _decoded(
        self, options: Sequence[str], select: str, times: _Times | None = None, before: Sequence[str] = ()
    ) -> Iterator[U8]:
        """The stored frames u8 (H, W, 3) RGB that the filter ``select`` lets through. ``times`` is told
        those of all that were decoded."""
        wide, high = self._stream.size
        words = self._decoding_command(options, select, before)
        run = Program(words, self._file.clock, self._file.inherited, times.note if times else None)
        try:
            while True:
                rgb = np.empty((high, wide, 3), np.uint8)
                if not run.fill(rgb.data.cast("B")):
                    run.end()
                    self._stderr = run.stderr
                    return
                yield rgb
        finally:
            run.close()

    def _decoding_command(self, options: Sequence[str], select: str, before: Sequence[str]) -> list[str]:
        wide, high = self._stream.size
        deinterlace = "null" if self._stream.codec == "hevc" else _DEINTERLACE
        # The numbers of frames for times, so that none is left out or doubled on the way out.
        filters = f"showinfo=checksum=0,{deinterlace},{select},scale={wide}:{high},format=rgb24"
        filters += ",settb=1/25,setpts=N"
        return command(
            "ffmpeg", "-nostdin", "-nostats", "-v", "level+info", "-copyts", "-threads", "2",
            "-noautorotate", *before, *input_options(self._file), "-i", f"file:{self._file.name}",
            "-map", f"0:{self._stream.index}", "-an", "-sn", "-dn", "-filter_threads", "1",
            "-vf", filters, "-r", "25", *options, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1",
        )  # fmt: skip

    def _failure(self) -> InputError:
        """Why not one frame came out, from what ffmpeg said."""
        text = "\n".join(self._stderr)
        if "annot allocate" in text or "alloc" in text.lower():
            return OverLimit(
                "Decoding this video takes more memory than it may have: convert it to a smaller H.264 MP4."
            )
        if re.search(
            r"[Dd]ecoder \S+ \(?.*not found|no decoder found|Decoder not found|Unknown decoder", text
        ):
            return DamagedFile(
                f"This video is coded in {self._stream.codec.upper()}, which the installed ffmpeg cannot "
                "decode either: convert it to H.264 MP4."
            )
        return DamagedFile(
            f"Not one frame of this video can be decoded (codec {self._stream.codec}): it is damaged or "
            "encrypted; get the file again, or the original."
        )

    def _shown(self, rgb: U8) -> U8:
        """As players show it: u8 (H, W, 3) RGB, upright, with square pixels."""
        transfer = self._stream.transfer
        return self._orientation.apply(to_standard(rgb, transfer) if transfer in (PQ, HLG) else rgb)


class _Times:
    """When the decoded frames are shown, in seconds from the start, as ffmpeg says it on its standard error:
    in a thread of its own, which may be behind the pictures when the machine is busy."""

    def __init__(self, start_s: float) -> None:
        self._start_s = start_s
        self._change = threading.Condition()
        self.all_s: list[float] = []

    def note(self, line: str) -> None:
        """A line of standard error."""
        if match := _TIME.search(line):
            at_s = number(match[1])
            with self._change:
                self.all_s.append(0.0 if at_s is None else at_s - self._start_s)
                self._change.notify()

    def of(self, index: int, most_s: float) -> float | None:
        """That of a frame which has been decoded, so that it was told or is about to be; None when nothing is
        told of it for so long."""
        with self._change:
            self._change.wait_for(lambda: len(self.all_s) > index, max(most_s, 0.0))
            return self.all_s[index] if len(self.all_s) > index else None
