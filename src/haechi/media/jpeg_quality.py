"""How a JPEG was saved: its quality from its steps, its sampling of colours. Source: ITU-T T.81 annex K,
whose tables nearly every encoder scales."""

from __future__ import annotations

import numpy as np

# T.81 table K.1 (luminance), row by row, and the zigzag order in which tables are stored.
_K1 = np.array(
    [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
        14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
        49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
    ]
)  # fmt: skip
_ZIGZAG = sorted(range(64), key=lambda i: (i // 8 + i % 8, (i // 8) if (i // 8 + i % 8) % 2 else (i % 8)))


def estimate_quality(luma_zigzag: np.ndarray[tuple[int], np.dtype[np.int64]]) -> int:
    """The quality (1 to 100) whose scaled table K.1 is nearest to the 64 given steps, in stored order."""
    q = np.arange(1, 101)
    scale = np.where(q < 50, 5000 // q, 200 - 2 * q)
    tables = np.clip((_K1[_ZIGZAG][None, :] * scale[:, None] + 50) // 100, 1, None)
    # Encoders for baseline clip at 255; compare as if both did.
    distance = np.abs(np.minimum(tables, 255) - np.minimum(luma_zigzag, 255)[None, :]).sum(axis=1)
    return int(q[np.argmin(distance)])


def subsampling_name(factors: list[tuple[int, int]]) -> str:
    """The usual J:a:b name of the sampling factors (horizontal, vertical) of the components."""
    if len(factors) == 1:
        return "grey"
    (h, v), (ch, cv) = factors[0], factors[1]
    ratio = (h // ch, v // cv) if ch and cv and h % ch == 0 and v % cv == 0 else (0, 0)
    names = {
        (1, 1): "4:4:4",
        (2, 1): "4:2:2",
        (2, 2): "4:2:0",
        (1, 2): "4:4:0",
        (4, 1): "4:1:1",
        (4, 2): "4:1:0",
    }
    return names.get(ratio, "other")
