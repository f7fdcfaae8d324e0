"""The reduced copies that a reader sees: never larger than said, and like the original."""

from __future__ import annotations

import numpy as np
import pytest

from fakes import Frame
from haechi.keyframes import LONGEST_PX, _reduced


@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (1281, 2), (3000, 4000), (1280, 1280), (7, 9)])
def test_every_shape_is_reduced_to_fit(size: tuple[int, int]) -> None:
    preview = _reduced(Frame(np.zeros((*size, 3), np.uint8), 0, 0.5))
    height, width = preview.rgb.shape[:2]
    assert max(height, width) == min(LONGEST_PX, max(size))
    assert min(height, width) >= 1
    assert preview.time_s == 0.5
    assert preview.scale == pytest.approx(max(height, width) / max(size), rel=1e-3)


@pytest.mark.parametrize("side", [1500, 2400, 4000])
def test_fine_stripes_become_grey_and_no_coarse_ones(side: int) -> None:
    """Too few of the pixels looked at would show stripes that are not there."""
    rgb = np.zeros((40, side, 3), np.uint8)
    rgb[:, ::2] = 255
    row = _reduced(Frame(rgb, 0, 0.0)).rgb[5, :, 0].astype(float)
    blocks = row[: len(row) // 32 * 32].reshape(-1, 32).mean(axis=1)
    assert np.ptp(blocks) < 40
