"""Reading photographs and videos: what arrives is upright RGB, and what is broken is refused in one line."""

from __future__ import annotations

import gc
import hashlib
import os
import stat
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from haechi.errors import DamagedFile, HaechiError
from haechi.media import display_name, open_media
from haechi.media.exif import tiff_pages
from haechi.settings import Settings
from haechi.types import U8
from hostile import samples
from tinypicture import animation, cartoon, encoded, oriented, pictures
from tinyvideo import avi, jpeg, matroska, mp4, picture, turned

DEFAULT = Settings()


def first(source: Any, limits: Settings = DEFAULT) -> U8:
    return next(open_media(source, limits).frames(1)).rgb


# --- pictures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", sorted(pictures()))
def test_every_picture_format_gives_its_colours(ending: str) -> None:
    media = open_media(samples()[ending], DEFAULT)
    rgb = next(media.frames(3)).rgb
    assert media.kind == "image"
    assert (media.fps, media.duration_s) == (None, None)
    assert (media.width_px, media.height_px) == (64, 48)
    assert media.sha256 == hashlib.sha256(samples()[ending]).hexdigest()
    assert np.abs(rgb.astype(int) - picture(64, 48)).mean() < 12
    assert [(f.index, f.time_s) for f in media.frames(9)] == [(0, 0.0)]
    assert list(media.frames(0)) == []


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_honoured_exactly_once(form: str, orientation: int) -> None:
    stored = np.zeros((64, 96, 3), np.uint8)
    stored[:32, :32], stored[:32, 64:], stored[32:, :32] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    across = stored.swapaxes(0, 1)
    upright = {
        1: stored, 2: stored[:, ::-1], 3: stored[::-1, ::-1], 4: stored[::-1],
        5: across, 6: np.rot90(stored, -1), 7: across[::-1, ::-1], 8: np.rot90(stored),
    }  # fmt: skip
    media = open_media(oriented(stored, orientation, form), DEFAULT)
    rgb = next(media.frames(1)).rgb
    assert rgb.shape == upright[orientation].shape == (media.height_px, media.width_px, 3)
    assert np.abs(rgb.astype(int) - upright[orientation]).mean() < 8
    assert media.container["rotation_deg"] in (0, 90, 180, 270)


def test_depths_and_colour_spaces() -> None:
    rgb = picture(64, 48)
    grey = rgb[:, :, 1]
    three = np.repeat(grey[:, :, None], 3, axis=2)
    same = {
        "16-bit PNG": encoded(grey.astype(np.uint16) * 257, "PNG"),
        "16-bit TIFF": encoded(grey.astype(np.uint16) * 257, "TIFF"),
        "float to 1": encoded((grey / 255).astype(np.float32), "TIFF"),
        "float to 255": encoded(grey.astype(np.float32), "TIFF"),
        "grey": encoded(grey, "PNG"),
        "opaque grey": encoded(np.dstack([grey, np.full_like(grey, 255)]), "PNG"),
    }
    for note, data in same.items():
        assert np.abs(first(data).astype(int) - three).max() <= 1, note
    cmyk = Image.fromarray(rgb).convert("CMYK")
    assert np.abs(first(encoded(cmyk, "JPEG", quality=95)).astype(int) - rgb).mean() < 12
    holes = (grey / 255).astype(np.float32)
    holes[0, 0] = np.nan
    assert first(encoded(holes, "TIFF"))[1:].max() == 255


def test_transparent_is_white() -> None:
    clear = np.zeros((8, 8, 4), np.uint8)
    assert first(encoded(clear, "PNG")).min() == 255
    half = np.dstack([np.zeros((8, 8, 3), np.uint8), np.full((8, 8), 128, np.uint8)])
    assert abs(int(first(encoded(half, "PNG"))[0, 0, 0]) - 127) <= 1
    palette = Image.fromarray(np.zeros((8, 8), np.uint8), "L").convert("P")
    assert first(encoded(palette, "PNG", transparency=0)).min() == 255


@pytest.mark.parametrize("quality", [1, 10, 40, 50, 75, 92, 100])
def test_jpeg_quality_is_told_from_the_tables(quality: int) -> None:
    facts = open_media(encoded(cartoon(), "JPEG", quality=quality, subsampling=1), DEFAULT).container
    assert facts["jpeg_quality"] == quality
    assert facts["jpeg_subsampling"] == "4:2:2"


