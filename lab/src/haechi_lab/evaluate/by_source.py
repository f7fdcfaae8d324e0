"""``haechi train compare``: what networks find of every source's validation faces, alone and joined.

One crop a face, saved anew as JPEG 90 and as JPEG 40, not calibrated. A source's forgeries stand against its
own genuine faces or, where it has none, against those of every photographic source. Unless a network was
trained without a source (its run says so), the figures speak of persons it never met, not of kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from haechi.bench.metrics import Ranking, figure
from haechi.bench.result import write_json
from haechi.errors import UsageError
from haechi.types import F64, U8
from haechi_lab.data import augment
from haechi_lab.data.corpus import origin
from haechi_lab.data.packs import Face, Pack, open_all
from haechi_lab.evaluate.features import View, chosen
from haechi_lab.evaluate.left_out import PHOTOGRAPHS, standard
from haechi_lab.inputs import CROP_PX

QUALITIES = (90, 40)
BATCH = 16
Scorer = Callable[[U8], F64]
"""Crops u8 (n, 224, 224, 3) RGB -> logits f64 (n,)."""


def middle(crops: U8, side_px: int) -> U8:
    """u8 (n, side_px, side_px, 3)."""
    off = (CROP_PX - side_px) // 2
    return crops[:, off : off + side_px, off : off + side_px]


def onnx_scorer(file: Path, threads: int) -> Scorer:
    """Of a network's export; it is fed the middle of the crop, as large as its input."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    height = session.get_inputs()[0].shape[2]
    side = height if isinstance(height, int) else 208

    def scores(crops: U8) -> F64:
        x = np.ascontiguousarray(middle(crops, side).transpose(0, 3, 1, 2), np.float32)
        return np.asarray(session.run(["logit"], {"pictures": x})[0], np.float64)

    return scores


def dino_scorer(trunk: Path, tuned: Path) -> Scorer:
    """Of a run of ``haechi train dino``."""
    from haechi_lab.networks.dino_head import SIDE_PX
    from haechi_lab.training.dino import begun

    model = begun(trunk, tuned).plain()

    @torch.inference_mode()
    def scores(crops: U8) -> F64:
        x = torch.from_numpy(np.ascontiguousarray(middle(crops, SIDE_PX))).permute(0, 3, 1, 2).float()
        return np.asarray(model(x)[0].double().numpy(), np.float64)

    return scores


def faces_asked(packs: Sequence[Pack], most: int) -> list[View]:
    """At most so many validation faces of every source and label."""
    return [v for v in chosen(packs, 1, most) if v.face.split == "val" and v.law == "clean"]


def measure(
    packs_dir: Path,
    networks: Mapping[str, Scorer],
    most: int,
    out: Path,
    command: str,
    joined: bool = False,
    log: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Write and return the table: every network and, when ``joined``, the sum of standard scores of every
    two."""
    packs = open_all(packs_dir)
    views = faces_asked(packs, most)
    if not views:
        raise UsageError(f"{packs_dir.name!r} holds no validation faces: run haechi train data first")
    by_name = {pack.name: pack for pack in packs}
    crops = [np.asarray(by_name[v.pack].crops[v.line]) for v in views]
    faces = [v.face for v in views]
    rows: list[dict[str, Any]] = []
    for quality in QUALITIES:
        scores = {name: _scored(network, crops, quality) for name, network in networks.items()}
        genuine = np.array([not f.fake for f in faces])
        for one, other in combinations(networks, 2) if joined else ():
            both = [standard(scores[n], genuine) for n in (one, other)]
            scores[f"{one} + {other}"] = np.asarray(both[0] + both[1], np.float64)
        rows += [row | {"jpeg": quality} for row in _rows(faces, scores)]
    for row in rows:
        log(f"{row['source']:16} JPEG {row['jpeg']} {row['scores']:32} {row['value']}")
    result = {"command": command, "faces": len(faces), "table": _table(rows), "auc": rows}
    write_json(out, result)
    return result


def _table(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A line a source, a column a network: at JPEG 90, and at JPEG 40 in brackets."""
    values = {(r["source"], r["scores"], r["jpeg"]): r["value"] for r in rows}
    sources, names = (list(dict.fromkeys(r[k] for r in rows)) for k in ("source", "scores"))
    fine, coarse = QUALITIES
    return {
        "columns": ["source", *names],
        "rows": [
            [s, *(f"{values[s, n, fine]:.3f} ({values[s, n, coarse]:.3f})" for n in names)] for s in sources
        ],
    }


def _scored(network: Scorer, crops: Sequence[U8], quality: int) -> F64:
    parts = []
    for start in range(0, len(crops), BATCH):
        some = [augment.jpeg(c, quality, subsample=True) for c in crops[start : start + BATCH]]
        parts.append(network(np.stack(some)))
    return np.concatenate(parts)


def _rows(faces: Sequence[Face], scores: Mapping[str, F64]) -> list[dict[str, Any]]:
    source = np.array([origin(f.source) for f in faces])
    fake = np.array([f.fake for f in faces])
    group = np.array([f.group for f in faces])
    rows: list[dict[str, Any]] = []
    for name in sorted(set(source[fake])):
        mine = source == name
        own = mine & ~fake
        here = (mine & fake) | (own if own.any() else ~fake & np.isin(source, PHOTOGRAPHS))
        for which, values in scores.items():
            auc = figure(Ranking(fake[here], values[here]).auc, list(group[here]))
            rows.append({"source": str(name), "scores": which, **auc.as_dict(), "n": auc.n})
    return rows
