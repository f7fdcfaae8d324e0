"""Broken, hostile and merely odd files, made by code.

for item in write_corpus(folder):
    item.path    what to open
    item.error   the error it must give (a class of haechi.errors), None when it must be readable
    item.note    why it is here
"""

from __future__ import annotations

import io
import os
import random
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from haechi.errors import DamagedFile, InputError, NotAFile, OverLimit, UnknownFormat
from tinypicture import animation, cartoon, encoded, oriented, pictures, png, zeros
from tinyvideo import avi, cv2, jpeg, matroska, mp4, picture, turned


@dataclass(frozen=True, slots=True)
class Hostile:
    path: Path
    error: type[InputError] | None
    note: str


def _encrypted_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("video.mp4", b"x" * 100)
    data = bytearray(out.getvalue())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def _patched(data: bytes, at: int, patch: bytes) -> bytes:
    return data[:at] + patch + data[at + len(patch) :]


def videos(folder: Path) -> dict[str, bytes]:
    """One small sound video of every container that is read, by the ending of its name."""
    frames = [jpeg(96, 64, step) for step in range(12)]
    written = {ending: mp4(folder / f"video.{ending}") for ending in ("mp4", "mov")}
    made = {ending: path.read_bytes() for ending, path in written.items()}
    for path in written.values():
        path.unlink()
    return made | {
        "avi": avi(frames, 96, 64),
        "mkv": matroska(frames, range(0, 1200, 100), 96, 64),
        "webm": matroska(frames, range(0, 1200, 100), 96, 64, doctype=b"webm"),
    }


@cache
def samples() -> dict[str, bytes]:
    """Pictures and videos together, made once."""
    with tempfile.TemporaryDirectory() as folder:
        return pictures() | videos(Path(folder))


