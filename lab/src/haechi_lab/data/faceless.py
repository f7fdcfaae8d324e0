"""Pictures without a face, drawn by code or gathered in a folder: what a face finder takes for faces and must
not. Everything is drawn from a seed; nothing is downloaded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from haechi.types import F32, U8

Draw: TypeAlias = Callable[[np.random.Generator, int], U8]
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
LEAST_PX = 32
"""Gathered pictures with a shorter side than this hold nothing to be mistaken about."""


def smooth_noise(rng: np.random.Generator, height: int, width: int, grain: float) -> F32:
    """Noise f32 (height, width) in [0, 1] with spots of about ``grain`` of the width, in three octaves."""
    out = np.zeros((height, width), np.float32)
    for octave in range(3):
        cells = max(2, round(2**octave / grain))
        rough = rng.random((max(2, cells * height // width), cells)).astype(np.float32)
        out += np.asarray(cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)) / 2**octave
    low, high = float(out.min()), float(out.max())
    return np.asarray((out - low) / max(high - low, 1e-6), np.float32)


def colour(rng: np.random.Generator) -> tuple[int, int, int]:
    r, g, b = (int(v) for v in rng.integers(0, 256, 3))
    return r, g, b


def ground(rng: np.random.Generator, side: int) -> U8:
    """A background: plain, a gradient, or cloudy."""
    a, b = (np.array(colour(rng), np.float32) for _ in range(2))
    kind = rng.integers(3)
    if kind == 0:
        return np.full((side, side, 3), a, np.uint8)
    share = (
        np.tile(np.linspace(0, 1, side, dtype=np.float32)[:, None], (1, side))
        if kind == 1
        else smooth_noise(rng, side, side, float(rng.uniform(0.1, 0.6)))
    )
    out: U8 = (a + (b - a) * share[:, :, None]).astype(np.uint8)
    return out


def shaded(
    rng: np.random.Generator, side: int, centre: tuple[float, float], radius: float
) -> tuple[F32, F32]:
    """Light f32 (side, side) in [0, 1] on a ball, and its mask."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    dx, dy = (x - centre[0]) / radius, (y - centre[1]) / radius
    depth = np.sqrt(np.clip(1 - dx**2 - dy**2, 0, 1))
    angle, height = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 1)
    light = np.cos(angle) * dx + np.sin(angle) * dy + height * depth
    mask = np.clip((1 - np.hypot(dx, dy)) * radius, 0, 1)
    return np.asarray(np.clip(light / (1 + height / 2), 0.02, 1), np.float32), np.asarray(mask, np.float32)


def place(rng: np.random.Generator, side: int) -> tuple[tuple[float, float], float]:
    """Where the main thing of a picture lies, and its radius."""
    return (
        (float(rng.uniform(0.35, 0.65) * side), float(rng.uniform(0.35, 0.65) * side)),
        float(rng.uniform(0.15, 0.48) * side),
    )


def over(board: U8, paint: F32, mask: F32) -> U8:
    out: U8 = np.clip(board + (paint - board) * mask[:, :, None], 0, 255).astype(np.uint8)
    return out


def planet(rng: np.random.Generator, side: int) -> U8:
    """A ball of bands, clouds or craters before a sky."""
    board = ground(rng, side) // int(rng.integers(1, 9))
    stars = rng.random((side, side)) > 0.999
    board[stars] = 255
    centre, radius = place(rng, side)
    light, mask = shaded(rng, side, centre, radius)
    skin = smooth_noise(rng, side, side, float(rng.uniform(0.05, 0.4)))
    if rng.random() < 0.4:
        rows = smooth_noise(rng, side, 8, 0.5)[:, :1]
        skin = np.asarray(0.75 * rows + 0.25 * skin, np.float32)
    a, b = (np.array(colour(rng), np.float32) for _ in range(2))
    paint = (a + (b - a) * skin[:, :, None]) * light[:, :, None]
    for _ in range(int(rng.integers(0, 14)) if rng.random() < 0.5 else 0):
        spot = tuple(int(v) for v in np.array(centre) + rng.normal(0, radius / 2, 2))
        cv2.circle(
            paint, spot, max(1, int(radius * rng.uniform(0.03, 0.25))), (a * 0.5 * light.mean()).tolist(), -1
        )
    return over(board, np.asarray(paint, np.float32), mask)


