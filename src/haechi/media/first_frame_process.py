"""Prints the fingerprint of the first frame of a video that is not black, decoded by a process that read
nothing before.

Run by ``unwritten_frames`` as a script; OpenCV's settings come with the environment."""

from __future__ import annotations

import hashlib
import sys
from typing import Any

import numpy as np


def fingerprint(bgr: Any) -> str:
    """Shape and SHA-256 of a picture, in one word."""
    shape = "x".join(map(str, bgr.shape))
    return f"{shape}:{hashlib.sha256(np.ascontiguousarray(bgr).data).hexdigest()}"


def main() -> None:
    import cv2

    capture = cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG)
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
    while capture.grab():
        ok, bgr = capture.retrieve()
        if ok and bgr is not None and bgr.size and bgr.any():
            print(fingerprint(bgr))
            return


if __name__ == "__main__":
    main()
