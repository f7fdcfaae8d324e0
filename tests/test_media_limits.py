"""The limits on size, length and time hold for every file, however it is made."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from haechi.errors import DamagedFile, OverLimit
from haechi.media import open_media
from haechi.media.jpeg_header import read_header
from haechi.media.limits import memory_bytes
from haechi.settings import Settings
from hostile import samples
from tinypicture import encoded, pictures
from tinyvideo import jpeg, matroska

DEFAULT = Settings()


PEAK = """
import sys
from haechi.errors import OverLimit
from haechi.media import open_media
from haechi.media.opencv import opencv
from haechi.settings import Settings

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

opencv()
before = peak()
try:
    media = open_media(sys.argv[1], Settings(max_memory_bytes=int(sys.argv[2])))
    list(media.frames(2))
    print(peak() - before, media.width_px, media.container.get("reduced_by", 1))
except OverLimit as error:
    print(peak() - before, "HAECHI_MAX_MEMORY_BYTES" in error.message)
"""


def in_a_process(path: Path, most_bytes: int) -> list[str]:
    """Bytes of memory that opening a file took at its peak, and what came of it."""
    command = [sys.executable, "-c", PEAK, str(path), str(most_bytes)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", {}),
        ("a.webp", {"lossless": True, "quality": 0, "method": 0}),
        ("a.avif", {"speed": 10}),
        ("a.gif", {}),
        ("a.jpg", {}),
        ("b.jpg", {"progressive": True, "subsampling": 0}),
        ("a.tif", {"compression": "tiff_lzw"}),
        ("a.bmp", {}),
    ],
)
def test_memory_stays_within_its_limit(name: str, options: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / name
    Image.new("L" if name == "a.gif" else "RGB", (4000, 3000), 90).save(path, **options)
    room = memory_bytes(_form(name), 12_000_000, path.stat().st_size)
    if name == "b.jpg":
        room += 2 * 3 * 12_000_000
    took, width, reduced = in_a_process(path, room)
    assert (width, reduced) == ("4000", "1")
    assert int(took) < room * 1.15 + 10_000_000
    took, *rest = in_a_process(path, room - 1)
    if name == "a.jpg":
        assert rest == ["2000", "2"]
        return
    assert rest == (["2000", "2"] if name == "b.jpg" else ["True"])
    assert int(took) < room


def _form(name: str) -> str:
    return {"jpg": "jpeg", "tif": "tiff"}.get(name[2:], name[2:])


def test_a_giant_webp_of_few_bytes_is_refused_before_room_is_made(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    Image.new("RGB", (9000, 9000)).save(path, lossless=True, quality=0, method=0)
    assert path.stat().st_size < 100_000
    with pytest.raises(OverLimit, match="HAECHI_MAX_MEMORY_BYTES"):
        open_media(path, DEFAULT)


def test_a_picture_file_too_large_to_be_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.bmp"
    path.write_bytes(samples()["bmp"])
    os.truncate(path, 400_000_000)
    with pytest.raises(OverLimit, match="400,000,000 bytes"):
        open_media(path, DEFAULT)


def test_limits(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(samples()["jpg"])
    for source in (path, samples()["jpg"]):
        with pytest.raises(OverLimit, match="HAECHI_MAX_BYTES"):
            open_media(source, Settings(max_bytes=100))
        with pytest.raises(OverLimit, match="HAECHI_MAX_PIXELS"):
            open_media(source, Settings(max_pixels=64 * 48 - 1))
        assert open_media(source, Settings(max_pixels=64 * 48)).width_px == 64
    for ending in pictures():
        with pytest.raises(OverLimit):
            open_media(samples()[ending], Settings(max_pixels=100))
    for ending in ("mp4", "avi", "mkv"):
        with pytest.raises(OverLimit):
            open_media(samples()[ending], Settings(max_pixels=100))
    long = matroska([jpeg(96, 64)] * 4, [0, 500, 1000, 1500], 96, 64)
    assert open_media(long, Settings(max_duration_s=2.0)).duration_s == 2.0
    with pytest.raises(OverLimit, match="HAECHI_MAX_DURATION_S"):
        open_media(long, Settings(max_duration_s=1.9))


def test_many_passes_over_many_pixels_are_refused_before_they_are_made() -> None:
    data = encoded(np.zeros((2000, 3000), np.uint8), "JPEG", progressive=True)
    at = data.rindex(b"\xff\xda")
    passes = data[:at] + data[at:-2] * 150 + b"\xff\xd9"
    assert read_header(passes).scans > 150
    with pytest.raises(OverLimit, match="HAECHI_DECODE_TIMEOUT_S"):
        open_media(passes, Settings(decode_timeout_s=3.0))
    assert open_media(data, Settings(decode_timeout_s=3.0)).width_px == 3000


def test_pictures_in_very_many_pieces_are_refused_in_time() -> None:
    chunk = struct.pack(">I4sI", 0, b"abCd", zlib.crc32(b"abCd"))
    whole = samples()["png"]
    assert open_media(whole[:33] + chunk * 1000 + whole[33:], DEFAULT)
    with pytest.raises(DamagedFile, match="more than 200,000 chunks"):
        open_media(whole[:33] + chunk * 200_001 + whole[33:], DEFAULT)
    whole = samples()["gif"]
    with pytest.raises(DamagedFile, match="more than 200,000 blocks"):
        open_media(whole[:-1] + b"!\xfe\0" * 200_001 + whole[-1:], DEFAULT)


@pytest.mark.parametrize("ending", ["png", "gif"])
def test_following_a_pictures_structure_is_held_to_the_limit(
    ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = samples()["gif"]
    long = {"png": samples()["png"], "gif": whole[:-1] + b"!\xfe" + b"\1a" * 100_000 + b"\0" + whole[-1:]}
    assert open_media(long[ending], DEFAULT)
    monkeypatch.setattr("haechi.media.clock.time", SimpleNamespace(monotonic=count(0.0, 0.5).__next__))
    with pytest.raises(OverLimit, match="save the picture anew"):
        open_media(long[ending], Settings(decode_timeout_s=1.0))


def test_slow_decoding_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    media = open_media(samples()["mp4"], Settings(decode_timeout_s=5.0))
    monkeypatch.setattr("haechi.media.clock.time", SimpleNamespace(monotonic=count(0.0, 2.0).__next__))
    with pytest.raises(OverLimit, match="HAECHI_DECODE_TIMEOUT_S"):
        list(media.frames(12))
    with pytest.raises(OverLimit, match="HAECHI_DECODE_TIMEOUT_S"):
        open_media(samples()["mp4"], Settings(decode_timeout_s=5.0))


def test_the_time_that_the_caller_takes_is_not_decoding_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("haechi.media.clock.time", SimpleNamespace(monotonic=lambda: now[0]))
    media = open_media(samples()["avi"], Settings(decode_timeout_s=5.0))
    for _ in media.frames(12):
        now[0] += 100.0
