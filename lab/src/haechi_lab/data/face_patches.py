"""What the second look learns from: patches around faces that the finder found, and around what it took for
faces where there are none."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from haechi.faces import cut, iou
from haechi.faces.network import FinderNetwork
from haechi.faces.second_look import roll_of
from haechi.settings import Settings
from haechi.types import F32, U8
from haechi_lab.data import faceless
from haechi_lab.data.shards import Item, Shards, load_manifest, select
from haechi_lab.training.teachers import YuNet

PATCH_PX, PATCH_SCALE = 112, 2.5
"""A patch is a square of PATCH_SCALE times the mean of the box's sides, about its centre."""
LOW_SCORE = 0.25
"""Where there is no face, what the finder gives at least this is learned from: far below its threshold."""
LEAST_PX = 14
FAR_IOU = 0.05


@dataclass(frozen=True, slots=True)
class Patches:
    """rgb u8 (n, 112, 112, 3); face bool (n,); rolls_deg f32 (n,): 0 where there is no face."""

    rgb: U8
    face: np.ndarray
    rolls_deg: F32


def patch(rgb: U8, box: F32) -> U8:
    """The surroundings of a box."""
    centre, side = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).mean()) * PATCH_SCALE
    return cut(rgb, np.concatenate([centre - side / 2, centre + side / 2]).astype(np.float32), PATCH_PX)


def positives(
    rgb: U8, finder: FinderNetwork, yunet: YuNet, human: F32 | None = None
) -> Iterator[tuple[U8, float]]:
    """Faces of a photograph that the teacher, or a person, saw too, with their roll."""
    boxes, points, _ = yunet.find(rgb, 0.5, 0.9)
    sure = boxes if human is None else np.concatenate([human, boxes])
    if not len(sure):
        return
    faces = finder.close(rgb, finder.threshold)
    for box, own in zip(faces.boxes_xyxy, faces.landmarks_xy, strict=True):
        if (box[2:] - box[:2]).min() < LEAST_PX or iou(box[None], sure).max() < 0.45:
            continue
        near = iou(box[None], boxes)[0] if len(boxes) else np.zeros(1)
        yield patch(rgb, box), roll_of(points[near.argmax()] if near.max() > 0.45 else own)


def beside(
    rgb: U8, yunet: YuNet, finder: FinderNetwork, rng: np.random.Generator, human: F32
) -> Iterator[U8]:
    """Parts of a photograph with people that are far from every face, also from a doubtful one."""
    boxes, _, _ = yunet.find(rgb, 0.15, 0.9)
    near = np.concatenate([boxes, human, finder.close(rgb, finder.threshold).boxes_xyxy])
    h, w = rgb.shape[:2]
    for _ in range(2):
        side = float(np.exp(rng.uniform(np.log(LEAST_PX), np.log(min(h, w) / 2))))
        x, y = rng.uniform(0, w - side), rng.uniform(0, h - side)
        box = np.array([x, y, x + side, y + side], np.float32)
        grown = np.array([x - side / 3, y - side / 3, x + 1.3 * side, y + 1.3 * side], np.float32)
        if not len(near) or iou(grown[None], near).max() < FAR_IOU:
            yield patch(rgb, box)


def mistaken(rgb: U8, finder: FinderNetwork, rng: np.random.Generator) -> Iterator[U8]:
    """What the finder takes for faces where there are none, at any of four turns, and one random part."""
    turned = np.ascontiguousarray(np.rot90(rgb, int(rng.integers(4))))
    faces = finder.close(turned, LOW_SCORE)
    for box in faces.boxes_xyxy[:4]:
        if (box[2:] - box[:2]).min() >= LEAST_PX:
            yield patch(turned, box)
    side = float(np.exp(rng.uniform(np.log(LEAST_PX), np.log(min(turned.shape[:2]) * 0.9))))
    corner = rng.uniform(0, 1, 2) * (np.array(turned.shape[1::-1]) - side)
    yield patch(turned, np.concatenate([corner, corner + side]).astype(np.float32))


