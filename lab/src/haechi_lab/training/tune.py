"""``haechi train tune``: the face network that ships, trained further on the packs of every source."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from haechi_lab.data.mixture import BLENDED, FAMILY_SHARES, GENERATED, SWAPS, Mixture
from haechi_lab.data.packs import open_all
from haechi_lab.data.pairs import PAIRS, TWINS
from haechi_lab.data.shards import file_hash
from haechi_lab.inputs import middle
from haechi_lab.networks.shipped import face_network
from haechi_lab.networks.swap import SwapNet
from haechi_lab.training.loop import Plan, fit
from haechi_lab.training.swap import rate_share, swap_loss

BATCH = 2 * (PAIRS + SWAPS + BLENDED + GENERATED)
_MEASURED_ON = 96


def train(packs_dir: Path, start: Path, run: Path, plan: Plan, without: Sequence[str] = ()) -> SwapNet:
    """The averaged network. ``start``: the ONNX file to begin from; ``without``: sources left out, to be
    asked about them afterwards. Raises UsageError when packs or weights are missing."""
    packs = open_all(packs_dir)
    data = Mixture(packs, without)
    draw = np.random.default_rng(plan.seed)
    crops = np.concatenate(
        [p.crops[np.sort(draw.choice(len(p.faces), min(_MEASURED_ON, len(p.faces)), False))] for p in packs]
    )
    pictures = torch.from_numpy(middle(crops)).permute(0, 3, 1, 2).float()
    model = face_network(start, pictures, frozen="stem")
    facts = {
        "task": "tune", "streams": list(model.streams), "frozen": "stem",
        "families": dict(FAMILY_SHARES), "left_out": sorted(without),
        "sources": data.sources,
        "batch_of": [PAIRS, TWINS, SWAPS, BLENDED, GENERATED], "start": file_hash([start]),
        "seconds_before": seconds_before(start.parent),
        "data_sha256": file_hash(sorted(packs_dir.glob("*/table.csv"))),
    }  # fmt: skip
    average, _ = fit(
        model, data.batch, swap_loss, plan, run, facts,
        lr_scale=rate_share,
    )  # fmt: skip
    assert isinstance(average, SwapNet)
    return average


def seconds_before(folder: Path) -> int:
    """What the training took that a network comes from: by its card, or by the journal of its run."""
    if (folder / "swap.json").is_file():
        return int(json.loads((folder / "swap.json").read_text())["training"]["seconds"])
    if not (folder / "log.jsonl").is_file():
        return 0
    before = json.loads((folder / "config.json").read_text()).get("seconds_before", 0)
    return int(before + json.loads((folder / "log.jsonl").read_text().splitlines()[-1])["seconds"])
