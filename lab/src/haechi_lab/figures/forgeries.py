"""Pictures of how a face is forged and of what each way leaves behind. Each function draws one."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch

from haechi.types import F32, U8
from haechi_lab.data import augment
from haechi_lab.figures.sheets import difference, grey, sheet
from haechi_lab.figures.sources import SEED, Stage
from haechi_lab.pseudo_fakes.align import cut_face, frame
from haechi_lab.pseudo_fakes.generate_pools import picture, redraw
from haechi_lab.pseudo_fakes.motion import displacement
from haechi_lab.pseudo_fakes.pair import Pair
from haechi_lab.pseudo_fakes.self_blend import self_blend
from haechi_lab.pseudo_fakes.swap_imitation import imitate_swap
from haechi_lab.pseudo_fakes.upsampled import upsampled
from haechi_lab.pseudo_fakes.warping import field, warp

EXAMPLES, STAIN, MOST_COVERED = 40, 7.0, 0.6
"""How many examples are drawn, of which one is shown; levels by which it may be of another colour; share of
the crop that may be replaced where the rest is to be seen beside it."""
WINDOW_PX, STEP_PX, UPS_TRIED = 64, 32, 8
"""Windows of which a spectrum is the mean, and how far apart they lie; up-samplers tried."""
MOTIONS = ({"blink": 1.0}, {"mouth": 0.9}, {"smile": 1.0}, {"nod": 0.8, "turn": 0.6})


def bottleneck(stage: Stage) -> U8:
    """Above: the photograph, redrawn through the bottleneck at 64 and at 160 px, and at 64 px by the one that
    was trained against a discriminator. Below: what was lost, four times as bright."""
    crop, mesh = stage.subject.crop, stage.subject.mesh
    plain, rival = stage.autoencoder("autoencoder"), stage.autoencoder("adversarial")
    with torch.inference_mode():
        redrawings = [
            redraw(plain, crop, mesh, 64, "shuffle"),
            redraw(plain, crop, mesh, 160, "shuffle"),
            redraw(rival, crop, mesh, 64, "shuffle"),
        ]
    return sheet([crop, *redrawings, None, *(difference(crop, d, 4) for d in redrawings)], 4)


def nobody(stage: Stage) -> U8:
    """Faces of nobody, from our own GAN."""
    return sheet(list(stage.nobody(12)), 6, 144, None)


def examples(stage: Stage, family: object, count: int = EXAMPLES) -> list[Pair]:
    assert callable(family)
    crop, mesh = stage.subject.crop, stage.subject.mesh
    return [family(crop, mesh, np.random.default_rng([SEED, k])) for k in range(count)]


def _by_change(pairs: Sequence[Pair]) -> list[Pair]:
    """From the least changed to the most, without those that are merely of another colour as long as there
    are others."""
    change, stain = [], []
    for p in pairs:
        apart = p.fake.astype(np.float32) - p.real
        change.append(float((np.abs(apart).mean(2) * p.mask).mean()))
        stain.append(float(np.abs((apart * p.mask[:, :, None]).sum((0, 1)) / max(p.mask.sum(), 1)).max()))
    plain = [k for k, s in enumerate(stain) if s < STAIN] or list(range(len(pairs)))
    return [pairs[k] for k in sorted(plain, key=lambda k: change[k])]


def clearest(pairs: Sequence[Pair]) -> Pair:
    """The pair that differs most where it differs: the one that a reader can see."""
    return _by_change(pairs)[-1]


def typical(pairs: Sequence[Pair]) -> Pair:
    """The one in the middle."""
    ordered = _by_change(pairs)
    return ordered[len(ordered) // 2]


def border(stage: Stage) -> U8:
    """A self-blend: genuine, mask, forged; below its difference, and a place on the border enlarged, before
    and after."""
    pair = clearest(examples(stage, self_blend))
    edge = cv2.GaussianBlur(
        np.hypot(*(cv2.Sobel(pair.mask, cv2.CV_32F, *d) for d in ((1, 0), (0, 1)))), (0, 0), 8
    )
    edge = edge * cv2.GaussianBlur(difference(pair.real, pair.fake, 1).mean(2).astype(np.float32), (0, 0), 8)
    side, near = pair.real.shape[0], 50
    inner = edge[near // 2 : side - near // 2, near // 2 : side - near // 2]
    y, x = np.unravel_index(int(np.argmax(inner)), inner.shape)
    close = [p[y : y + near, x : x + near] for p in (pair.real, pair.fake)]
    mask = grey(pair.mask, 0, 1)
    board = pair.fake.copy()
    cv2.rectangle(board, (int(x), int(y)), (int(x) + near, int(y) + near), (255, 210, 0), 1)
    return sheet([pair.real, mask, board, difference(pair.real, pair.fake, 4), *close], 3)


def detail(rgb: U8) -> F32:
    """How much fine detail is around each pixel, f32 (S, S): size of the Laplacian, smoothed."""
    fine = np.abs(cv2.Laplacian(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32), cv2.CV_32F))
    return np.asarray(cv2.GaussianBlur(fine, (0, 0), 3), np.float32)


def softened(stage: Stage) -> Pair:
    """Of the faces as a swapper at 128 px would paste them, in which the surroundings can still be seen, the
    one that lost most detail."""
    pairs = _by_change(examples(stage, imitate_swap))
    pairs = [p for p in pairs if p.mask.mean() < MOST_COVERED] or pairs
    return max(pairs, key=lambda p: float(((detail(p.real) - detail(p.fake)) * p.mask).mean()))


def resolution(stage: Stage) -> U8:
    """A face as a swapper at 128 px would paste it: before, after; and the fine detail in each."""
    pair = softened(stage)
    most = float(np.percentile(detail(pair.real), 99))
    maps = [grey(np.sqrt(detail(p)), 0, most**0.5) for p in (pair.real, pair.fake)]
    return sheet([pair.real, pair.fake, *maps], 4)


def spectrum(pictures: Sequence[U8]) -> F32:
    """Mean log power of what is fine in some pictures u8 (H, W, 3), f32 (WINDOW_PX, WINDOW_PX), slow changes
    in the middle and the fastest at the edges (Welch 1967)."""
    window = np.outer(np.hanning(WINDOW_PX), np.hanning(WINDOW_PX))
    total, count = np.zeros((WINDOW_PX, WINDOW_PX)), 0
    for rgb in pictures:
        fine = rgb.astype(np.float32) - cv2.GaussianBlur(rgb.astype(np.float32), (0, 0), 2)
        for y in range(0, fine.shape[0] - WINDOW_PX + 1, STEP_PX):
            for x in range(0, fine.shape[1] - WINDOW_PX + 1, STEP_PX):
                window_rgb = fine[y : y + WINDOW_PX, x : x + WINDOW_PX] * window[:, :, None]
                total += (np.abs(np.fft.fft2(window_rgb, axes=(0, 1))) ** 2).sum(2)
                count += 3
    return np.log10(np.fft.fftshift(total / max(count, 1)) + 1e-2).astype(np.float32)


def spectra(stage: Stage) -> U8:
    """Spectra: of the photograph, of its face out of the bottleneck, of its redrawing by a latent decoder; of
    the three up-samplers that show it most of those tried, and of the faces of our GAN."""
    subject, network = stage.subject, stage.autoencoder("autoencoder")
    face = cut_face(subject.crop, frame(subject.mesh, 160), 160)
    with torch.inference_mode():
        code = network(torch.from_numpy(face).permute(2, 0, 1)[None].float() / 255, "shuffle")
    panels = [spectrum([subject.rgb]), spectrum([picture(code[0])]), spectrum([subject.redrawing])]
    drawn_up = [spectrum([upsampled(subject.rgb, np.random.default_rng(seed))]) for seed in range(UPS_TRIED)]
    rim = np.ones((WINDOW_PX, WINDOW_PX), bool)
    rim[2:-2, 2:-2] = False
    panels += sorted(drawn_up, key=lambda s: -float((s - panels[0])[rim].max()))[:3]
    panels.append(spectrum(list(stage.nobody(200))))
    return sheet([grey(s, *np.percentile(s, (1, 99.7))) for s in panels], 4, 3 * WINDOW_PX)


def decoder(stage: Stage) -> U8:
    """The photograph, the same drawn by a latent decoder, the difference eight times as bright; one eye."""
    near, redrawing = (stage.subject.window(p) for p in (stage.subject.rgb, stage.subject.redrawing))
    side = near.shape[0]
    x, y = side * 5 // 16, side * 5 // 16
    eyes = [p[y : y + side // 4, x : x + side // 4] for p in (near, redrawing)]
    return sheet([near, redrawing, difference(near, redrawing, 8), *eyes], 5, 168)


def alive(stage: Stage) -> U8:
    """The still face, and the same blinking, speaking, smiling and nodding; below, how far each pixel was
    moved."""
    crop, mesh = stage.subject.crop, stage.subject.mesh
    moves = [displacement(mesh, amounts) for amounts in MOTIONS]
    pictures: list[U8 | None] = [crop, *(warp(crop, mesh, move) for move in moves), None]
    far = [np.linalg.norm(field(mesh, move, crop.shape[:2]), axis=2) for move in moves]
    most = max(float(f.max()) for f in far)
    return sheet([*pictures, *(grey(np.sqrt(f), 0, most**0.5) for f in far)], 5, 168)


def degraded(stage: Stage) -> U8:
    """A pair, genuine above and forged below, and what four draws of the same degradations make of both."""
    pair = clearest(examples(stage, self_blend))
    draws = [augment.degrade([pair.real, pair.fake], np.random.default_rng(seed)) for seed in (6, 11, 12, 23)]
    return sheet([pair.real, *(d[0] for d in draws), pair.fake, *(d[1] for d in draws)], 5, 168)
