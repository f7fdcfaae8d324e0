"""Clips out of stills: one face before a moving camera, genuine or forged, and then coded as videos are.

Both classes are filmed by one law: the same camera, light, noise and H.264 settings are drawn for a forged
clip and its genuine twin, so that none of these can become the sign of a forgery (standing rule 5). What
differs is the forgery alone, and how it behaves from frame to frame: it may be the same in all, drift,
tremble, be drawn anew, or fail for a moment and show the face beneath.

What this cannot give: a genuine clip moves as a picture before a camera does, rigidly. Nobody blinks or
speaks in it, since a still that was warped into doing so is a forgery itself (family ``expression``).
Whatever learns from such clips has never seen a genuine face that moves of itself, and must not be trusted to
say that motion of the face is a sign of anything.

The coder is the program ``ffmpeg`` with libx264 (Debian package ``ffmpeg``), used in the lab only.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from haechi.errors import UsageError
from haechi.types import F32, U8
from haechi_lab.pseudo_fakes.pair import Pair, blend

FRAMES = 32
MODES = ("constant", "drift", "jitter", "redraw", "fail")
"""How a forgery behaves over time. Of ``constant`` every frame is the same picture, were it not for the
camera."""
LEAST_SHARE = 0.25
"""A source is worked out of a pair where the mask is above this; below it, rounding would be magnified."""

Draw = Callable[[np.random.Generator], Pair]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a clip and its twin share. ``motion`` f32 (T, 2, 3) takes pixels of the still to those of the
    frame; ``gain`` f32 (T, 3) multiplies the colours, ``shade`` f32 (T,) is where the edge of a soft shadow
    stands and ``shade_of`` (angle, softness, depth) how it looks; ``focus`` f32 (T,) is a blur in px of the
    frame; ``noise`` the deviation of the sensor's noise and ``grain`` its blur in px; ``passing`` f32 (T, 2)
    the centre of something that passes before the face, NaN where it does not, ``passing_of`` its radii and
    colour."""

    side_px: int
    face_px: float
    fps: int
    crf: int
    preset: str
    motion: F32
    gain: F32
    shade: F32
    shade_of: tuple[float, float, float]
    focus: F32
    noise: float
    grain: float
    passing: F32
    passing_of: tuple[int, int, tuple[int, int, int]]


def wander(rng: np.random.Generator, count: int, fps: float, low_hz: float, high_hz: float) -> F32:
    """A smooth random course f32 (count,) of deviation about one: waves of frequencies within the bounds."""
    t = np.arange(count) / fps
    waves = [
        np.sin(2 * np.pi * hz * t + phase)
        for hz, phase in zip(
            np.exp(rng.uniform(np.log(low_hz), np.log(high_hz), 4)), rng.uniform(0, 6.3, 4), strict=True
        )
    ]
    return (np.sum(waves, 0) / np.sqrt(2)).astype(np.float32)


def draw_scene(rng: np.random.Generator, side: int, frames: int = FRAMES) -> Scene:
    """Camera, light and coding of a clip of stills u8 (side, side, 3)."""
    side_px, fps = int(rng.choice([224, 256, 288, 320])), int(rng.choice([15, 20, 24, 25, 30]))
    face_px = float(rng.uniform(max(96.0, 0.45 * side_px), 0.85 * side_px))
    room = (side_px - face_px) / 2
    pan, shake = rng.uniform(0, 0.4) * room, rng.uniform(0.1, 1.5)
    turn, zoom = rng.uniform(0, 4), rng.uniform(0, 0.05)
    centre = rng.uniform(-0.3, 0.3, 2) * room + side_px / 2
    moves = [wander(rng, frames, fps, 0.1, 0.8) * pan + wander(rng, frames, fps, 2, 8) * shake for _ in "xy"]
    turns = wander(rng, frames, fps, 0.1, 1) * turn + rng.normal(0, 3)
    zooms = np.exp(wander(rng, frames, fps, 0.1, 0.8) * zoom)
    motion = []
    for k in range(frames):
        m = cv2.getRotationMatrix2D((side / 2, side / 2), float(turns[k]), float(zooms[k] * face_px / side))
        m[:, 2] = m[:, 2] + centre - side / 2 + (moves[0][k], moves[1][k])
        motion.append(m)
    exposure = 1 + wander(rng, frames, fps, 0.1, 0.6) * rng.uniform(0, 0.08)
    mains = 1 + np.sin(2 * np.pi * rng.uniform(0.5, 7) * np.arange(frames) / fps) * rng.uniform(0, 0.02)
    balance = [1 + wander(rng, frames, fps, 0.1, 0.5) * rng.uniform(0, 0.015) for _ in "rgb"]
    focus = np.clip(wander(rng, frames, fps, 0.2, 1), 0, 2) * (
        rng.uniform(0.3, 1) if rng.random() < 0.3 else 0
    )
    passing = np.full((frames, 2), np.nan, np.float32)
    if rng.random() < 0.25:
        start, length = int(rng.integers(0, max(1, frames - 6))), int(rng.integers(5, 16))
        for k in range(start, min(start + length, frames)):
            passing[k] = (side_px * (-0.2 + 1.4 * (k - start) / length), centre[1] + rng.normal(0, 2))
    return Scene(
        side_px=side_px, face_px=face_px, fps=fps, crf=int(rng.integers(18, 39)),
        preset=str(rng.choice(["veryfast", "faster", "medium"])),
        motion=np.stack(motion).astype(np.float32),
        gain=(exposure[:, None] * mains[:, None] * np.stack(balance, 1)).astype(np.float32),
        shade=(wander(rng, frames, fps, 0.1, 0.6) * 0.3).astype(np.float32),
        shade_of=(rng.uniform(0, 6.3), rng.uniform(0.1, 0.5), rng.uniform(0, 0.25) * (rng.random() < 0.5)),
        focus=focus.astype(np.float32), noise=float(np.exp(rng.uniform(np.log(0.7), np.log(8)))),
        grain=float(rng.choice([0.0, 0.6])), passing=passing,
        passing_of=(
            int(face_px * rng.uniform(0.08, 0.2)), int(face_px * rng.uniform(0.2, 0.5)),
            (int(rng.integers(30, 220)), int(rng.integers(30, 180)), int(rng.integers(20, 160))),
        ),
    )  # fmt: skip


