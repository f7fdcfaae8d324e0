"""``haechi train field``: what happens to pictures as people have them, and not as data sets do.

    faceless   300 pictures without a face: how many get one judged
    kept       faces of the validation photographs: how many the second look loses
    turned     200 genuine portraits, upright and turned by any angle without a note of it
    mirrored   all eight ways round of a dozen portraits, without loss: how far the score moves
    remade     genuine portraits kept without loss, printed, in other colours, by old cameras
    enlarged   200 genuine portraits at their own size and enlarged two, four and eight times
    groups     of 1 to 40 faces, one forged or none (``weakest_link``)
    clips      of 5 to 300 seconds, and four forged seconds in sixty (``weakest_link``)

Everything is drawn from fixed seeds; each part writes ``results/PART.json``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from haechi import models
from haechi.faces import FaceFinder, iou
from haechi.faces.network import FinderNetwork
from haechi.pipeline import Pipeline
from haechi.settings import Settings
from haechi.types import F32, U8, Report
from haechi_lab.data import faceless
from haechi_lab.data import portrait_variants as remade
from haechi_lab.data.face_patches import people_of
from haechi_lab.data.shards import Shards, load_manifest, select
from haechi_lab.evaluate.weakest_link import measure_clips, measure_groups

COMMAND = "haechi train field --data DIR --faceless DIR --only"
FACELESS, SEED = 300, 100_000
JPEG_QUALITY = 95
PORTRAITS = ("ffhq-1024", "lfw", "ffhq-stylegan1")
TURNED, MIRRORED, REMADE, KEPT, ENLARGED = 200, 12, 60, 120, 200
"""Portraits of each part; of ``kept`` pictures of each source and label."""
ALARMS = ("some", "strong")
KERNELS: Mapping[str, int] = {
    "nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC,
    "Lanczos": cv2.INTER_LANCZOS4,
}  # fmt: skip
TIMES, MOST_PX = (2, 4, 8), 512
"""How often enlarged, and to what a larger portrait is reduced before."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a check said: its level, its score, the faces that were shown and the codes of what was wrong."""

    level: str
    score: float | None
    n_faces: int
    why: tuple[str, ...]

    @staticmethod
    def of(report: Report) -> Said:
        verdict = report.verdict
        return Said(verdict.level, verdict.score, len(report.faces), tuple(r.code for r in verdict.reasons))


def encoded(rgb: U8, ending: str = ".jpg", quality: int = JPEG_QUALITY) -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if ending == ".jpg" else []
    return cv2.imencode(ending, np.ascontiguousarray(rgb[:, :, ::-1]), options)[1].tobytes()


def share(values: Sequence[bool]) -> float:
    return round(float(np.mean(values)), 4) if len(values) else 0.0


def percent(values: Sequence[bool]) -> str:
    return f"{100 * share(values):.1f}%"


def portraits(data: Path) -> Iterator[U8]:
    """Genuine portraits of the validation split, source by source."""
    shards, items = Shards(data), load_manifest(data)
    for source in PORTRAITS:
        for item in select(items, split="val", source=source, label="real"):
            yield shards.rgb(item.path)


def no_faces(folder: Path | None) -> Iterator[tuple[str, U8]]:
    """FACELESS pictures: drawings of every kind, and gathered ones in place of half of them."""
    files = [f for f in faceless.gathered(folder) if faceless.held_back(f, folder)] if folder else []
    rng = np.random.default_rng(SEED)
    count = 0
    for i in rng.permutation(len(files)):
        if count == FACELESS // 2:
            break
        rgb = faceless.load(files[i], rng)
        if rgb is not None and min(rgb.shape[:2]) >= 100:
            count += 1
            yield "gathered", rgb
    kinds = tuple(faceless.DRAWN)
    for n in range(FACELESS - count):
        kind = kinds[n % len(kinds)]
        yield kind, faceless.draw(kind, SEED + n, int(rng.integers(200, 900)))


def measure_faceless(_: Path, folder: Path | None) -> dict[str, Any]:
    checker, alone = Pipeline(Settings(threads=1)), FinderNetwork(Settings(threads=1))
    outcomes: dict[str, list[tuple[bool, bool, bool]]] = {}
    for kind, rgb in no_faces(folder):
        before = len(alone.detect(rgb, (320, 512))) > 0
        answer = Said.of(checker.check(encoded(rgb)))
        for name in (kind, "all"):
            outcomes.setdefault(name, []).append((before, answer.n_faces > 0, answer.level != "unknown"))
    rows = [
        [name, str(len(v)), *(percent([row[k] for row in v]) for k in range(3))]
        for name, v in sorted(outcomes.items())
    ]
    columns = ["pictures without a face", "pictures", "found by the finder", "shown as a face", "judged"]
    verdicts = [row[2] for row in outcomes["all"]]
    return {"judged": share(verdicts), "pictures": len(verdicts), "table": {"columns": columns, "rows": rows}}


