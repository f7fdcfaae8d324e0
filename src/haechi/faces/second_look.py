"""A second look at what the finder points at: whether it is a face, and which way up."""

from __future__ import annotations

import numpy as np

from haechi import models
from haechi.faces.crops import cut
from haechi.faces.detections import Detections
from haechi.models import Square
from haechi.models.feed import feed
from haechi.settings import Settings
from haechi.types import F32, F64, U8


def look_box(box_xyxy: F32, square: Square) -> F32:
    """The square around a box f32 (4,) that is looked at, f32 (4,)."""
    size = box_xyxy[2:] - box_xyxy[:2]
    centre, side = (box_xyxy[:2] + box_xyxy[2:]) / 2, float(size.mean()) * square.scale
    centre = centre + np.array([0, square.down * float(size[1])], np.float32)
    return np.concatenate([centre - side / 2, centre + side / 2]).astype(np.float32)


def roll_of(landmarks: F32) -> float:
    """Degrees in (-180, 180] by which five points (5, 2) are turned clockwise from upright: the line of the
    eyes and, for profiles, whose eyes lie nearly in one place, the line from the eyes to the mouth."""
    along = landmarks[1] - landmarks[0]
    down = landmarks[3:].mean(0) - landmarks[:2].mean(0)
    x, y = along + np.array([down[1], -down[0]])
    return float(np.degrees(np.arctan2(y, x)))


def doubted(certainty: F64, nats: float) -> F64:
    """Probabilities after their odds fell by so many nats."""
    odds = certainty / np.maximum(1 - certainty, 1e-12) * np.exp(-nats)
    out: F64 = odds / (1 + odds)
    return out


class SecondLook:
    """Card ``face_check``. What the network says and how sure the finder was are weighed together into a
    probability of a face, on which the marks ``certain`` and ``doubtful`` lie."""

    def __init__(self, settings: Settings) -> None:
        self.model = models.load("face_check", settings)
        card = self.model.card
        self.input, self.crop = card.needs_input(), card.needs_crop()
        self.certain, self.doubtful = card.mark("certain"), card.mark("doubtful")
        self.finder_weight, self.offset = card.mark("finder_weight"), card.mark("offset")

    def at(self, rgb: U8, faces: Detections, all_ways: bool = True) -> tuple[F64, F64]:
        """What was found in a picture u8 (H, W, 3) -> probability of a face f64 (n,), and the degrees
        f64 (n,) in (-180, 180] by which it is turned clockwise. ``all_ways``: the mean over all quarter turns
        and their mirror images, to which it makes no difference how the picture is shown."""
        used = slice(None) if all_ways else slice(None, None, 4)
        logits, turns = np.zeros(len(faces)), np.zeros((len(faces), 2))
        for i, box in enumerate(faces.boxes_xyxy):
            crop = cut(rgb, look_box(box, self.crop.square), self.crop.size_px)
            rows = self.model.run(feed(_eight_ways(crop)[used], self.input))[0].astype(np.float64)
            logits[i] = rows[:, 0].mean()
            angles = np.arctan2(rows[:, 2], rows[:, 1]) * _WAY[used] + _TURN[used]
            sure = np.hypot(rows[:, 1], rows[:, 2])
            turns[i] = (sure * np.cos(angles)).sum(), (sure * np.sin(angles)).sum()
        scores = np.clip(faces.scores.astype(np.float64), 1e-6, 1 - 1e-6)
        logits += self.finder_weight * np.log(scores / (1 - scores)) + self.offset
        return 1 / (1 + np.exp(-logits)), np.degrees(np.arctan2(turns[:, 1], turns[:, 0]))


# In a mirror a face leans the other way; turned counter-clockwise by a quarter it lacks a quarter.
_WAY = np.repeat([1.0, -1.0], 4)
_TURN = np.tile(np.arange(4) * np.pi / 2, 2) * _WAY


def _eight_ways(crop: U8) -> U8:
    """A crop u8 (s, s, 3) and its mirror image in all quarter turns, u8 (8, s, s, 3): their mean makes no
    difference between them."""
    return np.stack([np.rot90(way, k) for way in (crop, crop[:, ::-1]) for k in range(4)])
