"""From logits to likelihood ratios: calibrated by size, capped, merged over faces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haechi.calibration import finding, llr, spans
from haechi.models import Calibration
from haechi.types import FaceQuality

CARD = Calibration.of(
    {
        "bins": [
            {"below_px": 90.0, "slope": 0.5, "intercept": -0.2},
            {"below_px": 1e9, "slope": 1.5, "intercept": 0.1},
        ],
        "cap_for": 4.0,
        "cap_against": 2.5,
        "genuine": [],
    }
)


def quality(px: float = 200.0, sharpness: float = 0.5, light: float = 0.4) -> FaceQuality:
    return FaceQuality(1, px, sharpness, light)


def one(logit: float, q: FaceQuality) -> float:
    return float(llr(np.array([logit]), q, CARD)[0])


def test_small_faces_have_their_own_calibration() -> None:
    assert one(1.0, quality(px=89.9)) == pytest.approx(0.5 - 0.2)
    assert one(1.0, quality(px=90.0)) == pytest.approx(1.5 + 0.1)


def test_evidence_is_capped_both_ways() -> None:
    assert one(1e6, quality()) == 4.0
    assert one(-1e6, quality()) == -2.5


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=20), st.floats(1, 2000), st.floats(0, 1))
def test_a_higher_logit_never_speaks_less_for_manipulation(
    logits: list[float], px: float, sharp: float
) -> None:
    out = llr(np.sort(np.array(logits)), quality(px, sharp), CARD)
    assert (np.diff(out) >= 0).all()
    assert out.min() >= -2.5
    assert out.max() <= 4.0


def test_a_finding_names_face_and_ratio() -> None:
    reason = finding("swap", np.log(20.0), 3)
    assert reason.code == "swap_scored"
    assert reason.params == {"face": 3, "ratio": pytest.approx(20.0)}


def test_a_finding_counts_the_genuine_faces_that_showed_less() -> None:
    genuine = np.linspace(-2, 2, 101).tolist()
    assert finding("swap", 1.0, 1, genuine=genuine).params["below"] == 74
    assert finding("swap", 9.0, 1, genuine=genuine).params["below"] == 99
    assert finding("swap", -9.0, 1, genuine=genuine).params["below"] == 0
    assert "below" not in finding("swap", 1.0, 1).params
    assert finding("swap", 1.0, 1, genuine=genuine, place="place_nose").params["place"] == "place_nose"


def test_spans_join_neighbouring_moments() -> None:
    times = np.arange(10) / 2
    hot = np.array([0, 2, 2, 0, 0, 2, 0, 2, 2, 2.0])
    assert spans(times, hot) == ((0.5, 1.0), (2.5, 2.5), (3.5, 4.5))


def test_spans_of_moments_that_lie_dense_at_first_and_sparse_later() -> None:
    times = np.array([0.0, 0.1, 0.2, 0.3, 2.0, 4.0, 6.0, 8.0, 10.0])
    hot = np.array([0, 2, 2, 0, 0, 2, 2, 0, 2.0])
    assert spans(times, hot) == ((0.1, 0.2), (4.0, 6.0), (10.0, 10.0))
    assert spans(np.array([0.0, 1, 2, 5, 6, 7, 8]), np.full(7, 2.0)) == ((0.0, 2.0), (5.0, 8.0))


def test_spans_of_nothing_and_of_a_single_moment() -> None:
    assert spans(np.zeros(0), np.zeros(0)) == ()
    assert spans(np.array([3.0]), np.array([0.5])) == ()
    assert spans(np.array([3.0]), np.array([1.5])) == ((3.0, 3.0),)
