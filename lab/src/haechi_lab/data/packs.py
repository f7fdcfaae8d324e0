"""``haechi train data``: every source's faces, cut once by the one crop rule and kept side by side.

A pack is a folder of the source's name:

    crops.npy   u8 (n, 224, 224, 3) RGB      mesh.npy   f16 (n, 468, 2), in pixels of the crop, or NaN
    table.csv   one line a face, in order    sheet.jpg  some of them, for a person to look at

Nothing of it is ever committed. Where a photograph stands in both splits, or nearly so (PDQ), the line of the
training split is dropped: a network must not be judged by what it learned.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import torch

from haechi.errors import UsageError
from haechi.faces import cut
from haechi.pdq import MATCH_AT, MIN_QUALITY, Index, hash_samples
from haechi.types import F32, U8
from haechi_lab.data import corpus
from haechi_lab.data.corpus import Row
from haechi_lab.data.prepare import mesh_crop, teacher_face
from haechi_lab.data.shards import Shards
from haechi_lab.inputs import CROP_PX, crop_box
from haechi_lab.training.teachers import FaceMesh, YuNet

SHEET_ROWS, SHEET_COLUMNS, SHEET_PX = 8, 12, 112


@dataclass(frozen=True, slots=True)
class Face:
    """A line of a table. ``sharpness``: variance of the Laplacian of the crop's brightness; ``light``: its
    mean; ``face_px``: width of the face in the file."""

    file: str
    source: str
    label: str
    kind: str
    split: str
    group: str
    original: str
    face_px: float
    sharpness: float
    light: float

    @property
    def fake(self) -> bool:
        return self.label == "fake"


@dataclass(slots=True)
class Pack:
    """``faces`` n lines, ``crops`` u8 (n, 224, 224, 3), ``mesh`` f16 (n, 468, 2); the arrays stay on disk."""

    name: str
    faces: list[Face]
    crops: np.ndarray
    mesh: np.ndarray

    @staticmethod
    def open(folder: Path) -> Pack:
        """Raises UsageError when ``make`` has not filled the folder."""
        if not (folder / "table.csv").is_file():
            raise UsageError(f"{folder.name!r} is no pack of faces: run haechi train data first")
        numbers = {"face_px", "sharpness", "light"}
        with (folder / "table.csv").open(newline="") as lines:
            faces = [
                Face(**{k: float(v) if k in numbers else v for k, v in line.items()})  # type: ignore[arg-type]
                for line in csv.DictReader(lines)
            ]
        count = len(faces)
        crops, mesh = (np.load(folder / f"{name}.npy", "r")[:count] for name in ("crops", "mesh"))
        return Pack(folder.name, faces, crops, mesh)


def open_all(folder: Path, names: Sequence[str] = ()) -> list[Pack]:
    """Every pack of a folder, or those named, in order of name."""
    folders = sorted(p.parent for p in folder.glob("*/table.csv"))
    subset = [p for p in folders if not names or p.name in names]
    if not subset:
        raise UsageError(f"no packs in {folder.name!r}: run haechi train data first")
    return [Pack.open(p) for p in subset]


def make(
    data: Path,
    where: Path,
    weights: Path,
    out: Path,
    without: Sequence[str] = (),
    log: Callable[[str], None] = print,
) -> None:
    """Fill ``out`` with a pack a source, those that are there already left as they are. ``data``: the shards
    and, in ``lists``, which files may be used; ``where``: the checked-out repositories."""
    cutter = Cutter(weights)
    if not (out / corpus.SHARDS / "table.csv").is_file():
        shards = Shards(data)
        _fill(
            out / corpus.SHARDS, list(corpus.shard_rows(data)), lambda row: shards.rgb(row.file), cutter, log
        )
    for entry in corpus.SOURCES:
        if entry.name in without or (out / entry.name / "table.csv").is_file():
            continue
        read = Reader(corpus.folder_of(where, entry))
        rows = list(corpus.rows_of(entry, data / "lists"))
        _fill(out / entry.name, rows, read, cutter, log, entry.least_sharpness)


class Reader:
    """Pictures of a checked-out repository; a sheet that holds many is decoded once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._last: tuple[str, U8] | None = None

    def __call__(self, row: Row) -> U8 | None:
        """u8 (H, W, 3) RGB; None where the repository itself holds something else under that name, an empty
        file or a script. Raises UsageError for a file that is missing."""
        if self._last is None or self._last[0] != row.file:
            if not (self.folder / row.file).is_file():
                raise UsageError(f"{row.source}: {row.file} is missing: check the repository out")
            bgr = cv2.imread(str(self.folder / row.file), cv2.IMREAD_COLOR)
            if bgr is None:
                return None
            self._last = (row.file, np.ascontiguousarray(bgr[:, :, ::-1], np.uint8))
        rgb = self._last[1]
        if row.box is None:
            return rgb
        x0, y0, x1, y1 = row.box
        return np.ascontiguousarray(rgb[y0:y1, x0:x1])


