"""Through H.264 as the messengers and platforms do it: x264 at a constant rate factor.

The OpenCV wheels carry no x264 (its licence is the GPL), so the program ``ffmpeg`` codes, where it is
installed: measuring and training may need it, using Haechi does not.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

import cv2
import numpy as np

from haechi.errors import UsageError
from haechi.types import U8

FRAMES = 8


def crf(rgb: U8, factor: int) -> U8:
    """A picture u8 (H, W, 3) through ``coded``: FRAMES frames at the preset that most programs use."""
    return coded([rgb], factor, FRAMES, "medium")[0]


def coded(pictures: Sequence[U8], factor: int, frames: int, preset: str) -> list[U8]:
    """Pictures u8 (H, W, 3) of one size, coded by x264 at a constant rate factor, 0 to 51.

    Each is ``frames`` frames of a clip in which it moves one pixel a frame and comes to rest, begun by a key
    frame; its last frame is kept: so it was predicted from its neighbours, as most frames of a video are.
    Raises UsageError when there is no ffmpeg or it cannot code H.264."""
    if shutil.which("ffmpeg") is None:
        raise UsageError("coding H.264 needs the program ffmpeg: install it, or leave the H.264 out")
    height, width = pictures[0].shape[:2]
    bottom, right = (max(16, side + side % 2) - side for side in (height, width))
    padded = [cv2.copyMakeBorder(p, 0, bottom, 0, right, cv2.BORDER_REPLICATE) for p in pictures]
    size = (padded[0].shape[1], padded[0].shape[0])
    clips = (
        cv2.copyMakeBorder(p, 0, 0, shift, 0, cv2.BORDER_REPLICATE)[:, : size[0]]
        for p in padded
        for shift in range(frames - 1, -1, -1)
    )
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24"]
    groups = ["-g", str(frames), "-keyint_min", str(frames), "-sc_threshold", "0"]
    coder = ["-c:v", "libx264", "-preset", preset, "-crf", str(factor), "-pix_fmt", "yuv420p", *groups]
    picture = ["-s", f"{size[0]}x{size[1]}", "-r", "30"]
    stream = _ffmpeg([*raw, *picture, "-i", "-", *coder, "-f", "matroska", "-"], b"".join(map(_bytes, clips)))
    decoded = np.frombuffer(_ffmpeg(["-f", "matroska", "-i", "-", *raw, "-"], stream), np.uint8)
    last = decoded.reshape(len(pictures), frames, *padded[0].shape)[:, -1]
    return [np.ascontiguousarray(p[:height, :width]) for p in last]


def clip(frames: Sequence[U8], factor: int, fps: float) -> list[U8]:
    """Frames u8 (H, W, 3) of one clip, sides even, coded as a camera's program or a call does: quickly,
    without looking ahead, at a constant rate factor. Raises UsageError as ``coded`` does."""
    if shutil.which("ffmpeg") is None:
        raise UsageError("coding H.264 needs the program ffmpeg: install it, or leave the H.264 out")
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24"]
    picture = ["-s", f"{frames[0].shape[1]}x{frames[0].shape[0]}", "-r", f"{fps:g}"]
    quick = ["-preset", "veryfast", "-tune", "zerolatency", "-crf", str(factor), "-pix_fmt", "yuv420p"]
    coder = ["-c:v", "libx264", *quick, "-f", "matroska", "-"]
    stream = _ffmpeg([*raw, *picture, "-i", "-", *coder], b"".join(map(_bytes, frames)))
    decoded = np.frombuffer(
        _ffmpeg(["-f", "matroska", "-i", "-", "-fps_mode", "passthrough", *raw, "-"], stream), np.uint8
    )
    return list(decoded.reshape(len(frames), *frames[0].shape))


def _bytes(frame: np.ndarray) -> bytes:
    return np.ascontiguousarray(frame).tobytes()


def _ffmpeg(arguments: list[str], data: bytes) -> bytes:
    """What ffmpeg writes when it is given these bytes; both ends are pipes, no file is made."""
    command = ["ffmpeg", "-loglevel", "error", "-threads", "1", *arguments]
    run = subprocess.run(command, input=data, capture_output=True, check=False)
    if run.returncode or not run.stdout:
        why = run.stderr.decode(errors="replace").strip()[-200:]
        raise UsageError(f"ffmpeg could not code H.264 ({why}): leave the H.264 out")
    return run.stdout
