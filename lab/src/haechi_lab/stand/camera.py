"""From light to the frames that a page would send: exposure, white balance, noise, gamma, codec."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from haechi.bench.h264 import clip
from haechi.types import F32, F64, U8

JPEG_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Camera:
    """fps, and how much its times jitter, in seconds · read_noise, shot_noise: standard deviation in linear
    light of black, and of white · adapts_s: time constant of exposure and white balance · crf: of H.264 ·
    lag_s: from the screen to the time that the page notes · smooth: strength of a beauty filter, 0 for
    none."""

    fps: float = 12.0
    jitter_s: float = 0.004
    read_noise: float = 0.004
    shot_noise: float = 0.02
    adapts_s: float = 5.0
    crf: int = 28
    lag_s: float = 0.12
    smooth: float = 0.0

    def times_s(self, duration_s: float, rng: np.random.Generator) -> F64:
        """When frames are taken: from 0 to a little beyond the duration."""
        count = int(duration_s * self.fps) + 2
        times_s = np.arange(count) / self.fps + np.abs(rng.normal(0, self.jitter_s, count))
        out: F64 = np.maximum.accumulate(times_s - times_s[0]) + np.arange(count) * 1e-6
        return out

    def film(self, light: Sequence[F32], times_s: F64, rng: np.random.Generator) -> list[U8]:
        """Linear light f32 (h, w, 3) each -> frames u8 (h, w, 3), as decoded from what the page sends."""
        gains = np.ones(3, np.float32)
        frames: list[U8] = []
        for i, picture in enumerate(light):
            wish = (0.32 / np.maximum(picture.mean((0, 1)), 1e-4)).astype(np.float32)
            wish = 0.5 * wish + 0.5 * wish.mean()  # half of the way to grey, as cameras go
            passed_s = times_s[i] - times_s[i - 1] if i else np.inf
            gains = gains + (wish - gains) * np.float32(1 - np.exp(-passed_s / self.adapts_s))
            frames.append(self._exposed(picture * gains, float(gains.mean()), rng))
        coded = clip(frames, self.crf, self.fps)
        return [_jpeg(frame) for frame in coded]

    def _exposed(self, linear: F32, gain: float, rng: np.random.Generator) -> U8:
        noise = rng.standard_normal(linear.shape, np.float32)
        spread = np.sqrt(self.read_noise**2 * gain + self.shot_noise**2 * np.maximum(linear, 0) * gain**0.5)
        lit = np.clip(linear + noise * spread.astype(np.float32), 0, 1)
        coded = np.where(lit <= 0.0031308, 12.92 * lit, 1.055 * lit ** (1 / 2.4) - 0.055)
        frame = np.asarray(255 * coded + 0.5, np.uint8)
        if self.smooth:
            soft = cv2.bilateralFilter(frame, 7, 40, 5)
            frame = np.asarray(cv2.addWeighted(soft, self.smooth, frame, 1 - self.smooth, 0), np.uint8)
        return frame


def _jpeg(frame: U8) -> U8:
    file = io.BytesIO()
    Image.fromarray(frame).save(file, "JPEG", quality=JPEG_QUALITY)
    return np.asarray(Image.open(file))
