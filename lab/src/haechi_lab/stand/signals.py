"""Light curves for the flash alone, simulated as numbers: thousands cost seconds, where a rendered session
costs ten. They say what the statistic does with chance, not what cameras do with light."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from haechi.types import F32, F64
from haechi.verify.challenges import Challenge
from haechi.verify.checks import flash
from haechi.verify.flash_code import DURATION_S, FlashCode
from haechi.verify.recording import Recording
from haechi.verify.seen import Seen

FPS = 12.0
_RESULTS = {"pass": "accept", "fail": "refuse", "abstain": "retry"}


def measure_signals(count: int, out: Path) -> None:
    """Write a csv for ``haechi verify eval``: so many curves of each species, by a fixed seed for all but the
    colours, which come from the randomness of the system."""
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(count):
        times_s = np.arange(int(DURATION_S * FPS)) / FPS + rng.uniform(0, 0.005)
        screen_code, other = FlashCode.drawn(), FlashCode.drawn()
        share, lag_s = float(rng.uniform(0.05, 0.4)), float(rng.uniform(0.03, 0.35))
        wall = share * float(rng.uniform(0.1, 0.6))
        for kind, species, code, behind, late_s in (
            ("genuine", "light curves", screen_code, wall, 0.0),
            ("injection", "light curves of another code", other, 0.0, 0.0),
            ("injection", "light curves, all of the picture", screen_code, share, 0.0),
            ("injection", "light curves, half a second late", screen_code, wall, 0.5),
        ):
            face = _curve(code, times_s, share, lag_s + late_s, rng)
            background = _curve(code, times_s, behind, lag_s + late_s, rng)
            result = flash.examine(
                [Seen(Challenge("flash", DURATION_S, b"", screen_code), _seen(times_s, face, background))]
            )
            method = "" if kind == "genuine" else "simulated"
            rows.append((kind, species, method, _RESULTS[result.outcome]))
    with out.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("kind", "species", "method", "result"))
        writer.writerows(sorted(rows))


def _curve(code: FlashCode, times_s: F64, share: float, lag_s: float, rng: np.random.Generator) -> F32:
    """Linear light f32 (K, 3) of a surface of which that share of the light is the screen's: white balance
    that drifts, movement that dims all channels, noise."""
    colours = code.light(times_s - lag_s)
    light = rng.uniform(0.1, 0.5, 3) * (1 - share + share * colours / colours.mean(0))
    drift = 1 + (times_s / times_s[-1])[:, None] * rng.normal(0, 0.05, 3)
    sway = 1 + 0.03 * np.sin(2 * np.pi * (rng.uniform(0.2, 0.6) * times_s + rng.uniform()))[:, None]
    noise = rng.normal(0, rng.uniform(0.001, 0.004), light.shape)
    return np.asarray(np.maximum(light * drift * sway + noise, 1e-3), np.float32)


def _seen(times_s: F64, face: F32, background: F32) -> Recording:
    """A recording of which the flash check reads the light alone."""
    n, none = len(times_s), np.zeros((0, 2), np.float32)
    marks = np.zeros((n, 5, 2), np.float32)
    zero = np.zeros(n, np.float32)
    return Recording(
        times_s, marks, marks, face, background, zero, np.zeros((n, 1, 1), np.uint8), none, none,
        np.zeros(0), np.zeros((0, 32), np.uint8),
    )  # fmt: skip
