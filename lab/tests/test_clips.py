"""Clips made of stills: both classes are filmed alike, and a forgery behaves over time as its mode says."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from haechi.errors import UsageError
from haechi.media import open_media
from haechi.settings import Settings
from haechi.types import U8
from haechi_lab.pseudo_fakes.clips import MODES, Scene, draw_scene, encode, film, forge_over_time, wander
from haechi_lab.pseudo_fakes.swap_imitation import imitate_swap
from meshes import SIDE, face, mesh

FACE, MESH = face(), mesh()
COUNT = 8


def scene(seed: int = 0, **more: object) -> Scene:
    return replace(draw_scene(np.random.default_rng(seed), SIDE, COUNT), **more)  # type: ignore[arg-type]


def forged(mode: str, seed: int = 0) -> tuple[U8, list[U8]]:
    rng = np.random.default_rng(seed)
    return forge_over_time(lambda g: imitate_swap(FACE, MESH, g), mode, 25, rng, COUNT)


def steps(stills: list[U8]) -> list[float]:
    """How much each still differs from the one before."""
    return [float(np.abs(b.astype(int) - a).mean()) for a, b in pairwise(stills)]


def test_both_classes_are_filmed_alike() -> None:
    same = scene(3, noise=0.0)
    base, stills = forged("jitter")
    stills = [np.where(np.arange(SIDE)[:, None, None] < SIDE // 2, base, s) for s in stills]
    genuine, fake = (film(s, base, same, np.random.default_rng(1)) for s in ([base] * COUNT, stills))
    assert all(f.shape == (same.side_px, same.side_px, 3) and f.dtype == np.uint8 for f in genuine)
    differ = np.stack([np.abs(a.astype(int) - b).max(2) > 0 for a, b in zip(genuine, fake, strict=True)])
    assert differ.any(), "the forgery shows"
    assert differ.mean() < 0.5, "and nothing else does: half of the face and all that surrounds it are equal"


def test_the_camera_moves_and_its_noise_is_new_in_every_frame() -> None:
    still = scene(1, noise=4.0, focus=np.zeros(COUNT, np.float32))
    still = replace(still, motion=np.repeat(still.motion[:1], COUNT, 0), gain=np.ones((COUNT, 3), np.float32))
    still = replace(still, passing=np.full((COUNT, 2), np.nan, np.float32), shade=np.zeros(COUNT, np.float32))
    frames = film([FACE] * COUNT, FACE, still, np.random.default_rng(0))
    assert min(steps(frames)) > 2
    assert np.abs(np.mean(frames, 0) - frames[0]).mean() < 6
    moved = film([FACE] * COUNT, FACE, scene(1, noise=0.0), np.random.default_rng(0))
    assert max(steps(moved)) > 0.5


def test_the_same_random_state_makes_the_same_scene() -> None:
    a, b, other = scene(5), scene(5), scene(6)
    assert np.array_equal(a.motion, b.motion)
    assert (a.crf, a.fps, a.side_px) == (b.crf, b.fps, b.side_px)
    assert not np.array_equal(a.motion, other.motion)
    drawn = [scene(s) for s in range(40)]
    assert {s.fps for s in drawn} == {15, 20, 24, 25, 30}
    assert all(18 <= s.crf <= 38 and s.face_px <= 0.85 * s.side_px for s in drawn)


def test_a_course_is_smooth_and_of_deviation_about_one() -> None:
    courses = np.stack([wander(np.random.default_rng(s), 400, 25, 0.2, 1) for s in range(30)])
    assert courses.std() == pytest.approx(1, abs=0.2)
    assert np.abs(np.diff(courses, axis=1)).max() < 0.6


@pytest.mark.parametrize("mode", MODES)
def test_a_forgery_stays_within_the_face_and_begins_from_the_genuine_still(mode: str) -> None:
    base, stills = forged(mode)
    assert np.array_equal(base, FACE)
    assert len(stills) == COUNT
    assert max(float(np.abs(s.astype(int) - base).mean()) for s in stills) > 0.5
    again = forged(mode)[1]
    assert all(np.array_equal(a, b) for a, b in zip(stills, again, strict=True))


def test_modes_differ_in_how_they_change() -> None:
    changes = {mode: [c for s in range(6) for c in steps(forged(mode, s)[1])] for mode in MODES}
    assert max(changes["constant"]) == 0
    assert np.median(changes["jitter"]) > 0.05
    assert np.max(changes["redraw"]) > 3 * np.median(changes["drift"])
    assert np.median(changes["fail"]) < 0.02 < np.max(changes["fail"])
    failing = [s for seed in range(6) for s in forged("fail", seed)[1]]
    assert any(np.array_equal(s, FACE) for s in failing), "for a moment the face beneath shows"
    with pytest.raises(ValueError, match="unheard"):
        forged("unheard")


def test_a_clip_is_h264_that_the_product_opens(tmp_path: Path) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("clips are coded by ffmpeg")
    drawn = scene(2)
    frames = film([FACE] * COUNT, FACE, drawn, np.random.default_rng(0))
    encode(frames, tmp_path / "clip.mp4", drawn)
    media = open_media(tmp_path / "clip.mp4", Settings())
    assert media.container["codec"] == "h264"
    assert (media.width_px, media.fps) == (drawn.side_px, pytest.approx(drawn.fps))
    read = [f.rgb for f in media.frames(100)]
    assert len(read) == COUNT
    assert np.abs(np.stack(read).astype(int) - np.stack(frames)).mean() < 12
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]


def test_without_the_coder_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="ffmpeg"):
        encode([FACE], tmp_path / "clip.mp4", scene())
