"""The species of the stand for calls: what crosses a face, swaps that let go of it, and honest callers who
look odd."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from haechi.types import F32, U8
from haechi_lab.live import genuine
from haechi_lab.live.passing import EVERY_S, pass_before
from haechi_lab.live.swapper import POINTS, SPECIES, LiveSwap
from synthetic import texture

FPS = 10.0
AT = POINTS * 1.2 + 60
FACE = (slice(100, 180), slice(100, 180))


def frames_of(count: int) -> tuple[list[U8], list[F32 | None]]:
    still = texture(280, 280, 3, soft=6)
    return [np.roll(still, k % 2, 1) for k in range(count)], [AT.astype(np.float32)] * count


def test_a_hand_passes_from_one_side_to_the_other() -> None:
    frames, points = frames_of(round(2 * EVERY_S * FPS))
    seen, covers = pass_before(frames, points, FPS, np.random.default_rng(1))
    centres = [float(np.nonzero(c.max(0) > 0.5)[0].mean()) for c in covers if c is not None and c.max() > 0.5]
    assert len(centres) > 8
    assert min(centres) < 100
    assert max(centres) > 180
    for before, after, cover in zip(frames, seen, covers, strict=True):
        changed = np.abs(after.astype(int) - before).max(2)
        assert changed.max() == 0 if cover is None else changed[cover == 0].max() == 0
    assert any(cover is None for cover in covers)


def test_a_swap_that_is_masked_leaves_the_hand_alone_and_one_that_lets_go_leaves_all() -> None:
    rgb = texture(280, 280, 3, soft=6)
    cover = np.zeros((280, 280), np.float32)
    cover[100:140, 100:180] = 1
    changed = {}
    for name in ("feathered ellipse", "masked under a hand", "drop-outs"):
        swap = LiveSwap(SPECIES[name], np.random.default_rng(2), FPS)
        changed[name] = np.abs(swap.frame(rgb, AT, cover).astype(int) - rgb).max(2)
    hidden, shown = (slice(105, 135), slice(110, 170)), (slice(145, 175), slice(110, 170))
    assert changed["feathered ellipse"][hidden].mean() > 2
    assert changed["masked under a hand"][hidden].max() == 0
    assert changed["masked under a hand"][shown].mean() > 2
    assert changed["drop-outs"].max() == 0


def test_a_lost_face_is_found_again() -> None:
    rgb = texture(280, 280, 3, soft=6)
    swap = LiveSwap(SPECIES["drop-outs"], np.random.default_rng(2), FPS)
    cover = np.ones((280, 280), np.float32)
    assert np.array_equal(swap.frame(rgb, AT, cover), rgb)
    after = [not np.array_equal(swap.frame(rgb, AT), rgb) for _ in range(30)]
    assert not after[0]
    assert after[-1]


@pytest.mark.parametrize("name", genuine.SPECIES)
def test_an_honest_caller_looks_odd_but_keeps_the_face(name: str) -> None:
    if name == "call within a call" and shutil.which("ffmpeg") is None:
        pytest.skip("the program ffmpeg is not installed")
    frames, points = frames_of(20)
    seen = genuine.SPECIES[name](genuine.Clip(frames, points, FPS), np.random.default_rng(4))
    again = genuine.SPECIES[name](genuine.Clip(frames, points, FPS), np.random.default_rng(4))
    assert len(seen) == len(frames)
    assert len({f.shape for f in seen}) == 1
    assert all(side % 2 == 0 for side in seen[0].shape[:2])
    assert all(np.array_equal(a, b) for a, b in zip(seen, again, strict=True))
    altered = any(a.shape != b.shape or not np.array_equal(a, b) for a, b in zip(seen, frames, strict=True))
    assert altered == (name != genuine.LOW_RATE)


@pytest.mark.parametrize("name", ["background blurred", "background replaced"])
def test_a_background_goes_and_the_face_stays(name: str) -> None:
    frames, points = frames_of(3)
    seen = genuine.SPECIES[name](genuine.Clip(frames, points, FPS), np.random.default_rng(4))
    changed = np.abs(seen[1].astype(int) - frames[1])
    assert changed[FACE].max() == 0
    assert changed[:40, :40].mean() > 3


def test_without_a_face_nothing_is_drawn_on_one() -> None:
    frames, _ = frames_of(3)
    nobody: list[F32 | None] = [None] * 3
    for name in ("beauty filter", "background replaced", "glasses", "hand before the face"):
        seen = genuine.SPECIES[name](genuine.Clip(frames, nobody, FPS), np.random.default_rng(4))
        assert all(np.array_equal(a, b) for a, b in zip(seen, frames, strict=True))