def disc(rng: np.random.Generator, side: int) -> U8:
    """Flat discs, rings and targets."""
    board = ground(rng, side)
    for _ in range(int(rng.integers(1, 5))):
        (x, y), radius = place(rng, side)
        for share in np.linspace(1, 0.2, int(rng.integers(1, 6))):
            cv2.circle(board, (int(x), int(y)), int(radius * share), colour(rng), -1, cv2.LINE_AA)
    return board


def wheel(rng: np.random.Generator, side: int) -> U8:
    """Tyre, rim, spokes and hub."""
    board = ground(rng, side)
    (x, y), radius = place(rng, side)
    middle, tyre, metal = (int(x), int(y)), colour(rng), colour(rng)
    if rng.random() < 0.7:
        tyre = tuple(int(v) for v in rng.integers(10, 60) * np.ones(3))  # type: ignore[assignment]
    cv2.circle(board, middle, int(radius), tyre, -1, cv2.LINE_AA)
    rim = rng.uniform(0.6, 0.85) * radius
    cv2.circle(
        board, middle, int(rim), metal, -1 if rng.random() < 0.5 else int(radius / 12) + 1, cv2.LINE_AA
    )
    spokes, width, spin = (
        int(rng.integers(3, 17)),
        max(1, int(radius * rng.uniform(0.02, 0.15))),
        rng.uniform(0, 6),
    )
    for angle in spin + np.arange(spokes) * 2 * np.pi / spokes:
        end = (int(x + rim * np.cos(angle)), int(y + rim * np.sin(angle)))
        cv2.line(board, middle, end, colour(rng) if spokes < 5 else tyre, width, cv2.LINE_AA)
    cv2.circle(board, middle, int(radius * rng.uniform(0.08, 0.3)), metal, -1, cv2.LINE_AA)
    return board


def letters(rng: np.random.Generator, side: int) -> U8:
    """Digits, letters and signs, a few large or a page of small ones."""
    board = ground(rng, side)
    picture = Image.fromarray(board)
    pen = ImageDraw.Draw(picture)
    signs = "ABCDEGKMOQRS0123456789&@%:)(=?8oO{}[]#$ "
    lines, columns = ((1, 1), (1, 3), (6, 12), (14, 30))[int(rng.integers(4))]
    size = side / max(lines, columns * 0.7) * rng.uniform(0.6, 1.0)
    font, ink = ImageFont.load_default(size), colour(rng)
    for line in range(lines):
        words = "".join(signs[int(i)] for i in rng.integers(0, len(signs), columns))
        pen.text((side * rng.uniform(0, 0.2), side * line / lines), words, ink, font)
    return np.asarray(picture, np.uint8).copy()


def texture(rng: np.random.Generator, side: int) -> U8:
    """Noise, stripes, checks, cells, waves."""
    kind = int(rng.integers(5))
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    turn, count = rng.uniform(0, np.pi), rng.uniform(2, 40)
    along = np.cos(turn) * x + np.sin(turn) * y
    if kind == 0:
        share = smooth_noise(rng, side, side, float(rng.uniform(0.01, 0.3)))
    elif kind == 1:
        share = 0.5 + 0.5 * np.sin(2 * np.pi * count * along + 6 * smooth_noise(rng, side, side, 0.3))
    elif kind == 2:
        across = np.cos(turn) * y - np.sin(turn) * x
        share = ((along * count).astype(int) + (across * count).astype(int)) % 2
    elif kind == 3:
        points = rng.random((int(rng.integers(8, 60)), 2))
        away = [np.hypot(x - px, y - py) for px, py in points]
        share = np.clip(np.min(away, 0) * np.sqrt(len(points)), 0, 1)
    else:
        share = 0.5 + 0.25 * (np.sin(count * x * 6) + np.sin(count * y * 5))
    a, b = (np.array(colour(rng), np.float32) for _ in range(2))
    out: U8 = (a + (b - a) * np.asarray(share, np.float32)[:, :, None]).astype(np.uint8)
    return out


