"""How the points of the face mesh move when a face blinks, speaks, frowns, smiles, nods or turns.

``displacement`` says where the points go for given strengths; ``motion`` says how the strength of one kind
runs over time. Shifts are shares of the height of the face, so that they fit a face of any size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from haechi.types import F32
from haechi_lab.pseudo_fakes.regions import BROW_LEFT, BROW_RIGHT, LIPS, OVAL

KINDS = ("blink", "wink_left", "wink_right", "mouth", "smile", "frown", "brows", "nod", "turn")
"""1 is the strongest of each. ``mouth`` opens above 0 and closes an open one below; ``nod`` is down and
``turn`` to the right of the picture above 0, the other way below."""

LID_RIGHT = ([246, 161, 160, 159, 158, 157, 173], [7, 163, 144, 145, 153, 154, 155])
LID_LEFT = ([466, 388, 387, 386, 385, 384, 398], [249, 390, 373, 374, 380, 381, 382])
CREASE_RIGHT, CREASE_LEFT = [247, 30, 29, 27, 28, 56, 190], [467, 260, 259, 257, 258, 286, 414]
INNER_UPPER = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
INNER_LOWER = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]
CHIN, FOREHEAD, NOSE_TIP, CORNERS = 152, 10, 1, (61, 291)
LEAST_HEIGHT_PX = 8.0


def height(mesh: F32) -> float:
    """Height of the face in pixels, forehead to chin, never below LEAST_HEIGHT_PX."""
    return max(float(np.linalg.norm(mesh[CHIN] - mesh[FOREHEAD])), LEAST_HEIGHT_PX)


def _frame(mesh: F32) -> tuple[F32, F32, F32]:
    """The points in the frame of the face, f32 (468, 2): x right and y down in face heights from the middle;
    and the two axes, f32 (2,), in pixels of one face height."""
    tall = height(mesh)
    down = (mesh[CHIN] - mesh[FOREHEAD]) / tall
    norm = float(np.linalg.norm(down))
    down = down / norm if norm > 1e-3 else np.array([0, 1], np.float32)
    right = np.array([down[1], -down[0]], np.float32)
    local = (mesh - mesh[OVAL].mean(0)) @ np.stack([right, down], 1) / tall
    return local.astype(np.float32), right * tall, (down * tall).astype(np.float32)


def _near(local: F32, places: Sequence[int] | F32, reach: float) -> F32:
    """How near each point is to the nearest of some, 1 at them, f32 (468,), by a bell of width ``reach``."""
    to = local[list(places)] if not isinstance(places, np.ndarray) else places
    d2 = ((local[:, None] - to[None]) ** 2).sum(2).min(1)
    out: F32 = np.exp(-d2 / (2 * reach**2)).astype(np.float32)
    return out


def mouth_gap(mesh: F32) -> float:
    """Mean distance of the inner lips over the height of the face; about 0.01 when closed."""
    gap = np.linalg.norm(mesh[INNER_LOWER] - mesh[INNER_UPPER], axis=1).mean()
    return float(gap) / height(mesh)


def displacement(mesh: F32, amounts: Mapping[str, float]) -> F32:
    """How far each point of ``mesh`` f32 (468, 2) goes, f32 (468, 2) in pixels, for strengths of KINDS."""
    if unknown := set(amounts) - set(KINDS):
        raise ValueError(f"no such motion: {', '.join(sorted(unknown))}")
    local, right, down = _frame(mesh)
    out = np.zeros_like(mesh)
    both = amounts.get("blink", 0.0)
    for lids, crease, own in (
        (LID_RIGHT, CREASE_RIGHT, amounts.get("wink_right", 0.0)),
        (LID_LEFT, CREASE_LEFT, amounts.get("wink_left", 0.0)),
    ):
        if close := min(max(both, own), 1.0):
            upper, lower = lids
            slit = mesh[lower] - mesh[upper]
            out[upper] += 0.93 * close * slit
            out[lower] -= 0.07 * close * slit
            out[crease] += 0.45 * close * slit
    x = np.zeros(len(mesh), np.float32)
    y = np.zeros(len(mesh), np.float32)
    lips = local[LIPS]
    middle = lips.mean(0)
    wide = max(float(np.ptp(lips[:, 0])) / 2, 0.02)
    if open_by := amounts.get("mouth", 0.0):
        # The lower lip, the chin and, less and less, the jaw go down; the upper lip a little up. A mouth that
        # stands open has less way to go: teeth must not be drawn out.
        share = mouth_gap(mesh) / 0.1
        open_by *= min(share, 1.0) if open_by < 0 else float(np.clip(1 - share, 0.15, 1))
        aside = np.abs(local[:, 0] - middle[0])
        low = np.clip((local[:, 1] - middle[1]) / 0.12, 0, 1)
        lip, jaw = (1 - np.clip(aside / reach, 0, 1) ** 2 for reach in (wide, 2.8 * wide))
        below = np.clip((local[:, 1] - middle[1]) / 0.06, 0, 1)
        below[INNER_LOWER], below[INNER_UPPER] = 1.0, 0.0
        y += 0.12 * open_by * below * (lip + (jaw - lip) * low)
        y -= 0.02 * open_by * lip * _near(local, INNER_UPPER[1:-1], 0.03) * (below == 0)
        corner = _near(local, CORNERS, 0.03)
        x -= 0.02 * open_by * corner * np.sign(local[:, 0] - middle[0])
    if smile := amounts.get("smile", 0.0):
        corner = _near(local, CORNERS, 0.06)
        x += 0.045 * smile * corner * np.sign(local[:, 0] - middle[0])
        y -= 0.035 * smile * corner
    if frown := amounts.get("frown", 0.0):
        inner = _near(local, [55, 107, 285, 336], 0.06)
        x -= 0.02 * frown * inner * np.sign(local[:, 0] - middle[0])
        y += 0.035 * frown * inner
        y += 0.02 * frown * _near(local, CORNERS, 0.05)
    if brows := amounts.get("brows", 0.0):
        y -= 0.05 * brows * _near(local, BROW_LEFT + BROW_RIGHT, 0.05)
    nod, turn = amounts.get("nod", 0.0), amounts.get("turn", 0.0)
    if nod or turn:
        # The mesh is flat here: depth is that of an egg with a nose on it.
        half = max(float(np.abs(local[OVAL][:, 0]).max()), 0.05)
        depth = np.sqrt(np.clip(1 - (local[:, 0] / half) ** 2 - (local[:, 1] / 0.55) ** 2, 0, 1))
        depth += 0.35 * _near(local, [NOSE_TIP], 0.08)
        x += turn * (0.02 + 0.055 * depth)
        y += nod * (0.02 + 0.055 * depth)
    return (out + x[:, None] * right + y[:, None] * down).astype(np.float32)


def motion(rng: np.random.Generator, kind: str, times_s: Sequence[float] | np.ndarray) -> F32:
    """How strong one of KINDS is at each of some times, f32 (n,) in -1..1: smooth, and other in every clip.

    Lids close in a tenth of a second and open in two (Kwon et al. 2013); in speech lips move some four times
    a second; brows and smiles come and go in about a second; heads swing at half a hertz to one and a half.
    """
    if kind not in KINDS:
        raise ValueError(f"no such motion: {kind}")
    t = np.asarray(times_s, np.float64)
    start, end = (float(t.min()), float(t.max())) if len(t) else (0.0, 0.0)
    out = np.zeros(len(t))
    if kind in ("blink", "wink_left", "wink_right"):
        at = start + float(rng.uniform(0, max(end - start, 0.2) * 0.7))
        while at < end + 0.1:
            shut, open_again = rng.uniform(0.08, 0.13), rng.uniform(0.15, 0.3)
            rise, fall = np.clip(1 + (t - at) / shut, 0, 1), np.clip(1 - (t - at) / open_again, 0, 1)
            out = np.maximum(out, _ease(np.minimum(rise, fall)) * rng.uniform(0.75, 1.0))
            at += rng.uniform(1.2, 5)
    elif kind == "mouth":
        for _ in range(3):
            out += np.sin(2 * np.pi * (rng.uniform(1.5, 5) * t + rng.random())) * rng.uniform(0.3, 1)
        pause = 0.5 + 0.5 * np.sin(2 * np.pi * (rng.uniform(0.2, 0.6) * t + rng.random()))
        out = np.clip(out / 2, 0, 1) * _ease(np.clip(pause * 1.6, 0, 1)) * rng.uniform(0.4, 0.9)
    elif kind in ("nod", "turn"):
        swing, drift = rng.uniform(0.5, 1.5), rng.uniform(0.1, 0.3)
        out = 0.6 * np.sin(2 * np.pi * (swing * t + rng.random()))
        out = (out + 0.4 * np.sin(2 * np.pi * (drift * t + rng.random()))) * rng.uniform(0.3, 1)
    else:
        at, lasts = start + rng.uniform(0, max(end - start, 0.5) * 0.6), rng.uniform(0.5, 1.6)
        out = _ease(np.clip(1.5 - np.abs(t - at) / (lasts / 2), 0, 1)) * rng.uniform(0.5, 1)
    return out.astype(np.float32)


def _ease(x: np.ndarray) -> np.ndarray:
    """0..1 -> 0..1 without a jerk at either end."""
    return x * x * (3 - 2 * x)
