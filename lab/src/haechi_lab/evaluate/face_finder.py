"""The face finder against its teacher and against people's boxes, on pictures it never saw.

recall      of the teacher's faces with score >= 0.6 and shorter side >= 32 px, at IoU 0.5
precision   of ours, against the teacher's faces with score >= 0.3, at IoU 0.5
landmarks   mean distance over the inter-ocular distance, on matched faces of side >= 32 px
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from haechi.faces import Detections, FaceFinder, iou
from haechi.faces.network import FinderNetwork
from haechi.settings import Settings
from haechi.types import F32, U8
from haechi_lab.data.shards import Shards, half, load_manifest
from haechi_lab.inputs import SEARCH_PX
from haechi_lab.training.teachers import YuNet

Found = tuple[F32, F32, F32]
THRESHOLDS = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65)
LEAST_RECALL = 0.98


def pictures(data: Path, part: str) -> Iterator[tuple[str, str, U8]]:
    """(source, path, rgb) of one half of the validation split, people in the scenes' val folder included."""
    shards = Shards(data)
    val = [i for i in load_manifest(data) if i.split == "val" and half(i.group) == part]
    yield from ((i.source, i.path, shards.rgb(i.path)) for i in val)
    yield from (("scenes", p, shards.rgb(p)) for p in shards.paths("scenes/val") if half(p) == part)


def teach(yunet: YuNet, rgb: U8) -> Found:
    """The teacher on a picture at its own size, on its 640-px board; larger pictures are reduced to fit."""
    return yunet.find(rgb, 0.3, min(1.0, max(rgb.shape[:2]) / yunet.side))


def choose_threshold(data: Path, weights: Path, settings: Settings) -> float:
    """The highest score that keeps a recall of LEAST_RECALL on the selection half. A face that is none can
    draw an accusation on a picture: what recall can spare goes to precision."""
    figures: Any = measure(data, weights, settings, "selection", THRESHOLDS)
    good = [t for t in THRESHOLDS if figures[f"at_{t:g}"]["all"]["recall"] >= LEAST_RECALL]
    return max(good, default=THRESHOLDS[0])


