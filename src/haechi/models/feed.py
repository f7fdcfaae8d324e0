"""Pictures -> the array that a network reads, as its card asks for it; its logits -> probabilities. Training
and inference call this."""

from __future__ import annotations

import numpy as np

from haechi.models.card import InputRule
from haechi.types import F32, U8


def middle(crops: U8, rule: InputRule) -> U8:
    """The part of crops u8 (n, S, S, 3) that a network sees, u8 (n, height_px, width_px, 3): their middle, or
    all of them when the rule says so."""
    if rule.window != "middle" or rule.width_px is None or rule.height_px is None:
        return crops
    top, left = (crops.shape[1] - rule.height_px) // 2, (crops.shape[2] - rule.width_px) // 2
    return crops[:, top : top + rule.height_px, left : left + rule.width_px]


def feed(pictures: U8, rule: InputRule) -> F32:
    """Pictures u8 (n, H, W, 3) RGB -> f32 in the layout, colour order and range of the rule, contiguous."""
    ordered = pictures[..., ::-1] if rule.colour == "BGR" else pictures
    if rule.layout == "NCHW":
        ordered = ordered.transpose(0, 3, 1, 2)
    x = np.ascontiguousarray(ordered, dtype=np.float32)
    if (rule.low, rule.high) != (0.0, 255.0):
        x = x * np.float32((rule.high - rule.low) / 255.0) + np.float32(rule.low)
    return x


def mirrored(x: F32, rule: InputRule) -> F32:
    """What ``feed`` gave, with left and right exchanged."""
    return np.ascontiguousarray(x[:, :, :, ::-1] if rule.layout == "NCHW" else x[:, :, ::-1])


def probability(logits: F32) -> F32:
    """Logistic function of logits f32, of any size without overflow, in [0, 1]."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -80, 80))), np.float32)
