"""The reader of videos that OpenCV cannot decode, or not rightly: the programs ffmpeg and ffprobe, where the
user has them installed.

Both run as children (``program``) on one local file in the container that ``sniff`` found; frames come
through a pipe as they are stored, deinterlaced, and are turned and tone-mapped here like all others.
"""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from haechi.errors import DamagedFile, InputError, OverLimit
from haechi.media.clock import Clock
from haechi.media.extent import Extent
from haechi.media.index import PacketIndex, Wanted, middle_of
from haechi.media.limits import check_pixels
from haechi.media.orientation import Orientation
from haechi.media.program import Program
from haechi.media.tonemap import HLG, PQ, to_standard
from haechi.media.video_file import NAMES, VideoFacts, VideoFile, rate
from haechi.types import U8, Fact, Frame

_DEMUXERS = {"mp4": "mov", "mov": "mov", "webm": "matroska", "mkv": "matroska", "avi": "avi"}
_DEMUXERS |= {"ts": "mpegts", "mpg": "mpeg"}
_LOCAL = ("-protocol_whitelist", "file,pipe")
_TIME = re.compile(r"\bpts:\s*\S+\s+pts_time:\s*(\S+)")
_MATRIX = re.compile(r"[0-9a-fA-F]{8}:\s+(-?\d+)\s+(-?\d+)\s+-?\d+")
_DEINTERLACE = "bwdif=mode=send_frame:deint=interlaced"
# Colour systems that FFmpeg takes for another one without a word.
_STRANGE = frozenset({"ycgco", "bt2020c", "ictcp", "smpte2085", "chroma-derived-c", "ycgco-re", "ycgco-ro"})
_VERSION_S = 10.0
_EARLY_S = 5.0
# A pair of fields of a wide picture, each coded as a picture of half the height, is wider than any screen.
_FIELD_ASPECT = 2.5


def installed() -> bool:
    """Whether both programs can be found."""
    return shutil.which("ffmpeg") is not None and shutil.which("ffprobe") is not None


def version() -> str:
    """The version of ffmpeg; empty where it, or ffprobe, is not installed or does not run."""
    if not installed():
        return ""
    clock = Clock(_VERSION_S, "install ffmpeg again")
    try:
        run = Program([shutil.which("ffmpeg") or "ffmpeg", "-version"], clock)
        try:
            first = next(iter(list(run.lines())), "")
        finally:
            run.close()
    except (DamagedFile, OverLimit):
        return ""
    found = re.match(r"ffmpeg version (\S{1,40})", first)
    return found[1] if found else ""


