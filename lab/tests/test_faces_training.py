"""Learning to find faces: labels travel with the picture, every face is some cell's to answer for, and the
rows that the network learns to put out are read the same way in use."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

import torch

from haechi import models
from haechi.faces import iou
from haechi.faces.network import FinderNetwork
from haechi.settings import Settings
from haechi.types import F32
from haechi_lab.data.composites import Composer, Labels, mirror, photograph, targets, warp_labels
from haechi_lab.networks.finder import OUTPUTS, FinderNet
from haechi_lab.training.faces import SIDE, FinderLoss, assign, cell_grid, decode, giou
from synthetic import FakeModel, landmarks_of, texture

GRID = cell_grid(SIDE, SIDE)


def labels(*boxes: tuple[float, float, float, float], sure: bool = True) -> Labels:
    b = np.array(boxes, np.float32).reshape(-1, 4)
    return Labels(b, landmarks_of(b), np.full(len(b), sure))


def similarity(degrees: float, scale: float, x: float, y: float) -> np.ndarray:
    a = np.radians(degrees)
    return np.array([[scale * np.cos(a), -scale * np.sin(a), x], [scale * np.sin(a), scale * np.cos(a), y]])


@given(st.floats(-180, 180), st.floats(0.1, 4), st.floats(-50, 50), st.floats(20, 90), st.floats(20, 90))
def test_a_box_becomes_the_box_of_the_turned_ellipse(
    degrees: float, scale: float, shift: float, width: float, height: float
) -> None:
    m = similarity(degrees, scale, shift, -shift)
    before = labels((10, 20, 10 + width, 20 + height))
    after = warp_labels(before, m)
    turn = np.linspace(0, 2 * np.pi, 721)
    ellipse = np.stack([10 + width / 2 * (1 + np.cos(turn)), 20 + height / 2 * (1 + np.sin(turn))])
    x, y = m[:, :2] @ ellipse + m[:, 2:]
    assert after.boxes[0] == pytest.approx([x.min(), y.min(), x.max(), y.max()], abs=0.02 * scale + 1e-3)
    points = before.points[0] @ m[:, :2].T + m[:, 2]
    assert after.points[0] == pytest.approx(points, abs=1e-2)


def test_a_quarter_turn_exchanges_the_sides_and_no_turn_leaves_them() -> None:
    face = labels((40, 60, 100, 140))
    assert warp_labels(face, similarity(0, 1, 0, 0)).boxes[0] == pytest.approx([40, 60, 100, 140])
    turned = warp_labels(face, similarity(90, 1, 200, 0)).boxes[0]
    assert turned == pytest.approx([60, 40, 140, 100], abs=1e-3)
    empty = Labels.empty()
    assert len(warp_labels(empty, similarity(30, 2, 0, 0)).sure) == 0


def test_a_mirrored_face_keeps_its_right_eye_on_the_left_of_the_picture() -> None:
    rgb = texture(100, 160)
    face = labels((20, 10, 80, 90))
    turned, there = mirror(rgb, face)
    assert there.boxes[0] == pytest.approx([80, 10, 140, 90])
    assert there.points[0, 0, 0] < there.points[0, 1, 0]
    assert there.points[0, 3, 0] < there.points[0, 4, 0]
    again, back = mirror(turned, there)
    assert np.array_equal(again, rgb)
    assert back.points == pytest.approx(face.points)


def test_the_overlap_of_the_loss_is_that_of_the_finder() -> None:
    rng = np.random.default_rng(0)
    boxes = rng.uniform(0, 80, (12, 4)).astype(np.float32)
    boxes[:, 2:] += boxes[:, :2] + 1
    ours = iou(boxes, boxes)
    a, b = (torch.from_numpy(np.repeat(boxes, 12, 0)), torch.from_numpy(np.tile(boxes, (12, 1))))
    general, plain = giou(a, b)
    assert plain.numpy() == pytest.approx(ours.ravel(), abs=1e-5)
    assert (general <= plain + 1e-6).all()
    assert general.reshape(12, 12).diagonal().numpy() == pytest.approx(np.ones(12), abs=1e-4)


def test_a_photographed_picture_keeps_its_shape_and_its_seed() -> None:
    rgb = texture(96, 128)
    for seed in range(30):
        out = photograph(rgb, np.random.default_rng(seed))
        assert out.shape == rgb.shape
        assert out.dtype == np.uint8
        assert np.array_equal(out, photograph(rgb, np.random.default_rng(seed)))


def test_pasted_faces_are_labelled_where_they_lie() -> None:
    composer = object.__new__(Composer)
    composer.side = SIDE
    rgb = np.full((200, 200, 3), 60, np.uint8)
    rgb[60:140, 70:130] = (250, 20, 20)
    composer.faces = [(rgb, labels((70, 60, 130, 140)))]
    shown = 0
    for seed in range(40):
        board = np.full((SIDE, SIDE, 3), 60, np.uint8)
        out, there = composer._paste(board, Labels.empty(), np.random.default_rng(seed), whole=seed % 2 == 0)
        red = (out[:, :, 0] > 150) & (out[:, :, 1] < 50)
        if not len(there.sure) or there.boxes.min() < 0 or there.boxes.max() > SIDE or red.sum() < 200:
            continue
        shown += 1
        y, x = np.nonzero(red)
        centre = (there.boxes[0, :2] + there.boxes[0, 2:]) / 2
        size = float(np.sqrt((there.boxes[0, 2:] - there.boxes[0, :2]).prod()))
        assert np.hypot(x.mean() - centre[0], y.mean() - centre[1]) < 0.12 * size
        assert np.sqrt(red.sum()) == pytest.approx(size, rel=0.35)
    assert shown >= 15


def test_what_the_teacher_sees_corrects_and_completes_the_labels() -> None:
    composer = object.__new__(Composer)
    ours = labels((50, 50, 90, 90), (200, 200, 240, 240))
    seen = labels((54, 52, 92, 92), (10, 200, 50, 250))
    told = composer._settle(ours, seen)
    assert told.boxes.tolist() == [[54, 52, 92, 92], [200, 200, 240, 240], [10, 200, 50, 250]]
    assert told.sure.all()


def test_targets_tell_faces_from_doubtful_and_empty_places() -> None:
    sure, unsure = labels((10, 10, 60, 70), (5, 5, 11, 11)), labels((100, 100, 150, 160), sure=False)
    values, state = targets(sure.join(unsure), SIDE, most=6)
    assert state.tolist() == [1, -1, -1, 0, 0, 0], "a face, one too small to learn from, one in doubt"
    assert values[0, :4].tolist() == [10, 10, 60, 70]
    assert values[0, 4:].numpy().reshape(5, 2) == pytest.approx(sure.points[0])


@given(st.floats(10, 300), st.floats(0.6, 1.6), st.floats(0, 1), st.floats(0, 1))
def test_a_face_of_any_size_is_some_cells_to_answer_for(
    size: float, ratio: float, x: float, y: float
) -> None:
    width, height = size * ratio**0.5, size / ratio**0.5
    cx = 0.02 * SIDE + 0.96 * SIDE * x
    cy = 0.02 * SIDE + 0.96 * SIDE * y
    one = labels((cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2))
    values, state = targets(one, SIDE, most=2)
    which, role = assign(values[None], state[None], GRID)
    answering = role[0] == 1
    assert answering.any()
    assert (which[0][answering] == 0).all()
    corner, stride, _ = GRID
    middle = (corner + stride[:, None] / 2)[answering].numpy()
    off = np.abs(middle - [cx, cy]) / [width, height]
    assert off.max() < 0.51 * 32 / min(width, height) + 0.31, "near the middle of the face"


def test_a_doubtful_face_is_neither_learned_nor_punished() -> None:
    values, state = targets(labels((100, 100, 200, 200), sure=False), SIDE)
    _, role = assign(values[None], state[None], GRID)
    assert set(role[0].tolist()) == {0, -1}


def test_between_two_faces_each_cell_answers_for_the_nearer() -> None:
    values, state = targets(labels((40, 100, 100, 160), (110, 100, 170, 160)), SIDE)
    which, role = assign(values[None], state[None], GRID)
    corner, stride, _ = GRID
    middle = corner + stride[:, None] / 2
    for face, x in ((0, 70.0), (1, 140.0)):
        mine = (role[0] == 1) & (which[0] == face)
        assert mine.any()
        assert (middle[mine][:, 0] - x).abs().max() < 35


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> FinderNetwork:
    monkeypatch.setattr(models, "load", lambda name, settings: FakeModel({"name": "faces", "threshold": 0.5}))
    return FinderNetwork(Settings())


@pytest.mark.parametrize(("height", "width"), [(320, 320), (64, 256), (32, 32)])
def test_rows_are_read_in_use_as_they_were_learned(finder: FinderNetwork, height: int, width: int) -> None:
    corner, stride, _ = cell_grid(height, width)
    rng = np.random.default_rng(1)
    raw: F32 = rng.normal(0, 1.5, (len(stride), OUTPUTS)).astype(np.float32)
    raw[:, 0] = rng.choice([-3.0, 3.0], len(stride))
    boxes, points = decode(torch.from_numpy(raw), corner, stride)
    found = finder._decode(raw, height, width, finder.threshold)
    sure = raw[:, 0] > 0
    assert found.boxes_xyxy == pytest.approx(boxes.numpy()[sure], rel=1e-4, abs=1e-2)
    assert found.landmarks_xy.reshape(-1, 10) == pytest.approx(points.numpy()[sure], rel=1e-4, abs=1e-2)
    assert found.scores == pytest.approx(np.full(sure.sum(), 1 / (1 + np.exp(-3))), rel=1e-5)


@pytest.mark.parametrize(("height", "width"), [(320, 320), (96, 160), (32, 32)])
def test_the_network_has_a_row_for_every_cell(finder: FinderNetwork, height: int, width: int) -> None:
    torch.manual_seed(0)
    with torch.inference_mode():
        raw = FinderNet().eval()(torch.zeros(1, 3, height, width))
    assert raw.shape == (1, len(cell_grid(height, width)[1]), OUTPUTS)
    found = finder._decode(raw[0].numpy(), height, width, finder.threshold)
    assert len(found) == 0, "starts by finding nothing"


def test_a_right_answer_costs_less_than_a_wrong_one() -> None:
    one = labels((100, 80, 180, 190))
    values, state = targets(one, SIDE)
    batch = {
        "x": torch.zeros(1, SIDE, SIDE, 3, dtype=torch.uint8),
        "values": values[None],
        "state": state[None],
    }
    corner, stride, _ = GRID
    _, role = assign(batch["values"], batch["state"], GRID)

    def answer(dx: float) -> torch.Tensor:
        raw = torch.zeros(1, len(stride), OUTPUTS)
        raw[..., 0] = torch.where(role == 1, 6.0, -6.0)
        raw[0, :, 1:3] = (torch.tensor([140.0 + dx, 135.0]) - corner) / stride[:, None]
        raw[0, :, 3:5] = (torch.tensor([80.0, 110.0]) / stride[:, None]).log()
        points = torch.from_numpy(one.points.reshape(10)) + dx
        raw[0, :, 5:] = (points - corner.repeat(1, 5)) / stride[:, None]
        return raw

    class Says(torch.nn.Module):
        def __init__(self, raw: torch.Tensor) -> None:
            super().__init__()
            self.raw = torch.nn.Parameter(raw)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.raw

    loss = FinderLoss(SIDE)
    right, parts = loss(Says(answer(0)), batch)
    assert float(right.detach()) < 0.01
    assert parts["iou"] > 0.99
    model = Says(answer(12))
    wrong, _ = loss(model, batch)
    assert float(wrong.detach()) > float(right.detach()) + 0.2
    wrong.backward()
    assert model.raw.grad is not None
    assert torch.isfinite(model.raw.grad).all()
