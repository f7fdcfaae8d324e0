"""The limits on size, length and time hold for every file, however it is made."""

from __future__ import annotations

import struct
import zlib
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from haechi.errors import DamagedFile, OverLimit
from haechi.media import open_media
from haechi.media.jpeg import read_header
from haechi.settings import Settings
from hostile import samples
from tinypicture import encoded, pictures
from tinyvideo import jpeg, matroska

DEFAULT = Settings()


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
