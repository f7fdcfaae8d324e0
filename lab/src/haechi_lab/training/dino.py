"""``haechi train dino``: the second face network, tuned on the packs of every source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from haechi.errors import UsageError
from haechi_lab.data.mixture import FAMILY_SHARES, Mixture
from haechi_lab.data.packs import open_all
from haechi_lab.data.shards import file_hash
from haechi_lab.networks.dino import PATCH_PX, Dino
from haechi_lab.networks.dino_face import FIRST_TUNED, RANK, DinoFace, rate_share
from haechi_lab.networks.dino_head import SIDE_PX, TAPS, Head
from haechi_lab.training.loop import Batch, Plan, fit
from haechi_lab.training.swap import swap_loss

TUNED = "tuned.pt"


def train(
    packs_dir: Path,
    trunk: Path,
    start: Path,
    run: Path,
    plan: Plan,
    without: Sequence[str] = (),
) -> DinoFace:
    """The averaged network, whose tuned part is also written to ``run/tuned.pt`` in half precision.
    ``trunk``: the ONNX file of DINOv2; ``start``: ``head.pt`` of a run of ``train synthesis``, or
    ``tuned.pt`` of an earlier run to go on from. Raises UsageError when packs or weights are missing."""
    data = Mixture(open_all(packs_dir), without)
    torch.manual_seed(plan.seed)
    model = begun(trunk, start)
    facts = {
        "task": "dino", "taps": TAPS, "rank": RANK, "first_tuned": FIRST_TUNED,
        "families": dict(FAMILY_SHARES), "left_out": sorted(without), "sources": data.sources,
        "trunk": file_hash([trunk]), "start": start.parent.name, "start_sha256": file_hash([start]),
        "data_sha256": file_hash(sorted(packs_dir.glob("*/table.csv"))),
    }  # fmt: skip
    average, _ = fit(model.train(), data.batch, _loss, plan, run, facts, lr_scale=rate_share)
    assert isinstance(average, DinoFace)
    save(average, run / TUNED)
    return average


def _loss(model: nn.Module, batch: Batch) -> tuple[Tensor, Mapping[str, float]]:
    return swap_loss(model, batch, SIDE_PX, PATCH_PX)


def save(model: DinoFace, file: Path) -> None:
    """Its tuned part, in half precision."""
    torch.save({name: value.half() for name, value in model.tuned().items()}, file)


def begun(trunk: Path, start: Path) -> DinoFace:
    """A network as ``start`` left it: the head of a run of ``train synthesis`` on the trunk as it came, or
    the tuned part of a run of ``train dino``. Raises UsageError when it is missing or another network's."""
    if not start.is_file():
        raise UsageError(
            f"{start.name} is missing: name head.pt of a run of haechi train synthesis, "
            "or tuned.pt of one of haechi train dino"
        )
    weights: Mapping[str, Tensor] = torch.load(start, map_location="cpu", weights_only=True)
    whole = "share" in weights
    of_head = {
        n.removeprefix("head."): w.float() for n, w in weights.items() if not whole or n.startswith("head.")
    }
    try:
        hidden = len(of_head["layers.1.bias"])
        head = Head(of_head["mean"], of_head["spread"], hidden)
        head.load_state_dict(of_head)
    except (KeyError, RuntimeError) as error:
        raise UsageError(f"{start.name} holds no head for this trunk: {error}") from error
    model = DinoFace(Dino.pretrained(trunk), head)
    if not whole:
        return model
    own = model.tuned()
    if {n: v.shape for n, v in own.items()} != {n: v.shape for n, v in weights.items()}:
        raise UsageError(f"{start.name} holds another network: it was made with other taps, rank or blocks")
    with torch.no_grad():
        for name, value in own.items():
            value.copy_(weights[name])
    return model
