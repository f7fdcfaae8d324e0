"""Decode every training picture once and cut its largest face by the one crop rule of this project.

The DFDC crops came to us already cut; the rule was measured on them with the teacher (``measure_crop``) and
all other sources, and later the user's pictures, are cut by the same law. What comes out is a folder:

    crops.npy   u8 (N, 224, 224, 3) RGB        mesh.npy  f32 (N, 468, 2) in crop pixels
    table.json  one row a face: path, source, split, group, label, kind, face_px, box and landmarks in
                picture pixels
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from haechi.faces import cut
from haechi.types import F32, U8
from haechi_lab.data.shards import Item, Shards, load_manifest
from haechi_lab.inputs import CROP_PX, crop_box
from haechi_lab.training.teachers import FaceMesh, YuNet

FILLS = (0.6, 0.9, 0.4)


def teacher_face(yunet: YuNet, rgb: U8) -> tuple[F32, F32, float] | None:
    """Box (4,), landmarks (5, 2) and score of the largest face that YuNet finds in a picture, or None."""
    for fill in FILLS:
        boxes, points, scores = yunet.find(rgb, 0.5, fill)
        if len(scores):
            area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
            best = int(np.argmax(area * (scores > 0.6 * scores.max())))
            return boxes[best], points[best], float(scores[best])
    return None


def mesh_crop(rgb: U8, box: F32) -> tuple[U8, F32]:
    """The square of 1.5 times the box that the mesh expects, u8 (192, 192, 3), and its xyxy."""
    centre, side = (box[:2] + box[2:]) / 2, 1.5 * float(max(box[2:] - box[:2]))
    square = np.concatenate([centre - side / 2, centre + side / 2]).astype(np.float32)
    return cut(rgb, square, 192), square


def prepare(data: Path, weights: Path, out: Path) -> None:
    """Fill ``out``; does nothing when it is filled already."""
    if (out / "table.json").is_file():
        return
    out.mkdir(parents=True, exist_ok=True)
    shards, items = Shards(data), load_manifest(data)
    yunet, mesh = YuNet(weights, 320), FaceMesh(weights)
    crops = np.lib.format.open_memmap(out / "crops.npy", "w+", np.uint8, (len(items), CROP_PX, CROP_PX, 3))
    points = np.lib.format.open_memmap(out / "mesh.npy", "w+", np.float32, (len(items), 468, 2))
    rows: list[dict[str, object]] = []
    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(items), 64):
            part = items[start : start + 64]
            pictures = list(pool.map(lambda i: shards.rgb(i.path), part))
            for item, rgb, face in zip(
                part, pictures, [teacher_face(yunet, p) for p in pictures], strict=True
            ):
                if face is not None:
                    rows.append(_row(item, rgb, face, mesh, crops[len(rows)], points[len(rows)]))
    (out / "table.json").write_text(json.dumps(rows))


def _row(
    item: Item, rgb: U8, face: tuple[F32, F32, float], mesh: FaceMesh, crop: U8, points: F32
) -> dict[str, object]:
    box, landmarks, score = face
    square = (
        np.array([0, 0, rgb.shape[1], rgb.shape[0]], np.float32) if item.source == "dfdc" else crop_box(box)
    )
    crop[:] = cut(rgb, square, CROP_PX)
    dense, area = mesh_crop(rgb, box)
    xy, presence = mesh(torch.from_numpy(dense[None]))
    in_picture = xy[0].numpy() / 192 * (area[2:] - area[:2]) + area[:2]
    points[:] = (in_picture - square[:2]) / (square[2:] - square[:2]) * CROP_PX
    return {
        "path": item.path, "source": item.source, "split": item.split, "group": item.group,
        "label": item.label, "kind": item.kind, "score": round(score, 3),
        "presence": round(float(presence), 3),
        "face_px": float(box[2] - box[0]), "box": box.tolist(), "landmarks": landmarks.tolist(),
        "crop": square.tolist(),
    }  # fmt: skip
