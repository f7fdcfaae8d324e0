"""``haechi train features``: what frozen trunks see in every face, kept on disk, so that a question about
heads, mixtures of sources or thresholds takes seconds instead of hours.

Each chosen face is degraded by one law for both classes (``augment``; a draw from (seed, row) alone) and
shown to every trunk. OUT then holds ``rows.csv`` (one line a view: pack, line, law, and what the table of the
pack says), and per trunk ``NAME.npy`` f16 (views, d); a run that was cut off goes on where it stopped.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch

from haechi import models
from haechi.errors import UsageError
from haechi.settings import Settings
from haechi.types import F32, U8
from haechi_lab.data import augment
from haechi_lab.data.corpus import origin
from haechi_lab.data.packs import Face, Pack, open_all
from haechi_lab.inputs import CROP_PX, fed
from haechi_lab.networks.dino import Dino
from haechi_lab.networks.dino_head import FEATURES, SIDE_PX, TAPS, pooled

LAWS = ("clean", "drawn")
"""``clean``: saved anew as JPEG of quality 90; ``drawn``: light, blur, size, noise and JPEG by chance. Faces
of the training split are drawn, those of the validation split are shown in both ways."""
STRENGTH, SEED, BATCH = 0.45, 14, 16


class Trunk(Protocol):
    """``name``, the number of features ``size``, and crops u8 (n, 224, 224, 3) -> features f32 (n, size)."""

    name: str
    size: int

    def __call__(self, crops: U8) -> F32: ...


class DinoTrunk:
    """DINOv2-S/14, frozen, of the middle of a crop (``SIDE_PX``): after each of TAPS the class token and the
    mean and deviation of the patches. ``bf16``: multiply in bfloat16."""

    name = "dino"
    size = FEATURES

    def __init__(self, file: Path, bf16: bool = False) -> None:
        self._model, self._bf16 = Dino.pretrained(file), bf16

    @torch.inference_mode()
    def __call__(self, crops: U8) -> F32:
        off = (CROP_PX - SIDE_PX) // 2
        x = torch.from_numpy(np.ascontiguousarray(crops[:, off : off + SIDE_PX, off : off + SIDE_PX]))
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            taps = self._model.taps(x.permute(0, 3, 1, 2).float(), TAPS)
        return np.asarray(pooled(taps).numpy(), np.float32)


class ShippedTrunk:
    """The face network that ships: its features, and its logit as the last one."""

    name = "shipped"

    def __init__(self, settings: Settings) -> None:
        self._network = models.load("swap", settings)
        self.size = int(self(np.zeros((1, 224, 224, 3), np.uint8)).shape[1])

    def __call__(self, crops: U8) -> F32:
        x = fed(crops)
        logit, _, features = self._network.run(x)
        return np.concatenate([features, logit.reshape(-1, 1)], 1)


@dataclass(frozen=True, slots=True)
class View:
    """One face under one law. ``line``: its place in the pack."""

    pack: str
    line: int
    law: str
    face: Face


def chosen(packs: Sequence[Pack], most_train: int, most_val: int) -> list[View]:
    """At most so many faces of every (source, label, split), a group after the other so that no person fills
    the share of a source; in an order by chance, in which the first tenth already speaks for all."""
    draw = np.random.default_rng(SEED)
    cells: dict[tuple[str, str, str], list[tuple[Pack, int]]] = {}
    for pack in packs:
        for i, face in enumerate(pack.faces):
            # One source, whatever pack it came in.
            cells.setdefault((origin(face.source), face.label, face.split), []).append((pack, i))
    views: list[View] = []
    for (_, _, split), members in sorted(cells.items(), key=lambda item: item[0]):
        by_group: dict[str, list[tuple[Pack, int]]] = {}
        for k in draw.permutation(len(members)):
            pack, i = members[k]
            by_group.setdefault(pack.faces[i].group, []).append((pack, i))
        for pack, i in _in_turn(list(by_group.values()), most_val if split == "val" else most_train):
            laws = LAWS if split == "val" else ("drawn",)
            views += [View(pack.name, i, law, pack.faces[i]) for law in laws]
    return [views[k] for k in draw.permutation(len(views))]


def _in_turn(groups: list[list[tuple[Pack, int]]], most: int) -> Iterator[tuple[Pack, int]]:
    """One of each group, then a second of each, and so on."""
    deepest, count = max(map(len, groups)), 0
    for depth in range(deepest):
        for group in groups:
            if depth < len(group) and count < most:
                count += 1
                yield group[depth]


def shown(crop: U8, law: str, key: int) -> U8:
    """The crop u8 (224, 224, 3) under a law of LAWS; ``key`` decides the draw."""
    rng = np.random.default_rng([SEED, key])
    if law == "clean":
        return augment.jpeg(crop, 90, subsample=True)
    framed = np.asarray(augment.frame([crop], rng)[0], np.uint8)
    return augment.degrade([framed], rng, STRENGTH)[0]


def make(
    packs_dir: Path,
    out: Path,
    trunks: Sequence[Trunk],
    most_train: int,
    most_val: int,
    log: Callable[[str], None] = print,
) -> None:
    """Fill ``out``; views that it holds already are kept. Raises UsageError when it was made of others."""
    packs = open_all(packs_dir)
    views = chosen(packs, most_train, most_val)
    by_name = {pack.name: pack for pack in packs}
    out.mkdir(parents=True, exist_ok=True)
    _write_rows(out / "rows.csv", views)
    stores = [_store(out / f"{trunk.name}.npy", len(views), trunk.size) for trunk in trunks]
    progress = out / "progress.json"
    count = int(json.loads(progress.read_text())["views"]) if progress.is_file() else 0
    while count < len(views):
        part = range(count, min(count + BATCH, len(views)))
        crops = np.stack(
            [
                shown(by_name[v.pack].crops[v.line], v.law, k)
                for k, v in zip(part, views[count:], strict=False)
            ]
        )
        for trunk, store in zip(trunks, stores, strict=True):
            store[part.start : part.stop] = trunk(crops)
        count = part.stop
        if count % (BATCH * 32) == 0 or count == len(views):
            for store in stores:
                store.flush()
            progress.write_text(json.dumps({"views": count}))
            log(f"{count} of {len(views)} views")


def _store(file: Path, count: int, size: int) -> np.memmap:
    if file.is_file():
        return np.lib.format.open_memmap(file, "r+")
    return np.lib.format.open_memmap(file, "w+", np.float16, (count, size))


def _write_rows(file: Path, views: Sequence[View]) -> None:
    lines = [
        [v.pack, str(v.line), v.law, v.face.source, v.face.label, v.face.kind, v.face.split, v.face.group,
         str(v.face.face_px), str(v.face.sharpness), str(v.face.light)]
        for v in views
    ]  # fmt: skip
    header = ["pack", "line", "law", "source", "label", "kind", "split", "group"]
    header += ["face_px", "sharpness", "light"]
    if file.is_file():
        with file.open(newline="") as old:
            if list(csv.reader(old)) != [header, *lines]:
                raise UsageError(f"{file.parent.name!r} holds features of other faces: name an empty folder")
        return
    with file.open("w", newline="") as new:
        csv.writer(new).writerows([header, *lines])


def quiet_threads(threads: int) -> None:
    """Keep to so many threads; pictures are degraded in this process too."""
    cv2.setNumThreads(1)
    torch.set_num_threads(threads)
