"""The overlap of maps with true masks, from the manifest to the table, in pixels of the picture."""

from __future__ import annotations

import csv
import importlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from haechi.bench import localisation as l
from haechi.bench import result as r
from haechi.bench.manifest import read_manifest
from haechi.bench.result_tables import render
from haechi.bench.run import bench
from haechi.bench.scorer import CheckScorer
from haechi.bench.treatment import Treatment
from haechi.detectors.evidence import Look
from haechi.errors import UsageError
from haechi.settings import Settings
from haechi.types import Evidence, Quality, Reason, Region, Verdict

BOX = (20.0, 10.0, 84.0, 74.0)


def region(heatmap: np.ndarray, box: tuple[float, float, float, float] = BOX) -> Region:
    return Region(1, 0.0, box, 1.0, heatmap.astype(np.float32))


def test_a_map_lies_where_its_box_lies() -> None:
    heatmap = np.zeros((8, 8))
    heatmap[2:4, 4:6] = 1.0
    where = l.picture_map([region(heatmap)], 120, 100) >= 0.5
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    # Cells of 8 px; interpolated, the edge of one half runs along the border of the cells.
    assert (rows[0], rows[-1]) == pytest.approx((10 + 16, 10 + 31), abs=1)
    assert (columns[0], columns[-1]) == pytest.approx((20 + 32, 20 + 47), abs=1)


def test_maps_that_leave_the_picture_or_overlap() -> None:
    full = np.ones((4, 4))
    part = l.picture_map([region(full, (-30.0, -30.0, 30.0, 30.0))], 100, 80)
    assert part[:30, :30].min() == 1.0
    assert part.sum() == 900
    both = l.picture_map([region(0.3 * full), region(0.9 * full, (50.0, 40.0, 200.0, 190.0))], 100, 80)
    assert both[60, 60] == pytest.approx(0.9)
    assert both[20, 30] == pytest.approx(0.3)
    assert l.picture_map([region(full, (200.0, 0.0, 260.0, 60.0))], 100, 80).max() == 0
    assert l.picture_map([Region(1, 0.0, BOX, 1.0)], 100, 80).max() == 0


def test_the_true_area_follows_the_blend_and_the_size() -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[20:60, 30:70] = 64  # a blend of a quarter
    area = l.true_area(mask, 50, 50)
    assert area is not None
    assert area[10:30, 15:35].all()
    assert area.sum() == 400
    assert l.true_area(np.full((10, 10), 3, np.uint8), 10, 10) is None


def test_overlap_and_ellipse() -> None:
    a, b = np.zeros((10, 10), bool), np.zeros((10, 10), bool)
    a[:, :6], b[:, 3:] = True, True
    assert l.iou(a, b) == pytest.approx(0.3)
    assert np.isnan(l.iou(a & False, b & False))
    guess = l.ellipses([BOX], 120, 100)
    assert guess.sum() == pytest.approx(np.pi * 32 * 32, rel=0.01)
    assert not guess[:, :20].any()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight pictures whose forgery is a bright square, while the map is brightness itself; two genuine."""
    rows = [("path", "label", "kind", "group", "mask")]
    rng = np.random.default_rng(0)
    for k in range(10):
        rgb = rng.integers(40, 90, (96, 128, 3), dtype=np.uint8)
        mask = np.zeros((96, 128), np.uint8)
        mask[20 : 40 + k, 30:60] = 255
        if k < 8:
            rgb[mask > 0] = 250
            cv2.imwrite(str(tmp_path / f"{k}-mask.png"), mask)
        cv2.imwrite(str(tmp_path / f"{k}.png"), rgb)
        rows.append(
            (
                f"{k}.png",
                "fake" if k < 8 else "real",
                "ab"[k % 2] if k < 8 else "",
                f"g{k}",
                f"{k}-mask.png" if k < 8 else "",
            )
        )
    with (tmp_path / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)

    def answer(source: Any) -> tuple[Any, Any]:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
        grey = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        height, width = grey.shape
        box = (0.0, 0.0, float(width), float(height))
        where = Region(1, 0.0, box, 1.0)
        maps = (grey / 255).astype(np.float32)[None]
        look = Look(1, np.ones(1), 1.0, np.zeros(1), np.array([box]), np.zeros((1, 5, 2), np.float32), maps)
        report = SimpleNamespace(
            verdict=Verdict("some", 0.7, (0.5, 0.8), ()),
            quality=Quality(88.0, 0.1, None, ()),
            media=SimpleNamespace(width_px=width, height_px=height, kind="image"),
            faces=[SimpleNamespace(track_id=1, boxes_xyxy=np.array([box]))],
            evidence=(
                Evidence("swap", "1", "scored", 1.0, Reason("x"), regions=(where,)),
                Evidence("synthesis", "1", "scored", 1.0, Reason("x")),
            ),
        )
        return report, {"swap": (look,)}

    class Answers:
        """A pipeline whose map is the picture itself."""

        def __init__(self, _: Settings) -> None: ...

        def check(self, source: Any) -> Any:
            report, self.looks = answer(source)
            return report

        def score(self, _: Any, __: str) -> Any:
            return self.looks

    monkeypatch.setattr(importlib.import_module("haechi.pipeline"), "Pipeline", Answers)
    monkeypatch.setattr(
        importlib.import_module("haechi.check"), "check", lambda source, _, *, previews: answer(source)[0]
    )
    monkeypatch.setattr(CheckScorer, "models", lambda _: [])
    monkeypatch.setattr(CheckScorer, "thresholds", lambda _: {"swap": 0.6})
    return tmp_path


def test_from_the_manifest_to_the_table(folder: Path) -> None:
    out = folder / "out.json"
    found = bench(
        read_manifest(folder / "list.csv"),
        out,
        CheckScorer(Settings()),
        rungs=("clean", "half", "double_jpeg"),
        resamples=30,
    )
    clean = found["rungs"]["clean"]["localisation"]
    assert set(clean) == {"all", "a", "b"}
    assert set(clean["all"]) == {"swap"}
    assert clean["all"]["swap"]["n"] == 8
    assert clean["all"]["swap"]["iou"]["value"] == 1.0
    assert clean["all"]["swap"]["ellipse"]["value"] < 0.2
    assert found["rungs"]["half"]["localisation"]["all"]["swap"]["iou"]["value"] > 0.8
    assert "localisation" not in found["rungs"]["double_jpeg"], "it cuts pixels off"
    assert r.differences(out) == []
    text = render(found, {"view": "localisation", "rungs": "clean"})
    assert "| a | swap | 4 | 1.000 (1.000 to 1.000) |" in text
    assert "mask" not in json.dumps(found["rungs"])
    assert "@" not in "".join(found["rungs"]["clean"]["overall"]["scores"])


def test_mistakes_with_masks(folder: Path) -> None:
    with pytest.raises(UsageError, match="leave --size at keep"):
        bench(
            read_manifest(folder / "list.csv"), folder / "x.json", CheckScorer(Settings()), rungs=("clean",),
            treatment=Treatment(90, "square:48"),
        )  # fmt: skip
    (folder / "3-mask.png").write_bytes(b"no picture")
    with pytest.raises(UsageError, match=r"the mask 3-mask.png cannot be read"):
        bench(
            read_manifest(folder / "list.csv"), folder / "y.json", CheckScorer(Settings()), rungs=("clean",)
        )
    (folder / "3-mask.png").unlink()
    with pytest.raises(UsageError, match="line 5: there is no such mask"):
        read_manifest(folder / "list.csv")
