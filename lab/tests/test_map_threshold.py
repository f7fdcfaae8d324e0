"""A map is cut where it overlaps the true masks best, however faint it is as a whole."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from haechi.models import Calibration
from haechi.settings import Settings
from haechi.types import U8, Scores
from haechi_lab.calibrate import map_threshold
from standins import CALIBRATION
from synthetic import texture

CELLS = 28


class Found:
    """One face that fills the picture."""

    boxes_xyxy = np.array([[0, 0, 224, 224]], np.float32)

    def __len__(self) -> int:
        return 1

    def largest(self) -> int:
        return 0


class Finder:
    def __init__(self, _: Settings) -> None: ...

    def detect(self, _: U8) -> Found:
        return Found()


@pytest.mark.parametrize("height", [0.3, 0.6, 0.9])
def test_a_faint_map_is_cut_lower(height: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Detector:
        def __init__(self, _: Settings) -> None: ...

        name, calibration = "swap", Calibration.of(CALIBRATION)

        def score(self, pictures: U8, *, both_ways: bool) -> Scores:
            assert both_ways
            shown = np.full((1, CELLS, CELLS), height / 3, np.float32)
            shown[:, 8:20, 8:20] = height
            return Scores(np.full(1, 2.0), shown)

    monkeypatch.setattr(map_threshold, "FaceFinder", Finder)
    monkeypatch.setattr(map_threshold, "SwapDetector", Detector)
    monkeypatch.setattr(map_threshold, "crop_box", lambda box: box)
    mask = np.zeros((224, 224), np.uint8)
    mask[64:160, 64:160] = 255
    cv2.imwrite(str(tmp_path / "fake.png"), texture(224, 224))
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    with (tmp_path / "list.csv").open("w", newline="") as f:
        writer = csv.DictWriter(f, ["path", "label", "kind", "mask"])
        writer.writeheader()
        writer.writerow({"path": "fake.png", "label": "fake", "kind": "one", "mask": "mask.png"})
        writer.writerow({"path": "fake.png", "label": "real", "kind": "", "mask": ""})
    chosen = map_threshold.choose(tmp_path / "list.csv", tmp_path)
    assert set(chosen) == {"swap"}
    assert height / 3 < chosen["swap"]["map_threshold"] <= height
    assert chosen["swap"]["map_shown"], "the mask is a square in the middle, no ellipse over the whole face"


def test_a_map_that_lies_no_better_than_a_guess_is_not_shown() -> None:
    count = len(map_threshold.CANDIDATES)
    for own, guess, shown in ((0.6, 0.5, True), (0.4, 0.5, False)):
        best = map_threshold._best([[np.append(np.full(count, own), guess)]])
        assert best["map_shown"] is shown
    assert map_threshold._best([])["map_shown"] is False