def test_facts_are_clean_and_hold_no_place() -> None:
    facts = open_media(oriented(cartoon(), 6), DEFAULT).container
    assert facts["rotation_deg"] == 90
    assert facts["software"] == "Retouch 7"
    assert facts["camera_make"] == "Acme [31m Cameras"
    assert not [key for key in facts if "gps" in key.lower() or "path" in key or "date" in key]


@pytest.mark.parametrize("form", ["GIF", "WEBP", "AVIF", "PNG"])
def test_a_picture_that_moves_is_a_short_video(form: str) -> None:
    media = open_media(animation(form), DEFAULT)
    assert (media.kind, media.container["animated"], media.container["frames"]) == ("video", True, 5)
    assert (media.fps, media.duration_s) == (pytest.approx(10), pytest.approx(0.5))
    for _ in range(2):
        frames = list(media.frames(9))
        assert [(f.index, round(f.time_s, 3)) for f in frames] == [(n, n / 10) for n in range(5)]
        for frame in frames:
            assert np.abs(frame.rgb.astype(int) - picture(48, 32, frame.index)).mean() < 12
    assert [f.index for f in media.frames(2)] == [1, 3]
    assert list(media.frames(0)) == []
    still = open_media(encoded(cartoon(), form, save_all=True), DEFAULT)
    assert not {"animated", "frames"} & set(still.container)


def test_what_an_animated_png_promises_is_not_believed() -> None:
    moving = animation("PNG")
    at = moving.index(b"acTL")
    patched = moving[: at + 4] + struct.pack(">I", 4_000_000_000) + moving[at + 8 :]
    patched = patched[: at + 12] + struct.pack(">I", zlib.crc32(patched[at : at + 12])) + patched[at + 16 :]
    assert open_media(patched, DEFAULT).container["frames"] == 5


@pytest.mark.parametrize("big", [False, True])
def test_pages_of_a_tiff_are_counted(big: bool) -> None:
    pages = [Image.fromarray(picture(48, 32, step)) for step in range(3)]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:], big_tiff=big)
    media = open_media(data, DEFAULT)
    assert media.container["frames"] == 3
    assert "animated" not in media.container
    assert np.array_equal(next(media.frames(9)).rgb, picture(48, 32))
    small = TiffImagePlugin.ImageFileDirectory_v2()
    small[0x00FE] = 1
    pages[1].encoderinfo = {"tiffinfo": small}
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:], big_tiff=big)
    assert open_media(data, DEFAULT).container["frames"] == 2
    assert "frames" not in open_media(encoded(pages[0], "TIFF", big_tiff=big), DEFAULT).container


def test_a_chain_of_tiff_pages_that_bites_its_tail_ends() -> None:
    data = bytearray(encoded(picture(48, 32), "TIFF"))
    (at,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, at)
    data[at + 2 + 12 * entries : at + 6 + 12 * entries] = struct.pack("<I", at)
    assert "frames" not in open_media(bytes(data), DEFAULT).container
    assert tiff_pages(b"II\x2b\0\x08\0\0\0" + b"\xff" * 40) == 0
    assert tiff_pages(b"MM\0\x2b\0\x08\0\0" + bytes(7) + b"\x10" + b"\xff" * 40) == 0


def test_names_are_fit_to_be_shown(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"a\nb\x1b[31m\xff.jpg")
    path.write_bytes(samples()["jpg"])
    assert open_media(path, DEFAULT).name == "a\ufffdb\ufffd[31m\ufffd.jpg"
    assert open_media(str(path), DEFAULT).name == display_name(path)
    assert open_media(samples()["jpg"], DEFAULT).name == "<bytes>"


# --- videos ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["mp4", "mov", "avi", "mkv", "webm"])
def test_every_container(ending: str, tmp_path: Path) -> None:
    path = tmp_path / "clip"
    path.write_bytes(samples()[ending])
    media = open_media(path, DEFAULT)
    frames = list(media.frames(100))
    assert (media.kind, media.container["format"], len(frames)) == ("video", ending, 12)
    assert media.sha256 == hashlib.sha256(samples()[ending]).hexdigest()
    assert media.duration_s == pytest.approx(12 / (media.fps or 0), rel=0.02)
    for frame in frames:
        assert np.abs(frame.rgb.astype(int) - picture(96, 64, frame.index)).mean() < 12
    assert [f.index for f in media.frames(100)] == list(range(12))


