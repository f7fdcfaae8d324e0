"""What a family of pseudo-fakes makes, and the small alterations that several families share."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from haechi.types import F32, U8


@dataclass(frozen=True, slots=True)
class Pair:
    """real and fake u8 (S, S, 3) of one person and framing; mask f32 (S, S): share of the fake a pixel."""

    real: U8
    fake: U8
    mask: F32


def blend(target: U8, source: np.ndarray, mask: F32) -> U8:
    out: U8 = (
        (target + (source.astype(np.float32) - target) * mask[:, :, None] + 0.5).clip(0, 255).astype(np.uint8)
    )
    return out


def tint(rgb: U8, rng: np.random.Generator) -> U8:
    """Shift of colours, light and contrast, small: at most 20 levels, and less in a dark picture, where that
    would be a stain that no forger leaves."""
    out = rgb.astype(np.float32)
    light = float(out.mean())
    most = 20 * min(max(light / 110, 0.2), 1.0)
    if rng.random() < 0.4:
        out = out + rng.uniform(-most, most, 3).astype(np.float32)
    if rng.random() < 0.5:
        out = (out - light) * rng.uniform(0.88, 1.12) + light + rng.uniform(-most, most)
    u8 = out.clip(0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        hsv = cv2.cvtColor(u8, cv2.COLOR_RGB2HSV).astype(np.float32)
        hsv[:, :, 0] = (hsv[:, :, 0] + rng.uniform(-6, 6)) % 180
        hsv[:, :, 1] = (hsv[:, :, 1] * rng.uniform(0.75, 1.25)).clip(0, 255)
        u8 = np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB), np.uint8)
    return u8


def resharpen(rgb: U8, rng: np.random.Generator) -> U8:
    """Either lose detail by going down and up again, or gain it by an unsharp mask."""
    if rng.random() < 0.5:
        side = rgb.shape[0]
        small = cv2.resize(rgb, None, fx=(f := 1 / rng.uniform(1.3, 4)), fy=f, interpolation=cv2.INTER_AREA)
        how = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST], p=[0.5, 0.4, 0.1]))
        return np.asarray(cv2.resize(small, (side, side), interpolation=how), np.uint8)
    soft = cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.8, 2))
    return np.asarray(cv2.addWeighted(rgb, 1 + (k := rng.uniform(0.4, 1.6)), soft, -k, 0), np.uint8)


def recolour(source: U8, target: U8, mask: F32, strength: float) -> U8:
    """``source`` with the mean and spread of each channel of ``target`` where ``mask`` f32 (S, S) is set: the
    colour transfer of Reinhard et al. (2001), a share ``strength`` of the way."""
    weight = mask[:, :, None] / max(float(mask.sum()), 1e-6)
    a, b = source.astype(np.float32), target.astype(np.float32)
    mean_a, mean_b = ((x * weight).sum((0, 1)) for x in (a, b))
    std_a, std_b = (
        np.sqrt((((x - mean) ** 2) * weight).sum((0, 1))) for x, mean in ((a, mean_a), (b, mean_b))
    )
    gain = np.clip(std_b / (std_a + 1e-3), 0.6, 1.7) if mask.any() else 1.0
    matched = (a - mean_a) * gain + mean_b
    out: U8 = (a + (matched - a) * strength + 0.5).clip(0, 255).astype(np.uint8)
    return out


def affine(
    image: np.ndarray, rng: np.random.Generator, shift: float, scale: float, turn_deg: float = 0.0
) -> np.ndarray:
    side = image.shape[0]
    m = cv2.getRotationMatrix2D(
        (side / 2, side / 2),
        float(rng.uniform(-turn_deg, turn_deg)),
        float(rng.uniform(1 - scale, 1 + scale)),
    )
    m[:, 2] += rng.uniform(-shift, shift, 2) * (side, side / 2)
    return cv2.warpAffine(image, m, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
