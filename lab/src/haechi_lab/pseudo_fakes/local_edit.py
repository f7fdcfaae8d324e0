"""Local edits: a feature exchanged with a warped or mirrored copy, skin smoothed, a spot painted over."""

from __future__ import annotations

import cv2
import numpy as np

from haechi.types import F32, U8
from haechi_lab.pseudo_fakes.pair import Pair, affine, blend, recolour, resharpen, tint
from haechi_lab.pseudo_fakes.regions import LIPS, NOSE, OVAL, PARTS, elastic, feature_mask, hull, soften

# Where each point of a feature lies on the other side of the face: pairs (to, from) that fix an affine map.
MIRRORS = {
    "eye_left": [(263, 33), (362, 133), (386, 159), (374, 145), (334, 105), (300, 70)],
    "mouth": [(61, 291), (291, 61), (0, 0), (17, 17), (37, 267), (267, 37), (84, 314), (314, 84)],
    "nose": [(129, 358), (358, 129), (168, 168), (2, 2), (1, 1), (98, 327), (327, 98)],
}
MIRRORS["eye_right"] = [(b, a) for a, b in MIRRORS["eye_left"]]
LEAST_CHANGE = 2.0
"""Levels that an edit changes on average where it is: below that another one is made."""
TRIES = 4


def local_edit(rgb: U8, mesh: F32, rng: np.random.Generator) -> Pair:
    """u8 (S, S, 3) and f32 (468, 2) -> the picture, and the same with one place of its face edited."""
    for _ in range(TRIES):
        kind = rng.random()
        if kind < 0.45:
            source, area = _moved(rgb, mesh, rng)
        elif kind < 0.7:
            source, area = _mirrored(rgb, mesh, rng)
        elif kind < 0.85:
            source, area = _smoothed(rgb, mesh, rng)
        else:
            source, area = _painted_over(rgb, mesh, rng)
        mask = soften(elastic(area, rng), rng)
        if rng.random() < 0.7:
            source = recolour(source, rgb, mask, float(rng.uniform(0.4, 1.0)))
        pair = Pair(rgb, blend(rgb, source, mask), mask)
        change = cv2.absdiff(pair.fake, pair.real).mean(2)
        if float((change * mask).sum()) > LEAST_CHANGE * float(mask.sum()):
            break
    return pair


def _moved(rgb: U8, mesh: F32, rng: np.random.Generator) -> tuple[U8, F32]:
    """A feature, or two, exchanged with a copy: moved, turned, larger or smaller about its place."""
    side = rgb.shape[0]
    names = [str(n) for n in rng.choice(list(PARTS), 1 if rng.random() < 0.7 else 2, replace=False)]
    area = feature_mask(mesh, side, names, rng)
    centre = np.concatenate([mesh[outline] for outline in PARTS[names[0]]]).mean(0)
    # ``affine`` turns about the middle of the picture: bring the feature there and back.
    to = np.array([[1, 0, side / 2 - centre[0]], [0, 1, side / 2 - centre[1]]])
    there = _moved_by(_toned(rgb, rng), to)
    source = _moved_by(np.asarray(affine(there, rng, 0.02, 0.15, 8), np.uint8), cv2.invertAffineTransform(to))
    return (resharpen(source, rng) if rng.random() < 0.5 else source), area


def _mirrored(rgb: U8, mesh: F32, rng: np.random.Generator) -> tuple[U8, F32]:
    """An eye exchanged with the other one, the mouth or the nose with its own mirror image."""
    name = str(rng.choice(list(MIRRORS)))
    to, of = (mesh[list(ends)] for ends in zip(*MIRRORS[name], strict=True))
    # Least squares: six to eight pairs for six numbers.
    m = np.linalg.lstsq(np.c_[to, np.ones(len(to))], of, rcond=None)[0].T
    if not 0.5 < abs(float(np.linalg.det(m[:, :2]))) < 2:
        return _moved(rgb, mesh, rng)  # seen from the side: the two halves look nothing alike
    source = _moved_by(_toned(rgb, rng), m, inverse=True)
    return source, feature_mask(mesh, rgb.shape[0], [name], rng)


def _smoothed(rgb: U8, mesh: F32, rng: np.random.Generator) -> tuple[U8, F32]:
    """The skin of the face, features left out, or one feature, smoothed as beauty filters do."""
    side = rgb.shape[0]
    smooth: np.ndarray = rgb
    for _ in range(2):
        smooth = cv2.bilateralFilter(smooth, 7, float(rng.uniform(30, 80)), 4)
    if rng.random() < 0.5:
        return np.asarray(smooth, np.uint8), feature_mask(mesh, side, [str(rng.choice(list(PARTS)))], rng)
    features = feature_mask(mesh, side, ["eye_left", "eye_right", "mouth"], rng)
    return np.asarray(smooth, np.uint8), hull(mesh[OVAL], side, 0.92) * (1 - features)


def _painted_over(rgb: U8, mesh: F32, rng: np.random.Generator) -> tuple[U8, F32]:
    """A spot of skin, or the brows, removed by inpainting: what a retoucher takes away."""
    side = rgb.shape[0]
    if rng.random() < 0.35:
        area = feature_mask(mesh, side, ["brows"], rng)
    else:
        oval, about = mesh[OVAL], mesh[LIPS + NOSE].mean(0)
        place = about + (oval[rng.integers(len(oval))] - about) * rng.uniform(0.35, 0.8)
        wide = float(np.linalg.norm(mesh[152] - mesh[10])) * rng.uniform(0.05, 0.12, 2)
        area = np.zeros((side, side), np.float32)
        axes = (max(1, int(wide[0])), max(1, int(wide[1])))
        cv2.ellipse(area, (int(place[0]), int(place[1])), axes, rng.uniform(0, 180), 0, 360, 1.0, -1)
    half: np.ndarray = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    hole: np.ndarray = (cv2.resize(area, half.shape[1::-1]) > 0.1).astype(np.uint8)
    hole = cv2.dilate(hole, np.ones((5, 5), np.uint8))
    how = cv2.INPAINT_TELEA if rng.random() < 0.5 else cv2.INPAINT_NS
    painting = cv2.resize(cv2.inpaint(half, hole, 3, how), rgb.shape[1::-1])
    return np.asarray(painting, np.uint8), area


def _toned(rgb: U8, rng: np.random.Generator) -> U8:
    """Half of a tint: a feature in another colour than its face would be seen at once."""
    return np.asarray(cv2.addWeighted(rgb, 0.5, tint(rgb, rng), 0.5, 0), np.uint8)


def _moved_by(rgb: U8, m: np.ndarray, inverse: bool = False) -> U8:
    """``rgb`` through the affine map ``m`` f64 (2, 3), which with ``inverse`` goes from result to ``rgb``."""
    flags = cv2.INTER_LINEAR | (cv2.WARP_INVERSE_MAP if inverse else 0)
    out = cv2.warpAffine(rgb, m, rgb.shape[1::-1], flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(out, np.uint8)