def test_frames_are_evenly_spaced(tmp_path: Path) -> None:
    media = open_media(mp4(tmp_path / "a.mp4", frames=90, fps=30.0), DEFAULT)
    for n in (1, 2, 7, 30, 89):
        frames = list(media.frames(n))
        index = [f.index for f in frames]
        assert len(index) == n
        assert set(np.diff(index)) <= {90 // n, 90 // n + 1}
        assert abs(index[0] + index[-1] - 89) <= 1
        assert [f.time_s for f in frames] == pytest.approx([i / 30 for i in index], abs=1e-3)
    assert list(media.frames(0)) == []


def test_times_of_a_variable_frame_rate_are_the_real_ones() -> None:
    times = [0, 10, 500, 510, 3000, 3001]
    data = matroska([jpeg(96, 64, i) for i in range(6)], times, 96, 64)
    media = open_media(data, DEFAULT)
    assert [round(f.time_s * 1000) for f in media.frames(6)] == times
    assert [f.index for f in media.frames(3)] == [1, 3, 5]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation_flag_is_honoured_exactly_once(degrees: int) -> None:
    media = open_media(turned(samples()["mp4"], degrees), DEFAULT)
    rgb = next(media.frames(1)).rgb
    assert media.container["rotation_deg"] == degrees
    assert rgb.shape == (media.height_px, media.width_px, 3)
    white = np.rot90(rgb, degrees // 90)
    assert white.shape == (64, 96, 3)
    assert white[:12, :20].mean() > 230
    assert white[:12, -20:].mean() < 130


def test_promises_of_the_header_are_not_believed() -> None:
    frames = [jpeg(96, 64, step) for step in range(30)]
    for promised in (0, 1, 29, 10**9):
        media = open_media(avi(frames, 96, 64, promised=promised), DEFAULT)
        assert [f.index for f in media.frames(3)] == [5, 15, 25]
    assert open_media(avi(frames, 96, 64, promised=900), DEFAULT).container["truncated"] is True
    live = matroska(frames, range(0, 3000, 100), 96, 64, live=True)
    assert [f.index for f in open_media(live, DEFAULT).frames(3)] == [5, 15, 25]
    assert open_media(live, DEFAULT).duration_s == pytest.approx(3.0, rel=0.01)


def test_a_reader_can_be_left_halfway_and_used_again() -> None:
    media = open_media(samples()["mp4"], DEFAULT)
    iterator = media.frames(12)
    next(iterator)
    inner = [f.index for f in media.frames(4)]
    assert next(iterator).index == 1
    assert [f.index for f in media.frames(4)] == inner


def test_a_video_under_a_name_that_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = tmp_path / os.fsdecode(b"clip\xff\n.mp4")
    path.write_bytes(samples()["mp4"])
    media = open_media(path, DEFAULT)
    assert len(list(media.frames(3))) == 3
    del media
    gc.collect()
    assert list((tmp_path / "temporary").iterdir()) == []
    assert path.exists()


def test_a_video_of_bytes_has_no_name_that_a_kill_could_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    media = open_media(samples()["mp4"], DEFAULT)
    assert list(tmp_path.iterdir()) == []
    handles = {path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}
    assert [str(target) for target in handles if str(tmp_path) in str(target)]
    assert len(list(media.frames(3))) == 3
    del media
    gc.collect()
    assert not [path for path in Path("/proc/self/fd").glob("*") if str(tmp_path) in os.path.realpath(path)]


def test_temporary_file_is_private_and_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("haechi.media.video_file._DESCRIPTORS", tmp_path / "as on other systems")
    media = open_media(samples()["mp4"], DEFAULT)
    (path,) = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    del media
    gc.collect()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DamagedFile):
        open_media(samples()["mp4"][:-200], DEFAULT)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(os, "fdopen", _no_room)
    with pytest.raises(HaechiError, match="temporary folder"):
        open_media(samples()["mp4"], DEFAULT)
    assert list(tmp_path.iterdir()) == []


def _no_room(handle: int, _: str) -> None:
    os.close(handle)
    raise OSError(28, "No space left on device")