def _eyes(
    board: U8, rng: np.random.Generator, x: float, y: float, radius: float, ink: tuple[int, int, int]
) -> None:
    apart, size = radius * rng.uniform(0.3, 0.5), max(1, int(radius * rng.uniform(0.06, 0.2)))
    for way in (-1, 1):
        spot = (int(x + way * apart), int(y - radius * rng.uniform(0.15, 0.35)))
        cv2.ellipse(
            board, spot, (size, int(size * rng.uniform(0.8, 1.8)) + 1), 0, 0, 360, ink, -1, cv2.LINE_AA
        )
        if rng.random() < 0.5:
            cv2.circle(board, spot, max(1, size // 3), (255, 255, 255), -1, cv2.LINE_AA)


def smiley(rng: np.random.Generator, side: int) -> U8:
    """A drawn face of a disc, two eyes and a mouth: no photograph of anybody."""
    board = ground(rng, side)
    (x, y), radius = place(rng, side)
    skin: F32 = np.full((side, side, 3), colour(rng), np.float32)
    light, mask = shaded(rng, side, (x, y), radius)
    board = over(board, skin * (light[:, :, None] if rng.random() < 0.5 else 1), mask)
    ink = colour(rng)
    _eyes(board, rng, x, y, radius, ink)
    start, bend = int(rng.integers(0, 40)), int(radius * rng.uniform(0.1, 0.5))
    mouth = (int(x), int(y + radius * rng.uniform(0.1, 0.4)))
    cv2.ellipse(
        board,
        mouth,
        (int(radius * 0.5), bend),
        0,
        start,
        180 - start,
        ink,
        max(1, int(radius / 15)),
        cv2.LINE_AA,
    )
    return board


def pet(rng: np.random.Generator, side: int) -> U8:
    """The head of a cat or a dog: fur, ears, eyes, muzzle, whiskers."""
    board = ground(rng, side)
    (x, y), radius = place(rng, side)
    base = np.array(colour(rng), np.float32)
    fur = smooth_noise(rng, side, side, float(rng.uniform(0.01, 0.08)))[:, :, None] * rng.uniform(0.2, 0.7)
    shape: F32 = np.zeros((side, side), np.float32)
    cv2.ellipse(
        shape, (int(x), int(y)), (int(radius), int(radius * rng.uniform(0.8, 1.1))), 0, 0, 360, 1.0, -1
    )
    for way in (-1, 1):
        tip = rng.uniform(-1.5, -0.9) if rng.random() < 0.6 else rng.uniform(0, 0.6)
        ear = np.array([[0.9, -0.3], [0.35, -0.85], [rng.uniform(0.7, 1.3), tip]]) * radius * (way, 1)
        cv2.fillPoly(shape, [(ear + np.array([x, y])).astype(np.int32)], 1.0)
    light, _ = shaded(rng, side, (x, y), 1.6 * radius)
    board = over(board, np.asarray(base * (1 - fur) * (0.4 + 0.6 * light[:, :, None]), np.float32), shape)
    muzzle = (int(x), int(y + 0.4 * radius))
    cv2.ellipse(
        board, muzzle, (int(0.45 * radius), int(0.33 * radius)), 0, 0, 360, colour(rng), -1, cv2.LINE_AA
    )
    _eyes(board, rng, x, y, radius, colour(rng) if rng.random() < 0.5 else (10, 10, 10))
    cv2.circle(
        board, (muzzle[0], int(y + 0.25 * radius)), max(1, int(0.12 * radius)), (30, 20, 25), -1, cv2.LINE_AA
    )
    for slope in np.linspace(-0.3, 0.3, 3):
        for way in (-1, 1):
            end = (int(x + way * radius * 1.2), int(muzzle[1] + slope * radius))
            cv2.line(board, muzzle, end, (230, 230, 230), 1, cv2.LINE_AA)
    return board


def clock(rng: np.random.Generator, side: int) -> U8:
    """A dial with marks and two hands."""
    board = ground(rng, side)
    (x, y), radius = place(rng, side)
    ink, middle = colour(rng), (int(x), int(y))
    cv2.circle(board, middle, int(radius), colour(rng), -1, cv2.LINE_AA)
    cv2.circle(board, middle, int(radius), ink, max(1, int(radius / 12)), cv2.LINE_AA)
    ends = [(a, 0.8, 0.92) for a in np.arange(12) * np.pi / 6]
    ends += [(rng.uniform(0, 6.3), 0, 0.5), (rng.uniform(0, 6.3), 0, 0.75)]
    for angle, start, end in ends:
        way = np.array([np.cos(angle), np.sin(angle)]) * radius
        a, b = (tuple(int(v) for v in np.array([x, y]) + way * s) for s in (start, end))
        cv2.line(board, a, b, ink, max(1, int(radius / 20)), cv2.LINE_AA)
    return board


def house(rng: np.random.Generator, side: int) -> U8:
    """A front with windows and a door, which many a finder smiles back at."""
    board = ground(rng, side)
    (x, y), radius = place(rng, side)

    def box(cx: float, cy: float, w: float, h: float) -> None:
        a, b = (
            (int(x + (cx - w) * radius), int(y + (cy - h) * radius)),
            (int(x + (cx + w) * radius), int(y + (cy + h) * radius)),
        )
        cv2.rectangle(board, a, b, colour(rng), -1)

    box(0, 0, 1, 1)
    roof = np.array([[-1.2, -1], [1.2, -1], [0, -1.7]]) * radius + (x, y)
    cv2.fillPoly(board, [roof.astype(np.int32)], colour(rng))
    for way in (-1, 1):
        box(way * 0.45, -0.35, 0.2, rng.uniform(0.15, 0.3))
    box(0, 0.65, rng.uniform(0.15, 0.5), 0.3)
    return board


def socket(rng: np.random.Generator, side: int) -> U8:
    """Sockets, buttons and plates with holes."""
    board = ground(rng, side)
    (x, y), radius = place(rng, side)
    light, mask = shaded(rng, side, (x, y), radius)
    board = over(
        board,
        np.asarray(np.array(colour(rng), np.float32) * (0.6 + 0.4 * light[:, :, None]), np.float32),
        mask,
    )
    spots = (
        [(-0.4, -0.2), (0.4, -0.2)],
        [(-0.3, -0.3), (0.3, -0.3), (0, 0.35)],
        [(-0.3, -0.3), (0.3, -0.3), (-0.3, 0.3), (0.3, 0.3)],
    )
    for dx, dy in spots[int(rng.integers(3))]:
        at = (int(x + dx * radius), int(y + dy * radius))
        cv2.circle(board, at, max(1, int(radius * rng.uniform(0.07, 0.16))), (20, 20, 25), -1, cv2.LINE_AA)
    return board


DRAWN: Mapping[str, Draw] = {
    d.__name__: d for d in (planet, disc, wheel, letters, texture, smiley, pet, clock, house, socket)
}
NEVER_TAUGHT = ("clock", "house", "socket")
"""Kinds of drawing that no training picture shows."""


def draw(kind: str, seed: int, side: int = 512) -> U8:
    """A picture u8 (side, side, 3) of a kind in DRAWN, the same for the same seed; half of them photographed
    out of focus or grainy, so that not every edge is a drawn one."""
    rng = np.random.default_rng([seed, *kind.encode()])
    out = DRAWN[kind](rng, side)
    if rng.random() < 0.5:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 3)), np.uint8)
        out = np.clip(out + rng.normal(0, rng.uniform(0, 10), out.shape), 0, 255).astype(np.uint8)
    return out


