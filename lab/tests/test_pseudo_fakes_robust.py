"""Whatever face a family is given (at the border, in profile, tiny, on a flat ground), its pair is sound."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haechi.types import F32, U8
from haechi_lab.pseudo_fakes import FAMILIES, Family
from haechi_lab.pseudo_fakes.pair import Pair
from meshes import SIDE, face, mesh

FACE, MESH = face(), mesh()
FLAT = np.full((SIDE, SIDE, 3), 131, np.uint8)
DRAWN, OTHER = np.asarray(cv2.medianBlur(FACE, 5), np.uint8), face(5)


def make(family: Family, rgb: U8, points: F32, rng: np.random.Generator) -> Pair:
    """A pair of any family, with the drawing or the other face that it needs."""
    if family.needs in ("generated", "gan"):
        return family.function(rgb, points, OTHER, MESH, rng)
    if family.needs is not None:
        return family.function(rgb, DRAWN, points, rng)
    return family.function(rgb, points, rng)


def placed(scale: float, narrow: float, turn_deg: float, x: float, y: float) -> F32:
    """The mesh made smaller, narrower as in profile, turned, and moved by a share of the picture's side."""
    points = (MESH - MESH.mean(0)) * (scale * narrow, scale)
    c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    moved = points @ np.array([[c, s], [-s, c]]) + MESH.mean(0) + np.array([x, y]) * SIDE
    return moved.astype(np.float32)


def sound(pair: Pair) -> None:
    assert pair.real.shape == pair.fake.shape == (SIDE, SIDE, 3)
    assert pair.real.dtype == pair.fake.dtype == np.uint8
    assert pair.mask.shape == (SIDE, SIDE)
    assert pair.mask.dtype == np.float32
    assert np.isfinite(pair.mask).all()
    assert 0 <= pair.mask.min() <= pair.mask.max() <= 1 + 1e-6
    outside = pair.mask == 0
    assert np.array_equal(pair.real[outside], pair.fake[outside])


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([0.03, 0.15, 0.6, 1.0, 1.6]),
    narrow=st.sampled_from([0.02, 0.3, 1.0]),
    turn_deg=st.floats(-180, 180),
    x=st.floats(-0.7, 0.7),
    y=st.floats(-0.7, 0.7),
    flat=st.booleans(),
)
def test_any_face_makes_a_sound_pair(
    family: Family, seed: int, scale: float, narrow: float, turn_deg: float, x: float, y: float, flat: bool
) -> None:
    points = placed(scale, narrow, turn_deg, x, y)
    sound(make(family, FLAT if flat else FACE, points, np.random.default_rng(seed)))


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
def test_a_face_that_fills_the_picture_always_has_a_mask(family: Family) -> None:
    for seed in range(8):
        pair = make(family, FACE, MESH, np.random.default_rng(seed))
        assert pair.mask.max() > 0.1
        assert not np.array_equal(pair.real, pair.fake)


def test_the_list_names_each_family_once_and_says_what_it_is() -> None:
    assert all(name == family.name for name, family in FAMILIES.items())
    assert len({family.what for family in FAMILIES.values()}) == len(FAMILIES)
