"""Pictures inside a page: data URIs of JPEG and PNG."""

from __future__ import annotations

import base64

import cv2
import numpy as np

from haechi.types import F32, U8


def jpeg_uri(rgb: U8) -> str:
    """rgb u8 (h, w, 3) as a JPEG data URI."""
    return _uri(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), "image/jpeg", [cv2.IMWRITE_JPEG_QUALITY, 88])


# Where the heat map is 0, 1/2 and 1: yellow, orange, purple. Also ordered in lightness, for the colour-blind.
_RAMP = np.array([[255, 226, 92], [238, 92, 42], [124, 0, 98]], np.float32)
_FLOOR = 0.12  # below this nothing is drawn


def heat_uri(heatmap: F32) -> str:
    """heatmap f32 (h, w) in [0, 1] as a PNG data URI with transparency, smoothed to four times its size."""
    values = np.clip(np.nan_to_num(heatmap), 0.0, 1.0).astype(np.float32)
    grow = max(1, min(4, 512 // max(values.shape)))
    values = np.asarray(cv2.resize(values, None, fx=grow, fy=grow), np.float32)
    at = np.array([0.0, 0.5, 1.0])
    rgba = np.empty((*values.shape, 4), np.float32)
    for i in range(3):
        rgba[..., i] = np.interp(values, at, _RAMP[:, i])
    rgba[..., 3] = 235 * np.clip((values - _FLOOR) / (0.75 - _FLOOR), 0.0, 1.0)
    return _uri(".png", cv2.cvtColor(rgba.round().astype(np.uint8), cv2.COLOR_RGBA2BGRA), "image/png", [])


def _uri(suffix: str, pixels: cv2.typing.MatLike, mime: str, options: list[int]) -> str:
    ok, data = cv2.imencode(suffix, pixels, options)
    if not ok:
        raise ValueError(f"a picture of shape {pixels.shape} could not be encoded as {mime}")
    return f"data:{mime};base64,{base64.b64encode(data.tobytes()).decode('ascii')}"
