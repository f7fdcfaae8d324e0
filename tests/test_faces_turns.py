"""Faces that are shown turned: their crops stand upright, their boxes lie where the picture shows them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haechi import models
from haechi.face_regions import as_shown
from haechi.faces import FaceRules, crop_box, cut, native_piece, upright_crop, upright_piece
from haechi.faces.crops import shown_square
from haechi.faces.detections import Detections, join, mirror, one_way_up, suppress_turned
from haechi.faces.second_look import SecondLook, roll_of
from haechi.faces.turns import ASKED_DEG, from_quarter
from haechi.models import CropRule
from haechi.settings import Settings
from haechi.types import F32, U8
from synthetic import SureLook, landmarks_of, texture

RULES = FaceRules.of(Settings())
SQUARE = RULES.crop.square
BOX = np.array([60, 40, 110, 105], np.float32)
QUARTERS = range(4)


def clockwise(rgb: U8, quarter: int) -> U8:
    return np.ascontiguousarray(np.rot90(rgb, -quarter))


def found(box: F32 = BOX, turn: float = 0.0) -> Detections:
    boxes = box[None]
    scores, turns = np.array([0.9], np.float32), np.array([turn], np.float32)
    return Detections(boxes, landmarks_of(boxes), scores, turns_deg=turns)


@pytest.mark.parametrize("quarter", QUARTERS)
def test_a_quarter_turn_loses_nothing(quarter: int) -> None:
    rgb = texture(200, 160)
    shown = clockwise(rgb, quarter)
    there = from_quarter(found(), quarter, *shown.shape[:2])
    own, turn = there.own_xyxy[0], float(there.turns_deg[0])
    assert turn == 90 * quarter
    assert np.array_equal(
        upright_crop(shown, own, turn, CropRule(SQUARE, 64)), cut(rgb, crop_box(BOX, SQUARE), 64)
    )
    assert np.array_equal(upright_piece(shown, own, turn, RULES.piece), native_piece(rgb, BOX, RULES.piece))


@pytest.mark.parametrize("quarter", QUARTERS)
def test_boxes_and_landmarks_are_those_of_the_picture_as_shown(quarter: int) -> None:
    rgb: U8 = np.zeros((200, 160, 3), np.uint8)
    rgb[40:105, 60:110] = 255
    shown = clockwise(rgb, quarter)
    there = from_quarter(found(), quarter, *shown.shape[:2])
    x1, y1, x2, y2 = there.boxes_xyxy[0].astype(int)
    assert shown[y1:y2, x1:x2].min() == 255
    assert shown.sum() == shown[y1:y2, x1:x2].sum()
    assert roll_of(there.landmarks_xy[0]) % 360 == pytest.approx(90 * quarter, abs=1e-3)


@pytest.mark.parametrize("roll", [0.0, ASKED_DEG - 1, 1 - ASKED_DEG])
def test_a_face_that_leans_a_little_keeps_the_crop_of_an_upright_one(roll: float) -> None:
    rgb = texture(200, 160)
    there = from_quarter(found(turn=roll), 0, 200, 160)
    crop = upright_crop(rgb, there.own_xyxy[0], float(there.turns_deg[0]), RULES.crop)
    assert np.array_equal(crop, cut(rgb, crop_box(BOX, SQUARE), 224))


@pytest.mark.parametrize("turn", [30, 100, 200, 315])
def test_the_crop_of_a_rolled_face_stands_upright(turn: float) -> None:
    rgb = texture(240, 240, soft=5)
    face = np.array([95, 85, 145, 150], np.float32)
    middle = (face[:2] + face[2:]) / 2
    m = cv2.getRotationMatrix2D((float(middle[0] - 0.5), float(middle[1] - 0.5)), -turn, 1.0)
    shown = np.asarray(cv2.warpAffine(rgb, m, (240, 240), flags=cv2.INTER_CUBIC), np.uint8)
    upright = cut(rgb, crop_box(face, SQUARE), 96).astype(int)
    straight = upright_crop(shown, face, turn, CropRule(SQUARE, 96)).astype(int)
    as_it_lies = cut(shown, crop_box(face, SQUARE), 96).astype(int)
    assert np.abs(straight - upright).mean() < 3
    assert np.abs(as_it_lies - upright).mean() > 8


@given(st.floats(0, 360))
def test_what_a_map_covers_turns_with_the_face(turn: float) -> None:
    square = shown_square(BOX, turn, SQUARE)
    middle = (BOX[:2] + BOX[2:]) / 2
    off = (square[:2] + square[2:]) / 2 - middle
    upright = crop_box(BOX, SQUARE)
    assert np.linalg.norm(off) == pytest.approx((upright[1] + upright[3]) / 2 - middle[1], abs=1e-3)
    assert np.degrees(np.arctan2(-off[0], off[1])) % 360 == pytest.approx(turn % 360, abs=0.1) or turn > 359.9


def test_a_map_is_shown_as_the_face_lies() -> None:
    heat: F32 = np.zeros((28, 28), np.float32)
    heat[2:6, 12:16] = 1  # the forehead
    assert as_shown(heat, 0)[2:6, 12:16].min() == 1
    assert as_shown(heat, 90)[12:16, 22:26].min() == 1, "of a face that lies on its left side, to the right"
    assert as_shown(heat, 180)[22:26, 12:16].min() == 1
    slanted = as_shown(heat, 45)
    y, x = np.unravel_index(slanted.argmax(), slanted.shape)
    assert x > 18
    assert y < 9


def test_mirrored_boxes_keep_the_right_eye_on_the_left() -> None:
    there = mirror(found(), 160)
    assert there.boxes_xyxy[0] == pytest.approx([50, 40, 100, 105])
    assert roll_of(there.landmarks_xy[0]) == pytest.approx(0, abs=1e-3)


def test_one_face_seen_in_two_turns_is_one() -> None:
    both = Detections(
        np.stack([BOX, BOX + 3, BOX + 100]), landmarks_of(np.stack([BOX, BOX, BOX])),
        np.array([0.7, 0.9, 0.8], np.float32), certainty=np.array([0.9, 0.4, 0.9]),
        turns_deg=np.array([0, 90, 90], np.float32),
    )  # fmt: skip
    left = suppress_turned(both)
    assert left.turns_deg.tolist() == [90, 0]
    assert left.scores == pytest.approx([0.8, 0.7])


@pytest.mark.parametrize(("beside", "left"), [(0.7, [0]), (0.97, [0, 180])])
def test_beside_a_sure_face_one_of_another_turn_must_be_surer(beside: float, left: list[float]) -> None:
    both = Detections(
        np.stack([BOX, BOX + 100]), landmarks_of(np.stack([BOX, BOX])), np.array([0.9, 0.7], np.float32),
        certainty=np.array([0.9, beside]), turns_deg=np.array([0, 180], np.float32),
    )  # fmt: skip
    assert one_way_up(both, 0.5).turns_deg.tolist() == left
    assert len(one_way_up(both, 0.95)) == 2, "without a sure one nothing is decided"


@pytest.mark.parametrize("turn", [0, 33, 90, 200, 310])
def test_the_second_look_takes_the_mean_of_all_ways_round(
    turn: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "load", lambda name, settings: SureLook(2.0, turn))
    certainty, rolls = SecondLook(Settings()).at(texture(200, 160), join(found(), found()))
    assert certainty == pytest.approx([1 / (1 + np.exp(-2))] * 2)
    assert rolls % 360 == pytest.approx([turn] * 2, abs=1e-3)
