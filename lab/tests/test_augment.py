"""One law of degradation for both classes: whatever is drawn is done to all pictures of a pair alike."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from haechi_lab.data import augment
from meshes import SIDE, face
from synthetic import texture

SEEDS = range(60)


@pytest.mark.parametrize("strength", [0.2, 0.75, 1.0])
def test_the_same_picture_in_is_the_same_picture_out(strength: float) -> None:
    rgb = face()
    for seed in SEEDS:
        a, b = augment.degrade([rgb, rgb.copy()], np.random.default_rng(seed), strength)
        assert np.array_equal(a, b)
        assert a.shape == rgb.shape
        assert a.dtype == np.uint8


def test_the_same_seed_degrades_alike_whatever_the_picture() -> None:
    dark, light = np.full((96, 96, 3), 90, np.uint8), np.full((96, 96, 3), 150, np.uint8)
    together = [augment.degrade([dark, light], np.random.default_rng(s)) for s in SEEDS]
    alone = [augment.degrade([light], np.random.default_rng(s))[0] for s in SEEDS]
    assert all(np.array_equal(pair[1], one) for pair, one in zip(together, alone, strict=True))
    assert np.mean([pair[0].mean() < pair[1].mean() for pair in together]) == 1


def test_stronger_degradation_changes_more() -> None:
    rgb = face()
    change = [
        np.mean(
            [
                np.abs(augment.degrade([rgb], np.random.default_rng(s), strength)[0].astype(int) - rgb).mean()
                for s in SEEDS
            ]
        )
        for strength in (0.1, 0.5, 1.0)
    ]
    assert change == sorted(change)
    assert change[-1] > 2 * change[0]


def test_degrading_leaves_the_original_alone() -> None:
    rgb = face()
    before = rgb.copy()
    for seed in SEEDS:
        augment.degrade([rgb], np.random.default_rng(seed))
        augment.frame([rgb], np.random.default_rng(seed))
        augment.occlude([rgb], np.random.default_rng(seed))
    assert np.array_equal(rgb, before)


def test_a_mask_moves_with_its_picture() -> None:
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[80:150, 60:120] = 1
    rgb = np.repeat((mask * 200).astype(np.uint8)[:, :, None], 3, 2)
    for seed in SEEDS:
        moved, moved_mask = augment.frame([rgb, mask], np.random.default_rng(seed))
        assert np.abs(moved[:, :, 0] / 200 - moved_mask).max() < 0.02
        assert moved_mask.sum() == pytest.approx(mask.sum(), rel=0.3)
        assert moved.flags["C_CONTIGUOUS"]


def test_something_before_the_face_hides_the_same_place_of_both() -> None:
    a, b = texture(120, 120, 1), texture(120, 120, 2)
    for seed in SEEDS:
        c, d = augment.occlude([a, b], np.random.default_rng(seed))
        changed = (c != a).any(2) | (d != b).any(2)
        assert np.array_equal(c[changed], d[changed])
        assert 0.005 < changed.mean() < 0.15


def test_jpeg_hurts_more_at_low_quality() -> None:
    rgb = face()
    loss = [np.abs(augment.jpeg(rgb, q, True).astype(int) - rgb).mean() for q in (95, 60, 20)]
    assert loss == sorted(loss)


def test_confounders_follow_what_they_are_named_for() -> None:
    rgb = face()
    plain = augment.confounder(rgb)
    assert plain.shape == (4,)
    assert plain.dtype == np.float32
    soft = augment.confounder(np.asarray(np.clip(texture(SIDE, SIDE, soft=6), 0, 255), np.uint8))
    assert soft[0] < plain[0]
    assert augment.confounder(rgb // 2)[1] == pytest.approx(plain[1] / 2, rel=0.05)
    assert augment.confounder(rgb // 2)[2] == pytest.approx(plain[2] / 2, rel=0.05)
    assert augment.confounder(augment.jpeg(rgb, 10, True))[3] > plain[3] + 0.1
    assert np.isfinite(augment.confounder(np.zeros((SIDE, SIDE, 3), np.uint8))).all()


@pytest.mark.parametrize("kind", ["light", "blur", "resize", "noise", "jpeg"])
def test_a_kind_of_degradation_that_is_left_out_is_not_done(kind: str) -> None:
    rgb = face()
    others = set(augment.KINDS) - {kind}

    def changed(without: set[str]) -> int:
        return sum(
            not np.array_equal(augment.degrade([rgb], np.random.default_rng(s), 1.0, without)[0], rgb)
            for s in SEEDS
        )

    assert changed(set(augment.KINDS)) == 0
    assert 0 < changed(others) < len(SEEDS) or kind == "jpeg"
    assert changed(others) > 0


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the program ffmpeg")
def test_h264_treats_all_pictures_of_a_batch_alike_and_keeps_them_in_order() -> None:
    dark, light = (np.full((224, 224, 3), v, np.uint8) for v in (60, 190))
    rgb = face()
    for seed in range(3):
        filmed = augment.film([dark, rgb, light, rgb.copy()], np.random.default_rng(seed))
        assert [f.shape for f in filmed] == [rgb.shape] * 4
        assert abs(filmed[0].mean() - 60) < 3
        assert abs(filmed[2].mean() - 190) < 3
        assert np.abs(filmed[1].astype(int) - filmed[3]).mean() < 10
        assert 0.2 < np.abs(filmed[1].astype(int) - rgb).mean() < 20