def film(stills: Sequence[U8], ground: U8, scene: Scene, rng: np.random.Generator) -> list[U8]:
    """Stills u8 (S, S, 3), one a frame, before the camera of a scene: frames u8 (side_px, side_px, 3). What
    lies around them is made of ``ground``, the genuine still. The noise alone is drawn here, anew a frame."""
    board, edge = _surroundings(ground)
    inner = slice(edge, edge + stills[0].shape[0])
    share = scene.face_px / stills[0].shape[0]
    sigma = 0.5 * np.sqrt(max(0.0, 1 / share**2 - 1))  # what shrinking averages away, before it would alias
    y, x = np.mgrid[-0.5 : 0.5 : scene.side_px * 1j, -0.5 : 0.5 : scene.side_px * 1j].astype(np.float32)
    angle, softness, depth = scene.shade_of
    across = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
    frames = []
    for k, still in enumerate(stills):
        board[inner, inner] = still
        source = cv2.GaussianBlur(board, (0, 0), sigma) if sigma > 0.3 else board
        m = scene.motion[k].astype(np.float64)
        m[:, 2] -= m[:, :2] @ (edge, edge)
        size = (scene.side_px, scene.side_px)
        frame: np.ndarray = cv2.warpAffine(
            source, m, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        if not np.isnan(scene.passing[k, 0]):
            rx, ry, colour = scene.passing_of
            veil = np.zeros(frame.shape[:2], np.float32)
            centre = (round(float(scene.passing[k, 0])), round(float(scene.passing[k, 1])))
            cv2.ellipse(veil, centre, (rx, ry), 15, 0, 360, 1.0, -1)
            flat = np.broadcast_to(np.array(colour, np.float32), frame.shape)
            frame = blend(
                frame.astype(np.uint8), flat, np.asarray(cv2.GaussianBlur(veil, (0, 0), 1.5), np.float32)
            )
        light = frame.astype(np.float32) * scene.gain[k]
        if depth > 0:
            light *= (1 - depth * (1 + np.tanh((across - scene.shade[k]) / softness)) / 2)[:, :, None]
        if scene.focus[k] > 0.2:
            light = cv2.GaussianBlur(light, (0, 0), float(scene.focus[k]))
        noise = rng.standard_normal(light.shape, np.float32) * scene.noise
        if scene.grain:
            noise = cv2.GaussianBlur(noise, (0, 0), scene.grain) * 1.7
        frames.append(np.clip(light + noise + 0.5, 0, 255).astype(np.uint8))
    return frames


def _surroundings(still: U8) -> tuple[U8, int]:
    """The still on a board twice its side, and where it begins: mirrored at its edges and, away from them,
    ever more blurred, so that no second face shows."""
    side = still.shape[0]
    edge = side // 2
    board = cv2.copyMakeBorder(still, edge, edge, edge, edge, cv2.BORDER_REFLECT_101)
    far = np.maximum(edge - np.arange(2 * edge + side), 0)
    far = np.maximum(far, far[::-1])
    away = np.minimum(np.maximum(far[:, None], far[None]) / (0.1 * side), 1).astype(np.float32)
    return blend(np.asarray(board, np.uint8), cv2.GaussianBlur(board, (0, 0), side / 14), away), edge


@dataclass(frozen=True, slots=True)
class _Layer:
    """What a forger lays over a face: source f32 (S, S, 3), mask f32 (S, S)."""

    source: F32
    mask: F32

    @staticmethod
    def of(pair: Pair) -> _Layer:
        real = pair.real.astype(np.float32)
        share = np.maximum(pair.mask, LEAST_SHARE)[:, :, None]
        return _Layer(np.clip(real + (pair.fake - real) / share, 0, 255).astype(np.float32), pair.mask)

    def over(self, base: U8, shift: F32, scale: float, tone: float, strength: float) -> U8:
        side = base.shape[0]
        m = cv2.getRotationMatrix2D((side / 2, side / 2), 0, scale)
        m[:, 2] = m[:, 2] + shift
        source, mask = (
            cv2.warpAffine(a, m, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for a in (self.source + np.float32(tone), self.mask)
        )
        return blend(base, source, np.clip(mask * np.float32(strength), 0, 1).astype(np.float32))


def forge_over_time(
    draw: Draw, mode: str, fps: float, rng: np.random.Generator, frames: int = FRAMES
) -> tuple[U8, list[U8]]:
    """The still that a forged clip and its genuine twin begin from, u8 (S, S, 3), and the forged one of each
    frame. ``draw`` makes a pair of the same person and framing from random numbers; ``mode`` is one of
    MODES."""
    first = draw(rng)
    base, layer = first.real, _Layer.of(first)
    if mode == "constant":
        return base, [first.fake] * frames
    shift: np.ndarray = np.zeros((frames, 2), np.float32)
    scale: np.ndarray = np.ones(frames)
    tone: np.ndarray = np.zeros(frames)
    strength: np.ndarray = np.ones(frames)
    layers = [layer] * frames
    if mode == "drift":
        reach = rng.uniform(0.5, 3)
        shift = np.stack([wander(rng, frames, fps, 0.3, 3) for _ in "xy"], 1) * reach / np.sqrt(2)
        scale = 1 + wander(rng, frames, fps, 0.3, 2) * rng.uniform(0, 0.015)
        tone = wander(rng, frames, fps, 0.3, 3) * rng.uniform(0, 4)
        strength = 1 - rng.uniform(0, 0.5) * np.clip(wander(rng, frames, fps, 0.3, 2), 0, 1)
    elif mode == "jitter":
        shift = rng.normal(0, rng.uniform(0.2, 1.2), (frames, 2)).astype(np.float32)
        scale = 1 + rng.normal(0, rng.uniform(0, 0.006), frames)
        tone = rng.normal(0, rng.uniform(0, 3), frames)
        strength = 1 - np.abs(rng.normal(0, rng.uniform(0, 0.15), frames))
    elif mode == "redraw":
        others = [_Layer.of(draw(rng)) for _ in range(4)]
        anew = rng.random(frames) < rng.uniform(0.1, 0.8)
        layers = [others[int(rng.integers(4))] if new else layer for new in anew]
    elif mode == "fail":
        for _ in range(int(rng.integers(1, 4))):
            start, length = int(rng.integers(0, frames)), int(rng.integers(1, 5))
            strength[start : start + length] = rng.choice([0.0, 0.0, 0.4])
    else:
        raise ValueError(f"{mode!r} is not one of {', '.join(MODES)}")
    forgeries = [
        layers[k].over(base, shift[k], float(scale[k]), float(tone[k]), float(strength[k]))
        for k in range(frames)
    ]
    return base, forgeries


def encode(frames: Sequence[U8], path: Path, scene: Scene) -> None:
    """Write frames u8 (H, W, 3) RGB as H.264 at the scene's rate and quality. Raises UsageError when the
    program ffmpeg is missing or fails."""
    write_h264(frames, path, scene.fps, ["-preset", scene.preset, "-crf", str(scene.crf)])


def write_h264(frames: Sequence[U8], path: Path, fps: float, options: Sequence[str]) -> None:
    """Write frames u8 (H, W, 3) RGB as H.264, coded as the ``options`` of ffmpeg say; nothing stands at the
    path before all is written. Raises UsageError when the program ffmpeg is missing or fails."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise UsageError("clips are coded by the program ffmpeg, which is not installed (Debian: ffmpeg)")
    h, w = frames[0].shape[:2]
    part = path.with_suffix(".part.mp4")
    command = [
        program, "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{w}x{h}",
        "-r", str(fps), "-i", "-", "-c:v", "libx264", "-threads", "1", *options, "-pix_fmt", "yuv420p",
        str(part),
    ]  # fmt: skip
    run = subprocess.run(
        command, input=b"".join(f.tobytes() for f in frames), capture_output=True, check=False
    )
    if run.returncode:
        raise UsageError(f"ffmpeg could not code a clip: {run.stderr.decode(errors='replace')[-200:]}")
    part.replace(path)
