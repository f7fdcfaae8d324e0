"""High dynamic range -> the standard picture that people see: PQ and HLG in BT.2020 become sRGB.

Sources: ITU-R BT.2100-2 (both transfer functions, the OOTF of HLG at 1000 cd/m2), BT.2408 (203 cd/m2 are
white), BT.2390-9, 5.4.1 (the roll-off of what is brighter), BT.2087 (BT.2020 to BT.709).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from haechi.media.opencv import opencv
from haechi.types import F32, F64, U8

#: FFmpeg's names of the two transfer functions.
PQ, HLG = "smpte2084", "arib-std-b67"
_WHITE_NITS, _PEAK_NITS = 203.0, 1000.0
_STEPS = 4096
_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)


def to_standard(rgb: U8, transfer: str) -> U8:
    """A picture u8 (H, W, 3) whose values are coded by PQ or HLG, as sRGB of the same shape."""
    cv2 = opencv()
    linear = cv2.LUT(rgb, np.ascontiguousarray(np.repeat(_linear(transfer)[None, :, None], 3, axis=2)))
    narrow = np.clip(cv2.transform(linear, _TO_709), 0.0, 1.0)
    np.sqrt(narrow, out=narrow)
    out: U8 = _coded()[np.round(narrow * (_STEPS - 1)).astype(np.uint16)]
    return out


@cache
def _linear(transfer: str) -> F32:
    """Light of each of the 256 values, 1 for white, f32 (256,), rolled off to 1."""
    value = np.arange(256) / 255
    nits = _pq_nits(value) if transfer == PQ else _hlg_nits(value)
    return np.asarray(_rolled_off(np.minimum(nits, _PEAK_NITS)) / _WHITE_NITS, np.float32)


def _pq_nits(value: F64) -> F64:
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = value ** (1 / m2)
    out: F64 = 10_000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    return out


def _pq_value(nits: F64) -> F64:
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = (nits / 10_000) ** m1
    out: F64 = ((c1 + c2 * power) / (1 + c3 * power)) ** m2
    return out


def _hlg_nits(value: F64) -> F64:
    """With the OOTF taken a channel at a time: exact for grey, and so it needs no look at the others."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(value <= 0.5, value**2 / 3, (np.exp((value - c) / a) + b) / 12)
    out: F64 = _PEAK_NITS * scene**1.2
    return out


def _rolled_off(nits: F64) -> F64:
    """Light up to the peak -> up to white: as it is where it is dark, ever flatter above."""
    peak = float(_pq_value(np.array(_PEAK_NITS)))
    most = float(_pq_value(np.array(_WHITE_NITS))) / peak
    value = _pq_value(nits) / peak
    knee = 1.5 * most - 0.5
    t = np.clip((value - knee) / (1 - knee), 0, 1)
    t2, t3 = t**2, t**3
    bent = (2 * t3 - 3 * t2 + 1) * knee + (t3 - 2 * t2 + t) * (1 - knee) + (3 * t2 - 2 * t3) * most
    return _pq_nits(np.where(value < knee, value, bent) * peak)


@cache
def _coded() -> U8:
    """sRGB values u8 of light, over the square root of it."""
    light = (np.arange(_STEPS) / (_STEPS - 1)) ** 2
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(255 * srgb), np.uint8)
