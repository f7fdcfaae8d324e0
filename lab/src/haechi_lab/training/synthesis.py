"""``haechi train synthesis``: faces that a generator drew, whole or set into a photograph, told by a head on
a frozen trunk.

The trunk, DINOv2-S/14, learned from 142 million pictures what the world looks like; the head is fitted on
what it sees of the faces of every source (``train features``). Swaps are left to the face network: on them a
frozen trunk is hardly better than chance (``results/left-out.json``).
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from haechi_lab.data.shards import file_hash
from haechi_lab.data.views import Views
from haechi_lab.networks.dino import Dino
from haechi_lab.networks.dino_head import SIDE_PX, TAPS, GeneratedFace, Head
from haechi_lab.training.head import balanced, fitted
from haechi_lab.training.loop import code_hash

SEEDS = (0, 1, 2)
"""The mean of so many heads ships: they differ by chance alone."""
NOT_ITS_OWN = "swap"


def learned_from(views: Views, without: Sequence[str] = ()) -> np.ndarray:
    """bool (n,): training views of genuine faces and of those that a generator drew, but for sources left
    out."""
    answers = ~views.fake | (views.kind != NOT_ITS_OWN)
    return np.asarray(views.train & answers & ~np.isin(views.source, list(without)))


def head_of(views: Views, learn: np.ndarray) -> Head:
    """The mean of heads fitted on the views chosen by bool (n,)."""
    x, fake = views.features["dino"][learn], views.fake[learn]
    weight = balanced(views.source[learn], fake)
    return Head.mean_of([fitted(x, fake, weight, seed) for seed in SEEDS])


def train(features: Path, trunk: Path, run: Path, without: Sequence[str] = ()) -> tuple[GeneratedFace, float]:
    """The network and the seconds that fitting took; ``config.json`` in ``run`` says of what it was made.
    ``features``: the folder that train features filled; ``trunk``: the ONNX file of DINOv2. Raises UsageError
    when one is missing."""
    begun = time.monotonic()
    views = Views.open(features)
    learn = learned_from(views, without)
    network = GeneratedFace(Dino.pretrained(trunk), head_of(views, learn))
    seconds = time.monotonic() - begun
    facts: dict[str, Any] = {
        "task": "synthesis", "taps": TAPS, "side_px": SIDE_PX, "seeds": SEEDS, "views": int(learn.sum()),
        "forged_views": int((learn & views.fake).sum()), "sources": sorted(set(views.source[learn])),
        "left_out": sorted(without), "trunk": file_hash([trunk]), "code_sha256": code_hash(),
        "data_sha256": file_hash([features / "rows.csv"]), "device": "cpu",
    }  # fmt: skip
    run.mkdir(parents=True, exist_ok=True)
    (run / "config.json").write_text(json.dumps(facts, indent=1))
    torch.save(network.head.state_dict(), run / "head.pt")
    return network.eval(), seconds
