"""Pseudo-fakes: what changed lies inside the mask, and the same seed makes the same pair."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from haechi.types import U8
from haechi_lab.pseudo_fakes.decoder_redraw import redrawn
from haechi_lab.pseudo_fakes.expression import expression
from haechi_lab.pseudo_fakes.local_edit import local_edit
from haechi_lab.pseudo_fakes.pair import Pair, blend
from haechi_lab.pseudo_fakes.regions import elastic, face_mask, hull, part_mask, soften
from haechi_lab.pseudo_fakes.self_blend import self_blend
from haechi_lab.pseudo_fakes.swap_imitation import imitate_swap
from haechi_lab.pseudo_fakes.upsampled import upsampled, upsampled_face
from meshes import SIDE, face, mesh
from synthetic import texture

MESH, FACE = mesh(), face()
DRAWN = np.asarray(cv2.medianBlur(FACE, 5), np.uint8)

Family = Callable[[np.random.Generator], Pair]
FAMILIES: dict[str, Family] = {
    "self_blend": lambda rng: self_blend(FACE, MESH, rng),
    "local_edit": lambda rng: local_edit(FACE, MESH, rng),
    "redrawn": lambda rng: redrawn(FACE, DRAWN, MESH, rng),
    "imitate_swap": lambda rng: imitate_swap(FACE, MESH, rng),
    "expression": lambda rng: expression(FACE, MESH, rng),
    "upsampled_face": lambda rng: upsampled_face(FACE, MESH, rng),
}
every = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())


def pairs(family: Family, count: int = 24) -> list[Pair]:
    return [family(np.random.default_rng(seed)) for seed in range(count)]


@every
def test_the_pair_differs_inside_the_mask_and_nowhere_else(family: Family) -> None:
    for pair in pairs(family):
        assert pair.real.dtype == pair.fake.dtype == np.uint8
        assert pair.real.shape == pair.fake.shape == (SIDE, SIDE, 3)
        assert pair.mask.dtype == np.float32
        assert pair.mask.shape == (SIDE, SIDE)
        assert 0 <= pair.mask.min() <= pair.mask.max() <= 1 + 1e-6
        assert np.array_equal(pair.real[pair.mask == 0], pair.fake[pair.mask == 0])


@every
def test_most_pairs_do_differ_and_the_face_is_where(family: Family) -> None:
    made = pairs(family)
    changed = [np.abs(p.real.astype(int) - p.fake).max() for p in made]
    assert np.median(changed) > 10
    mean = np.mean([p.mask for p in made], 0)
    assert mean[60:180, 70:155].mean() > 0.08
    # A head that nods takes some of the ground along; nothing else reaches the border.
    most = 0.3 if family is FAMILIES["expression"] else 0.05
    assert mean[:12].max() < most
    assert max(mean[:, :8].max(), mean[:, -8:].max()) < most


@every
def test_the_same_seed_makes_the_same_pair(family: Family) -> None:
    first, again, other = (family(np.random.default_rng(s)) for s in (3, 3, 4))
    assert np.array_equal(first.fake, again.fake)
    assert np.array_equal(first.mask, again.mask)
    assert not np.array_equal(first.fake, other.fake)


@every
def test_what_they_are_made_of_stays_as_it_was(family: Family) -> None:
    before = FACE.copy(), MESH.copy(), DRAWN.copy()
    pairs(family, 12)
    assert all(np.array_equal(a, b) for a, b in zip(before, (FACE, MESH, DRAWN), strict=True))


@pytest.mark.parametrize("name", ["local_edit", "redrawn", "imitate_swap"])
def test_the_genuine_half_is_the_picture_itself(name: str) -> None:
    assert all(np.array_equal(p.real, FACE) for p in pairs(FAMILIES[name], 12))


def test_self_blending_alters_the_ground_as_often_as_the_face() -> None:
    untouched = [np.array_equal(p.real, FACE) for p in pairs(FAMILIES["self_blend"], 80)]
    assert 0.3 < np.mean(untouched) < 0.8


def test_blending_with_a_full_mask_gives_the_source() -> None:
    source = texture(SIDE, SIDE, 9)
    assert np.array_equal(blend(FACE, source, np.ones((SIDE, SIDE), np.float32)), source)
    half = blend(FACE, source, np.full((SIDE, SIDE), 0.5, np.float32))
    assert np.abs(half - (FACE.astype(float) + source) / 2).max() <= 1


def test_masks_stay_within_0_and_1_and_about_where_they_were() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        hard = face_mask(MESH, SIDE, rng)
        assert set(np.unique(hard)) <= {0.0, 1.0}
        assert 0.08 < hard.mean() < 0.6
        bent = elastic(hard, rng)
        assert np.abs(bent - hard).mean() < 0.1
        soft = soften(bent, rng)
        assert 0 <= soft.min() <= soft.max() <= 1 + 1e-6
        assert part_mask(MESH, SIDE, rng).mean() < hard.mean() * 1.2


def test_a_hull_grows_about_its_centre() -> None:
    square = np.array([[80, 80], [120, 80], [120, 120], [80, 120]], np.float32)
    plain, grown = hull(square, SIDE), hull(square, SIDE, 1.5)
    assert plain.sum() == pytest.approx(41**2, rel=0.02)
    assert grown.sum() == pytest.approx(61**2, rel=0.02)
    assert grown[100, 100] == grown[71, 71] == 1


@pytest.mark.parametrize("shape", [(160, 200), (161, 203)])
def test_up_sampling_keeps_size_and_look_but_not_the_pixels(shape: tuple[int, int]) -> None:
    rgb: U8 = texture(*shape)
    for seed in range(8):
        out = upsampled(rgb, np.random.default_rng(seed))
        assert out.shape == rgb.shape
        assert out.dtype == np.uint8
        assert abs(float(out.mean()) - float(rgb.mean())) < 3
        assert 0.5 < np.abs(out.astype(int) - rgb).mean() < 25
        assert np.array_equal(out, upsampled(rgb, np.random.default_rng(seed)))


def test_reconstructions_are_cut_and_named_so_that_pairs_find_each_other(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from haechi_lab.data.shards import Item
    from haechi_lab.pseudo_fakes.reconstruct import MOST_PX, aligned, file_of, wanted

    rgb = texture(700, 250)
    middle = aligned(rgb)
    assert middle.shape == (MOST_PX, 248, 3)
    assert np.array_equal(middle, rgb[94 : 94 + MOST_PX, 1:249])
    items = [Item(f"lfw/{i}.jpg", "real", "", "train", "lfw", str(i)) for i in range(600)]
    assert file_of(tmp_path, items[3]) == tmp_path / "lfw__3.png"
    assert wanted(items) == wanted(items)
    assert len({i.path for i in wanted(items)}) == 450
