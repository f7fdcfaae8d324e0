"""What the pictures are made from: one photograph that may be shown, what was trained, what was measured."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from haechi.errors import UsageError
from haechi.settings import Settings
from haechi.types import U8
from haechi_lab.figures.contact_sheet import Subject
from haechi_lab.networks.autoencoder import AutoEncoder

SEED = 5


@dataclass(frozen=True, slots=True)
class Stage:
    """``generators``: what `train generators` made; ``results``: measured figures; ``settings``: which
    models."""

    subject: Subject
    generators: Path
    results: Path
    settings: Settings

    def autoencoder(self, kind: str) -> AutoEncoder:
        """The network of a folder of OUT/generators; raises UsageError when it was not trained."""
        file = self.generators / kind / "checkpoint.pt"
        if not file.is_file():
            raise UsageError(f"no {kind}/checkpoint.pt: haechi train generators makes it")
        state = torch.load(file, map_location="cpu", weights_only=True)
        network = AutoEncoder()
        network.load_state_dict(state["average"])
        return network.eval()

    def journal(self, kind: str) -> list[dict[str, float]]:
        """The log of a run of `train generators`, a line an entry. Raises UsageError without one."""
        file = self.generators / kind / "log.jsonl"
        lines = file.read_text().splitlines() if file.is_file() else []
        if len(lines) < 2:
            raise UsageError(f"no {kind}/log.jsonl: haechi train generators writes it")
        # A run that was cut off and taken up again repeats steps: the later line counts.
        by_step = {entry["step"]: entry for entry in map(json.loads, lines)}
        return [by_step[step] for step in sorted(by_step)]

    def result(self, name: str) -> dict[str, Any]:
        """results/NAME.json; raises UsageError when it is not there."""
        file = self.results / f"{name}.json"
        if not file.is_file():
            raise UsageError(f"no {name}.json among the results")
        result: dict[str, Any] = json.loads(file.read_text())
        return result

    def nobody(self, most: int) -> U8:
        """Faces of nobody that our GAN made, u8 (n, S, S, 3): evenly out of its pool."""
        file = self.generators / "gan.npy"
        if not file.is_file():
            raise UsageError("no gan.npy: haechi train generators makes it")
        pool = np.load(file, mmap_mode="r")
        if not len(pool):
            raise UsageError("the pool of gan.npy is empty")
        return np.array(pool[np.linspace(0, len(pool) - 1, min(most, len(pool))).astype(int)])
