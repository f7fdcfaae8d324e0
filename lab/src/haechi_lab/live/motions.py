"""Challenges as people would do them, drawn into clips of people who talk: the head is turned as an ellipsoid
with a nose that wears the picture, a hand in the colour of the face's own skin passes before it, and the
picture rises or grows. What is imitated is where things move in the picture; nobody was asked to do them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from haechi.types import F32, U8
from haechi_lab.pseudo_fakes.pair import blend

RATE = 5.0
"""Frames a second: as many as are searched."""
CALM_S, ACT_S = 1.6, 3.2
SHARES = {"whole": 1.0, "half": 0.35}
"""How much of it is done: all of it, or a third, which is not to count."""
TURN_DEG, RISE_HEIGHTS, GROWTH = 60.0, 1.1, 0.8


def perform(
    name: str, frames: Sequence[U8], points: Sequence[F32], share: float, rng: np.random.Generator
) -> list[U8]:
    """Frames u8 (H, W, 3) of somebody with the five points f32 (5, 2) of the face in each, RATE a second: at
    first calm, then doing a ``share`` of the challenge for ACT_S, then calm again."""
    count, begin = round(RATE * (2 * CALM_S + ACT_S)), round(RATE * CALM_S)
    there = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]  # to and fro, as often as it takes
    side = float(rng.choice([-1.0, 1.0]))
    out: list[U8] = []
    for k in range(count):
        at = there[k % len(there)]
        progress = (k - begin) / (RATE * ACT_S)
        rgb, five = frames[at], points[at]
        over = progress > 1 and not (name == "stand" and share == 1.0)  # who stood up stays there
        out.append(rgb if progress < 0 or over else _DO[name](rgb, five, min(progress, 1.0), share, side))
    return out


def _there_and_back(progress: float) -> float:
    """From 0 smoothly to 1, which holds for a third of the time, and back."""
    return float(np.clip(1.5 * np.sin(np.pi * progress), 0, 1))


def _frame_of(points: F32) -> tuple[F32, float]:
    """The middle of a face, and the distance of its eyes, in px."""
    eyes = float(np.linalg.norm(points[1] - points[0]))
    return np.asarray((points[:2].mean(0) + points[3:].mean(0)) / 2, np.float32), max(eyes, 4.0)


def _turn(rgb: U8, points: F32, progress: float, share: float, side: float) -> U8:
    angle = np.deg2rad(side * share * TURN_DEG * _there_and_back(progress))
    (cx, cy), eyes = _frame_of(points)
    half_w, half_h, depth = 1.25 * eyes, 1.8 * eyes, 1.1 * eyes
    step = 0.4  # px: so close that no gap shows between what was moved
    y, x = np.mgrid[-half_h:half_h:step, -half_w:half_w:step].astype(np.float32)
    round_ = np.clip(1 - (x / half_w) ** 2 - (y / half_h) ** 2, 0, None)
    nose_x, nose_y = points[2] - (cx, cy)
    bump = 0.45 * eyes * np.exp(-((x - nose_x) ** 2 + ((y - nose_y) / 1.6) ** 2) / (0.35 * eyes) ** 2)
    z = depth * np.sqrt(round_) + bump
    colours = cv2.remap(rgb, x + cx, y + cy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    on = round_ > 0
    far = np.argsort((z * np.cos(angle) - x * np.sin(angle))[on])  # what is nearer is drawn later
    u = np.rint((x * np.cos(angle) + z * np.sin(angle))[on][far] + cx).astype(int)
    v = np.rint(y[on][far] + cy).astype(int)
    inside = (u >= 0) & (u < rgb.shape[1]) & (v >= 0) & (v < rgb.shape[0])
    out = rgb.copy()
    out[v[inside], u[inside]] = colours[on][far][inside]
    return out


def _hand(rgb: U8, points: F32, progress: float, share: float, side: float) -> U8:
    (cx, cy), eyes = _frame_of(points)
    wide, high = 2.1 * eyes, 2.8 * eyes
    # The whole way leads over the face and off it on the other side; a part of it leads back again.
    way = progress if share == 1.0 else share * float(np.sin(np.pi * progress))
    x, y = cx + side * wide * (2.4 * way - 1.2), cy + 0.1 * high
    veil = np.zeros(rgb.shape[:2], np.float32)
    palm = (round(0.3 * wide), round(0.26 * high))
    cv2.ellipse(veil, (round(float(x)), round(float(y + 0.1 * high))), palm, 0, 0, 360, 1.0, -1)
    for k in range(4):
        foot = (round(float(x + (0.15 * k - 0.23) * wide)), round(float(y)))
        tip = (
            round(float(foot[0] + (0.04 * k - 0.06) * wide)),
            round(float(y - (0.55 - 0.05 * abs(k - 1)) * high)),
        )
        cv2.line(veil, foot, tip, 1.0, max(3, round(0.16 * wide)))
    arm = [(round(float(x + s * 0.16 * wide)), round(float(y + h * high))) for s, h in ((-1, 0.2), (1, 2.0))]
    cv2.rectangle(veil, arm[0], arm[1], 1.0, -1)
    veil = np.asarray(cv2.GaussianBlur(veil, (0, 0), max(1.0, 0.012 * wide)), np.float32)
    cheek = points[3:].mean(0) * 0.5 + points[:2].mean(0) * 0.5
    tone = rgb[int(cheek[1]) - 3 : int(cheek[1]) + 4, int(cheek[0]) - 3 : int(cheek[0]) + 4]
    colour = np.median(tone.reshape(-1, 3), 0) if tone.size else np.array([180, 140, 120])
    shade = 0.82 + 0.18 * np.cos((np.mgrid[: rgb.shape[0], : rgb.shape[1]][1] - x) / (0.3 * wide))
    source = np.clip(colour * shade[:, :, None], 0, 255).astype(np.float32)
    return blend(rgb, source, veil)


def _stand(rgb: U8, points: F32, progress: float, share: float, _side: float) -> U8:
    _, eyes = _frame_of(points)
    up = share * RISE_HEIGHTS * 2.8 * eyes
    up *= float(np.clip(3 * progress, 0, 1)) if share == 1.0 else _there_and_back(progress)
    return _placed(rgb, np.array([[1, 0, 0], [0, 1, -up]]))


def _close(rgb: U8, points: F32, progress: float, share: float, _side: float) -> U8:
    (cx, cy), _ = _frame_of(points)
    times = 1 + share * GROWTH * _there_and_back(progress)
    return _placed(rgb, np.array([[times, 0, cx * (1 - times)], [0, times, cy * (1 - times)]]))


def _placed(rgb: U8, m: np.ndarray) -> U8:
    size = (rgb.shape[1], rgb.shape[0])
    return np.asarray(cv2.warpAffine(rgb, m, size, borderMode=cv2.BORDER_REFLECT_101), np.uint8)


_DO = {"turn": _turn, "hand": _hand, "stand": _stand, "close": _close}
