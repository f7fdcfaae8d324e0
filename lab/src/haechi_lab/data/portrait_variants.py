"""Genuine portraits as they come by other ways than from a camera's JPEG: kept without loss, printed and
scanned, in wide-gamut colours whose profile was lost, by old cameras, and at every JPEG quality."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.types import F32, U8

Make = Callable[[U8, np.random.Generator], bytes]


def file_of(rgb: U8, ending: str, *options: int) -> bytes:
    """The bytes of a picture file."""
    return cv2.imencode(ending, np.ascontiguousarray(rgb[:, :, ::-1]), list(options))[1].tobytes()


def jpeg(quality: int) -> Make:
    return lambda rgb, _: file_of(rgb, ".jpg", cv2.IMWRITE_JPEG_QUALITY, quality)


def png(rgb: U8, _: np.random.Generator) -> bytes:
    return file_of(rgb, ".png")


def developed(ending: str) -> Make:
    """As from raw data: reduced to two thirds, which takes the traces of JPEG away, and sharpened."""

    def make(rgb: U8, _: np.random.Generator) -> bytes:
        small = cv2.resize(rgb, None, fx=0.67, fy=0.67, interpolation=cv2.INTER_AREA)
        options = (cv2.IMWRITE_JPEG_QUALITY, 95) if ending == ".jpg" else ()
        return file_of(sharpened(small, 0.5), ending, *options)

    return make


def sharpened(rgb: NDArray[Any], amount: float) -> U8:
    """Unsharp masking at one pixel."""
    soft = cv2.GaussianBlur(rgb.astype(np.float32), (0, 0), 1.0)
    return np.clip(rgb + amount * (rgb.astype(np.float32) - soft), 0, 255).astype(np.uint8)


def halftone(rgb: U8, rng: np.random.Generator, cell_px: float) -> F32:
    """Printed by dots of four inks on screens of four angles, f32 (H, W, 3) in [0, 255]."""
    h, w = rgb.shape[:2]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    share = 1 - rgb.astype(np.float32) / 255
    black = share.min(2)
    inks = np.dstack([(share - black[:, :, None]) / np.maximum(1 - black[:, :, None], 1e-3), black])
    paper: F32 = np.ones((h, w, 3), np.float32)
    for ink, degrees in enumerate((15, 75, 0, 45)):
        a = np.radians(degrees) + rng.normal(0, 0.01)
        u, v = (np.cos(a) * x + np.sin(a) * y) / cell_px, (np.cos(a) * y - np.sin(a) * x) / cell_px
        screen = 0.5 + 0.25 * (np.cos(2 * np.pi * u) + np.cos(2 * np.pi * v))
        dots = np.clip((inks[:, :, ink] - screen) * 4 + 0.5, 0, 1)
        for channel in range(3) if ink == 3 else (ink,):
            paper[:, :, channel] *= 1 - dots
    return np.asarray(paper * 255, np.float32)


def printed(rgb: U8, rng: np.random.Generator) -> bytes:
    """Printed and scanned: dots of about two pixels, blur, paper that darkens to one side, grain."""
    doubled = cv2.resize(rgb, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    dots = halftone(np.asarray(doubled, np.uint8), rng, float(rng.uniform(3, 5)))
    dots = np.asarray(cv2.GaussianBlur(dots, (0, 0), 1.6), np.float32)
    scan = cv2.resize(dots, rgb.shape[1::-1], interpolation=cv2.INTER_AREA)
    fall = np.linspace(1, rng.uniform(0.8, 1), scan.shape[1], dtype=np.float32)[None, :, None]
    tint = rng.uniform(0.92, 1, 3).astype(np.float32)
    aged = 12 + scan * 0.92 * fall * tint + rng.normal(0, 3, scan.shape)
    return file_of(np.clip(aged, 0, 255).astype(np.uint8), ".jpg", cv2.IMWRITE_JPEG_QUALITY, 90)


def wide_gamut(rgb: U8, _: np.random.Generator) -> bytes:
    """Stored as Adobe RGB and shown as if it were sRGB, its profile lost: dull."""
    linear = (rgb.astype(np.float32) / 255) ** 2.2
    to_adobe = np.array([[0.7151, 0.2849, 0], [0, 1, 0], [0, 0.0412, 0.9588]], np.float32)
    dull = np.clip(linear @ to_adobe.T, 0, 1) ** (1 / 2.2) * 255
    return file_of(dull.astype(np.uint8), ".jpg", cv2.IMWRITE_JPEG_QUALITY, 92)


def old_camera(rgb: U8, rng: np.random.Generator) -> bytes:
    """A small sensor of about 2002: coarse noise, little colour, strong sharpening, JPEG at 80."""
    x = rgb.astype(np.float32)
    x = x.mean(2, keepdims=True) + 0.7 * (x - x.mean(2, keepdims=True))
    grain = cv2.GaussianBlur(rng.normal(0, 12, x.shape).astype(np.float32), (0, 0), 0.7)
    return file_of(sharpened(np.clip(x + grain, 0, 255), 1.2), ".jpg", cv2.IMWRITE_JPEG_QUALITY, 80)


KINDS: Mapping[str, Make] = {
    "JPEG 95": jpeg(95),
    "JPEG 98": jpeg(98),
    "JPEG 75": jpeg(75),
    "JPEG 50": jpeg(50),
    "PNG": png,
    "reduced and sharpened, PNG": developed(".png"),
    "reduced and sharpened, JPEG 95": developed(".jpg"),
    "print, scanned": printed,
    "wide gamut, profile lost": wide_gamut,
    "old camera": old_camera,
}
"""Every portrait is remade in every way; the first is what the others are compared with."""