def measure_kept(data: Path, _: Path | None) -> dict[str, Any]:
    """Of the faces that the finder's network finds at its threshold, those that stay, and stay sure."""
    finder, shards, people = FaceFinder(Settings(threads=1)), Shards(data), people_of(data)
    outcomes: dict[str, list[tuple[bool, bool]]] = {}

    def look(source: str, rgb: U8, due: Callable[[F32], np.ndarray]) -> None:
        alone = finder.network.detect(rgb, (320, 512, 1280))
        boxes = alone.boxes_xyxy[due(alone.boxes_xyxy)]
        now = finder.detect(rgb)
        overlap = iou(boxes, now.boxes_xyxy)
        for row in overlap:
            there = row >= 0.4
            sure = there & (now.certainty >= finder.look.certain)
            for name in (source, "all"):
                outcomes.setdefault(name, []).append((bool(there.any()), bool(sure.any())))

    def largest(boxes: F32) -> np.ndarray:
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
        return np.array([areas.argmax()]) if len(areas) else np.zeros(0, np.int64)

    def near(human: F32) -> Callable[[F32], np.ndarray]:
        return lambda boxes: iou(boxes, human).max(1, initial=0) >= 0.4

    count: dict[str, int] = {}
    for item in select(load_manifest(data), split="val"):
        name = f"{item.source}, {item.label}"
        count[name] = count.get(name, 0) + 1
        if count[name] <= KEPT:
            look(name, shards.rgb(item.path), largest)
    for path in shards.paths("scenes/val/faces"):
        human = people.get(path, np.zeros((0, 4), np.float32))
        look("scenes", shards.rgb(path), near(human))
    rows = [
        [name, str(len(v)), percent([not a for a, _ in v]), percent([not b for _, b in v])]
        for name, v in sorted(outcomes.items())
    ]
    columns = ["faces", "found by the finder", "left out by the second look", "left out or doubted"]
    return {"lost": share([not b for _, b in outcomes["all"]]), "table": {"columns": columns, "rows": rows}}


def turned(rgb: U8, degrees: float) -> U8:
    """The whole picture, turned clockwise, on a canvas that holds it; beyond it there is black."""
    h, w = rgb.shape[:2]
    m = cv2.getRotationMatrix2D((w / 2, h / 2), -degrees, 1.0)
    across, down = abs(m[0, 0]) * w + abs(m[0, 1]) * h, abs(m[0, 1]) * w + abs(m[0, 0]) * h
    m[:, 2] += (across / 2 - w / 2, down / 2 - h / 2)
    return np.asarray(cv2.warpAffine(rgb, m, (round(across), round(down)), flags=cv2.INTER_LINEAR), np.uint8)


def measure_turned(data: Path, _: Path | None) -> dict[str, Any]:
    checker, rng = Pipeline(Settings(threads=1)), np.random.default_rng(SEED)
    parts: dict[str, list[Said]] = {"upright": [], "turned, all": []}
    for n, rgb in enumerate(portraits(data)):
        if n == TURNED:
            break
        angle = float(rng.uniform(0, 360))
        answer = Said.of(checker.check(encoded(turned(rgb, angle))))
        parts["upright"].append(Said.of(checker.check(encoded(rgb))))
        lean = min(angle % 90, 90 - angle % 90)
        part = "within 15 degrees of a quarter turn" if lean <= 15 else "further from a quarter turn"
        for name in ("turned, all", f"turned, {part}"):
            parts.setdefault(name, []).append(answer)
    return {
        "alarms_upright": share([s.level in ALARMS for s in parts["upright"]]),
        "alarms_turned": share([s.level in ALARMS for s in parts["turned, all"]]),
        "unknown_turned": share([s.level == "unknown" for s in parts["turned, all"]]),
        "table": levels("portraits", parts),
    }


def levels(what: str, parts: Mapping[str, Sequence[Said]]) -> dict[str, Any]:
    """Alarms and abstentions of each part."""
    rows = [
        [
            name, str(len(v)), percent([s.level in ALARMS for s in v]),
            percent([s.level == "strong" for s in v]), percent([s.level == "unknown" for s in v]),
        ]
        for name, v in parts.items()
    ]  # fmt: skip
    return {"columns": [what, "pictures", "some or strong", "strong", "unknown"], "rows": rows}


