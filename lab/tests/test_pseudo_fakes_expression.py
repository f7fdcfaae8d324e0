"""A still face set in motion: what moves, what stays, and how it runs over time."""

from __future__ import annotations

import numpy as np
import pytest

from haechi.types import F32
from haechi_lab.pseudo_fakes.expression import expression
from haechi_lab.pseudo_fakes.motion import (
    INNER_LOWER,
    INNER_UPPER,
    KINDS,
    LID_LEFT,
    LID_RIGHT,
    displacement,
    height,
    motion,
    mouth_gap,
)
from haechi_lab.pseudo_fakes.regions import BROW_LEFT
from haechi_lab.pseudo_fakes.warping import field, mouth_inside, warp
from meshes import SIDE, face, mesh

FACE = face()


def with_lips(gap_px: float = 1.0) -> F32:
    """The mesh with the inner line of the lips in its place, the mouth open by so much."""
    points = mesh()
    x = np.linspace(94, 130, len(INNER_UPPER))
    bend = np.sin(np.linspace(0, np.pi, len(x))) * gap_px / 2
    points[INNER_UPPER] = np.stack([x, 164 - bend], 1)
    points[INNER_LOWER] = np.stack([x, 164 + bend], 1)
    return points


MESH = with_lips()


def test_a_blink_brings_the_lids_together_and_leaves_the_mouth_alone() -> None:
    moved = MESH + displacement(MESH, {"blink": 1.0})
    for upper, lower in (LID_RIGHT, LID_LEFT):
        before = np.linalg.norm(MESH[upper] - MESH[lower], axis=1)
        assert (np.linalg.norm(moved[upper] - moved[lower], axis=1) <= 0.1 * before + 1e-3).all()
    assert np.array_equal(moved[INNER_LOWER], MESH[INNER_LOWER])


def test_a_wink_closes_one_eye_only() -> None:
    moves = displacement(MESH, {"wink_left": 1.0})
    assert np.abs(moves[LID_LEFT[0]]).max() > 1
    assert not moves[LID_RIGHT[0]].any()


def test_a_mouth_opens_and_an_open_one_closes() -> None:
    opened = MESH + displacement(MESH, {"mouth": 1.0})
    assert mouth_gap(opened) > mouth_gap(MESH) + 0.03
    wide = with_lips(20)
    assert mouth_gap(wide + displacement(wide, {"mouth": -1.0})) < 0.6 * mouth_gap(wide)


def test_a_turned_face_moves_by_its_own_axes() -> None:
    """Brows of a face that lies on its side rise sideways."""
    turned = np.stack([SIDE - MESH[:, 1], MESH[:, 0]], 1)
    upright, lying = (displacement(m, {"brows": 1.0})[BROW_LEFT] for m in (MESH, turned))
    assert np.abs(np.stack([-upright[:, 1], upright[:, 0]], 1) - lying).max() < 0.05
    assert upright[:, 1].max() < 0


def test_nothing_moves_at_strength_0_and_unknown_motions_are_refused() -> None:
    assert not displacement(MESH, dict.fromkeys(KINDS, 0.0)).any()
    assert np.array_equal(warp(FACE, MESH, np.zeros_like(MESH)), FACE)
    with pytest.raises(ValueError, match="sneeze"):
        displacement(MESH, {"sneeze": 1.0})
    with pytest.raises(ValueError, match="sneeze"):
        motion(np.random.default_rng(0), "sneeze", [0.0])


def test_the_field_takes_the_points_along_and_leaves_the_ground() -> None:
    moves = displacement(MESH, {"turn": 1.0})
    offsets = field(MESH, moves, (SIDE, SIDE))
    nose = np.round(MESH[1] + moves[1]).astype(int)
    assert np.abs(offsets[nose[1], nose[0]] + moves[1]).max() < 0.25 * np.abs(moves[1]).max()
    assert np.abs(offsets[:6]).max() < 1.5
    # Neighbouring pixels go nearly the same way: nothing is torn.
    assert max(np.abs(np.diff(offsets, axis=a)).max() for a in (0, 1)) < 1


def test_a_mouth_that_opens_from_closed_is_dark_inside() -> None:
    moves = displacement(MESH, {"mouth": 1.0})
    inside = mouth_inside(MESH, moves, (SIDE, SIDE))
    opened = warp(FACE, MESH, moves)
    assert inside.max() > 0.9
    assert opened[inside > 0.9].mean() < 0.6 * FACE[inside > 0.9].mean()
    wide = with_lips(20)
    assert not mouth_inside(wide, displacement(wide, {"mouth": 1.0}), (SIDE, SIDE)).any()


@pytest.mark.parametrize("kind", KINDS)
def test_motion_is_smooth_bounded_and_seeded(kind: str) -> None:
    times = np.arange(0, 4, 1 / 50)
    runs = [motion(np.random.default_rng(s), kind, times) for s in range(6)]
    assert np.array_equal(runs[0], motion(np.random.default_rng(0), kind, times))
    for run in runs:
        assert run.shape == times.shape
        assert np.abs(run).max() <= 1
        assert np.abs(np.diff(run)).max() < 0.45
    assert max(np.abs(run).max() for run in runs) > 0.3
    assert not np.array_equal(runs[0], runs[1])
    assert motion(np.random.default_rng(0), kind, []).shape == (0,)


def test_softness_is_not_the_sign() -> None:
    """Half of the genuine faces were re-sampled as the forged ones were."""
    same = [np.array_equal(expression(FACE, MESH, np.random.default_rng(s)).real, FACE) for s in range(24)]
    assert 0.2 < np.mean(same) < 0.8


def test_the_height_of_a_face_of_no_size_is_not_0() -> None:
    assert height(np.zeros_like(MESH)) > 0
    assert np.isfinite(displacement(np.zeros_like(MESH), dict.fromkeys(KINDS, 1.0))).all()