def write_corpus(folder: Path) -> list[Hostile]:
    """Writes the corpus into an empty folder (about 1 MB, a second or two) and says what to expect."""
    items: list[Hostile] = []

    def add(name: str, data: bytes, error: type[InputError] | None, note: str) -> None:
        path = folder / name
        path.write_bytes(data)
        items.append(Hostile(path, error, note))

    sound = pictures() | videos(folder)
    for ending, data in sound.items():
        add(f"sound.{ending}", data, None, f"a sound {ending}")
        for tenth in range(1, 10):
            add(
                f"cut{tenth}.{ending}",
                data[: len(data) * tenth // 10],
                InputError,
                f"{ending} cut at {tenth}/10",
            )
    _add_impostors(add, sound)
    _add_pictures(add, sound)
    _add_jpegs(add, sound)
    _add_videos(add, sound)
    return items + _special(folder)


_Add = Callable[[str, bytes, type[InputError] | None, str], None]


def _add_impostors(add: _Add, sound: dict[str, bytes]) -> None:
    noise = random.Random(7)
    for ending in sound:
        add(f"empty.{ending}", b"", DamagedFile, "empty")
        add(f"random.{ending}", noise.randbytes(5000), UnknownFormat, "random bytes with a right ending")
        magic = sound[ending][:24]
        add(
            f"liar.{ending}",
            magic + noise.randbytes(5000),
            InputError,
            "a right beginning, then random bytes",
        )
    add("zeros.mp4", bytes(5000), DamagedFile, "a download that reserved its room and stopped")
    add("text.jpg", b"Dear reader, this is no picture.\n" * 20, UnknownFormat, "text named .jpg")
    add("utf8.png", "한국어 문서입니다.\n".encode() * 400, UnknownFormat, "Korean text longer than the head")
    add(
        "page.png",
        b"<!DOCTYPE html><html><body>404</body></html>",
        UnknownFormat,
        "an error page saved as a picture",
    )
    add("paper.jpg", b"%PDF-1.7\n" + bytes(100), UnknownFormat, "a PDF named .jpg")
    add("playlist.mp4", b"#EXTM3U\nfile:///etc/passwd\n", UnknownFormat, "a playlist that points elsewhere")
    add("locked.mp4", _encrypted_zip(), UnknownFormat, "an encrypted zip named .mp4")
    heic = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(200)
    add("phone.heic", heic, DamagedFile, "a HEIC photo without a picture")
    add("disguised.jpg", sound["png"], None, "a PNG named .jpg")
    add("no_ending", sound["jpg"], None, "a JPEG with no ending")
    add("name\nwith\nnewlines.jpg", sound["jpg"], None, "a name with newlines")
    add(
        "bad\nname.jpg",
        b"no picture at all",
        UnknownFormat,
        "a name with a newline, to be refused in one line",
    )
    add("\x1b[31mred.jpg", sound["jpg"], None, "a name that would colour a terminal")


def _add_pictures(add: _Add, sound: dict[str, bytes]) -> None:
    rgb = picture(64, 48)
    grey = rgb[:, :, 0]
    add("one_pixel.png", encoded(rgb[:1, :1], "PNG"), None, "1 x 1 pixel")
    add("one_pixel.jpg", encoded(rgb[:1, :1], "JPEG"), None, "1 x 1 pixel")
    add("thin.png", encoded(np.repeat(rgb[:1], 1, 0), "PNG"), None, "one row")
    add("huge.png", png(30_000, 30_000, 1, zeros(30_000 * 3751)), OverLimit, "30,000 x 30,000, small on disk")
    add("bomb.png", png(64, 64, 8, zeros(50_000_000)), None, "a body 10,000 times larger than its picture")
    text = zlib.compress(bytes(20_000_000), 9)
    note = struct.pack(">I", len(text) + 3) + b"zTXt" + b"a\x00\x00" + text
    note += struct.pack(">I", zlib.crc32(note[4:]))
    add("textbomb.png", png(64, 64, 8, zeros(64 * 65), note), DamagedFile, "compressed text that bursts")
    size = struct.pack("<HH", 65_535, 65_535)
    add("huge.gif", _patched(sound["gif"], 6, size), OverLimit, "a GIF that claims 65,535 x 65,535")
    add(
        "huge.bmp",
        _patched(sound["bmp"], 18, struct.pack("<ii", 60_000, 60_000)),
        OverLimit,
        "a BMP claims 60,000 square",
    )
    canvas = b"VP8X\x0a\x00\x00\x00\x00\x00\x00\x00" + b"\xfe\x3f\x00\xfe\x3f\x00"
    riff = b"WEBP" + canvas + sound["webp"][12:]
    add(
        "huge.webp",
        b"RIFF" + struct.pack("<I", len(riff)) + riff,
        OverLimit,
        "a WebP canvas of 16,383 square",
    )
    add("deep_grey.png", encoded(grey.astype(np.uint16) * 257, "PNG"), None, "16-bit grey")
    add("deep_grey.tif", encoded(grey.astype(np.uint16) * 257, "TIFF"), None, "16-bit grey TIFF")
    _, deep = cv2.imencode(".png", rgb.astype(np.uint16) * 257)
    add("deep_rgb.png", deep.tobytes(), None, "16-bit colour")
    add("float.tif", encoded((grey / 255).astype(np.float32), "TIFF"), None, "floating-point TIFF")
    add("grey.jpg", encoded(grey, "JPEG"), None, "grey JPEG")
    add("bits.png", encoded(Image.fromarray(grey).convert("1"), "PNG"), None, "1 bit a pixel")
    palette = Image.fromarray(rgb).quantize(16)
    add("palette.png", encoded(palette, "PNG", transparency=3), None, "palette with transparency")
    alpha = np.dstack([rgb, np.full(grey.shape, 128, np.uint8)])
    add("alpha.png", encoded(alpha, "PNG"), None, "half transparent")
    add("alpha.webp", encoded(alpha, "WEBP"), None, "half transparent")
    add("grey_alpha.png", encoded(alpha[:, :, 2:], "PNG"), None, "grey with alpha")
    add("cmyk.jpg", encoded(Image.fromarray(rgb).convert("CMYK"), "JPEG"), None, "CMYK JPEG")
    add("cmyk.tif", encoded(Image.fromarray(rgb).convert("CMYK"), "TIFF"), None, "CMYK TIFF")
    add("moving.gif", animation(), None, "animated GIF")
    add("cut_moving.gif", animation()[:-40], DamagedFile, "animated GIF cut behind its first frame")
    add("cartoon.png", encoded(cartoon(), "PNG"), None, "a drawn face")
    add("crowd.png", encoded(cartoon(800, 800, 40), "PNG"), None, "forty drawn faces")
    static = np.random.default_rng(3).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    add("noise.png", encoded(static, "PNG"), None, "nothing but noise")
    add("black.png", encoded(np.zeros((240, 320, 3), np.uint8), "PNG"), None, "nothing at all")


def _add_jpegs(add: _Add, sound: dict[str, bytes]) -> None:
    rgb = picture(64, 48)
    frame = sound["jpg"].index(b"\xff\xc0") + 5
    add(
        "huge.jpg",
        _patched(sound["jpg"], frame, b"\xff\xdc\xff\xdc"),
        OverLimit,
        "a JPEG that claims 65,500 square",
    )
    add("flat.jpg", _patched(sound["jpg"], frame, bytes(4)), DamagedFile, "a JPEG that claims 0 x 0")
    add("progressive.jpg", encoded(rgb, "JPEG", progressive=True), None, "progressive JPEG")
    add("rotated.jpg", oriented(rgb, 6), None, "to be turned by its Exif")
    add("motion.jpg", sound["jpg"] + sound["mp4"], None, "a motion photo: a video behind the picture")
    noise = np.random.default_rng(11).integers(0, 256, (160, 240, 3), dtype=np.uint8)
    for form, options in (("plain", {}), ("passes", {"progressive": True})):
        whole = encoded(noise, "JPEG", **options)
        ended = whole[: len(whole) * 6 // 10] + b"\xff\xd9"
        add(
            f"ended_{form}.jpg", ended, DamagedFile, "a JPEG cut in the middle, with an end marker put behind"
        )
    noise[80:] = 128
    add("grey_floor.jpg", encoded(noise, "JPEG"), None, "a whole picture that ends as a cut one would")
    fill = sound["jpg"][:-2] + b"\xff" * 300_000 + b"\0\xff\xd9"
    add("fill.jpg", fill, None, "300,000 fill bytes that lead to no marker")


def _add_videos(add: _Add, sound: dict[str, bytes]) -> None:
    frames = [jpeg(96, 64, step) for step in range(12)]
    even = range(0, 1200, 100)
    add("frameless.avi", avi([], 96, 64), DamagedFile, "a video with zero frames")
    add("frameless.mkv", matroska([], [], 96, 64), DamagedFile, "a video with zero frames")
    add("promise.avi", avi([], 96, 64, promised=500), DamagedFile, "zero frames, 500 promised")
    add("rubbish.avi", avi([bytes(400)] * 12, 96, 64), DamagedFile, "frames that are not pictures")
    half = frames[:3] + [bytes(400)] * 30
    add("many.avi", avi(frames, 96, 64, promised=1_000_000), None, "promises a million frames, has 12")
    add("rotten.avi", avi(half, 96, 64), DamagedFile, "most of its frames do not decode")
    _, plain = cv2.imencode(".jpg", np.zeros((8_000, 16_000), np.uint8))
    vast = avi([plain.tobytes()], 96, 64)
    add("vast.avi", vast, OverLimit, "frames of 128 megapixels behind a small header")
    add(
        "changing.avi",
        avi([*frames[:6], *(jpeg(128, 96, s) for s in range(6))], 96, 64),
        None,
        "changing resolution",
    )
    add("turned.mp4", turned(sound["mp4"], 90), None, "a rotation flag")
    add("uneven.mkv", matroska(frames, [n * n * 10 for n in range(12)], 96, 64), None, "variable frame rate")
    add(
        "live.webm",
        matroska(frames, even, 96, 64, live=True, doctype=b"webm"),
        None,
        "no length, no duration",
    )
    add("eternal.mkv", matroska(frames, even, 96, 64, duration_ms=1e12), None, "claims to last thirty years")
    long = matroska(frames, [n * 3_600_000 for n in range(12)], 96, 64)
    add("long.mkv", long, OverLimit, "lasts twelve hours by its own times")
    drm = sound["mp4"].index(b"stsd") + 16
    add("drm.mp4", _patched(sound["mp4"], drm, b"encv"), DamagedFile, "encrypted samples")
    add("deaf.mp4", sound["mp4"].replace(b"vide", b"soun"), DamagedFile, "only sound, as its header says")
    add("headless.mp4", sound["mp4"].replace(b"moov", b"free"), DamagedFile, "no index")


def _special(folder: Path) -> list[Hostile]:
    """Things that are no regular file."""
    inside, pipe, loop = folder / "folder.jpg", folder / "pipe.jpg", folder / "loop.jpg"
    inside.mkdir()
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    return [
        Hostile(inside, NotAFile, "a directory"),
        Hostile(pipe, NotAFile, "a FIFO that nobody writes to"),
        Hostile(loop, NotAFile, "a link to itself"),
        Hostile(folder / "missing.jpg", NotAFile, "nothing there"),
        Hostile(Path("/dev/zero"), NotAFile, "an endless device"),
    ]