def people_of(data: Path) -> dict[str, F32]:
    """Human boxes f32 (n, 4) of the scenes by path."""
    boxes: dict[str, list[list[float]]] = {}
    with (data / "scenes.csv").open(newline="") as f:
        for r in csv.DictReader(f):
            x, y, w, h = (float(r[k]) for k in ("x", "y", "w", "h"))
            boxes.setdefault(r["path"], []).append([x, y, x + w, y + h])
    return {p: np.array(b, np.float32) for p, b in boxes.items()}


def photographs(data: Path, more: Path | None, rng: np.random.Generator) -> Iterator[tuple[U8, F32]]:
    """Training pictures of faces, forged ones are faces too, and the boxes that people drew in them."""
    shards, boxes, nobody = Shards(data), people_of(data), np.zeros((0, 4), np.float32)
    items = select(load_manifest(data), split="train")
    dfdc = [i for i in items if i.source == "dfdc"]
    some: list[Item] = [dfdc[i] for i in rng.permutation(len(dfdc))[:2500]]
    for item in [*some, *(i for i in items if i.source != "dfdc")]:
        rgb = shards.rgb(item.path)
        yield (rgb if max(rgb.shape) <= 512 else _reduced(rgb, 512)), nobody
    for path in shards.paths("scenes/train/faces"):
        yield shards.rgb(path), boxes.get(path, nobody)
    for file in faceless.gathered(more) if more else []:
        loaded = faceless.load(file, rng, 512)
        if loaded is not None:
            yield loaded, nobody


def _reduced(rgb: U8, most_px: int) -> U8:
    scale = most_px / max(rgb.shape[:2])
    return np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def empty(data: Path, folder: Path | None, rng: np.random.Generator, drawings: int) -> Iterator[U8]:
    """Pictures without a face: scenes at three sizes, drawings, and gathered ones that are not held back."""
    shards = Shards(data)
    for path in shards.paths("scenes/train/none") * 6:
        rgb = shards.rgb(path)
        h, w = rgb.shape[:2]
        part = rng.uniform(0.4, 1)
        y, x = (int(rng.uniform(0, 1 - part) * n) for n in (h, w))
        yield np.ascontiguousarray(rgb[y : y + int(part * h), x : x + int(part * w)])
    for kind in faceless.DRAWN:
        if kind not in faceless.NEVER_TAUGHT:
            yield from (faceless.draw(kind, seed, int(rng.integers(128, 640))) for seed in range(drawings))
    for file in faceless.gathered(folder) if folder else []:
        if not faceless.held_back(file, folder or file):
            loaded = faceless.load(file, rng, int(rng.integers(128, 640)))
            if loaded is not None:
                yield loaded


def around_people(
    finder: FinderNetwork, yunet: YuNet, pictures: Iterable[tuple[U8, F32]], rng: np.random.Generator
) -> tuple[list[tuple[U8, float]], list[U8]]:
    """Faces of photographs, and of the larger ones what lies beside the faces."""
    faces: list[tuple[U8, float]] = []
    none: list[U8] = []
    for rgb, human in pictures:
        faces += positives(rgb, finder, yunet, human)
        if max(rgb.shape[:2]) > 224:
            none += beside(rgb, yunet, finder, rng, human)
    return faces, none


def keep(file: Path, faces: Sequence[tuple[U8, float]], none: Sequence[U8]) -> None:
    rolls = np.array([r for _, r in faces] + [0.0] * len(none), np.float32)
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        file,
        rgb=np.stack([*(p for p, _ in faces), *none]),
        rolls_deg=rolls,
        face=np.arange(len(rolls)) < len(faces),
    )


def collect(
    data: Path,
    weights: Path,
    out: Path,
    folder: Path | None = None,
    more: Path | None = None,
    drawings: int = 400,
) -> Patches:
    """All patches, kept in ``out/patches.npz`` for the next time."""
    file = out / "patches.npz"
    if not file.is_file():
        finder, rng = FinderNetwork(Settings(threads=1)), np.random.default_rng(3)
        faces, none = around_people(finder, YuNet(weights, 320), photographs(data, more, rng), rng)
        none += [p for rgb in empty(data, folder, rng, drawings) for p in mistaken(rgb, finder, rng)]
        keep(file, faces, none)
    with np.load(file) as arrays:
        return Patches(arrays["rgb"], arrays["face"], arrays["rolls_deg"])
