"""Through H.264 as the messengers and platforms do it: x264 at a constant rate factor.

The OpenCV wheels carry no x264 (its licence is the GPL), so the program ``ffmpeg`` codes, where it is
installed: measuring may need it, using Haechi does not.
"""

from __future__ import annotations

import shutil
import subprocess

import cv2
import numpy as np

from haechi.errors import UsageError
from haechi.types import U8

FRAMES = 8


def crf(rgb: U8, factor: int) -> U8:
    """The last of FRAMES frames of a clip in which the picture u8 (H, W, 3) moves one pixel a frame and comes
    to rest, coded by x264 at a constant rate factor, 0 to 51: so it was predicted from its neighbours, as
    most frames of a video are. Raises UsageError when there is no ffmpeg or it cannot code H.264."""
    if shutil.which("ffmpeg") is None:
        raise UsageError("the rungs crf… need the program ffmpeg: install it, or leave them out with --rungs")
    height, width = rgb.shape[:2]
    bottom, right = (max(16, side + side % 2) - side for side in (height, width))
    padded = cv2.copyMakeBorder(rgb, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
    size = (padded.shape[1], padded.shape[0])
    moved = (
        cv2.copyMakeBorder(padded, 0, 0, shift, 0, cv2.BORDER_REPLICATE)[:, : size[0]]
        for shift in range(FRAMES - 1, -1, -1)
    )
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24"]
    coder = ["-c:v", "libx264", "-preset", "medium", "-crf", str(factor), "-pix_fmt", "yuv420p"]
    picture = ["-s", f"{size[0]}x{size[1]}", "-r", "30"]
    coded = _ffmpeg([*raw, *picture, "-i", "-", *coder, "-f", "matroska", "-"], b"".join(map(_bytes, moved)))
    decoded = _ffmpeg(["-f", "matroska", "-i", "-", *raw, "-"], coded)
    last = np.frombuffer(decoded, np.uint8)[-padded.size :].reshape(padded.shape)
    return np.ascontiguousarray(last[:height, :width])


def _bytes(frame: np.ndarray) -> bytes:
    return np.ascontiguousarray(frame).tobytes()


def _ffmpeg(arguments: list[str], given: bytes) -> bytes:
    """What ffmpeg writes when it is given these bytes; both ends are pipes, no file is made."""
    command = ["ffmpeg", "-loglevel", "error", "-threads", "1", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    if done.returncode or not done.stdout:
        why = done.stderr.decode(errors="replace").strip()[-200:]
        raise UsageError(f"ffmpeg could not code H.264 ({why}): leave the rungs crf… out with --rungs")
    return done.stdout
