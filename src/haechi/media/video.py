"""A video file -> what it is, and its frames one at a time, by the reader that decodes it rightly.

OpenCV reads what its wheel is known to decode; what is interlaced, coded otherwise or in a container of
camcorders goes to the program ffmpeg where that is installed. Where it is not, the error says so: no frame is
ever shown that may be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from haechi.errors import DamagedFile
from haechi.media.ffmpeg import installed
from haechi.media.ffmpeg_reader import FfmpegReader
from haechi.media.opencv_reader import OpenCvReader, Unsuited
from haechi.media.packet_index import FrameSelection
from haechi.media.video_file import NAMES, Reader, VideoFacts, VideoFile
from haechi.settings import Settings
from haechi.types import Frame

_INSTALL = "install ffmpeg (https://ffmpeg.org), or convert it to H.264 MP4"
_BY_FFMPEG = frozenset({"ts", "mpg"})


class VideoReader:
    """Reads one video file as often as asked: ``reader(n)`` yields at most n evenly spaced Frames.

    ``path`` is None for a video that is given as ``data``. ``facts`` are found out at once. All passes
    together may take ``decode_timeout_s`` of decoding. ``close`` frees what a video without a path takes up;
    it goes with the reader as well.

    Raises DamagedFile when the file is cut off, encrypted, without one frame that decodes, or of a kind that
    needs ffmpeg where there is none; OverLimit; and OSError when it cannot be opened or written."""

    def __init__(self, path: Path | None, form: str, settings: Settings, data: bytes = b"") -> None:
        file = VideoFile(path, form, settings, data)
        self.close = file.close
        self._frames_by_n: dict[int, list[tuple[int, float]]] = {}
        try:
            file.clock.start()
            file.check_structure()
            self._reader, self.facts = _measured(file)
        except BaseException:
            # The error's traceback would keep the file for as long as someone looks at it.
            file.close()
            raise
        finally:
            file.clock.stop()

    def __call__(self, n: int) -> Iterator[Frame]:
        frames: list[tuple[int, float]] = []
        for frame in self._reader.frames(n):
            frames.append((frame.index, frame.time_s))
            yield frame
        self._frames_by_n[n] = frames

    def again(self, n: int, times_s: Sequence[float]) -> Iterator[Frame] | None:
        """Of the frames that ``reader(n)`` yielded to its end, those nearest to the times, each once; None
        where it did not, or where it costs no less to ask it again."""
        frames = self._frames_by_n.get(n)
        if not frames or not times_s:
            return None
        apart_s = np.abs(np.array([time_s for _, time_s in frames])[None] - np.asarray(times_s)[:, None])
        nearest = [frames[i] for i in np.unique(apart_s.argmin(axis=1))]
        index, at_s = zip(*nearest, strict=True)
        return self._reader.again(FrameSelection(np.array(index), np.array(at_s)))


def _measured(file: VideoFile) -> tuple[Reader, VideoFacts]:
    alone = not installed()
    reader: Reader
    if file.form in _BY_FFMPEG:
        if alone:
            raise DamagedFile(
                f"This is an {NAMES[file.form]}, as camcorders and broadcasters write them, which the "
                f"built-in decoder does not read: {_INSTALL}."
            )
    else:
        reader = OpenCvReader(file, alone)
        try:
            return reader, reader.measure()
        except Unsuited as error:
            if alone:
                raise DamagedFile(f"This video {error}: {_INSTALL}.") from error
    reader = FfmpegReader(file)
    return reader, reader.measure()
