"""Videos that OpenCV cannot write, made with the program ffmpeg where it is installed: interlaced, with
oblong pixels, of high dynamic range, in camcorders' containers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None, reason="ffmpeg is not installed"
)
_FIELDS = ["-flags", "+ildct+ilme", "-top", "1"]
_X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-crf", "15"]
_X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-crf", "10", "-tag:v", "hvc1"]
#: Interlaced video by codec: (how it is coded, the ending of its name, width, height).
INTERLACED: dict[str, tuple[list[str], str, int, int]] = {
    "h264": ([*_X264, "-flags", "+ildct+ilme", "-x264-params", "tff=1"], "mp4", 320, 240),
    "hevc": (
        [*_X265, "-pix_fmt", "yuv420p", "-x265-params", "interlace=tff:log-level=none"],
        "mp4",
        320,
        240,
    ),
    "mpeg2": (["-c:v", "mpeg2video", "-q:v", "2", "-pix_fmt", "yuv420p", *_FIELDS], "mkv", 320, 240),
    "mpeg4": (["-c:v", "mpeg4", "-q:v", "2", "-pix_fmt", "yuv420p", *_FIELDS], "mp4", 320, 240),
    "dv": (["-c:v", "dvvideo", "-pix_fmt", "yuv420p"], "avi", 720, 576),
    "prores": (["-c:v", "prores_ks", "-profile:v", "1", "-flags", "+ildct+ilme"], "mov", 320, 240),
}


def coded(
    path: Path, frames: Sequence[NDArray[np.generic]], options: Sequence[str], before: Sequence[str] = ()
) -> Path:
    """Frames u8 or u16 (H, W, 3) RGB at 25 a second, coded by ffmpeg. ``before``: filters."""
    height, width = frames[0].shape[:2]
    pixels = "rgb48le" if frames[0].dtype == np.uint16 else "rgb24"
    raw = ["-f", "rawvideo", "-pix_fmt", pixels, "-s", f"{width}x{height}", "-r", "25", "-i", "-"]
    filters = ["-vf", ",".join(before)] if before else []
    command = ["ffmpeg", "-v", "error", "-y", *raw, *filters, *options, str(path)]
    subprocess.run(command, input=b"".join(f.tobytes() for f in frames), check=True, capture_output=True)
    return path


def progressive(path: Path, frames: Sequence[NDArray[np.generic]], *options: str, before: str = "") -> Path:
    return coded(path, frames, [*_X264, *options], [before] if before else [])


def interlaced(
    codec: str, folder: Path, frames: Sequence[NDArray[np.uint8]], name: str = "interlaced"
) -> Path:
    """Each frame coded as two fields. The frames must be of the size in INTERLACED."""
    options, ending, _, _ = INTERLACED[codec]
    return coded(folder / f"{name}-{codec}.{ending}", frames, options, ["setfield=tff"])
