"""The degradation ladder: pure, repeatable, and blind to everything but the picture."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from haechi.bench import corruptions as d
from haechi.errors import UsageError
from haechi.types import U8


@pytest.fixture(scope="module")
def picture() -> U8:
    y, x = np.mgrid[0:120, 0:97]
    rng = np.random.default_rng(0)
    waves = np.stack([np.sin(x / 3), np.cos(y / 5), np.sin((x + y) / 9)], axis=-1)
    return np.clip(128 + 70 * waves + rng.normal(0, 12, waves.shape), 0, 255).astype(np.uint8)


def error(a: U8, b: U8) -> float:
    return float(np.mean((a.astype(float) - b) ** 2))


needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
EVERY = [*d.RUNGS, *(pytest.param(name, marks=needs_ffmpeg) for name in d.H264)]


@pytest.mark.parametrize("name", EVERY)
def test_every_rung_is_pure_and_repeatable(name: str, picture: U8) -> None:
    before = picture.copy()
    once, again = d.degrade(name, picture, "item"), d.degrade(name, picture, "item")
    assert np.array_equal(picture, before)
    assert np.array_equal(once, again)
    assert not np.shares_memory(once, picture)
    assert once.dtype == np.uint8
    assert once.ndim == 3
    assert once.shape[2] == 3
    assert np.array_equal(once, picture) == (name == "clean")


@pytest.mark.parametrize("name", EVERY)
def test_every_rung_takes_tiny_pictures(name: str) -> None:
    for shape in ((1, 1, 3), (5, 3, 3), (17, 40, 3)):
        out = d.degrade(name, np.full(shape, 200, dtype=np.uint8), "item")
        assert min(out.shape) > 0


@pytest.mark.parametrize(
    "family",
    [
        ["jpeg95", "jpeg80", "jpeg60", "jpeg40", "jpeg20"],
        ["blur0.5", "blur1", "blur2", "blur3"],
        ["noise0.01", "noise0.05", "noise0.1", "noise0.2"],
        ["webp80", "webp40"],
        ["av1_50", "av1_30"],
        pytest.param(["crf23", "crf28", "crf32", "crf38"], marks=needs_ffmpeg),
    ],
)
def test_a_family_gets_worse_rung_by_rung(family: list[str], picture: U8) -> None:
    errors = [error(d.degrade(name, picture, "item"), picture) for name in family]
    assert errors == sorted(errors)


def test_without_ffmpeg_the_rungs_of_h264_say_what_to_install(
    picture: U8, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(UsageError, match="ffmpeg"):
        d.degrade("crf32", picture, "item")


def test_chance_comes_from_the_item_and_the_seed(picture: U8) -> None:
    a = d.degrade("noise0.1", picture, "a")
    assert not np.array_equal(a, d.degrade("noise0.1", picture, "b"))
    assert not np.array_equal(a, d.degrade("noise0.1", picture, "a", seed=1))


def test_sizes(picture: U8) -> None:
    assert d.degrade("half", picture, "item").shape == (60, 48, 3)
    for name in ("resize0.25", "vp9", "mpeg4", "av1_30", "occlusion"):
        assert d.degrade(name, picture, "item").shape == picture.shape


def test_the_last_frame_of_a_clip_stands_where_the_picture_stood(picture: U8) -> None:
    coded = d.degrade("vp9", picture, "item")
    assert error(coded, picture) < error(np.roll(coded, 1, axis=1), picture)
    assert error(coded, picture) < error(np.roll(coded, -1, axis=1), picture)


def test_grey_stays_grey(picture: U8) -> None:
    grey = np.repeat(picture[..., :1], 3, axis=2)
    assert np.array_equal(d.saturation(grey, 1.8), grey)


def test_unknown_rung_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="jpeg40"):
        d.rung("jpeg41")
