"""The programs ffmpeg and ffprobe, where the user has them installed: how they are run on one file, and what
ffprobe says of its video stream.

Both run as children (``program``) on one local file, in the container that ``sniff`` found.
"""

from __future__ import annotations

import json
import math
import re
import shutil
from dataclasses import dataclass
from typing import Any

from haechi.errors import DamagedFile, OverLimit
from haechi.media.clock import Clock
from haechi.media.orientation import Matrix
from haechi.media.program import Program
from haechi.media.video_file import NAMES, VideoFile, frame_rate

_DEMUXERS = {"mp4": "mov", "mov": "mov", "webm": "matroska", "mkv": "matroska", "avi": "avi"}
_DEMUXERS |= {"ts": "mpegts", "mpg": "mpeg"}
_LOCAL = ("-protocol_whitelist", "file,pipe")
_MATRIX = re.compile(r"[0-9a-fA-F]{8}:\s+(-?\d+)\s+(-?\d+)\s+-?\d+")
_NO_TURN: Matrix = (1.0, 0.0, 0.0, 1.0)
_CODECS = {"mpeg2video": "mpeg2", "mpeg1video": "mpeg1", "dvvideo": "dv"}
_VERSION_S = 10.0


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
    match = re.match(r"ffmpeg version (\S{1,40})", first)
    return match[1] if match else ""


def command(program: str, *options: str) -> list[str]:
    """The words that run ffmpeg or ffprobe. Raises DamagedFile where it is no longer there."""
    path = shutil.which(program)
    if path is None:
        raise DamagedFile("The program ffmpeg is gone: install it again (https://ffmpeg.org).")
    return [path, "-hide_banner", *options]


def input_options(file: VideoFile) -> list[str]:
    """What keeps a program to one local file in its container."""
    return [*_LOCAL, "-f", _DEMUXERS[file.form]]


def probe(file: VideoFile, *options: str) -> Program:
    """A run of ffprobe on a file."""
    words = command("ffprobe", *input_options(file), *options, f"file:{file.name}")
    return Program(words, file.clock, file.inherited)


@dataclass(frozen=True, slots=True)
class FfmpegStream:
    """What ffprobe says of a stream of pictures. size: (width, height) as stored; pixel_aspect: the width of
    a pixel over its height; colours, transfer: FFmpeg's names of the colour system and transfer function."""

    index: int
    codec: str
    size: tuple[int, int]
    matrix: Matrix
    pixel_aspect: float
    fps: float | None
    colours: str
    transfer: str

    @classmethod
    def of(cls, file: VideoFile) -> FfmpegStream:
        """The first stream of moving pictures. Raises DamagedFile without one, OverLimit."""
        for stream in _streams(file):
            if not stream.get("disposition", {}).get("attached_pic") and _whole(stream.get("width")):
                name = str(stream.get("codec_name", "unknown"))
                return cls(
                    index=stream.get("index", 0),
                    codec=_CODECS.get(name, name),
                    size=(_whole(stream.get("width")), _whole(stream.get("height"))),
                    matrix=_matrix(stream),
                    pixel_aspect=_aspect(stream),
                    fps=_fraction(stream.get("avg_frame_rate")),
                    colours=str(stream.get("color_space")),
                    transfer=str(stream.get("color_transfer")),
                )
        raise DamagedFile(
            f"No pictures can be found in this {NAMES[file.form]}, because it is damaged or holds only "
            "sound: play it to the end elsewhere, then get the file again."
        )


def _streams(file: VideoFile) -> list[dict[str, Any]]:
    run = probe(file, "-v", "error", "-show_streams", "-select_streams", "v", "-of", "json")
    try:
        text = "\n".join(run.lines())
        code = run.end()
    finally:
        run.close()
    try:
        streams: list[dict[str, Any]] = json.loads(text).get("streams", []) if code == 0 else []
    except (ValueError, AttributeError):
        return []
    return streams


def number(text: Any) -> float | None:
    """A finite number from text; None for what is none."""
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
    one, other = number(above), number(below)
    return frame_rate(one / other) if one and other else None


def _aspect(stream: dict[str, Any]) -> float:
    """Width of a pixel over its height from "4:3"; 1 where the file does not say it."""
    width, _, height = str(stream.get("sample_aspect_ratio", "")).partition(":")
    one, other = number(width), number(height)
    return one / other if one and other else 1.0


def _matrix(stream: dict[str, Any]) -> Matrix:
    """The first four numbers of the matrix that ffprobe prints in three lines."""
    for data in stream.get("side_data_list", []):
        rows = _MATRIX.findall(str(data.get("displaymatrix", "")))
        if len(rows) == 3:
            (a, b), (c, d) = rows[0], rows[1]
            return int(a) / 65536, int(b) / 65536, int(c) / 65536, int(d) / 65536
    return _NO_TURN
