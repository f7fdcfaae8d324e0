"""What the shipped models say about inputs made by code, kept in ``golden.json``: a change of weights, of the
runtime or of the way in which inputs are laid out shows as a change of these numbers.

    python -m tests.golden      write them anew, after a training
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from haechi import models
from haechi.settings import Settings
from haechi.types import F32
from haechi.verdict import log_odds

FILE = Path(__file__).with_name("golden.json")


def pattern(side: int) -> F32:
    """f32 (2, 3, side, side) in [0, 255]: waves and edges of several widths, different in each channel."""
    y, x = np.mgrid[0:side, 0:side] / side
    planes = [
        127
        + 60 * np.sin(2 * np.pi * (3 + 2 * c) * (x + 0.3 * n * y)) * np.cos(9 * y)
        + 60 * (x + y > 1 + 0.1 * c)
        for n in range(2)
        for c in range(3)
    ]
    out: F32 = np.clip(np.stack(planes), 0, 255).reshape(2, 3, side, side).astype(np.float32)
    return out


def numbers(settings: Settings) -> dict[str, list[float]]:
    """By model, a few numbers that its whole output flows into."""
    (cells,) = models.load("faces", settings).run(pattern(320)[:1])
    (looked,) = models.load("face_check", settings).run(pattern(64))
    logit, where, features = models.load("swap", settings).run(pattern(208))
    (drawn,) = models.load("synthesis", settings).run(pattern(196))
    flicker = models.load("flicker", settings).card.parameters
    verdict = models.load("verdict", settings).card.parameters
    fused = [
        log_odds({"swap": a, "synthesis": b, "flicker": c}, verdict["model"])
        for a, b, c in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    ]
    found = {
        "faces": [*cells[0].mean(0), *cells[0].std(0), cells[0, :, 0].max()],
        "face_check": [*looked.ravel()],
        "swap": [*logit, where.mean(), where.std(), where[0, 3, 20], where[1, 20, 3], features.mean()],
        "synthesis": [*drawn],
        "flicker": [*flicker["mean"], *flicker["deviation"], *flicker["weights"], flicker["intercept"]],
        "verdict": [*fused, verdict["thresholds"]["strong"], verdict["thresholds"]["some"]],
    }
    return {name: [round(float(v), 5) for v in values] for name, values in found.items()}


if __name__ == "__main__":
    FILE.write_text(json.dumps(numbers(Settings()), indent=1) + "\n")
