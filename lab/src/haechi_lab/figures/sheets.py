"""Pictures side by side, each with its number in the corner: words stand beside them in every language."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from haechi.types import F32, U8

GAP_PX = 6


def sheet(pictures: Sequence[U8 | None], columns: int, cell_px: int = 200, first: int | None = 1) -> U8:
    """Square pictures u8 (S, S, 3), or None for an empty place, as u8 (H, W, 3) on white, numbered from
    ``first``; None numbers nothing."""
    lines = -(-len(pictures) // columns)
    step = cell_px + GAP_PX
    board = np.full((lines * step - GAP_PX, columns * step - GAP_PX, 3), 255, np.uint8)
    number = first
    for k, picture in enumerate(pictures):
        if picture is None:
            continue
        top, left = k // columns * step, k % columns * step
        how = cv2.INTER_AREA if picture.shape[0] > cell_px else cv2.INTER_NEAREST
        if cell_px % picture.shape[0] and picture.shape[0] < cell_px:
            how = cv2.INTER_CUBIC
        cell = board[top : top + cell_px, left : left + cell_px]
        cell[:] = cv2.resize(picture, (cell_px, cell_px), interpolation=how)
        if number is not None:
            _number(board, number, left, top)
            number += 1
    return board


def _number(board: U8, number: int, left: int, top: int) -> None:
    wide = 15 if number < 10 else 23
    cv2.rectangle(board, (left, top), (left + wide + 5, top + 21), (255, 255, 255), -1)
    cv2.putText(
        board, str(number), (left + 4, top + 16), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (0, 0, 0), 1, cv2.LINE_AA
    )


def difference(a: U8, b: U8, times: int) -> U8:
    """How far two pictures are apart, ``times`` as bright."""
    return np.minimum(cv2.absdiff(a, b).astype(np.int32) * times, 255).astype(np.uint8)


def grey(values: np.ndarray, low: float, high: float) -> U8:
    """Values (H, W) from ``low`` (black) to ``high`` (white) as u8 (H, W, 3)."""
    levels = np.clip((values - low) / max(high - low, 1e-9), 0, 1) * 255
    return np.repeat(levels.astype(np.uint8)[:, :, None], 3, 2)


def heat(rgb: U8, values: F32, share: float = 0.6) -> U8:
    """``values`` f32 (h, w) in [0, 1] laid over a picture u8 (S, S, 3): the more, the more yellow over a
    picture that is darkened and without colour."""
    side = rgb.shape[0]
    wide = cv2.resize(values, (side, side), interpolation=cv2.INTER_LINEAR).clip(0, 1)[:, :, None]
    base = np.repeat(rgb.mean(2, keepdims=True), 3, 2) * 0.55
    coloured = cv2.applyColorMap((wide * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[:, :, ::-1]
    return np.asarray(base + (coloured - base) * share * np.sqrt(wide), np.uint8)


def save(rgb: U8, path: Path, quality: int = 88) -> None:
    """Write u8 (H, W, 3) as the kind that the name ends in, JPEG or PNG."""
    jpeg = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    how = jpeg if path.suffix == ".jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 9]
    ok, data = cv2.imencode(path.suffix, np.ascontiguousarray(rgb[:, :, ::-1]), how)
    if not ok:
        raise ValueError(f"{path.name} cannot be written")
    path.write_bytes(data.tobytes())