def eight_ways(rgb: U8) -> Iterator[U8]:
    """A picture turned by quarters, and its mirror image likewise."""
    for way in (rgb, rgb[:, ::-1]):
        yield from (np.ascontiguousarray(np.rot90(way, k)) for k in range(4))


def measure_mirrored(data: Path, _: Path | None) -> dict[str, Any]:
    checker = Pipeline(Settings(threads=1))
    every = list(portraits(data))
    sample = [every[i] for i in np.random.default_rng(SEED).permutation(len(every))[:MIRRORED]]
    rows, spreads, others = [], [], 0
    for n, rgb in enumerate(sample):
        scores = [Said.of(checker.check(encoded(way, ".png"))).score for way in eight_ways(rgb)]
        answers = [s for s in scores if s is not None]
        spreads.append(max(answers) - min(answers) if answers else 0.0)
        others += 0 < len(answers) < len(scores)
        rows.append([str(n + 1), f"{answers[0]:.3f}" if answers else "unknown", f"{spreads[-1]:.4f}"])
    columns = ["portrait", "score, upright", "largest less smallest score of the eight"]
    return {
        "worst": round(max(spreads), 4), "unlike": others, "table": {"columns": columns, "rows": rows},
    }  # fmt: skip


def measure_remade(data: Path, _: Path | None) -> dict[str, Any]:
    checker = Pipeline(Settings(threads=1))
    parts: dict[str, list[Said]] = {}
    every = list(portraits(data))
    for n in np.random.default_rng(SEED).permutation(len(every))[:REMADE]:
        rgb = every[n]
        for kind, make in remade.KINDS.items():
            data_of = make(rgb, np.random.default_rng([SEED, int(n)]))
            parts.setdefault(kind, []).append(Said.of(checker.check(data_of)))
    return {"table": levels("genuine portraits", parts)}


def measure_enlarged(data: Path, _: Path | None) -> dict[str, Any]:
    """Every portrait at each size, by the kernels in turn."""
    checker = Pipeline(Settings(threads=1))
    every = list(portraits(data))
    parts: dict[str, list[Said]] = {"at their own size": []}
    for n, i in enumerate(np.random.default_rng(SEED).permutation(len(every))[:ENLARGED]):
        rgb = every[i]
        if (scale := MOST_PX / max(rgb.shape[:2])) < 1:
            rgb = np.asarray(
                cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
            )
        parts["at their own size"].append(Said.of(checker.check(encoded(rgb))))
        for k, times in enumerate(TIMES):
            name = list(KERNELS)[(n + k) % len(KERNELS)]
            size = (rgb.shape[1] * times, rgb.shape[0] * times)
            large = np.asarray(cv2.resize(rgb, size, interpolation=KERNELS[name]), np.uint8)
            answer = Said.of(checker.check(encoded(large)))
            for part in (f"enlarged {times} times", f"enlarged, {name}", "enlarged, all"):
                parts.setdefault(part, []).append(answer)
    larger = parts["enlarged, all"]
    return {
        "strong": share([s.level == "strong" for s in larger]),
        "some_or_strong": share([s.level in ALARMS for s in larger]),
        "table": levels("genuine portraits", dict(sorted(parts.items()))),
    }


PARTS: Mapping[str, Callable[[Path, Path | None], dict[str, Any]]] = {
    "faceless": measure_faceless,
    "kept": measure_kept,
    "turned": measure_turned,
    "mirrored": measure_mirrored,
    "remade": measure_remade,
    "enlarged": measure_enlarged,
    "groups": measure_groups,
    "clips": measure_clips,
}


def _cards() -> list[models.ModelCard]:
    return [models.card(name, Settings()) for name in ("faces", "face_check", "swap", "synthesis", "verdict")]


def measure(part: str, data: Path, results: Path, folder: Path | None) -> dict[str, Any]:
    """One part; what it found is returned and written to ``results/PART.json``."""
    figures = PARTS[part](data, folder)
    result = {
        "schema": "haechi.field/1", "command": f"{COMMAND} {part}",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "models": [{"name": c.name, "version": c.version, "sha256": c.sha256} for c in _cards()], **figures,
    }  # fmt: skip
    results.mkdir(parents=True, exist_ok=True)
    (results / f"{part}.json").write_text(json.dumps(result, indent=1) + "\n")
    return result
