"""What every variant of the face network is judged on: the crops of the reporting half, as they are."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from haechi.bench.corruptions import degrade
from haechi.bench.manifest import Manifest, read_manifest
from haechi.bench.result import write_result
from haechi.bench.scores import Scored
from haechi.errors import UsageError
from haechi.media import open_media
from haechi.settings import Settings
from haechi.types import U8
from haechi_lab.data.samples import PAIRS
from haechi_lab.inputs import middle
from haechi_lab.networks.swap import SwapNet

RUNGS = ("clean", "jpeg40", "crf32")
"""On DFDC crops; pseudo-fakes are judged clean."""


@dataclass(frozen=True, slots=True)
class Exam:
    """Crops u8 (224, 224, 3) by rung, and what they are: DFDC on every rung, pairs clean."""

    manifest: Manifest
    ran: dict[str, np.ndarray]
    crops: dict[str, np.ndarray]

    @staticmethod
    def open(manifest: Path, folder: Path) -> Exam:
        """Read a manifest of 224-px crops; what was degraded once is kept in ``folder``."""
        selection = read_manifest(
            manifest, None, {"source": "|".join(["dfdc", *(f"pairs-{n}" for n in PAIRS)])}, 0, 0
        )
        dfdc = np.array([i.source == "dfdc" for i in selection.items])
        ran = {rung: dfdc | (rung == "clean") for rung in RUNGS}
        crops = {}
        folder = folder / selection.sha256[:12]
        folder.mkdir(parents=True, exist_ok=True)
        for rung in RUNGS:
            file = folder / f"{rung}.npy"
            if not file.is_file():
                pictures = [
                    degrade(rung, picture(i.path), i.id)
                    for i, r in zip(selection.items, ran[rung], strict=True)
                    if r
                ]
                np.save(file, np.stack(pictures))
            crops[rung] = np.load(file, "r")
        return Exam(selection, ran, crops)

    @torch.inference_mode()
    def judge(self, model: nn.Module) -> Scored:
        """The logits of a network for every crop, as they stand: one view of what the detector looks at, no
        calibration."""
        model.eval()
        items, values = self.manifest.items, {}
        for rung in RUNGS:
            logits = [
                model(
                    torch.from_numpy(np.array(middle(self.crops[rung][k : k + 32])))
                    .permute(0, 3, 1, 2)
                    .float()
                )[0]
                for k in range(0, len(self.crops[rung]), 32)
            ]
            scores = np.full(len(items), np.nan)
            scores[self.ran[rung]] = np.round(torch.cat(logits).double().numpy(), 5)
            values[rung, "swap"] = scores
        return Scored.of(
            items,
            rungs=RUNGS,
            names=("swap",),
            values=values,
            ran=self.ran,
            levels={rung: ("",) * len(items) for rung in RUNGS},
        )


def picture(path: Path) -> U8:
    """The first frame of a file u8 (h, w, 3). Raises InputError."""
    return next(iter(open_media(path, Settings()).frames(1))).rgb


def averaged(out: Path, name: str) -> tuple[SwapNet, int]:
    """The averaged network of a run of ``haechi train swap --name``, and its steps. Raises UsageError when
    there is no such run."""
    file = out / name / "checkpoint.pt"
    if not file.is_file():
        raise UsageError(
            f"no checkpoint of {name} in {out.name!r}: train it first (haechi train swap --name)"
        )
    config = json.loads((file.parent / "config.json").read_text())
    net = SwapNet(tuple(config["streams"]))
    state = torch.load(file, map_location="cpu", weights_only=True)
    net.load_state_dict(state["average"])
    return net, int(state["step"])


def judge(out: Path, name: str, note: str, results: Path) -> None:
    """Judge a run by the same exam, as the variant ``note``. Raises UsageError when there is no such run."""
    net, steps = averaged(out, name)
    exam = Exam.open(out / "val" / "reporting.csv", out / "ablate" / "pictures")
    command = f"haechi train ablate judge --out DIR --name {name} --note {shlex.quote(note)}"
    write(results, note, exam.judge(net), exam, command, [steps])


def stem(note: str) -> str:
    return note.replace(",", "").replace(" ", "-")


def write(
    results: Path,
    note: str,
    scored: Scored,
    exam: Exam,
    command: str,
    steps: Sequence[int],
) -> None:
    """``steps``: of the runs that lead to the network."""
    manifest = exam.manifest
    facts: dict[str, Any] = {
        "command": command,
        "note": note,
        "manifest": {"name": manifest.name, "sha256": manifest.sha256, "n": len(manifest.items)},
        "steps": list(steps),
    }
    write_result(results / f"{stem(note)}.json", facts, scored, probabilities=(), resamples=200, seed=0)
