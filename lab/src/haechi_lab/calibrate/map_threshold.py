"""Where a map of the face network is cut when it is asked which pixels were changed: chosen on the selection
half, where the overlap with the true masks, mean over the families of pseudo-fakes, is largest; and whether
people are shown it, which they are when it then lies over the masks better than the ellipse in the box does.

Only forgeries of which the network says that they look forged count: of one that it does not see, painting
the whole face is the best guess at any mask, and a map that is cut for such guesses says nothing.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from haechi.bench.localisation import (
    THRESHOLD,
    Area,
    ellipses,
    iou,
    picture_map,
    read_mask,
    true_area,
)
from haechi.calibration import llr
from haechi.detectors.swap import SwapDetector
from haechi.faces import FaceFinder, cut
from haechi.media import open_media
from haechi.settings import Settings
from haechi.types import F32, F64, FaceQuality, Region
from haechi_lab.inputs import CROP_PX, crop_box

CANDIDATES = tuple(round(float(t), 2) for t in np.arange(0.1, 0.71, 0.05))


def choose(manifest: Path, folder: Path) -> dict[str, dict[str, float | bool]]:
    """Card -> ``map_threshold`` and ``map_shown`` of its output, for ``swap``, from the forgeries of the
    manifest that have a mask. ``folder``: the models. Raises ModelError without sound models."""
    settings = Settings(models_dir=str(folder), threads=1)
    finder, detector = FaceFinder(settings), SwapDetector(settings)
    overlaps: dict[str, list[F64]] = {}
    with manifest.open(newline="") as f:
        rows = [r for r in csv.DictReader(f) if r["mask"]]
    for row in rows:
        rgb = next(iter(open_media(manifest.parent / row["path"], settings).frames(1))).rgb
        size = rgb.shape[1], rgb.shape[0]
        true = true_area(read_mask(manifest.parent / row["mask"]), *size)
        faces = finder.detect(rgb)
        if true is None or not len(faces):
            continue
        box = faces.boxes_xyxy[faces.largest()]
        square = crop_box(box)
        scores = detector.score(cut(rgb, square, CROP_PX)[None], both_ways=True)
        assert scores.maps is not None
        quality = FaceQuality(1, float((box[2:] - box[:2]).min()), 1.0, 1.0)
        if llr(scores.logits, quality, detector.calibration)[0] > 0:
            guess = iou(ellipses([box.tolist()], *size), true)
            own = _overlaps(scores.maps[0], square, size, true)
            overlaps.setdefault(row["kind"], []).append(np.append(own, guess))
    return {detector.name: _best(list(overlaps.values()))}


def _best(by_kind: list[list[F64]]) -> dict[str, float | bool]:
    """The candidate of the largest overlap, every kind weighing the same, and whether that is larger than the
    overlap of the ellipse, which stands last; the middle one, not shown, when nothing was found at all."""
    if not by_kind:
        return {"map_threshold": THRESHOLD, "map_shown": False}
    means = np.mean([np.mean(of_kind, 0) for of_kind in by_kind], 0)
    best = int(means[:-1].argmax())
    return {"map_threshold": CANDIDATES[best], "map_shown": bool(means[best] > means[-1])}


def _overlaps(heat: F32, square: F32, size: tuple[int, int], true: Area) -> F64:
    """IoU at each of CANDIDATES, f64 (n,)."""
    x1, y1, x2, y2 = (float(v) for v in square)
    picture_heat = picture_map([Region(1, 0.0, (x1, y1, x2, y2), 0.0, heat)], *size)
    return np.array([iou(picture_heat >= t, true) for t in CANDIDATES])