class FfmpegReader:
    def __init__(self, file: VideoFile) -> None:
        self._file = file
        self._index = PacketIndex()
        self._start_s = 0.0
        self._stream: dict[str, Any] = {}
        self._size = (0, 0)
        self._said: list[str] = []
        self._orientation = Orientation()

    def measure(self) -> VideoFacts:
        """Raises DamagedFile, OverLimit."""
        self._stream = stream = self._video_stream()
        self._size = (_whole(stream.get("width")), _whole(stream.get("height")))
        self._orientation = self._file.orientation or Orientation.of(_matrix(stream))
        self._orientation = self._orientation.with_pixels(_aspect(stream))
        self._check_colours()
        if self._fields:
            self._orientation = self._orientation.with_pixels(self._orientation.pixel_aspect / 2)
        check_pixels(*self._size, self._file.settings)
        check_pixels(*self._orientation.shown(*self._size), self._file.settings)
        self._walk()
        first = next(self._decoded(["-frames:v", "1"], "null"), None)
        if first is None:
            raise self._failed()
        extent = self._index.extent
        header_fps = _fraction(stream.get("avg_frame_rate"))
        fps = (extent.frames - 1) / extent.span_s if extent.frames > 1 and extent.span_s > 0 else header_fps
        duration_s = extent.span_s + (1 / fps if fps else 0.0)
        self._file.check_duration(duration_s)
        container: dict[str, Fact] = {
            "format": self._file.form, "codec": self._codec, "frames": extent.frames,
            "rotation_deg": self._orientation.rotation_deg,
        }  # fmt: skip
        if self._orientation.mirrored:
            container["mirrored"] = True
        height_px, width_px = self._shown(first[1]).shape[:2]
        return VideoFacts(width_px, height_px, fps, duration_s, extent.frames, container)

    def frames(self, n: int) -> Iterator[Frame]:
        """At most n frames in order of time, the middles of n equal parts of the video.

        Raises DamagedFile when a part of the stream turns out not to decode, OverLimit when the time for this
        video is used up (that which the caller spends between frames does not count)."""
        count = min(n, self._index.extent.frames)
        wanted = self._index.seeks(count, 0)
        if count > 0:
            yield from self._passing(self._sought(wanted) if wanted else self._in_order(count))

    def again(self, wanted: Wanted) -> Iterator[Frame] | None:
        """These frames; None where it costs no less to decode the video from end to end."""
        if not self._index.worth_seeking(wanted.index.tolist(), 0):
            return None
        return self._passing(self._sought(wanted))

    def _passing(self, finding: Iterator[tuple[int, float, U8]]) -> Iterator[Frame]:
        """One pass over the video. Only its own time counts, not what the caller spends between frames."""
        clock = self._file.clock
        clock.start()
        try:
            for index, at_s, rgb in finding:
                shown = self._shown(rgb)
                clock.stop()
                yield Frame(shown, index, at_s)
                clock.start()
        finally:
            clock.stop()

    @property
    def _codec(self) -> str:
        name = str(self._stream.get("codec_name", "unknown"))
        return {"mpeg2video": "mpeg2", "mpeg1video": "mpeg1", "dvvideo": "dv"}.get(name, name)

    @property
    def _fields(self) -> bool:
        """Whether each picture is one field, as HEVC codes interlaced video; H.264 and others weave two."""
        wide, high = self._orientation.shown(*self._size)
        return self._codec == "hevc" and wide / max(high, 1) > _FIELD_ASPECT

    def _command(self, program: str, *options: str) -> list[str]:
        found = shutil.which(program)
        if found is None:
            raise DamagedFile("The program ffmpeg is gone: install it again (https://ffmpeg.org).")
        return [found, "-hide_banner", *options]

    def _video_stream(self) -> dict[str, Any]:
        """What ffprobe says of the first stream of moving pictures."""
        run = self._probe("-v", "error", "-show_streams", "-select_streams", "v", "-of", "json")
        try:
            text = "\n".join(run.lines())
            code = run.end()
        finally:
            run.close()
        try:
            streams = json.loads(text).get("streams", []) if code == 0 else []
        except (ValueError, AttributeError):
            streams = []
        for stream in streams:
            if not stream.get("disposition", {}).get("attached_pic") and _whole(stream.get("width")):
                found: dict[str, Any] = stream
                return found
        raise DamagedFile(
            f"No pictures can be found in this {NAMES[self._file.form]}, because it is damaged or holds only "
            "sound: play it to the end elsewhere, then get the file again."
        )

    def _probe(self, *options: str) -> Program:
        demuxer = _DEMUXERS[self._file.form]
        command = self._command("ffprobe", *_LOCAL, "-f", demuxer, *options, f"file:{self._file.name}")
        return Program(command, self._file.clock, self._file.inherited)

    def _check_colours(self) -> None:
        if str(self._stream.get("color_space")) in _STRANGE:
            raise DamagedFile(
                f"The colours of this video are coded in a rare way ({self._stream['color_space']}) that is "
                "not read here: convert it to H.264 MP4."
            )

    def _walk(self) -> None:
        """The times of all packets that are shown, and which begin anew."""
        which = str(self._stream.get("index", 0))
        fields = "packet=pts_time,dts_time,flags"
        run = self._probe("-v", "quiet", "-select_streams", which, "-show_entries", fields, "-of", "csv=p=0")
        times: list[tuple[float, bool]] = []
        try:
            for line in run.lines():
                pts, dts, flags = [*line.split(","), "", "", ""][:3]
                at_s = _number(pts) if _number(pts) is not None else _number(dts)
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
        chosen = f"gt(ceil((2*(n+1)*{count}-{total})/{2 * total}),ceil((2*n*{count}-{total})/{2 * total}))"
        seen: list[float] = []
        given, last_s = 0, 0.0
        for _, rgb in self._decoded([], f"select='{chosen}'", seen):
            index = middle_of(given, count, total)
            given, last_s = given + 1, max(last_s, seen[index] if index < len(seen) else last_s)
            yield index, last_s, rgb
        if not given:
            raise self._failed()
        decoded = Extent()
        for at_s in seen:
            decoded = decoded.with_one(at_s)
        self._index.extent.check(decoded)

    def _sought(self, wanted: Wanted) -> Iterator[tuple[int, float, U8]]:
        # A stream without an index is sought by guessing.
        early_s = _EARLY_S if self._file.form in ("ts", "mpg") else 0.0
        last_s, found_count = -1.0, 0
        for index, time_s in zip(wanted.index, wanted.times_s, strict=True):
            # Half a millisecond early, so that rounding does not lose the frame itself.
            at_s = float(time_s) + self._start_s - 0.0005
            seek = ["-seek_timestamp", "1", "-ss", f"{max(at_s - early_s, 0.0):.6f}"]
            chosen = f"select='gte(t,{at_s:.6f})'"
            found = next(self._decoded(["-frames:v", "1"], chosen, before=seek), None)
            if found is not None and time_s > last_s:
                last_s, found_count = float(time_s), found_count + 1
                yield int(index), last_s, found[1]
        wanted.check(found_count)

    def _decoded(
        self,
        options: Sequence[str],
        select: str,
        seen: list[float] | None = None,
        before: Sequence[str] = (),
    ) -> Iterator[tuple[int, U8]]:
        """(number, stored frame u8 (H, W, 3) RGB) of each frame that the filter ``select`` lets through.
        ``seen`` is given the times of all that were decoded, before those that come out of them."""
        wide, high = self._size
        times: SimpleQueue[float] = SimpleQueue()
        deinterlace = "null" if self._codec == "hevc" else _DEINTERLACE
        # The numbers of frames for times, so that none is left out or doubled on the way out.
        filters = f"showinfo=checksum=0,{deinterlace},{select},scale={wide}:{high},format=rgb24"
        filters += ",settb=1/25,setpts=N"
        command = self._command(
            "ffmpeg", "-nostdin", "-nostats", "-v", "level+info", "-copyts", *_LOCAL, "-threads", "2",
            "-noautorotate", *before, "-f", _DEMUXERS[self._file.form], "-i", f"file:{self._file.name}",
            "-map", f"0:{self._stream.get('index', 0)}", "-an", "-sn", "-dn", "-filter_threads", "1",
            "-vf", filters, "-r", "25", *options, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1",
        )  # fmt: skip

        def told(line: str) -> None:
            found = _TIME.search(line)
            if found:
                at_s = _number(found[1])
                times.put(0.0 if at_s is None else at_s - self._start_s)

        run = Program(command, self._file.clock, self._file.inherited, told)
        try:
            number = 0
            while True:
                rgb = np.empty((high, wide, 3), np.uint8)
                whole = run.fill(rgb.data.cast("B"))
                if not whole:
                    run.end()
                _drain(times, seen)
                if not whole:
                    self._said = run.said
                    return
                yield number, rgb
                number += 1
        finally:
            run.close()

    def _failed(self) -> InputError:
        """Why not one frame came out, from what ffmpeg said."""
        said = "\n".join(self._said)
        if "annot allocate" in said or "alloc" in said.lower():
            return OverLimit(
                "Decoding this video takes more memory than it may have: convert it to a smaller H.264 MP4."
            )
        if re.search(
            r"[Dd]ecoder \S+ \(?.*not found|no decoder found|Decoder not found|Unknown decoder", said
        ):
            return DamagedFile(
                f"This video is coded in {self._codec.upper()}, which the installed ffmpeg cannot decode "
                "either: convert it to H.264 MP4."
            )
        return DamagedFile(
            f"Not one frame of this video can be decoded (codec {self._codec}): it is damaged or encrypted; "
            "get the file again, or the original."
        )

    def _shown(self, rgb: U8) -> U8:
        """As players show it: u8 (H, W, 3) RGB, upright, with square pixels."""
        transfer = str(self._stream.get("color_transfer"))
        return self._orientation.apply(to_standard(rgb, transfer) if transfer in (PQ, HLG) else rgb)