class Cutter:
    """Finds the face by the teachers and cuts it by the project's rule."""

    def __init__(self, weights: Path) -> None:
        self._yunet, self._mesh = YuNet(weights, 320), FaceMesh(weights)

    def __call__(self, rgb: U8, row: Row) -> tuple[U8, F32, float] | None:
        """Crop u8 (224, 224, 3), mesh f32 (468, 2) in its pixels, width of the face in px; None: no face."""
        if row.framing == "crop" and row.label == "fake":
            # Swaps are learned from as they are; only genuine faces are forged here, and need a mesh.
            whole = np.array([0, 0, rgb.shape[1], rgb.shape[0]], np.float32)
            return cut(rgb, whole, CROP_PX), np.full((468, 2), np.nan, np.float32), float(rgb.shape[1])
        face = teacher_face(self._yunet, rgb)
        if face is None:
            return None
        box = face[0]
        square = crop_box(box)
        if row.framing == "crop":
            square = np.array([0, 0, rgb.shape[1], rgb.shape[0]], np.float32)
        dense, area = mesh_crop(rgb, box)
        xy = self._mesh(torch.from_numpy(dense[None]))[0][0].numpy()
        in_picture = xy / 192 * (area[2:] - area[:2]) + area[:2]
        mesh = (in_picture - square[:2]) / (square[2:] - square[:2]) * CROP_PX
        return cut(rgb, square, CROP_PX), np.asarray(mesh, np.float32), float(box[2] - box[0])


def _fill(
    folder: Path,
    rows: Sequence[Row],
    read: Callable[[Row], U8 | None],
    cutter: Cutter,
    log: Callable[[str], None],
    least_sharpness: float = 0.0,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    crops = np.lib.format.open_memmap(folder / "crops.npy", "w+", np.uint8, (len(rows), CROP_PX, CROP_PX, 3))
    mesh = np.lib.format.open_memmap(folder / "mesh.npy", "w+", np.float16, (len(rows), 468, 2))
    faces: list[Face] = []
    small: list[U8] = []
    dropped = {"no picture": 0, "no face": 0, "blurred": 0}
    for row in sorted(rows, key=lambda r: r.split != "val"):  # val first: it is never what is dropped
        rgb = read(row)
        if rgb is None:
            dropped["no picture"] += 1
            continue
        cut_out = cutter(rgb, row)
        if cut_out is None:
            dropped["no face"] += 1
            continue
        crop, points, face_px = cut_out
        grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)
        if _sharpness(_own_size(grey, face_px)) < least_sharpness:
            dropped["blurred"] += 1
            continue
        crops[len(faces)], mesh[len(faces)] = crop, points
        small.append(np.asarray(cv2.resize(grey, (64, 64), interpolation=cv2.INTER_AREA), np.uint8))
        faces.append(
            Face(
                row.file, row.source, row.label, row.kind, row.split, row.group, row.original,
                round(face_px, 1), round(_sharpness(grey), 2), round(float(grey.mean()), 1),
            )
        )  # fmt: skip
    distinct = _distinct(faces, small)
    for new, old in enumerate(distinct):
        if new != old:
            crops[new], mesh[new] = crops[old], mesh[old]
    losses = ", ".join(
        f"{v} {k}" for k, v in {**dropped, "in both splits": len(faces) - len(distinct)}.items()
    )
    faces = [faces[i] for i in distinct]
    _write_sheet(folder / "sheet.jpg", faces, crops)
    with (folder / "table.csv").open("w", newline="") as lines:
        table = csv.DictWriter(lines, [f.name for f in fields(Face)])
        table.writeheader()
        table.writerows(asdict(face) for face in faces)
    log(f"{folder.name}: {len(faces)} faces of {len(rows)} files ({losses})")


def _sharpness(grey: U8) -> float:
    """Variance of the Laplacian."""
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def _own_size(grey: U8, face_px: float) -> U8:
    """The crop's brightness at the size that the face had in its file, if that is smaller: enlarging is not
    what makes a picture blurred."""
    side = round(min(face_px, grey.shape[0]))
    return np.asarray(cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _distinct(faces: Sequence[Face], small: Sequence[U8]) -> list[int]:
    """Which lines stay: all but those of the training split that are copies of one of the validation split.
    Where a group is a person or a scene that was split already (``original`` is named), nothing is compared:
    frames of one scene are alike and stand on one side."""
    if not faces:
        return []
    prints = hash_samples(np.stack(small).astype(np.float32))
    val = [i for i, f in enumerate(faces) if f.split == "val" and prints[i].quality >= MIN_QUALITY]
    index = Index(prints[i].hash for i in val)
    return [
        i
        for i, f in enumerate(faces)
        if f.split == "val" or f.original or not index.search(prints[i].hash, MATCH_AT)
    ]


def _write_sheet(file: Path, faces: Sequence[Face], crops: np.ndarray) -> None:
    """Some crops of each label side by side: the left half genuine, the right half forged."""
    draw = random.Random(7)
    board = np.full((SHEET_ROWS * SHEET_PX, SHEET_COLUMNS * SHEET_PX, 3), 128, np.uint8)
    for half, fake in enumerate((False, True)):
        mine = [i for i, f in enumerate(faces) if f.fake is fake]
        places = SHEET_ROWS * SHEET_COLUMNS // 2
        for k, i in enumerate(draw.sample(mine, min(places, len(mine)))):
            y, x = divmod(k, SHEET_COLUMNS // 2)
            x += half * SHEET_COLUMNS // 2
            tile = cv2.resize(crops[i], (SHEET_PX, SHEET_PX), interpolation=cv2.INTER_AREA)
            board[y * SHEET_PX : (y + 1) * SHEET_PX, x * SHEET_PX : (x + 1) * SHEET_PX] = tile
    cv2.imwrite(str(file), board[:, :, ::-1])
