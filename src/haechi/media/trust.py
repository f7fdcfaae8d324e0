"""No frame is taken on trust: proof that OpenCV wrote the frame that it hands out.

OpenCV 4.13, 4.14 and 5.0 leave the buffer of a frame untouched, and say that all went well, when FFmpeg
refuses to convert it: interlaced pictures, and the colour systems YCgCo, ICtCp and BT.2020 with constant
luminance. What is shown then is old memory of the process, such as the picture of the file before. (FFmpeg's
sws_scale_frame fails with EINVAL, which CvCapture_FFMPEG::retrieveFrame does not look at.)

The buffer belongs to the capture and is made with its first frame; so it is the first frame that must be
proven, once for a file: afterwards a capture whose first frame is that one has written it, or holds nothing
but a frame of the same file.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from haechi.media.clock import Clock
from haechi.media.opencv import opencv
from haechi.media.trust_process import fingerprint
from haechi.types import U8

_PROCESS = Path(__file__).with_name("trust_process.py")
# How many further frames are looked at for one that differs from the first. Fresh memory is black, so behind
# a black frame the search goes on for a while: black ends with the first scene.
_LOOKED_AT, _LOOKED_AT_BLACK = 8, 2000
_PATIENCE_S = 20.0


def retrieved(capture: Any) -> U8 | None:
    """The grabbed frame as OpenCV gives it, BGR or grey; None when it says that it cannot be converted."""
    cv2 = opencv()
    try:
        ok, bgr = capture.retrieve()
    except cv2.error:
        return None
    return bgr if ok and bgr is not None and bgr.size else None


def first_is_written(
    capture: Any, first: U8, clock: Clock, descriptor: str, inherited: tuple[int, ...]
) -> bool:
    """Whether the frame that was retrieved ``first`` from this capture is what the file holds, and no memory.

    A buffer that held another frame in between and holds the first one again has been written. Where no
    frame differs, or where the file cannot be wound back, a new process decodes the first frame: its memory
    never held another file's, and is black where nothing was written. ``descriptor``, ``inherited``: the
    file's name, and what such a process must be given to open it. The capture is of no more use afterwards.
    Raises OverLimit."""
    cv2 = opencv()
    black = not first.any()
    for _ in range(_LOOKED_AT_BLACK if black else _LOOKED_AT):
        clock.check()
        if not capture.grab():
            break
        other = retrieved(capture)
        if other is not None and not np.array_equal(other, first):
            capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
            again = retrieved(capture) if capture.grab() else None
            if again is not None and np.array_equal(again, first):
                return True
            break
    return not black and _elsewhere(descriptor, inherited) == fingerprint(first)


def _elsewhere(descriptor: str, inherited: tuple[int, ...]) -> str:
    """The fingerprint of the first frame as a fresh process decodes it; empty when it cannot."""
    command = [sys.executable, "-P", str(_PROCESS), descriptor]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            pass_fds=inherited,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("ascii", "replace").strip()
