"""The one place that imports OpenCV for decoding, kept quiet and away from the network."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

# FFmpeg chooses a demuxer by content. A hostile file could be a playlist that names other files or
# addresses; only these containers, read from local files, are allowed. An option the user set stays.
_QUIET_AND_LOCAL = {
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "OPENCV_FFMPEG_CAPTURE_OPTIONS": "protocol_whitelist;file|format_whitelist;mov,matroska,webm,avi",
}


@cache
def opencv() -> Any:
    """The cv2 module. Imported on first use (a quarter of a second), so that ``--help`` stays quick.

    OpenCV reads its own log level at import and FFmpeg's at the first video, hence the variables
    before the import, and the call after it for a process that had imported cv2 already."""
    for name, value in _QUIET_AND_LOCAL.items():
        os.environ.setdefault(name, value)
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2
