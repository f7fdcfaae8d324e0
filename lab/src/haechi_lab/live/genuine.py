"""Genuine calls of the kinds that look odd: what cameras, programs and networks do to an honest caller. Each
is a species of its own, which may not alarm more often than others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import cv2
import numpy as np

from haechi.types import F32, U8
from haechi_lab.live.passing import pass_before
from haechi_lab.pseudo_fakes.clips import wander, write_h264
from haechi_lab.pseudo_fakes.pair import blend


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """frames u8 (H, W, 3), ``fps`` a second · points: the five points of the face in each f32 (5, 2), None
    without one."""

    frames: Sequence[U8]
    points: Sequence[F32 | None]
    fps: float


Alteration: TypeAlias = Callable[[Clip, np.random.Generator], list[U8]]
"""A clip and random numbers -> the frames as they are seen."""

AS_CALLS = ("-preset", "veryfast", "-profile:v", "baseline", "-tune", "zerolatency")


def code_as_call(frames: Sequence[U8], file: Path, fps: float, bits: float) -> None:
    """H.264 as calls code it: baseline, no frame waits for a later one, ``bits`` a pixel and frame at the
    most."""
    h, w = frames[0].shape[:2]
    rate = str(round(bits * h * w * fps))
    write_h264(frames, file, fps, [*AS_CALLS, "-b:v", rate, "-maxrate", rate, "-bufsize", rate])


def _eyes(at: F32) -> float:
    """Distance of the eyes in px, the measure of a face."""
    return float(np.linalg.norm(at[1] - at[0]))


def _filled(shape: tuple[int, ...], ellipses: Sequence[tuple[np.ndarray, float, float]], soft: float) -> F32:
    """Ellipses of (centre, radius across, radius along), feathered, f32 (H, W)."""
    mask: np.ndarray = np.zeros(shape[:2], np.float32)
    for centre, a, b in ellipses:
        axes = (max(1, int(a)), max(1, int(b)))
        cv2.ellipse(mask, (int(centre[0]), int(centre[1])), axes, 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.5, soft)), np.float32)


def _face(shape: tuple[int, ...], at: F32) -> F32:
    eyes = _eyes(at)
    return _filled(shape, [(at.mean(0), 1.15 * eyes, 1.5 * eyes)], 0.12 * eyes)


def _person(shape: tuple[int, ...], at: F32, rng: np.random.Generator) -> F32:
    """Head and shoulders as a program cuts them out, whose edge trembles a little."""
    eyes, wobble = _eyes(at), rng.normal(1, 0.015, 2)
    head = (at.mean(0) - np.array([0, 0.3 * eyes]), 1.6 * eyes * wobble[0], 2.1 * eyes * wobble[1])
    shoulders = (at.mean(0) + np.array([0, 4.2 * eyes]), 3.3 * eyes * wobble[1], 2.4 * eyes * wobble[0])
    return _filled(shape, [head, shoulders], 0.06 * eyes)


def _beauty(clip: Clip, rng: np.random.Generator) -> list[U8]:
    amount, lift, out = rng.uniform(0.5, 0.95), rng.uniform(2, 14), []
    for rgb, at in zip(clip.frames, clip.points, strict=True):
        if at is None:
            out.append(rgb)
            continue
        smooth = cv2.bilateralFilter(rgb, 9, 35, 7).astype(np.float32) + lift
        out.append(blend(rgb, smooth.clip(0, 255), (_face(rgb.shape, at) * amount).astype(np.float32)))
    return out


def _background(blurred: bool) -> Alteration:
    def alter(clip: Clip, rng: np.random.Generator) -> list[U8]:
        h, w = clip.frames[0].shape[:2]
        coarse = rng.uniform(30, 220, (int(rng.integers(2, 9)), int(rng.integers(2, 9)), 3)).astype(np.uint8)
        wall = np.asarray(cv2.resize(coarse, (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)
        softness, mask, out = rng.uniform(6, 14), None, []
        for rgb, at in zip(clip.frames, clip.points, strict=True):
            mask = mask if at is None else _person(rgb.shape, at, rng)
            if mask is None:
                out.append(rgb)
                continue
            behind = np.asarray(cv2.GaussianBlur(rgb, (0, 0), softness), np.uint8) if blurred else wall
            out.append(blend(behind, rgb, mask))
        return out

    return alter


def _low_light(clip: Clip, rng: np.random.Generator) -> list[U8]:
    gain, noise, cast = rng.uniform(0.25, 0.45), rng.uniform(4, 9), rng.uniform(0.85, 1.1, 3)
    out = []
    for rgb in clip.frames:
        dark = rgb.astype(np.float32) * (gain * cast) + rng.normal(0, noise, rgb.shape)
        bright = (255 * (dark.clip(0, 255) / 255) ** 0.8).astype(np.uint8)
        out.append(np.asarray(cv2.GaussianBlur(bright, (0, 0), 0.8), np.uint8))
    return out


def _packet_loss(clip: Clip, rng: np.random.Generator) -> list[U8]:
    """The picture stands still for moments, and rows of blocks keep what stood there before."""
    out: list[U8] = []
    frozen = 0
    for rgb in clip.frames:
        before = out[-1] if out else rgb
        if frozen == 0 and rng.random() < 0.5 / clip.fps:
            frozen = int(rng.integers(2, max(3, int(0.6 * clip.fps))))
        if frozen > 0:
            frozen -= 1
            out.append(before)
            continue
        canvas = rgb.copy()
        if rng.random() < 1.5 / clip.fps:
            for _ in range(int(rng.integers(1, 5))):
                top = 16 * int(rng.integers(0, max(1, rgb.shape[0] // 16)))
                left = 16 * int(rng.integers(0, max(1, rgb.shape[1] // 16)))
                canvas[top : top + 16, left:] = before[top : top + 16, left:]
        out.append(canvas)
    return out


def _glasses(clip: Clip, rng: np.random.Generator) -> list[U8]:
    dark, tinted, out = int(rng.integers(5, 90)), rng.uniform(0, 0.25), []
    for rgb, at in zip(clip.frames, clip.points, strict=True):
        canvas = rgb.copy()
        if at is not None:
            eyes = _eyes(at)
            lens = [(eye + np.array([0, 0.05 * eyes]), 0.38 * eyes, 0.3 * eyes) for eye in at[:2]]
            shade = (_filled(rgb.shape, lens, 1) * tinted).astype(np.float32)
            canvas = blend(canvas, np.full(rgb.shape, dark, np.uint8), shade)
            thick, colour = max(1, round(0.05 * eyes)), (dark, dark, dark)
            for centre, a, b in lens:
                where = (int(centre[0]), int(centre[1]))
                cv2.ellipse(canvas, where, (int(a), int(b)), 0, 0, 360, colour, thick, cv2.LINE_AA)
            inner = [tuple(int(v) for v in at[k] + (s * 0.38 * eyes, 0)) for k, s in ((0, 1), (1, -1))]
            cv2.line(canvas, inner[0], inner[1], colour, thick, cv2.LINE_AA)
        out.append(canvas)
    return out


def _moving_camera(clip: Clip, rng: np.random.Generator) -> list[U8]:
    """As held in a hand: it sways, turns, and shakes."""
    h, w = clip.frames[0].shape[:2]
    count = len(clip.frames)
    sway, shake = rng.uniform(0.02, 0.06) * w, rng.uniform(0.5, 2.5)
    x, y = (
        wander(rng, count, clip.fps, 0.2, 1) * sway + wander(rng, count, clip.fps, 2, 8) * shake for _ in "xy"
    )
    turns, zooms = (
        wander(rng, count, clip.fps, 0.2, 1.5) * 3,
        np.exp(wander(rng, count, clip.fps, 0.1, 0.8) * 0.04),
    )
    out = []
    for k, rgb in enumerate(clip.frames):
        m = cv2.getRotationMatrix2D((w / 2, h / 2), float(turns[k]), float(1.12 * zooms[k]))
        m[:, 2] = m[:, 2] + (x[k], y[k])
        picture = cv2.warpAffine(rgb, m, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        out.append(np.asarray(picture, np.uint8))
    return out


def _call_within_a_call(clip: Clip, rng: np.random.Generator) -> list[U8]:
    """Coded, shown as a tile of somebody's screen, and shared from there."""
    share, bits = rng.uniform(0.75, 1.25), float(np.exp(rng.uniform(*np.log((0.065, 0.2)))))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "inner.mp4"
        code_as_call(clip.frames, file, clip.fps, bits)
        capture = cv2.VideoCapture(str(file))
        out: list[U8] = []
        while True:
            ok, bgr = capture.read()
            if not ok:
                break
            tile = cv2.resize(bgr[:, :, ::-1], None, fx=share, fy=share, interpolation=cv2.INTER_LINEAR)
            framed = cv2.copyMakeBorder(tile, 24, 24, 24, 24, cv2.BORDER_CONSTANT, value=(32, 33, 36))
            h, w = (side // 2 * 2 for side in framed.shape[:2])
            out.append(np.ascontiguousarray(framed[:h, :w], np.uint8))
        capture.release()
    return out


def _crossed(clip: Clip, rng: np.random.Generator) -> list[U8]:
    return pass_before(clip.frames, clip.points, clip.fps, rng)[0]


LOW_RATE = "200 kbit/s"
SPECIES: Mapping[str, Alteration] = {
    "beauty filter": _beauty,
    "background blurred": _background(blurred=True),
    "background replaced": _background(blurred=False),
    "low light": _low_light,
    "packet loss": _packet_loss,
    LOW_RATE: lambda clip, _: list(clip.frames),
    "glasses": _glasses,
    "moving camera": _moving_camera,
    "call within a call": _call_within_a_call,
    "hand before the face": _crossed,
}
"""Before it is coded; LOW_RATE differs in the coding alone."""
