"""Pseudo-fakes that blend a picture of a person with an altered copy of itself.

Each family is one function ``(rgb u8 (S, S, 3), mesh f32 (468, 2), rng) -> Pair``; the recipe of
self-blending is that of Shiohara & Yamasaki (2022), written anew from the facts of the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from haechi.lab.forge.regions import LIPS, elastic, face_mask, hull, part_mask, soften
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
    """Shift of colours, light and contrast, small."""
    out = rgb.astype(np.float32)
    if rng.random() < 0.4:
        out = out + rng.uniform(-20, 20, 3).astype(np.float32)
    if rng.random() < 0.5:
        out = (out - out.mean()) * rng.uniform(0.88, 1.12) + out.mean() + rng.uniform(-20, 20)
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


def self_blend(rgb: U8, mesh: F32, rng: np.random.Generator) -> Pair:
    """The person's own face, shifted and altered, blended over itself. Half the time it is the ground, not
    the face, that was altered, so that neither colour nor sharpness gives the label away."""
    altered = resharpen(tint(rgb, rng), rng) if rng.random() < 0.75 else tint(rgb, rng)
    source, target = (altered, rgb) if rng.random() < 0.5 else (rgb, altered)
    source = affine(source, rng, 0.03, 0.05)
    mask = soften(elastic(face_mask(mesh, rgb.shape[0], rng), rng), rng)
    return Pair(target, blend(target, source, mask), mask)


def local_edit(rgb: U8, mesh: F32, rng: np.random.Generator) -> Pair:
    """An eye, the nose or the mouth exchanged with a moved, altered, smoothed or inpainted copy of itself."""
    mask = soften(elastic(part_mask(mesh, rgb.shape[0], rng), rng), rng)
    kind = rng.random()
    source: np.ndarray
    if kind < 0.6:
        source = affine(tint(rgb, rng), rng, 0.06, 0.12, 8)
        source = resharpen(source, rng) if rng.random() < 0.6 else source
    elif kind < 0.8:
        source = cv2.bilateralFilter(rgb, 9, float(rng.uniform(30, 90)), 5)
    else:
        half = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        hole = (cv2.resize(mask, half.shape[1::-1]) > 0.4).astype(np.uint8)
        source = cv2.resize(cv2.inpaint(half, hole, 3, cv2.INPAINT_TELEA), rgb.shape[1::-1])
    return Pair(rgb, blend(rgb, source, mask), mask)


def redrawn(rgb: U8, drawn: U8, mesh: F32, rng: np.random.Generator) -> Pair:
    """A decoder's drawing of the same face (``drawn``, aligned) blended in: whole face or one feature."""
    side = rgb.shape[0]
    region = face_mask(mesh, side, rng) if rng.random() < 0.75 else part_mask(mesh, side, rng)
    mask = np.minimum(soften(elastic(region, rng), rng) * 1.34, 1.0).astype(np.float32)
    source = tint(drawn, rng) if rng.random() < 0.6 else drawn
    source = affine(source, rng, 0.015, 0.02) if rng.random() < 0.4 else source
    return Pair(rgb, blend(rgb, source, mask), mask)


def imitate_swap(rgb: U8, mesh: F32, rng: np.random.Generator) -> Pair:
    """What a 128-px live swapper leaves behind, done to the person's own face: aligned, shrunk to 128 px,
    smoothed and sharpened again, warped back bilinearly, pasted through an eroded and feathered square or
    ellipse; sometimes the mouth is put back, sometimes grain is added."""
    side = rgb.shape[0]
    angle = float(np.degrees(np.arctan2(*(mesh[263] - mesh[33])[::-1])))
    centre = mesh[[33, 263, 1, 61, 291]].mean(0)
    extent = float(np.linalg.norm(mesh[10] - mesh[152])) * rng.uniform(1.05, 1.25)
    m = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), angle, 128 / extent)
    m[:, 2] = m[:, 2] + (64 - centre)
    face: np.ndarray = cv2.warpAffine(
        rgb, m, (128, 128), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    face = cv2.GaussianBlur(face, (0, 0), rng.uniform(0.5, 1.1))
    if rng.random() < 0.6:
        face = cv2.addWeighted(
            face, 1 + (k := rng.uniform(0.5, 1.5)), cv2.GaussianBlur(face, (0, 0), 1.5), -k, 0
        )
    face = tint(np.asarray(face, np.uint8), rng)
    window: np.ndarray = np.zeros((128, 128), np.float32)
    edge = int(rng.integers(6, 18))
    if rng.random() < 0.5:
        window[edge:-edge, edge:-edge] = 1
    else:
        cv2.ellipse(window, (64, 66), (60 - edge // 2, 64 - edge // 2), 0, 0, 360, 1.0, -1)
    window = cv2.GaussianBlur(window, (0, 0), rng.uniform(3, 8))
    back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    source = cv2.warpAffine(face, m, (side, side), flags=back, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(window, m, (side, side), flags=back).astype(np.float32)
    if rng.random() < 0.3:
        mask = mask * (1 - cv2.GaussianBlur(hull(mesh[LIPS], side, 1.4), (0, 0), 3))
    if rng.random() < 0.3:
        source = (source + rng.normal(0, rng.uniform(2, 6), source.shape)).clip(0, 255).astype(np.uint8)
    return Pair(rgb, blend(rgb, source, mask), mask)
