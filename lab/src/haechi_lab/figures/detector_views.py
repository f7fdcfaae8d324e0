"""Pictures of what the detectors see, read out of the models as they are shipped."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from haechi import models
from haechi.detectors.swap import SwapDetector
from haechi.faces import FaceFinder
from haechi.types import F32, U8
from haechi_lab.figures.forgeries import examples, softened, typical
from haechi_lab.figures.sheets import grey, heat, sheet
from haechi_lab.figures.sources import Stage
from haechi_lab.inputs import crop_box
from haechi_lab.networks.streams import SRM_LIMIT, srm_bank
from haechi_lab.pseudo_fakes.expression import expression
from haechi_lab.pseudo_fakes.local_edit import local_edit
from haechi_lab.pseudo_fakes.pair import Pair
from haechi_lab.pseudo_fakes.self_blend import self_blend
from haechi_lab.pseudo_fakes.swap_imitation import imitate_swap

YELLOW, BLUE = (255, 210, 0), (60, 160, 255)
SHOWN_FILTERS = (0, 8, 12, 20, 21)
"""One of each kind: first, second and third order, the squares of 3 x 3 and of 5 x 5."""
FAMILIES: tuple[Callable[..., Pair], ...] = (self_blend, imitate_swap, local_edit, expression)


def finder(stage: Stage) -> U8:
    """The photograph with box, five points and crop of its face; where each stride saw a face; the crop."""
    rgb, faces = stage.subject.rgb, FaceFinder(stage.settings).detect(stage.subject.rgb)
    canvas, box = rgb.copy(), stage.subject.square
    thick = max(2, rgb.shape[1] // 200)
    if len(faces):
        box = crop_box(faces.boxes_xyxy[0])
        _frame(canvas, faces.boxes_xyxy[0], YELLOW, thick)
        for x, y in faces.landmarks_xy[0]:
            cv2.circle(canvas, (round(float(x)), round(float(y))), 2 * thick, YELLOW, -1)
    _frame(canvas, box, BLUE, thick)
    board = cv2.resize(rgb, (320, 320), interpolation=cv2.INTER_AREA)
    (raw,) = models.load("faces", stage.settings).run(
        np.ascontiguousarray(board.transpose(2, 0, 1)[None], dtype=np.float32)
    )
    sure, maps, start = 1 / (1 + np.exp(-raw[0][:, 0])), [], 0
    for stride in (8, 16, 32):
        n = 320 // stride
        cells = sure[start : start + n * n].reshape(n, n).astype(np.float32)
        start += n * n
        probability = cv2.resize(cells, (320, 320), interpolation=cv2.INTER_NEAREST)
        maps.append(heat(np.asarray(board, np.uint8), probability, 0.95))
    return sheet([canvas, *maps, stage.subject.crop], 5, 180)


def _frame(rgb: U8, box: F32, colour: tuple[int, int, int], thick: int) -> None:
    x1, y1, x2, y2 = (round(float(v)) for v in box)
    cv2.rectangle(rgb, (x1, y1), (x2, y2), colour, thick)


def filters(_: Stage) -> U8:
    """The thirty residual filters: red adds, blue takes away, white does nothing."""
    tiles = []
    for kernel in srm_bank():
        share = kernel / np.abs(kernel).max()
        colour = np.full((5, 5, 3), 255.0)
        colour -= np.clip(share, 0, 1)[:, :, None] * np.array([20, 170, 200])
        colour -= np.clip(-share, 0, 1)[:, :, None] * np.array([200, 120, 20])
        tile = cv2.resize(colour.astype(np.uint8), (75, 75), interpolation=cv2.INTER_NEAREST)
        tiles.append(cv2.copyMakeBorder(tile, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(150, 150, 150)))
    return sheet([np.asarray(t, np.uint8) for t in tiles], 10, 77, None)


def residual(rgb: U8, kernel: F32) -> F32:
    """Brightness u8 (S, S, 3) through one filter, cut as the residual stream cuts it, f32 (S, S)."""
    luma = rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    out = cv2.filter2D(luma, -1, kernel, borderType=cv2.BORDER_CONSTANT)
    return np.clip(out, -SRM_LIMIT, SRM_LIMIT).astype(np.float32)


def residuals(stage: Stage) -> U8:
    """What five filters leave of the crop, above, and of the same as a swapper would paste it, below."""
    pair = softened(stage)
    bank = srm_bank()
    rows = [
        [rgb, *(grey(residual(rgb, bank[k]), -SRM_LIMIT, SRM_LIMIT) for k in SHOWN_FILTERS)]
        for rgb in (pair.real, pair.fake)
    ]
    return sheet([p for row in rows for p in row], 6, 168)


def maps(stage: Stage) -> U8:
    """Columns: the sample itself, then four forgeries of it; rows: the picture, the true mask, the map."""
    detector = SwapDetector(stage.settings)
    crop = stage.subject.crop
    pairs = [typical(examples(stage, family)) for family in FAMILIES]
    pictures = [crop, *(p.fake for p in pairs)]
    heatmaps = detector.score(np.stack(pictures), both_ways=True).maps
    assert heatmaps is not None
    masks = [np.zeros(crop.shape[:2], np.float32), *(p.mask for p in pairs)]
    overlays = [heat(rgb, m, 0.95) for rgb, m in zip(pictures, heatmaps, strict=True)]
    return sheet([*pictures, *(grey(m, 0, 1) for m in masks), *overlays], 5, 168)
