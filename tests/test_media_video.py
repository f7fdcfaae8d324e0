"""Videos of the kinds that decoders get wrong: the right frames, or an error that says what to do; never
memory, and never another file's pixels."""

from __future__ import annotations

import shutil
import struct
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from filmed import INTERLACED, coded, interlaced, needs_ffmpeg, progressive
from haechi import doctor
from haechi.errors import DamagedFile, InputError, OverLimit
from haechi.media import ffmpeg as by_ffmpeg
from haechi.media import ffmpeg_reader, open_media
from haechi.media.interlace import may_be_interlaced
from haechi.media.orientation import Orientation
from haechi.media.tonemap import HLG, PQ
from haechi.settings import Settings
from haechi.types import U8
from hostile import samples
from tinyvideo import cv2, mp4, picture

DEFAULT = Settings()


def moving(width: int, height: int, count: int = 12) -> list[U8]:
    return [picture(width, height, step) for step in range(count)]


def bars(width: int, height: int, count: int = 12, seed: int = 3) -> list[U8]:
    """Something that looks like nothing else here: coloured stripes that move."""
    colours = np.random.default_rng(seed).integers(0, 256, (8, 3), np.uint8)
    columns = np.arange(width) * 8 // width
    return [np.ascontiguousarray(np.tile(colours[(columns + i) % 8], (height, 1, 1))) for i in range(count)]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where ffmpeg is not installed."""
    monkeypatch.setattr("haechi.media.video.installed", lambda: False)


def difference(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


# --- interlaced -----------------------------------------------------------------------------------


@needs_ffmpeg
@pytest.mark.parametrize("codec", sorted(INTERLACED))
def test_interlaced_video_is_shown_as_it_is(codec: str, tmp_path: Path) -> None:
    frames = moving(*INTERLACED[codec][2:])
    media = open_media(interlaced(codec, tmp_path, frames), DEFAULT)
    assert media.container["codec"] == codec
    shown = list(media.frames(12))
    assert [frame.index for frame in shown] == list(range(12))
    for frame, right in zip(shown, frames, strict=True):
        square = Orientation().with_pixels(media.width_px / right.shape[1]).apply(right)
        assert difference(frame.rgb, square) < 10


@needs_ffmpeg
@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("codec", sorted(INTERLACED))
def test_interlaced_video_never_shows_the_file_before(codec: str, tmp_path: Path) -> None:
    """Without ffmpeg OpenCV leaves its frames unwritten: an error says what to install."""
    width, height = INTERLACED[codec][2:]
    before = progressive(tmp_path / "before.mp4", bars(width, height, 6))
    after = interlaced(codec, tmp_path, moving(width, height))
    for _ in range(3):
        assert difference(next(open_media(before, DEFAULT).frames(1)).rgb, bars(width, height, 6)[3]) < 12
        with pytest.raises(DamagedFile, match=r"install ffmpeg \(https://ffmpeg.org\)"):
            list(open_media(after, DEFAULT).frames(12))


@needs_ffmpeg
@pytest.mark.parametrize("matrix", ["ycgco", "bt2020c"])
def test_rare_colours_never_show_the_file_before(
    matrix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = progressive(tmp_path / "before.mp4", bars(320, 240, 6))
    after = progressive(tmp_path / "a.mp4", moving(320, 240), "-x264-params", f"colormatrix={matrix}")
    assert len(list(open_media(before, DEFAULT).frames(6))) == 6
    with pytest.raises(DamagedFile, match="rare way"):
        list(open_media(after, DEFAULT).frames(3))
    monkeypatch.setattr("haechi.media.video.installed", lambda: False)
    assert len(list(open_media(before, DEFAULT).frames(6))) == 6
    with pytest.raises(DamagedFile, match="rare way"):
        list(open_media(after, DEFAULT).frames(3))


@needs_ffmpeg
@pytest.mark.usefixtures("alone")
def test_a_still_picture_as_a_video_is_its_own(tmp_path: Path) -> None:
    """Neither frames that do not differ nor black ones are taken for memory that was not written."""
    still = progressive(tmp_path / "still.mp4", [picture(320, 240)] * 12)
    for frame in open_media(still, DEFAULT).frames(3):
        assert difference(frame.rgb, picture(320, 240)) < 4
    for value in (0, 128, 255):
        plain = progressive(tmp_path / f"{value}.mp4", [np.full((240, 320, 3), value, np.uint8)] * 12)
        assert len(list(open_media(plain, DEFAULT).frames(3))) == 3
    dark = [np.zeros((240, 320, 3), np.uint8)] * 40
    fading = progressive(tmp_path / "fading.mp4", [*dark, *moving(320, 240)])
    assert len(list(open_media(fading, DEFAULT).frames(52))) == 52


@needs_ffmpeg
@pytest.mark.usefixtures("alone")
def test_a_video_that_becomes_interlaced_on_the_way_is_refused(tmp_path: Path) -> None:
    """OpenCV repeats the last frame that it wrote; the parameter sets at the beginning tell nothing of it."""
    stream = ["-bsf:v", "h264_mp4toannexb", "-f", "h264"]
    one = progressive(tmp_path / "one.264", moving(320, 240), *stream)
    options = [*INTERLACED["h264"][0], *stream]
    other = coded(tmp_path / "other.264", moving(320, 240), options, ["setfield=tff"])
    both = tmp_path / "both.264"
    both.write_bytes(one.read_bytes() + other.read_bytes())
    path = tmp_path / "both.mkv"
    command = ["ffmpeg", "-v", "error", "-r", "25", "-f", "h264", "-i", str(both), "-c", "copy", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(DamagedFile, match=r"install ffmpeg \(https://ffmpeg.org\)"):
        list(open_media(path, DEFAULT).frames(24))


@pytest.mark.parametrize("ending", ["mp4", "avi", "mkv", "webm", "mov"])
def test_where_memory_cannot_be_cleared_a_new_process_confirms(
    ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haechi.media.unwritten_frames._clearing.mallopt", None)
    media = open_media(samples()[ending], DEFAULT)
    assert [frame.index for frame in media.frames(4)] == [1, 4, 7, 10]
    monkeypatch.setattr("haechi.media.opencv_reader.first_frame_elsewhere", lambda *_: "another picture")
    monkeypatch.setattr("haechi.media.video.installed", lambda: False)
    with pytest.raises(DamagedFile, match="rare way"):
        open_media(samples()[ending], DEFAULT)


def test_parameter_sets_tell_of_fields() -> None:
    frames_only = bytes.fromhex("6742c01eda02802dc8")
    assert not may_be_interlaced("h264", b"\0\0\1" + frames_only)
    for codec in ("h264", "hevc"):
        for noise in (b"", b"\1", b"\1" * 40, b"\0\0\1\x67", b"\0\0\1\x42" + b"\xff" * 9, bytes(300)):
            assert may_be_interlaced(codec, noise) in (True, False)


# --- long videos ----------------------------------------------------------------------------------


@needs_ffmpeg
@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_frames_are_found_again_without_decoding_all(ending: str, tmp_path: Path) -> None:
    frames = [picture(160, 120, step) for step in range(400)]
    path = progressive(tmp_path / f"a.{ending}", frames, "-g", "20", "-bf", "2")
    media = open_media(path, DEFAULT)
    assert media.again(50, [1.0]) is None, "nothing was read yet"
    examined = {frame.index: frame for frame in media.frames(50)}
    found = media.again(50, [0.0, 3.0, 3.01, 9.0, 99.0])
    assert found is not None
    again = list(found)
    assert [frame.index for frame in again] == [4, 76, 228, 396]
    for frame in again:
        assert frame.time_s == pytest.approx(examined[frame.index].time_s, abs=0.001)
        assert np.array_equal(frame.rgb, examined[frame.index].rgb)


@needs_ffmpeg
def test_a_frame_has_its_own_time_though_the_machine_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ffmpeg says of times is read beside the pictures, and may come later than they."""
    path = progressive(tmp_path / "a.ts", [picture(160, 120, step) for step in range(60)])
    note = ffmpeg_reader._Times.note

    def late(self: ffmpeg_reader._Times, line: str) -> None:
        time.sleep(0.005)
        note(self, line)

    monkeypatch.setattr(ffmpeg_reader._Times, "note", late)
    frames = list(open_media(path, DEFAULT).frames(20))
    assert [f.time_s for f in frames] == pytest.approx([f.index / 25 for f in frames], abs=0.001)


