"""Recordings made from numbers: what a face, a wall and points on them would show, without a picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from haechi.types import F32, F64
from haechi.verify.challenges import Challenge, ChallengeKind
from haechi.verify.flash_code import FlashCode
from haechi.verify.recording import Recording
from haechi.verify.seen import Seen

FPS = 15.0
REST = np.array([[-32, 0], [32, 0], [0, 38], [-24, 66], [24, 66]], np.float32)
"""Five landmarks of a face with 66 px from the eyes to the mouth."""


def times(duration_s: float, seed: int = 0) -> F64:
    rng = np.random.default_rng(seed)
    count = int(duration_s * FPS)
    return np.arange(count) / FPS + np.sort(rng.uniform(0, 0.01, count))


def recording(times_s: F64, **parts: Any) -> Recording:
    """A face at rest before a wall, under a steady light, with the noise of a camera."""
    rng = np.random.default_rng(1)
    n, none = len(times_s), np.zeros((0, 2), np.float32)
    grey = (0.3 + rng.normal(0, 0.001, (n, 3))).astype(np.float32)
    coarse = np.clip(128 + rng.normal(0, 3, (n, 24, 32)), 0, 255).astype(np.uint8)
    marks = np.repeat(REST[None], n, 0) + 200
    usual = Recording(
        times_s, marks, marks.copy(), grey, grey.copy(), np.full(n, 0.3, np.float32), coarse,
        none, none, np.zeros(0), np.zeros((0, 32), np.uint8),
    )  # fmt: skip
    return replace(usual, **parts)


def lit(
    times_s: F64, code: FlashCode, share: float, lag_s: float, noise: float = 0.002, seed: int = 0
) -> F32:
    """Linear light of something on which so large a share comes from the screen, through a camera whose white
    balance drifts."""
    rng = np.random.default_rng(seed)
    shown = code.light(times_s - lag_s)
    light = np.array([0.35, 0.25, 0.2]) * (1 - share + share * shown / shown.mean())
    drift = 1 + 0.05 * (times_s / times_s[-1])[:, None] * rng.normal(0, 1, 3)
    breath = 1 + 0.03 * np.sin(2 * np.pi * 0.3 * times_s)[:, None]
    return (light * drift * breath + rng.normal(0, noise, light.shape)).astype(np.float32)


def flashed(code: FlashCode, record: Recording) -> Seen:
    return Seen(Challenge("flash", 6.0, bytes(16), code), record)


def moved(kind: ChallengeKind, record: Recording) -> Seen:
    return Seen(Challenge(kind, 4.0, bytes(16)), record)


def pulse(times_s: F64, begin_s: float = 0.8) -> F64:
    """0, then up to 1 and down again."""
    return np.clip((times_s - begin_s) / 0.6, 0, 1) - np.clip((times_s - begin_s - 1.2) / 0.6, 0, 1)


def turned_points(angle_deg: float, depth: float, seed: int = 0, noise: float = 0.3) -> tuple[F32, F32]:
    """Points of a face before and after a turn, in px, at 66 px from the eyes to the mouth: corners anywhere
    and a grid around each landmark. depth: of the relief, 1 as on a head, 0 flat."""
    rng = np.random.default_rng(seed)
    line = np.linspace(-10, 10, 4)
    grid = (REST[:, None] + np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)).reshape(-1, 2)
    x, y = np.concatenate([np.stack([rng.uniform(-50, 50, 60), rng.uniform(-20, 80, 60)], 1), grid]).T
    z = depth * (60 * np.sqrt(1 - (x / 75) ** 2) + 36 * np.exp(-((x / 18) ** 2) - ((y - 38) / 20) ** 2))
    angle = np.radians(angle_deg)
    after = np.stack([x * np.cos(angle) + z * np.sin(angle), y], 1)
    before = np.stack([x, y], 1)
    return before.astype(np.float32), (after + rng.normal(0, noise, after.shape)).astype(np.float32)
