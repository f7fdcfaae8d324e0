"""Small videos written byte by byte, so that tests can bend every field of them: motion JPEG in AVI or
Matroska (any size, any time, any promise in the header), and MPEG-4 by OpenCV with its rotation patched."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from haechi.media.opencv import opencv

cv2 = opencv()


def picture(width: int, height: int, step: int = 0) -> NDArray[np.uint8]:
    """RGB u8 (height, width, 3): a smooth ground with a white square in the top left corner, and a red
    bar that moves with ``step``."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([x * 120 // width, y * 120 // height, np.full_like(x, 80)], axis=2).astype(np.uint8)
    rgb[: height // 4, : width // 4] = 255
    at = (step * 4) % max(1, width - 4)
    rgb[height // 2 :, at : at + 4] = (255, 0, 0)
    return rgb


def jpeg(width: int, height: int, step: int = 0, quality: int = 90) -> bytes:
    done, data = cv2.imencode(
        ".jpg", picture(width, height, step)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    assert done
    return bytes(data)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\x00" * (len(body) % 2)


def avi(
    frames: Sequence[bytes], width: int, height: int, fps: int = 10, promised: int | None = None
) -> bytes:
    """Motion JPEG in AVI. ``promised``: the number of frames that the headers claim."""
    count = len(frames) if promised is None else promised
    main = struct.pack("<14I", 1_000_000 // fps, 0, 0, 0x10, count, 0, 1, 1 << 20, width, height, 0, 0, 0, 0)
    stream = b"vidsMJPG" + struct.pack(
        "<IHHIIIIIIII4H", 0, 0, 0, 0, 1, fps, 0, count, 1 << 20, 0, 0, 0, 0, width, height
    )
    bitmap = struct.pack("<IiiHH4sIiiII", 40, width, height, 1, 24, b"MJPG", width * height * 3, 0, 0, 0, 0)
    strl = _chunk(b"LIST", b"strl" + _chunk(b"strh", stream) + _chunk(b"strf", bitmap))
    hdrl = _chunk(b"LIST", b"hdrl" + _chunk(b"avih", main) + strl)
    movi, index = b"movi", b""
    for data in frames:
        index += b"00dc" + struct.pack("<III", 0x10, len(movi), len(data))
        movi += _chunk(b"00dc", data)
    return _chunk(b"RIFF", b"AVI " + hdrl + _chunk(b"LIST", movi) + _chunk(b"idx1", index))


def _element(number: int, body: bytes, unknown: bool = False) -> bytes:
    """An EBML element; ``unknown`` leaves its length open, as live recordings do."""
    length = b"\x01" + (b"\xff" * 7 if unknown else len(body).to_bytes(7, "big"))
    return number.to_bytes((number.bit_length() + 7) // 8, "big") + length + body


def _number(number: int, value: int) -> bytes:
    return _element(number, value.to_bytes(8, "big"))


def matroska(
    frames: Sequence[bytes],
    times_ms: Sequence[int],
    width: int,
    height: int,
    duration_ms: float = 0.0,
    live: bool = False,
    doctype: bytes = b"matroska",
) -> bytes:
    """Motion JPEG in Matroska at any times. ``duration_ms``: what the header claims, 0 for nothing.
    ``live``: the length of the file is left open."""
    head = _element(
        0x1A45DFA3, _number(0x4286, 1) + _number(0x42F7, 1) + _element(0x4282, doctype) + _number(0x4287, 4)
    )
    info = _number(0x2AD7B1, 1_000_000)
    if duration_ms:
        info += _element(0x4489, struct.pack(">d", duration_ms))
    video = _element(0xE0, _number(0xB0, width) + _number(0xBA, height))
    track = _number(0xD7, 1) + _number(0x73C5, 1) + _number(0x83, 1) + _element(0x86, b"V_MJPEG") + video
    body = _element(0x1549A966, info) + _element(0x1654AE6B, _element(0xAE, track))
    for data, at in zip(frames, times_ms, strict=True):
        block = b"\x81" + struct.pack(">hB", 0, 0x80) + data
        body += _element(0x1F43B675, _number(0xE7, at) + _element(0xA3, block))
    return head + _element(0x18538067, body, unknown=live)


def mp4(
    path: Path, frames: int = 12, width: int = 96, height: int = 64, fps: float = 25.0, fourcc: str = "mp4v"
) -> Path:
    """MPEG-4 (or ``fourcc``) through OpenCV's own writer; the container follows the name's ending."""
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*fourcc), fps, (width, height))
    assert writer.isOpened()
    for step in range(frames):
        writer.write(picture(width, height, step)[:, :, ::-1].copy())
    writer.release()
    return path


def turned(data: bytes, degrees: int) -> bytes:
    """An MP4 whose track header says that players turn it clockwise by ``degrees``."""
    at = data.index(b"tkhd") + 4 + 40
    cos, sin = (round(f(math.radians(degrees))) * 65536 for f in (math.cos, math.sin))
    matrix = struct.pack(">9i", cos, sin, 0, -sin, cos, 0, 0, 0, 1 << 30)
    return data[:at] + matrix + data[at + 36 :]