def _drain(times: SimpleQueue[float], seen: list[float] | None) -> None:
    while True:
        try:
            at_s = times.get_nowait()
        except Empty:
            return
        if seen is not None:
            seen.append(at_s)


def _number(text: Any) -> float | None:
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and 0 < value < 2**16 else 0


def _fraction(text: Any) -> float | None:
    """Frames a second from "25/1"."""
    above, _, below = str(text).partition("/")
    one, other = _number(above), _number(below)
    return rate(one / other) if one and other else None


def _aspect(stream: dict[str, Any]) -> float:
    """Width of a pixel over its height from "4:3"; 1 where the file does not say it."""
    width, _, height = str(stream.get("sample_aspect_ratio", "")).partition(":")
    one, other = _number(width), _number(height)
    return one / other if one and other else 1.0


def _matrix(stream: dict[str, Any]) -> tuple[float, float, float, float]:
    """The first four numbers of the matrix that ffprobe prints in three lines."""
    for data in stream.get("side_data_list", []):
        rows = _MATRIX.findall(str(data.get("displaymatrix", "")))
        if len(rows) == 3:
            (a, b), (c, d) = rows[0], rows[1]
            return int(a) / 65536, int(b) / 65536, int(c) / 65536, int(d) / 65536
    return 1.0, 0.0, 0.0, 1.0