@needs_ffmpeg
@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_a_long_video_is_sought(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("haechi.media.packet_index._LONG", 300)
    frames = [picture(160, 120, step) for step in range(600)]
    path = progressive(tmp_path / f"a.{ending}", frames, "-g", "50", "-keyint_min", "50", "-bf", "2")
    media = open_media(path, DEFAULT)
    shown = list(media.frames(8))
    assert len(shown) == 8
    for part, frame in enumerate(shown):
        assert 75 * part <= frame.index < 75 * (part + 1)
        assert frame.time_s == pytest.approx(frame.index / 25, abs=0.01)
        assert difference(frame.rgb, frames[frame.index]) < 6


# --- turned, mirrored, stretched ------------------------------------------------------------------


def with_matrix(data: bytes, a: int, b: int, c: int, d: int) -> bytes:
    at = data.index(b"tkhd") + 4 + 40
    matrix = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    return data[:at] + matrix + data[at + 36 :]


MATRICES = {
    (1, 0, 0, 1): lambda rgb: rgb,
    (-1, 0, 0, 1): lambda rgb: rgb[:, ::-1],
    (1, 0, 0, -1): lambda rgb: rgb[::-1],
    (0, 1, 1, 0): lambda rgb: rgb.swapaxes(0, 1),
    (0, -1, -1, 0): lambda rgb: rgb[::-1, ::-1].swapaxes(0, 1),
    (0, 1, -1, 0): lambda rgb: np.rot90(rgb, -1),
    (-1, 0, 0, -1): lambda rgb: np.rot90(rgb, 2),
    (0, -1, 1, 0): lambda rgb: np.rot90(rgb, 1),
}


@pytest.mark.parametrize("matrix", MATRICES)
def test_every_matrix_of_a_track_is_followed(matrix: tuple[int, int, int, int]) -> None:
    plain = next(open_media(samples()["mp4"], DEFAULT).frames(1)).rgb
    media = open_media(with_matrix(samples()["mp4"], *matrix), DEFAULT)
    assert media.container.get("mirrored", False) is (matrix[0] * matrix[3] - matrix[1] * matrix[2] < 0)
    shown = next(media.frames(1)).rgb
    assert np.array_equal(shown, MATRICES[matrix](plain))
    assert shown.shape[:2] == (media.height_px, media.width_px)


@needs_ffmpeg
@pytest.mark.parametrize("matrix", MATRICES)
def test_both_readers_turn_alike(
    matrix: tuple[int, int, int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.mov"
    path.write_bytes(with_matrix(mp4(tmp_path / "b.mov").read_bytes(), *matrix))
    one = open_media(path, DEFAULT)
    monkeypatch.setattr("haechi.media.opencv_reader._PLAIN", frozenset())
    other = open_media(path, DEFAULT)
    assert dict(one.container) == dict(other.container)
    for frame, same in zip(one.frames(4), other.frames(4), strict=True):
        # OpenCV 4.13 tells the time of the first two frames one frame late.
        assert (frame.index, frame.time_s) == (same.index, pytest.approx(same.time_s, abs=0.041))
        assert difference(frame.rgb, same.rgb) < 3


@needs_ffmpeg
@pytest.mark.parametrize(("sar", "size"), [("4/3", (640, 360)), ("3/4", (480, 480)), ("1/1", (480, 360))])
@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_pixels_become_square(sar: str, size: tuple[int, int], ending: str, tmp_path: Path) -> None:
    path = progressive(tmp_path / f"a.{ending}", moving(480, 360), before=f"setsar={sar}")
    media = open_media(path, DEFAULT)
    assert (media.width_px, media.height_px) == size
    rgb = next(media.frames(1)).rgb
    assert rgb.shape == (size[1], size[0], 3)
    assert difference(rgb[: size[1] // 5, : size[0] // 5], np.full(3, 255)) < 8
    with pytest.raises(OverLimit, match="HAECHI_MAX_PIXELS"):
        open_media(path, Settings(max_pixels=480 * 360 - 1))


def test_what_no_pixel_can_be_is_not_followed() -> None:
    for wrong in (0.0, -1.0, 1e9, float("nan"), float("inf")):
        assert Orientation().with_pixels(wrong) == Orientation()


# --- colours --------------------------------------------------------------------------------------


def signal(rgb: U8, transfer: str) -> NDArray[np.uint16]:
    """sRGB -> PQ or HLG in BT.2020, with white at 203 cd/m2 (BT.2408)."""
    value = rgb / 255
    light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    to_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    nits = 203 * light @ to_2020.T
    if transfer == PQ:
        power = (nits / 10_000) ** 0.1593017578125
        coded_as = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    else:
        luma = np.maximum(nits @ np.array([0.2627, 0.678, 0.0593]) / 1000, 1e-9)
        scene = nits / 1000 * (luma ** (1 / 1.2 - 1))[..., None]
        curve = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        coded_as = np.where(scene <= 1 / 12, np.sqrt(3 * scene), curve)
    return np.round(np.clip(coded_as, 0, 1) * 65535).astype(np.uint16)


@needs_ffmpeg
@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_high_dynamic_range_looks_as_the_standard_does(transfer: str, tmp_path: Path) -> None:
    right = moving(320, 240, 6)
    colours = f"log-level=none:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    options = ["-c:v", "libx265", "-preset", "ultrafast", "-crf", "8", "-x265-params", colours]
    filters = ["scale=out_color_matrix=bt2020:out_range=tv", "format=yuv420p10le"]
    path = coded(tmp_path / "a.mp4", [signal(rgb, transfer) for rgb in right], options, filters)
    shown = list(open_media(path, DEFAULT).frames(6))
    flat = [frame.rgb for frame in shown]
    # White is rolled off a little, so that what is brighter than white still differs from it.
    assert difference(np.stack(flat), np.stack(right)) < 12
    assert np.stack(flat)[:, :50, :60].mean() > 210


# --- what only ffmpeg reads -----------------------------------------------------------------------


@needs_ffmpeg
@pytest.mark.parametrize(
    ("ending", "options", "form"),
    [
        ("ts", ["-c:v", "libx264", "-f", "mpegts"], "ts"),
        ("m2ts", ["-c:v", "libx264", "-f", "mpegts", "-mpegts_m2ts_mode", "1"], "ts"),
        ("mpg", ["-c:v", "mpeg2video", "-q:v", "2", "-f", "vob"], "mpg"),
    ],
)
def test_camcorders_files(
    ending: str, options: list[str], form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = coded(tmp_path / f"a.{ending}", moving(320, 240, 25), [*options, "-pix_fmt", "yuv420p"])
    for source in (path, path.read_bytes()):
        media = open_media(source, DEFAULT)
        assert (media.container["format"], media.container["frames"]) == (form, 25)
        assert media.duration_s == pytest.approx(1.0, abs=0.05)
        for frame in media.frames(5):
            assert difference(frame.rgb, picture(320, 240, frame.index)) < 8
    monkeypatch.setattr("haechi.media.video.installed", lambda: False)
    with pytest.raises(DamagedFile, match=r"MPEG (transport|program) stream.*install ffmpeg"):
        open_media(path, DEFAULT)


@needs_ffmpeg
def test_av1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["-c:v", "libaom-av1", "-cpu-used", "8", "-crf", "20", "-pix_fmt", "yuv420p"]
    path = coded(tmp_path / "a.mp4", moving(96, 64), options)
    media = open_media(path, DEFAULT)
    assert (media.container["codec"], media.container["frames"]) == ("av1", 12)
    assert all(difference(f.rgb, picture(96, 64, f.index)) < 8 for f in media.frames(12))
    monkeypatch.setattr("haechi.media.video.installed", lambda: False)
    if cv2.__version__.startswith("4.14"):
        return  # its wheel knows AV1
    with pytest.raises(DamagedFile, match=r"coded in AV1.*install ffmpeg \(https://ffmpeg.org\)"):
        open_media(path, DEFAULT)


@needs_ffmpeg
def test_what_ffmpeg_cannot_decode_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = coded(tmp_path / "a.ts", moving(320, 240, 25), ["-c:v", "libx264", "-f", "mpegts"])
    whole = path.read_bytes()
    with pytest.raises(DamagedFile, match="No pictures"):
        open_media(whole[:188] * 30, DEFAULT)
    media = open_media(path, Settings(decode_timeout_s=30.0))
    assert len(list(media.frames(25))) == 25
    real = shutil.which("ffprobe")
    slow = tmp_path / "bin" / "ffprobe"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\ncase $* in *-show_streams*) exec {real} "$@";; esac\nexec sleep 30\n')
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:/usr/bin:/bin")
    with pytest.raises(OverLimit, match="HAECHI_DECODE_TIMEOUT_S"):
        open_media(path, Settings(decode_timeout_s=1.5))


@needs_ffmpeg
def test_damaged_streams_of_camcorders_are_read_or_refused(tmp_path: Path) -> None:
    path = coded(tmp_path / "a.ts", moving(320, 240, 25), ["-c:v", "libx264", "-f", "mpegts"])
    whole = path.read_bytes()
    chance = np.random.default_rng(4)
    for _ in range(4):
        data = bytearray(whole)
        for at in chance.integers(1000, len(data), 200):
            data[at] ^= 0xFF
        try:
            frames = list(open_media(bytes(data[: chance.integers(2000, len(data))]), DEFAULT).frames(5))
        except InputError:
            continue
        assert all(frame.rgb.shape == (240, 320, 3) for frame in frames)


def test_a_broken_ffmpeg_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ffmpeg", "ffprobe"):
        (tmp_path / name).write_text("this is no program")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DamagedFile, match="ffmpeg"):
        open_media((b"G" + bytes(187)) * 30, DEFAULT)


def test_the_doctor_tells_of_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    if by_ffmpeg.installed():
        assert [line for line in doctor.lines({}) if line.startswith("ffmpeg: ") and "not found" not in line]
    monkeypatch.setenv("PATH", "")
    assert [line for line in doctor.lines({}) if line.startswith("ffmpeg: not found")]


# --- the index ------------------------------------------------------------------------------------


def test_a_damaged_index_is_called_that() -> None:
    data = bytearray(samples()["mp4"])
    at = data.index(b"moov")
    for i in range(at + 120, len(data), 7):
        data[i] ^= 0xFF
    with pytest.raises(DamagedFile, match="index"):
        open_media(bytes(data), DEFAULT)
    sound = samples()["mp4"].replace(b"vide", b"soun")
    with pytest.raises(DamagedFile, match="no video track"):
        open_media(sound, DEFAULT)
