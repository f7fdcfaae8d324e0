"""The face of nobody: a generated face blended into a photograph in place of its face.

What people pass around as a swap has a second face in it, self-blending has none: the new face has another
shape, light and skin, and was drawn by a network. Faces of nobody, made by a generator from noise, teach that
without ever putting one real person's face on another.
"""

from __future__ import annotations

import cv2
import numpy as np

from haechi.types import F32, U8
from haechi_lab.pseudo_fakes.pair import Pair, blend, resharpen
from haechi_lab.pseudo_fakes.regions import elastic, face_mask, soften

NEAREST = 16
"""How many of the faces of the most similar pose may be drawn: a face seen from the side would not pass for
one seen from the front, and no forger would use it."""
STILL = [33, 133, 263, 362, 1, 168, 61, 291, 152, 10, 234, 454]
"""Points that tell the pose: corners of eyes and mouth, nose, chin, brow, cheeks."""


def poses(meshes: np.ndarray) -> F32:
    """Meshes (n, 468, 2) -> pose f32 (n, 24): STILL points without place, size and roll."""
    points = np.asarray(meshes)[:, STILL].astype(np.float64)
    points = points - points.mean(1, keepdims=True)
    eyes = points[:, [2, 3]].mean(1) - points[:, [0, 1]].mean(1)
    turn = np.conj(eyes[:, 0] + 1j * eyes[:, 1])[:, None]
    flat = (points[..., 0] + 1j * points[..., 1]) * turn
    flat /= np.abs(flat).mean(1, keepdims=True) + 1e-6
    return np.concatenate([flat.real, flat.imag], 1).astype(np.float32)


def alike(pose: F32, pool: F32, rng: np.random.Generator) -> int:
    """Index of one of the NEAREST poses of a pool f32 (n, 24) to a pose f32 (24,)."""
    distance = ((pool - pose) ** 2).sum(1)
    nearest = np.argpartition(distance, min(NEAREST, len(pool) - 1))[:NEAREST]
    return int(rng.choice(nearest))


def nobody(rgb: U8, mesh: F32, face: U8, face_mesh: F32, rng: np.random.Generator) -> Pair:
    """``face`` u8 (S, S, 3), a generated one with its mesh f32 (468, 2), set into ``rgb`` by a similarity or,
    now and then, an affine map, coloured like the face that was there, through a soft mask."""
    side = rgb.shape[0]
    source = _placed(face, face_mesh, mesh, side, rng)
    mask = soften(elastic(face_mask(mesh, side, rng), rng), rng)
    # A half-seen face over another is a ghost that no forger would leave.
    mask = np.minimum(mask / max(float(mask.max()), 1e-6) * rng.choice([0.8, 1.0, 1.0]), 1.0)
    mask = mask.astype(np.float32)
    if rng.random() < 0.85:
        source = _coloured(source, rgb, mask, float(rng.uniform(0.5, 1.0)))
    if rng.random() < 0.4:
        source = resharpen(source, rng)
    if rng.random() < 0.15 and (merged := _poisson(source, rgb, mask)) is not None:
        source = merged
    return Pair(rgb, blend(rgb, source, mask), mask)


def _placed(face: U8, face_mesh: F32, mesh: F32, side: int, rng: np.random.Generator) -> U8:
    estimate = cv2.estimateAffine2D if rng.random() < 0.3 else cv2.estimateAffinePartial2D
    similarity, _ = estimate(face_mesh.astype(np.float32), mesh.astype(np.float32), method=cv2.LMEDS)
    # Despite what its stub says, there is none for points that all fall together.
    matrix = np.asarray(np.eye(2, 3) if similarity is None else similarity, np.float64)
    how = cv2.INTER_AREA if np.abs(np.linalg.det(matrix[:, :2])) < 0.5 else cv2.INTER_LINEAR
    return np.asarray(
        cv2.warpAffine(face, matrix, (side, side), flags=how, borderMode=cv2.BORDER_REFLECT_101), np.uint8
    )


def _coloured(source: U8, target: U8, mask: F32, strength: float) -> U8:
    """Mean and deviation of each channel of L*a*b* inside the mask moved towards the target's (Reinhard et
    al. 2001)."""
    inside = mask > 0.5
    if inside.sum() < 32:
        return source
    lab, target_lab = (cv2.cvtColor(i, cv2.COLOR_RGB2LAB).astype(np.float32) for i in (source, target))
    mean, spread = lab[inside].mean(0), lab[inside].std(0) + 1.0
    to_mean, to_spread = target_lab[inside].mean(0), target_lab[inside].std(0) + 1.0
    lab_out = (lab - mean) * np.clip(to_spread / spread, 0.5, 2.0) + to_mean
    out = np.clip(lab + (lab_out - lab) * strength, 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(out, cv2.COLOR_LAB2RGB), np.uint8)


def _poisson(source: U8, target: U8, mask: F32) -> U8 | None:
    """Gradients of the source under the target's border (Perez et al. 2003); None at the picture's edge."""
    where = (mask > 0.1).astype(np.uint8) * 255
    where[:2], where[-2:], where[:, :2], where[:, -2:] = 0, 0, 0, 0
    x, y, w, h = cv2.boundingRect(where)
    if w < 16 or h < 16:
        return None
    merged = cv2.seamlessClone(source, target, where, (x + w // 2, y + h // 2), cv2.NORMAL_CLONE)
    return np.asarray(merged, np.uint8)
