"""Learning to look again: patches are seen at every turn and told so, drawings follow from their seeds, and
whole folders are held back."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from haechi_lab.data import faceless
from haechi_lab.data import portrait_variants as remade
from haechi_lab.data.face_patches import PATCH_PX, Patches, patch
from haechi_lab.evaluate.field import eight_ways, encoded, turned
from haechi_lab.export.onnx import rounded
from haechi_lab.inputs import LOOK_PX
from haechi_lab.networks.face_check import FaceCheckNet
from haechi_lab.training.face_check import batches, loss, seen
from synthetic import texture


def arrow() -> np.ndarray:
    """A patch whose upper half is light."""
    out = np.full((PATCH_PX, PATCH_PX, 3), 40, np.uint8)
    out[: PATCH_PX // 2] = 215
    return out


@pytest.mark.parametrize("seed", range(12))
def test_the_angle_that_is_told_is_the_one_that_is_seen(seed: int) -> None:
    rgb, roll = seen(arrow(), 0.0, np.random.default_rng(seed))
    grey = cv2.GaussianBlur(rgb.mean(2), (0, 0), 4) - 128
    y, x = np.mgrid[0:LOOK_PX, 0:LOOK_PX] - LOOK_PX / 2
    up = np.array([(grey * x).sum(), (grey * y).sum()])
    off = (np.degrees(np.arctan2(up[0], -up[1])) - roll + 180) % 360 - 180
    assert abs(off) < 25, "what covers a part, or a frame, may hide some of it"


def test_a_step_of_learning_lowers_the_loss() -> None:
    rng = np.random.default_rng(0)
    rgb = np.stack([arrow()] * 8 + [texture(PATCH_PX, PATCH_PX, i) for i in range(8)])
    patches = Patches(rgb, np.arange(16) < 8, np.zeros(16, np.float32))
    torch.manual_seed(0)
    model = FaceCheckNet()
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    make, told = batches(patches, 32), []
    for k in range(14):
        value, _ = loss(model, make(k, rng))
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        told.append(value.item())
    assert np.mean(told[-3:]) < 0.8 * np.mean(told[:3])


def test_the_network_is_small_and_keeps_its_answer_in_half_precision() -> None:
    model = FaceCheckNet().eval()
    assert sum(p.numel() for p in model.parameters()) * 2 < 200_000
    x = torch.rand(3, 3, LOOK_PX, LOOK_PX) * 255
    with torch.inference_mode():
        assert torch.allclose(rounded(model)(x), model(x), atol=0.05)


def test_a_patch_has_its_box_in_the_middle() -> None:
    rgb = np.zeros((200, 200, 3), np.uint8)
    rgb[90:110, 90:110] = 255
    y, x = np.nonzero(patch(rgb, np.array([90, 90, 110, 110], np.float32))[:, :, 0] > 127)
    assert (x.mean(), y.mean()) == pytest.approx((PATCH_PX / 2, PATCH_PX / 2), abs=1)
    assert np.ptp(x) == pytest.approx(PATCH_PX / 2.5, abs=2)


@pytest.mark.parametrize("kind", faceless.DRAWN)
def test_a_drawing_follows_from_its_seed(kind: str) -> None:
    one, again, other = (faceless.draw(kind, seed, 96) for seed in (1, 1, 2))
    assert one.shape == (96, 96, 3)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert one.std() > 1


def test_folders_are_held_back_whole(tmp_path: Path) -> None:
    files = [tmp_path / f"kind-{k}" / f"{n}.png" for k in range(60) for n in range(2)]
    held = [faceless.held_back(f, tmp_path) for f in files]
    assert held[::2] == held[1::2]
    assert 4 < sum(held) < 50


def test_what_is_clear_in_a_gathered_picture_lies_over_a_ground(tmp_path: Path) -> None:
    rgba = np.zeros((80, 80, 4), np.uint8)
    rgba[20:60, 20:60] = (10, 20, 250, 255)
    cv2.imwrite(str(tmp_path / "stamp.png"), rgba)
    cv2.imwrite(str(tmp_path / "tiny.png"), rgba[:9, :9])
    (stamp, tiny) = faceless.gathered(tmp_path)
    loaded = faceless.load(stamp, np.random.default_rng(0))
    assert loaded is not None
    assert (loaded[20:60, 20:60] == (250, 20, 10)).all()
    assert loaded[:10].mean() != 0
    assert faceless.load(tiny, np.random.default_rng(0)) is None


@pytest.mark.parametrize("kind", remade.KINDS)
def test_a_remade_portrait_is_still_one(kind: str, astronaut: Path) -> None:
    rgb = np.ascontiguousarray(np.asarray(cv2.imread(str(astronaut)), np.uint8)[:, :, ::-1])
    data = remade.KINDS[kind](rgb, np.random.default_rng(0))
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None
    small = [cv2.resize(p, (32, 32), interpolation=cv2.INTER_AREA).mean(2).ravel() for p in (rgb, bgr)]
    assert np.corrcoef(*small)[0, 1] > 0.95


def test_the_whole_picture_is_turned_clockwise() -> None:
    rgb = np.zeros((40, 60, 3), np.uint8)
    rgb[:10] = 200
    assert np.abs(turned(rgb, 90).astype(int) - np.rot90(rgb, -1)).mean() < 12
    assert turned(rgb, 45).shape[0] == pytest.approx(100 / np.sqrt(2), abs=1)
    assert len({encoded(way, ".png") for way in eight_ways(texture(20, 30))}) == 8
