"""A file that ends properly and yet holds a part of its picture only is not judged as a whole: every format
is asked whether all that its header promises is there."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffTags

import tinyheic
from haechi.errors import DamagedFile
from haechi.media import open_media
from haechi.settings import Settings
from haechi.types import U8
from tinyheic import heic, needs_x265
from tinypicture import encoded

DEFAULT = Settings()
NOISE = np.random.default_rng(4).integers(0, 256, (128, 128, 3), dtype=np.uint8)
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(rgb: U8, rows: int, interlaced: bool = False) -> bytes:
    """A PNG that promises all of ``rgb`` and holds the first rows of it (of each pass), properly closed."""
    height, width = rgb.shape[:2]
    passes = PASSES if interlaced else ((0, 0, 1, 1),)
    body = b""
    for x, y, across, down in passes:
        part = rgb[y::down, x::across]
        lines = [b"\0" + line.tobytes() for line in part]
        body += b"".join(lines if part.shape[1] else [])
    if rows < height:
        body = body[: len(body) * rows // height]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(body)), chunk(b"IEND", b""))
    )


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("width", "height"), [(128, 128), (37, 51), (1, 1), (3, 2)])
def test_a_png_of_too_few_rows(interlaced: bool, width: int, height: int) -> None:
    rgb = NOISE[:height, :width]
    assert np.array_equal(next(open_media(png(rgb, height, interlaced), DEFAULT).frames(1)).rgb, rgb)
    for rows in {0, height // 3, height - 1}:
        with pytest.raises(DamagedFile, match="cut off"):
            open_media(png(rgb, rows, interlaced), DEFAULT)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16"])
def test_a_png_of_every_kind_of_pixel_that_is_whole(mode: str) -> None:
    image = Image.fromarray(NOISE[:51, :37])
    if mode == "I;16":
        image = Image.fromarray(NOISE[:51, :37, 0].astype(np.uint16) * 257)
    assert (
        open_media(encoded(image if mode == "I;16" else image.convert(mode), "PNG"), DEFAULT).width_px == 37
    )


def test_a_frame_of_too_few_rows_in_a_moving_png() -> None:
    frames = [Image.fromarray(np.roll(NOISE, step * 40, axis=1)) for step in range(3)]
    data = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=100)
    assert open_media(data, DEFAULT).container["frames"] == 3
    at = data.rindex(b"fdAT") - 4
    size = struct.unpack_from(">I", data, at)[0]
    rows = zlib.decompress(data[at + 12 : at + 8 + size])
    short = chunk(b"fdAT", data[at + 8 : at + 12] + zlib.compress(rows[: len(rows) // 2]))
    with pytest.raises(DamagedFile, match="cut off"):
        open_media(data[:at] + short + data[at + 12 + size :], DEFAULT)


def test_a_gif_whose_pixels_end_early() -> None:
    data = encoded(Image.fromarray(NOISE).quantize(64), "GIF")
    at = data.index(b"\x2c\0\0\0\0") + 11
    blocks, end = b"", at
    while data[end]:
        blocks += data[end + 1 : end + 1 + data[end]]
        end += 1 + data[end]
    half = blocks[: len(blocks) // 2]
    parts = [half[n : n + 255] for n in range(0, len(half), 255)]
    short = data[:at] + b"".join(bytes([len(part)]) + part for part in parts) + b"\0\x3b"
    with pytest.raises(DamagedFile):
        open_media(short, DEFAULT)


def test_a_bmp_in_runs_that_ends_early() -> None:
    def bmp(rows: int) -> bytes:
        palette = b"".join(bytes([n, n, n, 0]) for n in range(256))
        body = b"".join(bytes([64, row * 5, 0, 0]) for row in range(rows)) + b"\0\1"
        head = struct.pack("<IiiHHIIiiII", 40, 64, 48, 1, 8, 1, len(body), 0, 0, 256, 0)
        return b"BM" + struct.pack("<IHHI", 1078 + len(body), 0, 0, 1078) + head + palette + body

    assert open_media(bmp(48), DEFAULT).height_px == 48
    with pytest.raises(DamagedFile):
        open_media(bmp(20), DEFAULT)


def short_strips(compression: str) -> bytes:
    """A TIFF of which the tables say that each strip has half of its bytes."""
    data = bytearray(encoded(Image.fromarray(NOISE), "TIFF", compression=compression))
    (at,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, at)
    for n in range(entries):
        entry = at + 2 + 12 * n
        tag, kind, count, value = struct.unpack_from("<HHII", data, entry)
        if TiffTags.lookup(tag).name != "StripByteCounts":
            continue
        form, place = "<I" if kind == 4 else "<H", entry + 8 if count == 1 else value
        for i in range(count):
            spot = place + i * struct.calcsize(form)
            struct.pack_into(form, data, spot, struct.unpack_from(form, data, spot)[0] // 2)
    return bytes(data)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
def test_a_tiff_whose_strips_end_early(compression: str, tmp_path: Path) -> None:
    assert open_media(encoded(Image.fromarray(NOISE), "TIFF", compression=compression), DEFAULT)
    path = tmp_path / "short.tif"
    path.write_bytes(short_strips(compression))
    with pytest.raises(DamagedFile):
        open_media(path, DEFAULT)
    code = (
        "import sys\nfrom haechi.media import open_media\nfrom haechi.settings import Settings\n"
        "from haechi.errors import DamagedFile\n"
        "try: open_media(sys.argv[1], Settings())\nexcept DamagedFile: pass\n"
        "print('seen', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=True)
    assert done.stderr == b"seen\n"


@pytest.mark.parametrize("lossless", [False, True])
def test_a_webp_whose_pixels_end_early(lossless: bool) -> None:
    data = encoded(NOISE, "WEBP", lossless=lossless)
    short = bytearray(data[: len(data) // 4 * 2])
    struct.pack_into("<I", short, 4, len(short) - 8)
    struct.pack_into("<I", short, 16, len(short) - 20)
    with pytest.raises(DamagedFile):
        open_media(bytes(short), DEFAULT)


def test_an_avif_whose_pixels_end_early() -> None:
    data = encoded(NOISE, "AVIF")
    start = data.index(b"mdat") + 4
    size = len(data) - start
    at = data.index(struct.pack(">I", size), data.index(b"iloc"))
    for kept in (size // 2, size * 9 // 10):
        short = bytearray(data[: start + kept])
        struct.pack_into(">I", short, at, kept)
        struct.pack_into(">I", short, start - 8, kept + 8)
        with pytest.raises(DamagedFile):
            open_media(bytes(short), DEFAULT)


@needs_x265
@pytest.mark.parametrize("ten_bits", [False, True])
def test_a_heic_whose_pixels_end_early(ten_bits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tinyheic.coded

    def short(rgb: U8, deep: bool = False) -> tuple[bytes, bytes]:
        hvcc, body = whole(rgb, deep)
        at, units = 0, []
        while at < len(body):
            (size,) = struct.unpack_from(">I", body, at)
            units.append(body[at + 4 : at + 4 + size])
            at += 4 + size
        units[-1] = units[-1][: len(units[-1]) * 6 // 10]
        return hvcc, b"".join(struct.pack(">I", len(unit)) + unit for unit in units)

    assert open_media(heic([NOISE], ten_bits=ten_bits), DEFAULT).width_px == 128
    grid = [NOISE, NOISE]
    monkeypatch.setattr(tinyheic, "coded", short)
    for data in (heic([NOISE], ten_bits=ten_bits), heic(grid, grid=(1, 2), ten_bits=ten_bits)):
        with pytest.raises(DamagedFile, match="cut off"):
            open_media(data, DEFAULT)


@pytest.mark.parametrize("form", ["lossless", "avif", "png", "gif", "lzw", "heic", "grid"])
def test_a_download_that_reserved_its_room_and_stopped(form: str) -> None:
    image = Image.fromarray(NOISE)
    if form in ("heic", "grid"):
        if needs_x265.args[0]:
            pytest.skip("ffmpeg with libx265 makes HEIC files")
        data = heic([NOISE]) if form == "heic" else heic([NOISE, NOISE], grid=(1, 2))
    else:
        data = {
            "lossless": lambda: encoded(image, "WEBP", lossless=True),
            "avif": lambda: encoded(image, "AVIF"),
            "png": lambda: encoded(image, "PNG"),
            "gif": lambda: encoded(image, "GIF"),
            "lzw": lambda: encoded(image, "TIFF", compression="tiff_lzw"),
        }[form]()
    assert open_media(data, DEFAULT)
    for tenth in (3, 6, 9):
        kept = len(data) * tenth // 10
        with pytest.raises(DamagedFile):
            open_media(data[:kept] + bytes(len(data) - kept), DEFAULT)


@pytest.mark.parametrize("form", ["WEBP", "AVIF"])
def test_flat_pictures_of_few_bytes_are_whole(form: str) -> None:
    for colour in (0, 128, 255):
        flat = Image.new("RGB", (2000, 1500), (colour,) * 3)
        assert open_media(encoded(flat, form, quality=80), DEFAULT).width_px == 2000
        if form == "WEBP":
            assert open_media(encoded(flat, form, lossless=True), DEFAULT).width_px == 2000
