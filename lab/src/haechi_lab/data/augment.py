"""Degradations for training, drawn once and applied to every picture of a pair alike.

The law is the same for genuine and forged pictures, so that neither blur nor darkness nor a file format can
become the sign of a forgery (standing rule 5).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import cv2
import numpy as np

from haechi.bench.h264 import coded
from haechi.types import F32, U8

KINDS = ("light", "blur", "resize", "noise", "jpeg", "video", "occlusion")
"""What can be left out, to learn what it is worth."""

FILM_FRAMES = 3
_DOWN = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
_UP = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4, cv2.INTER_NEAREST)


def frame(images: Sequence[np.ndarray], rng: np.random.Generator, reach: float = 0.06) -> list[np.ndarray]:
    """The same mirror, small turn, scale and shift for all; ``reach`` is the largest shift over the side."""
    side = images[0].shape[0]
    m = cv2.getRotationMatrix2D((side / 2, side / 2), float(rng.normal(0, 5)), float(rng.uniform(0.94, 1.12)))
    m[:, 2] += rng.uniform(-reach, reach, 2) * side
    flip = rng.random() < 0.5
    out = []
    for image in images:
        warped = cv2.warpAffine(
            image, m, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        out.append(np.ascontiguousarray(warped[:, ::-1]) if flip else warped)
    return out


def jpeg(rgb: U8, quality: int, subsample: bool) -> U8:
    factor = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420 if subsample else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    _, data = cv2.imencode(
        ".jpg", rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]
    )
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[:, :, ::-1])


def degrade(
    images: Sequence[U8], rng: np.random.Generator, strength: float = 1.0, without: Collection[str] = ()
) -> list[U8]:
    """Light, colour, blur, resizing, noise, JPEG up to twice: the same draw for all images of one shape.
    ``without``: which of KINDS are left out."""
    out: list[np.ndarray] = [i.astype(np.float32) for i in images]
    h, w = images[0].shape[:2]
    light, blur, resize, grain, jpegs = (
        0.0 if kind in without else strength for kind in ("light", "blur", "resize", "noise", "jpeg")
    )
    if rng.random() < 0.6 * light:
        gamma, gain = float(np.exp(rng.normal(0, 0.25))), float(np.exp(rng.normal(0, 0.18)))
        shift = float(rng.normal(0, 12))
        out = [255 * (np.clip(i, 0, 255) / 255) ** gamma * gain + shift for i in out]
    if rng.random() < 0.15 * light:
        dark = float(rng.uniform(0.2, 0.7))
        out = [i * dark for i in out]
    if rng.random() < 0.3 * light:
        cast, saturation = rng.normal(1, 0.06, 3).astype(np.float32), float(rng.uniform(0.3, 1.5))
        out = [i.mean(2, keepdims=True) + (i - i.mean(2, keepdims=True)) * saturation for i in out]
        out = [i * cast for i in out]
    if rng.random() < 0.04 * light:
        out = [np.repeat(i.mean(2, keepdims=True), 3, 2) for i in out]
    if rng.random() < 0.25 * blur:
        sigma = float(rng.uniform(0.3, 2.0))
        out = [cv2.GaussianBlur(i, (0, 0), sigma) for i in out]
    elif rng.random() < 0.2 * blur:
        amount = float(rng.uniform(0.3, 1.5))
        out = [i + amount * (i - cv2.GaussianBlur(i, (0, 0), 1.2)) for i in out]
    if rng.random() < 0.45 * resize:
        f = float(np.exp(rng.uniform(np.log(0.28), np.log(0.95))))
        down, up = int(rng.choice(_DOWN)), int(rng.choice(_UP, p=[0.5, 0.35, 0.1, 0.05]))
        size = (max(8, round(w * f)), max(8, round(h * f)))
        middle = bool(rng.random() < 0.4)
        quality = int(rng.integers(40, 96))
        small: list[np.ndarray] = [cv2.resize(i, size, interpolation=down) for i in out]
        if middle:
            small = [
                jpeg(np.clip(i, 0, 255).astype(np.uint8), quality, True).astype(np.float32) for i in small
            ]
        out = [cv2.resize(i, (w, h), interpolation=up) for i in small]
    if rng.random() < 0.25 * grain:
        noise = _noise((h, w), rng)
        out = [i + noise for i in out]
    finished: list[U8] = [np.clip(i + 0.5, 0, 255).astype(np.uint8) for i in out]
    once, twice = 0.7 * jpegs**0.5, 0.15 * jpegs
    for _ in range(int(rng.choice([0, 1, 2], p=[1 - once - twice, once, twice]))):
        quality, subsample = int(rng.integers(round(98 - 72 * strength), 99)), bool(rng.random() < 0.75)
        finished = [jpeg(i, quality, subsample) for i in finished]
    return finished


def film(images: Sequence[U8], rng: np.random.Generator) -> list[U8]:
    """Through H.264, all at one rate factor and one size of at most their own, half of the time smaller.
    Raises UsageError without the program ffmpeg."""
    h, w = images[0].shape[:2]
    f = float(rng.uniform(0.5, 1.0)) if rng.random() < 0.5 else 1.0
    size = (2 * round(w * f / 2), 2 * round(h * f / 2))
    small = [np.asarray(cv2.resize(i, size, interpolation=cv2.INTER_AREA), np.uint8) for i in images]
    # In any order: what comes later in a clip is coded a little worse, which must not go with the label.
    order = rng.permutation(len(small))
    filmed = coded([small[i] for i in order], int(rng.integers(18, 39)), FILM_FRAMES, "veryfast")
    back = [filmed[int(i)] for i in np.argsort(order)]
    return [np.asarray(cv2.resize(i, (w, h), interpolation=cv2.INTER_LINEAR), np.uint8) for i in back]


def _noise(shape: tuple[int, int], rng: np.random.Generator) -> F32:
    """Sensor-like: strength and grain size drawn; sometimes the same in all channels."""
    h, w = shape
    channels = 1 if rng.random() < 0.4 else 3
    n = rng.standard_normal((h, w, channels), np.float32) * float(rng.uniform(1, 14))
    if rng.random() < 0.4:
        n = cv2.GaussianBlur(n, (0, 0), float(rng.uniform(0.4, 1.0))).reshape(h, w, channels) * 1.6
    return n


def occlude(images: Sequence[U8], rng: np.random.Generator) -> list[U8]:
    """A flat or noisy rectangle over the same place of all."""
    h, w = images[0].shape[:2]
    bh, bw = int(h * rng.uniform(0.1, 0.35)), int(w * rng.uniform(0.1, 0.35))
    y, x = int(rng.integers(0, h - bh)), int(rng.integers(0, w - bw))
    fill = rng.integers(0, 256, 3 if rng.random() < 0.7 else (bh, bw, 3)).astype(np.uint8)
    out = [i.copy() for i in images]
    for i in out:
        i[y : y + bh, x : x + bw] = fill
    return out


def confounder(rgb: U8) -> F32:
    """What must not decide: log sharpness, light, contrast and blockiness, f32 (4,), roughly unit scale."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    sharp = float(np.log(cv2.Laplacian(grey, cv2.CV_32F).var() + 1.0))
    return np.array([sharp / 2, grey.mean() / 64, grey.std() / 32, blockiness(rgb)], np.float32)


def blockiness(rgb: U8) -> float:
    """Step across 8-px borders over the mean step: a stand-in for JPEG quality."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    step = np.abs(np.diff(grey, axis=1))
    return float(step[:, 7::8].mean() / (step.mean() + 0.5))
