"""HEIC files made by code: one picture, a grid of tiles, 10 bits, a burst. ffmpeg codes the pictures."""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from haechi.types import U8


@cache
def _has_x265() -> bool:
    if shutil.which("ffmpeg") is None:
        return False
    listed = subprocess.run(["ffmpeg", "-hide_banner", "-encoders"], capture_output=True, check=False)
    return b"libx265" in listed.stdout


needs_x265 = pytest.mark.skipif(not _has_x265(), reason="ffmpeg with libx265 is needed to make HEIC files")


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def coded(rgb: U8, ten_bits: bool = False) -> tuple[bytes, bytes]:
    """(hvcC box, samples) of a picture coded as one HEVC frame."""
    height, width = rgb.shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "a.mp4"
        subprocess.run(
            ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}",
             "-i", "-",
             "-frames:v", "1", "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt",
             "yuv420p10le" if ten_bits else "yuv420p", "-tag:v", "hvc1", "-crf", "4",
             "-x265-params", "log-level=none:info=0", str(out)],
            input=rgb.tobytes(), check=True, capture_output=True,
        )  # fmt: skip
        data = out.read_bytes()
    at = data.index(b"hvcC") - 4
    hvcc = data[at : at + struct.unpack_from(">I", data, at)[0]]
    at = data.index(b"mdat") - 4
    size = struct.unpack_from(">I", data, at)[0]
    return hvcc, data[at + 8 : at + size]


def heic(
    pictures: list[U8], grid: tuple[int, int] | None = None, ten_bits: bool = False, turn: int = 0
) -> bytes:
    """A HEIC of these pictures, the first as the main one; or one picture of them as tiles, (rows, columns),
    row by row. ``turn``: quarter turns against the clock, by a property of the file."""
    items = [coded(rgb, ten_bits) for rgb in pictures]
    height, width = pictures[0].shape[:2]
    depth = 10 if ten_bits else 8
    properties = [hvcc for hvcc, _ in items]
    properties.append(full(b"ispe", 0, 0, struct.pack(">II", width, height)))
    properties.append(full(b"pixi", 0, 0, bytes([3, depth, depth, depth])))
    size, pixi = len(items) + 1, len(items) + 2
    bodies = [body for _, body in items]
    infos = [full(b"infe", 2, 1 if grid else 0, struct.pack(">HH", n, 0), b"hvc1\0") for n in _ids(items)]
    owned = {n: [0x80 | n, size, pixi] for n in _ids(items)}
    main = 1
    references = b""
    if grid:
        rows, columns = grid
        main = len(items) + 1
        bodies.append(struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, columns * width, rows * height))
        infos.append(full(b"infe", 2, 0, struct.pack(">HH", main, 0), b"grid\0"))
        properties.append(full(b"ispe", 0, 0, struct.pack(">II", columns * width, rows * height)))
        owned[main] = [len(properties), pixi]
        tiles = struct.pack(f">HH{len(items)}H", main, len(items), *_ids(items))
        references = full(b"iref", 0, 0, box(b"dimg", tiles))
    if turn:
        properties.append(box(b"irot", bytes([turn])))
        owned[main].append(0x80 | len(properties))
    links = b"".join(struct.pack(">HB", n, len(own)) + bytes(own) for n, own in owned.items())
    iprp = box(
        b"iprp",
        box(b"ipco", *properties),
        full(b"ipma", 0, 0, struct.pack(">I", len(owned)), links),
    )
    iinf = full(b"iinf", 0, 0, struct.pack(">H", len(infos)), *infos)
    head = [full(b"hdlr", 0, 0, bytes(4), b"pict", bytes(13)), full(b"pitm", 0, 0, struct.pack(">H", main))]
    ftyp = box(b"ftyp", b"heic", bytes(4), b"mif1heic")

    def meta(start: int) -> bytes:
        entries, at = [], start
        for n, body in enumerate(bodies, 1):
            entries.append(struct.pack(">HHHII", n, 0, 1, at, len(body)))
            at += len(body)
        iloc = full(b"iloc", 0, 0, b"\x44\x00", struct.pack(">H", len(bodies)), *entries)
        return full(b"meta", 0, 0, *head, iloc, iinf, iprp, references)

    start = len(ftyp) + len(meta(0)) + 8
    return ftyp + meta(start) + box(b"mdat", *bodies)


def _ids(items: list[tuple[bytes, bytes]]) -> range:
    return range(1, len(items) + 1)


def tiles(rgb: U8, rows: int, columns: int) -> list[U8]:
    return [
        np.ascontiguousarray(part) for band in np.split(rgb, rows) for part in np.split(band, columns, axis=1)
    ]
