"""Pictures that move, and what files hold behind the picture that is shown: a title card hides nothing."""

from __future__ import annotations

import struct
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from haechi import report as reports
from haechi.errors import DamagedFile, OverLimit
from haechi.media import open_media
from haechi.settings import LANGUAGES, Settings
from hostile import samples
from report_cases import photo
from tinyheic import heic, needs_x265
from tinypicture import animation, encoded
from tinyvideo import picture

DEFAULT = Settings()


def moving(form: str, delays_ms: list[int]) -> bytes:
    frames = [Image.fromarray(picture(48, 32, step)) for step in range(len(delays_ms))]
    return encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=delays_ms)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_frames_stand_as_long_as_the_file_says(form: str) -> None:
    media = open_media(moving(form, [2000, 50, 100]), DEFAULT)
    assert [round(f.time_s, 3) for f in media.frames(9)] == [0.0, 2.0, 2.05]
    assert media.duration_s == pytest.approx(2.15)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_frames_without_a_time_stand_as_long_as_browsers_show_them(form: str) -> None:
    media = open_media(moving(form, [10, 10, 10]), DEFAULT)
    assert [round(f.time_s, 3) for f in media.frames(9)] == [0.0, 0.1, 0.2]


@pytest.mark.parametrize("form", ["GIF", "WEBP", "AVIF", "PNG"])
def test_a_moving_picture_that_misses_its_end_is_refused(form: str) -> None:
    data = animation(form)
    for tenth in range(3, 10):
        with pytest.raises(DamagedFile):
            open_media(data[: len(data) * tenth // 10], DEFAULT)


def test_a_moving_picture_is_held_to_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    data = moving("GIF", [2000, 2000, 2000])
    with pytest.raises(OverLimit, match="HAECHI_MAX_DURATION_S"):
        open_media(data, Settings(max_duration_s=5))
    with pytest.raises(OverLimit, match="HAECHI_MAX_PIXELS"):
        open_media(data, Settings(max_pixels=1000))
    media = open_media(data, Settings(decode_timeout_s=5.0))
    monkeypatch.setattr("haechi.media.clock.time", SimpleNamespace(monotonic=count(0.0, 2.0).__next__))
    with pytest.raises(OverLimit, match="HAECHI_DECODE_TIMEOUT_S"):
        list(media.frames(3))


def test_an_animation_may_be_left_halfway_and_used_again() -> None:
    media = open_media(animation("WEBP"), DEFAULT)
    iterator = media.frames(5)
    next(iterator)
    inner = [f.index for f in media.frames(5)]
    assert next(iterator).index == 1
    assert inner == [0, 1, 2, 3, 4]


# --- motion photos and second pictures ------------------------------------------------------------


@pytest.mark.parametrize("between", [b"", bytes(40), b"\0\0\x30\x0a\x10\0\0\0MotionPhoto_Data"])
def test_the_video_of_a_motion_photo_is_named(between: bytes) -> None:
    whole = samples()["jpg"]
    facts = open_media(whole + between + samples()["mp4"], DEFAULT).container
    assert facts["attached_video"] is True
    assert facts["attached_video_s"] == pytest.approx(
        open_media(samples()["mp4"], DEFAULT).duration_s, abs=0.1
    )
    assert "further_pictures" not in facts
    assert not {"attached_video", "further_pictures"} & set(open_media(whole, DEFAULT).container)
    assert "attached_video" not in open_media(whole + b"\0\0\0\x18ftypes of things", DEFAULT).container


@needs_x265
def test_the_video_of_a_motion_photo_in_heic_is_named() -> None:
    still = heic([picture(128, 128)])
    movie = samples()["mp4"]
    boxed = still + struct.pack(">I", len(movie) + 8) + b"mpvd" + movie
    for data in (boxed, still + b"MotionPhoto_Data" + movie):
        assert open_media(data, DEFAULT).container["attached_video"] is True
    assert "attached_video" not in open_media(still, DEFAULT).container


def mpo(*more: bytes) -> bytes:
    pictures = [Image.fromarray(picture(64, 48, step)) for step in range(3)]
    return encoded(pictures[0], "MPO", save_all=True, append_images=pictures[1:]) + b"".join(more)


def test_further_pictures_are_counted_and_gain_maps_told_apart() -> None:
    assert open_media(mpo(), DEFAULT).container["further_pictures"] == 2
    whole = samples()["jpg"]
    assert open_media(whole + whole, DEFAULT).container["further_pictures"] == 1
    note = b"http://ns.adobe.com/xap/1.0/\0<x hdrgm:Version='1.0'/>"
    lit = whole[:2] + b"\xff\xe1" + struct.pack(">H", len(note) + 2) + note + whole[2:]
    facts = open_media(whole + lit, DEFAULT).container
    assert facts["gain_map"] is True
    assert "further_pictures" not in facts


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_was_not_examined_is_said_in_every_language(lang: str) -> None:
    one = photo()
    plain = reports.to_dict(one, lang)["not_tested"]
    for facts, word in (
        ({"attached_video": True, "attached_video_s": 2.1}, "2.1"),
        ({"attached_video": True}, ""),
        ({"further_pictures": 3}, "3"),
        ({"gain_map": True}, ""),
        ({"animated": True}, ""),
    ):
        told = replace(one, media=replace(one.media, container={**one.media.container, **facts}))
        (line,) = set(reports.to_dict(told, lang)["not_tested"]) - set(plain)
        assert word in line
        assert "?" not in line
        assert "not_tested" not in line


def test_a_title_card_does_not_hide_the_rest(tmp_path: Path, astronaut: Path) -> None:
    face = Image.open(astronaut).convert("RGB").resize((256, 256))
    card = Image.new("RGB", (256, 256), (20, 20, 20))
    path = tmp_path / "a.gif"
    path.write_bytes(encoded(card, "GIF", save_all=True, append_images=[face] * 3, duration=100))
    shown = [np.asarray(f.rgb) for f in open_media(path, DEFAULT).frames(4)]
    assert shown[0].std() < 3
    assert all(np.abs(rgb.astype(int) - np.asarray(face)).mean() < 12 for rgb in shown[1:])