def turned(rgb: U8, degrees: float) -> U8:
    h, w = rgb.shape[:2]
    m = cv2.getRotationMatrix2D((w / 2, h / 2), degrees, 1.0)
    out = cv2.warpAffine(rgb, m, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(out, np.uint8)


def compare(ours: Detections, theirs: Found, threshold: float) -> Mapping[str, list[float]]:
    """Hits of one picture: lists of 0 and 1 for recall and precision, of relative errors for landmarks."""
    boxes, points, scores = theirs
    keep = ours.scores >= threshold
    mine, my_points = ours.boxes_xyxy[keep], ours.landmarks_xy[keep]
    overlap = iou(boxes, mine) if len(boxes) and len(mine) else np.zeros((len(boxes), len(mine)), np.float32)
    due = (scores >= 0.6) & ((boxes[:, 2:] - boxes[:, :2]).min(1) >= 32) if len(boxes) else np.zeros(0, bool)
    hit = overlap.max(1) >= 0.5 if len(mine) else np.zeros(len(boxes), bool)
    errors = []
    for i in np.flatnonzero(due & hit):
        apart = np.linalg.norm(points[i, 0] - points[i, 1])
        error = np.linalg.norm(my_points[overlap[i].argmax()] - points[i], axis=1).mean()
        # A profile's eyes lie nearly on each other; the face's height keeps the ratio meaningful there.
        errors.append(
            float(error / max(apart, 0.3 * np.linalg.norm(points[i, :2].mean(0) - points[i, 3:].mean(0))))
        )
    right = overlap.max(0) >= 0.5 if len(boxes) else np.zeros(len(mine), bool)
    return {
        "recall": hit[due].astype(float).tolist(),
        "precision": right.astype(float).tolist(),
        "landmarks": errors,
    }


def measure(
    data: Path, weights: Path, settings: Settings, part: str, thresholds: tuple[float, ...]
) -> dict[str, object]:
    """Figures by source at each threshold, and recall on pictures of one face rolled by 30 and 45 degrees."""
    finder, yunet = FinderNetwork(settings), YuNet(weights, 640)
    finder.threshold = min(thresholds)
    detections = [
        (s, rgb, finder.detect(rgb, SEARCH_PX, both_ways=True), teach(yunet, rgb))
        for s, _, rgb in pictures(data, part)
    ]
    out: dict[str, object] = {"half": part, "pictures": len(detections)}
    for t in thresholds:
        sums: dict[str, dict[str, list[float]]] = {}
        for source, _, ours, theirs in detections:
            for name, values in compare(ours, theirs, t).items():
                for key in (source, "all"):
                    sums.setdefault(key, {}).setdefault(name, []).extend(values)
        out[f"at_{t:g}"] = {
            s: {k: round(float(np.mean(v)), 4) if v else None for k, v in d.items()}
            | {"faces": len(d["recall"])}
            for s, d in sums.items()
        }
    finder.threshold = thresholds[0]
    rolls = {}
    single = [
        (rgb, theirs)
        for s, rgb, _, theirs in detections
        if s in ("lfw", "ffhq-stylegan1") and len(theirs[2]) and theirs[2].max() > 0.8
    ]
    for degrees in (-45, -30, 30, 45):
        rolls[str(degrees)] = round(
            float(np.mean([_rolled(finder, rgb, t, degrees) for rgb, t in single[:120]])), 4
        )
    out["recall_rolled_deg"] = rolls
    return out


def _rolled(finder: FinderNetwork, rgb: U8, theirs: Found, degrees: float) -> bool:
    """Whether the main face is still found, its centre within a quarter of its size, after a roll."""
    k = int(((theirs[0][:, 2:] - theirs[0][:, :2]).prod(1)).argmax())
    h, w = rgb.shape[:2]
    m = cv2.getRotationMatrix2D((w / 2, h / 2), degrees, 1.0)
    nose = m[:, :2] @ theirs[1][k, 2] + m[:, 2]
    ours = finder.detect(turned(rgb, degrees), SEARCH_PX, both_ways=True)
    size = float(np.sqrt((theirs[0][k, 2:] - theirs[0][k, :2]).prod()))
    return bool(len(ours) and (np.linalg.norm(ours.landmarks_xy[:, 2] - nose, axis=1) < 0.25 * size).any())


def against_people(data: Path, settings: Settings) -> dict[str, object]:
    """Recall and precision at IoU 0.5 against the human boxes of ``scenes.csv`` (most wear a mask)."""
    shards, finder = Shards(data), FaceFinder(settings)
    boxes: dict[str, list[tuple[list[float], str]]] = {}
    with (data / "scenes.csv").open(newline="") as f:
        for r in csv.DictReader(f):
            x, y, w, h = (float(r[k]) for k in ("x", "y", "w", "h"))
            boxes.setdefault(r["path"], []).append(([x, y, x + w, y + h], r["kind"]))
    recall: dict[str, list[float]] = {}
    precise: list[float] = []
    for path in shards.paths("scenes/val"):
        people = boxes.get(path, [])
        ours = finder.detect(shards.rgb(path)).boxes_xyxy
        human = np.array([b for b, _ in people], np.float32).reshape(-1, 4)
        overlap = (
            iou(human, ours) if len(human) and len(ours) else np.zeros((len(human), len(ours)), np.float32)
        )
        for i, (box, kind) in enumerate(people):
            if min(box[2] - box[0], box[3] - box[1]) >= 20:
                recall.setdefault(kind, []).append(float(overlap.shape[1] > 0 and overlap[i].max() >= 0.5))
        precise += (overlap.max(0) >= 0.5).astype(float).tolist() if len(human) else [0.0] * len(ours)
    return {
        "recall_side_ge_20px": {
            k: {"value": round(float(np.mean(v)), 4), "faces": len(v)} for k, v in recall.items()
        },
        "precision": {"value": round(float(np.mean(precise)), 4), "findings": len(precise)},
    }


def timing(call: Callable[[], object], runs: int = 30) -> float:
    """Median milliseconds."""
    spent = []
    for _ in range(runs + 3):
        start = time.perf_counter()
        call()
        spent.append(time.perf_counter() - start)
    return float(np.median(spent[3:]) * 1000)
