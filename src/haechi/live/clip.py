"""The last seconds of a call, in memory: frames as they came, what was said of them, and both as files."""

from __future__ import annotations

import json
import struct
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SECONDS, MOST_BYTES = 20.0, 64 * 1024**2
"""What is held at most: so long, and so much."""
SCHEMA = "haechi.live-clip/1"
_INDEX, _HAS_INDEX, _KEYFRAME = b"idx1", 0x10, 0x10


@dataclass(frozen=True, slots=True)
class Clip:
    """frames: seconds since the call began, and a JPEG, all of ``size`` (width, height) in px · states: what
    was said of the call, as JSON holds it, the newest last."""

    size: tuple[int, int]
    frames: Sequence[tuple[float, bytes]]
    states: Sequence[Mapping[str, Any]]

    @property
    def seconds(self) -> float:
        """From the first frame to the last."""
        return self.frames[-1][0] - self.frames[0][0]

    def video(self) -> bytes:
        """An AVI of the JPEGs, each byte as it came (Motion JPEG), at their mean rate: players and ``haechi
        check`` read it, and no encoder changed what an examiner wants to see."""
        rate = (len(self.frames) - 1) / self.seconds if self.seconds > 0 else 1.0
        return avi([jpeg for _, jpeg in self.frames], self.size, rate)

    def told(self) -> bytes:
        """JSON: when each frame came, and the states."""
        facts = {
            "schema": SCHEMA,
            "size_px": list(self.size),
            "frame_times_s": [round(time_s, 3) for time_s, _ in self.frames],
            "states": list(self.states),
        }
        return json.dumps(facts, ensure_ascii=False, indent=1).encode()


class Ring:
    """The newest frames and states, SECONDS and MOST_BYTES of them. Nothing is written anywhere."""

    def __init__(self) -> None:
        self._frames: deque[tuple[float, bytes, tuple[int, int]]] = deque()
        self._states: deque[Mapping[str, Any]] = deque()
        self._n_bytes = 0

    def add(self, time_s: float, jpeg: bytes, size: tuple[int, int], state: Mapping[str, Any]) -> None:
        """A frame of the call, its size in px, and what was said after it."""
        self._frames.append((time_s, jpeg, size))
        self._states.append(state)
        self._n_bytes += len(jpeg)
        while self._frames and (time_s - self._frames[0][0] > SECONDS or self._n_bytes > MOST_BYTES):
            self._n_bytes -= len(self._frames.popleft()[1])
            self._states.popleft()

    def clip(self) -> Clip | None:
        """All that is held since the picture last changed its size; None of fewer than two frames."""
        if not self._frames:
            return None
        size = self._frames[-1][2]
        frames: list[tuple[float, bytes]] = []
        for time_s, jpeg, its_size in reversed(self._frames):
            if its_size != size:
                break
            frames.append((time_s, jpeg))
        return Clip(size, frames[::-1], list(self._states)) if len(frames) > 1 else None


def avi(jpegs: Sequence[bytes], size: tuple[int, int], rate: float) -> bytes:
    """Motion JPEG in AVI (RIFF; Microsoft, AVI RIFF file reference, 1992). ``rate``: frames a second."""
    width, height = size
    count, largest = len(jpegs), max(map(len, jpegs))
    per_1000_s = max(1, round(1000 * rate))
    main = struct.pack(
        "<14I", round(1e6 / rate), round(largest * rate), 0, _HAS_INDEX, count, 0, 1, largest, width, height,
        *(0,) * 4,
    )  # fmt: skip
    stream = struct.pack(
        "<4s4sIHHIIIIIIII4H", b"vids", b"MJPG", 0, 0, 0, 0, 1000, per_1000_s, 0, count, largest, 0, 0,
        0, 0, min(width, 65535), min(height, 65535),
    )  # fmt: skip
    bitmap = struct.pack("<IiiHH4sIiiII", 40, width, height, 1, 24, b"MJPG", width * height * 3, 0, 0, 0, 0)
    header = _list(
        b"hdrl", _chunk(b"avih", main) + _list(b"strl", _chunk(b"strh", stream) + _chunk(b"strf", bitmap))
    )
    chunks = [_chunk(b"00dc", jpeg) for jpeg in jpegs]
    index = b"".join(_entries(jpegs, chunks))
    body = header + _list(b"movi", b"".join(chunks)) + _chunk(_INDEX, index)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"AVI " + body


def _entries(jpegs: Sequence[bytes], chunks: Sequence[bytes]) -> Iterator[bytes]:
    """Of the index: where each frame begins, counted from the name of the list that holds it."""
    at = 4
    for jpeg, chunk in zip(jpegs, chunks, strict=True):
        yield struct.pack("<4sIII", b"00dc", _KEYFRAME, at, len(jpeg))
        at += len(chunk)


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _list(kind: bytes, data: bytes) -> bytes:
    return _chunk(b"LIST", kind + data)
