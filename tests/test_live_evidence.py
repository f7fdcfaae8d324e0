"""The signs of a call beside the networks: what each sees in a face that was pasted, and when it is
silent."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from haechi.live.evidence import SIGNS, Look, Signs
from haechi.live.evidence.region import POINTS, Region
from haechi.live.fusion import Fusion
from haechi.types import F32, F64, U8
from synthetic import texture

AT = (POINTS * 1.4 + 60).astype(np.float32)
"""The points of a face 160 px high in a frame of 480 by 480."""
SIDE = 480


def frame_of() -> U8:
    return np.asarray(cv2.cvtColor(texture(SIDE, SIDE, 5, soft=1.5), cv2.COLOR_RGB2GRAY), np.uint8)


def pasted(grey: U8, at: F32, px: int = 60) -> U8:
    """The face drawn at so few px and pasted back."""
    centre, reach = at.mean(0), 90
    x, y = (int(v) for v in centre)
    part = np.ascontiguousarray(grey[y - reach : y + reach, x - reach : x + reach])
    small = cv2.resize(part, (px, px), interpolation=cv2.INTER_AREA)
    soft = cv2.resize(small, part.shape[::-1], interpolation=cv2.INTER_CUBIC)
    window: np.ndarray = np.zeros(part.shape, np.float32)
    cv2.ellipse(window, (reach, reach), (66, 82), 0, 0, 360, 1.0, -1)
    window = cv2.GaussianBlur(window, (0, 0), 4)
    out = grey.copy()
    out[y - reach : y + reach, x - reach : x + reach] = (part + (soft - part.astype(float)) * window).round()
    return out


def second(frames: list[U8], points: list[F32] | None = None) -> dict[str, F64]:
    signs = Signs()
    for k, grey in enumerate(frames):
        signs.add(Look(grey, AT if points is None else points[k]))
    return signs.second()


def measured(name: str, measure: str, seen: dict[str, F64]) -> float:
    return float(seen[name][SIGNS[name].index(measure)])


def test_a_face_that_was_drawn_at_few_pixels_is_softer_than_what_surrounds_it() -> None:
    genuine = second([frame_of()])
    forged = second([pasted(frame_of(), AT)])
    assert abs(measured("sharpness", "middle", genuine)) < 0.1
    assert measured("sharpness", "middle", forged) < measured("sharpness", "middle", genuine) - 0.25
    assert measured("sharpness", "fall", forged) < measured("sharpness", "fall", genuine) - 0.2


def test_sharpness_is_the_same_wherever_the_face_stands_and_however_it_leans() -> None:
    leaning = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), 20, 1.0)
    turned = np.asarray(
        cv2.warpAffine(pasted(frame_of(), AT), leaning, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT), np.uint8
    )
    points = (AT @ leaning[:, :2].T + leaning[:, 2]).astype(np.float32)
    upright, leans = second([pasted(frame_of(), AT)]), second([turned], [points])
    assert measured("sharpness", "coarse", leans) == pytest.approx(
        measured("sharpness", "coarse", upright), abs=0.25
    )


def test_a_face_without_surroundings_in_the_frame_is_not_measured() -> None:
    near = (POINTS * 4 - 200).astype(np.float32)
    assert second([frame_of()], [near]) == {}
    nowhere = np.full((5, 2), 100, np.float32)
    assert second([frame_of()], [nowhere]) == {}


def test_a_second_begins_anew() -> None:
    signs = Signs()
    signs.add(Look(frame_of(), AT))
    assert signs.second()
    assert signs.second() == {}


def test_blank_and_odd_frames_give_finite_measures_or_none() -> None:
    rng = np.random.default_rng(1)
    for grey in (np.zeros((SIDE, SIDE), np.uint8), rng.integers(0, 255, (97, 333)).astype(np.uint8)):
        for values in second([grey, grey, grey]).values():
            assert np.isfinite(values).all()


def test_the_region_knows_where_the_face_is_and_how_large() -> None:
    region = Region.of(AT, SIDE, SIDE)
    assert region is not None
    assert region.scale == pytest.approx(1.4, rel=0.05)
    assert region.share_inside == 1.0
    beside = Region.of(AT - 160, SIDE, SIDE)
    assert beside is not None
    assert beside.share_inside < 0.7


FUSION = {
    "signs": {"sharpness": {"weights": [-1, 0, 0], "intercept": 0.5, "cap_for": 2.0, "cap_against": 1.0}},
    "fusion": {"weights": {"swap": 0.5, "sharpness": 1.0}, "intercept": -0.25},
}


def test_a_sign_is_capped_and_weighed_with_the_network() -> None:
    fusion = Fusion.of(FUSION)
    for measure, ratio in ((-10.0, 2.0), (10.0, -1.0), (-1.0, 1.5)):
        ratios = fusion.ratios({"swap": 2.0}, {"sharpness": np.array([measure, 9, 9])})
        assert ratios == {"swap": 2.0, "sharpness": ratio}
        assert fusion.log_odds(ratios) == pytest.approx(-0.25 + 1.0 + ratio)


def test_what_could_not_be_measured_says_nothing_and_what_the_card_does_not_name_does_not_count() -> None:
    fusion = Fusion.of(FUSION)
    assert fusion.ratios({"swap": 2.0}, {}) == {"swap": 2.0}
    assert fusion.log_odds({"swap": 2.0}) == pytest.approx(0.75)
    assert fusion.ratios({"swap": 2.0}, {"unknown": np.array([9.0])}) == {"swap": 2.0}