def gathered(folder: Path) -> list[Path]:
    """Pictures under a folder, by name."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS and p.is_file())


def held_back(file: Path, folder: Path) -> bool:
    """Whether a gathered picture is kept for the measure: a fifth of the folders, whole, by their names."""
    return hashlib.sha256(file.parent.relative_to(folder).as_posix().encode()).digest()[0] < 51


def load(file: Path, rng: np.random.Generator, most_px: int = 800) -> U8 | None:
    """A gathered picture u8 (H, W, 3), what is clear in it laid over a drawn ground; None when it is too
    small or cannot be read."""
    raw = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    if raw is None or min(raw.shape[:2]) < LEAST_PX:
        return None
    raw = (raw // 257).astype(np.uint8) if raw.dtype == np.uint16 else raw
    if max(raw.shape[:2]) > most_px:
        scale = most_px / max(raw.shape[:2])
        raw = cv2.resize(raw, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if raw.ndim == 2:
        raw = cv2.cvtColor(raw, cv2.COLOR_GRAY2BGR)
    rgb = np.ascontiguousarray(raw[:, :, 2::-1])
    if raw.shape[2] == 4:
        h, w = rgb.shape[:2]
        behind = np.asarray(cv2.resize(ground(rng, 64), (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)
        return over(behind, rgb.astype(np.float32), np.asarray(raw[:, :, 3] / 255, np.float32))
    return rgb.astype(np.uint8)
