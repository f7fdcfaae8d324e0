"""Photographs of a wanted size in bytes, made from NASA's portrait of Eileen Collins (public domain)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from haechi_lab.system.speed import portrait

# Standard deviation of what a sensor adds, in levels of 255: without it the files become too small.
_NOISE = 9.0


def photographs(folder: Path, count: int, megabytes: float, width_px: int) -> list[Path]:
    """``count`` JPEGs of ``width_px`` x 3/4 of it, of about that many MB, each a little different."""
    folder.mkdir(parents=True, exist_ok=True)
    rgb, files, quality = portrait(), [], 0
    for k in range(count):
        file = folder / f"photo{k:03}.jpg"
        bgr = _scene(rgb, width_px, k)
        quality = quality or _quality(bgr, megabytes * 1e6)
        file.write_bytes(_jpeg(bgr, quality))
        files.append(file)
    return files


def _scene(rgb: Any, width_px: int, k: int) -> Any:
    """u8 (h, w, 3) BGR: the portrait at full height, the rest mirrored, moved by k, with noise."""
    import cv2
    import numpy as np

    height = width_px * 3 // 4
    large = cv2.resize(rgb, (height, height), interpolation=cv2.INTER_CUBIC)
    border = (width_px - height) // 2
    wide = cv2.copyMakeBorder(large, 0, 0, border, width_px - height - border, cv2.BORDER_REFLECT)
    view = np.roll(wide, 4 * k % 200 - 100, axis=1)
    noise = np.random.default_rng(k).normal(0, _NOISE, (height, width_px, 1))
    noisy = np.clip(view + noise, 0, 255).astype(np.uint8)
    return cv2.cvtColor(noisy, cv2.COLOR_RGB2BGR)


def _quality(bgr: Any, size: float) -> int:
    """The JPEG quality that comes nearest to the wanted bytes."""
    low, high = 20, 98
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if len(_jpeg(bgr, middle)) < size else (low, middle)
    return low


def _jpeg(bgr: Any, quality: int) -> bytes:
    import cv2

    return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
