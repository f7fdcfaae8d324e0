"""The null model: what can be guessed about a file without looking at its picture.

A logistic regression on the file's size, dimensions, format, JPEG tables and metadata. If it finds the fakes,
the benchmark measures who saved the files and not who forged them. It should score at chance: 0.5.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, JpegImagePlugin

from haechi.bench.metrics import Figure, Ranking, figure
from haechi.types import F64

FileFacts: TypeAlias = Mapping[str, float | str]

#: Facts that follow from how easily the picture compresses, and so from its content too.
CONTENT = ("bytes_log", "bytes_per_px")
FOLDS = 5
RIDGE = 1.0
#: Genuine files that matching may keep for each fake.
MOST_REALS = 8
_COMMON = 6  # values of a word that get an indicator of their own


def file_facts(source: Path | bytes) -> dict[str, float | str]:
    """Facts of a file that need no look at its pixels: numbers, and words such as the format. A file that is
    no picture is opened as a video; what is neither has its size only."""
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    facts: dict[str, float | str] = {"bytes_log": float(np.log(max(size, 1))), "format": "unknown"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata, large pictures: facts, not our concern
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
                facts |= _picture_facts(picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        facts |= {} if isinstance(source, bytes) else _video_facts(source)
    area = float(facts.get("width_px", 0)) * float(facts.get("height_px", 0))
    frames = max(float(facts.get("frames", 1)), 1.0)
    facts["bytes_per_px"] = size / (area * frames) if area else 0.0
    return facts


def _picture_facts(picture: Image.Image) -> dict[str, float | str]:
    facts: dict[str, float | str] = {
        "format": str(picture.format),
        "mode": picture.mode,
        "width_px": float(picture.width),
        "height_px": float(picture.height),
        "size": f"{picture.width}x{picture.height}",
        "aspect_log": float(np.log(picture.width / picture.height)),
        "exif_bytes": float(len(picture.info.get("exif", b""))),
        "icc_bytes": float(len(picture.info.get("icc_profile") or b"")),
        "keys": ",".join(sorted(str(k) for k in picture.info)),
    }
    if isinstance(picture, JpegImagePlugin.JpegImageFile):
        tables = [np.asarray(t, dtype=np.float64) for _, t in sorted(picture.quantization.items())]
        facts |= {
            "tables": hashlib.sha256(repr([list(t) for t in tables]).encode()).hexdigest()[:8],
            "luma_step_log": float(np.log(tables[0].mean())),
            "colour_step_log": float(np.log(tables[-1].mean())),
            "luma_first": float(tables[0][0]),
            "subsampling": str(JpegImagePlugin.get_sampling(picture)),
            "progressive": float("progressive" in picture.info),
        }
    return facts


def _video_facts(path: Path) -> dict[str, float | str]:
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        return {}
    width, height = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    facts: dict[str, float | str] = {
        "format": "video",
        "codec": str(int(capture.get(cv2.CAP_PROP_FOURCC))),
        "width_px": width,
        "height_px": height,
        "size": f"{width:.0f}x{height:.0f}",
        "fps": capture.get(cv2.CAP_PROP_FPS),
        "frames": capture.get(cv2.CAP_PROP_FRAME_COUNT),
    }
    capture.release()
    return facts


def design_matrix(facts: Sequence[FileFacts], leave_out: Sequence[str] = ()) -> F64:
    """f64 (n, d): every number, its square (so that "all fakes are 512 px wide" is found among larger and
    smaller reals), and an indicator for each common word; standardised, constant columns dropped."""
    columns: list[F64] = []
    for name in sorted({k for f in facts for k in f} - set(leave_out)):
        values = [f.get(name) for f in facts]
        if any(isinstance(v, str) for v in values):
            for word, _ in Counter(str(v) for v in values).most_common(_COMMON):
                columns.append(np.array([float(str(v) == word) for v in values]))
        else:
            numbers = np.array([0.0 if v is None else float(v) for v in values])
            deviation = numbers.std()
            if deviation > 1e-9 * max(1.0, float(np.abs(numbers).max())):
                standard = np.clip((numbers - numbers.mean()) / deviation, -4, 4)
                columns += [standard, standard**2]
    x = np.stack(columns, axis=1) if columns else np.zeros((len(facts), 0))
    x = x[:, x.std(axis=0) > 1e-9]
    return np.asarray((x - x.mean(axis=0)) / x.std(axis=0))


def fit_logistic(x: F64, y: NDArray[np.bool_], ridge: float = RIDGE, steps: int = 50) -> F64:
    """Coefficients f64 (d + 1,), intercept last, by iteratively re-weighted least squares with a ridge on all
    but the intercept and both classes weighing the same (Hastie et al., Elements, 4.4.1)."""
    design = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    forged = int(np.count_nonzero(y))
    balance = np.where(y, 0.5 / max(forged, 1), 0.5 / max(len(y) - forged, 1)) * len(y)
    penalty = np.diag(np.r_[np.full(x.shape[1], ridge), 1e-6])
    beta = np.zeros(design.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        weight = balance * np.maximum(p * (1 - p), 1e-5)
        gradient = design.T @ (balance * (y - p)) - penalty @ beta
        step = np.linalg.solve(design.T @ (weight[:, None] * design) + penalty, gradient)
        beta += step * min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-12))
        if float(np.abs(step).max()) < 1e-8:
            break
    return beta


def cross_validated(x: F64, labels: ArrayLike, groups: Sequence[str], seed: int = 0) -> F64:
    """Score f64 (n,) of each item from a model that saw neither it nor its group. The intercept is left out:
    it carries the other folds' share of fakes, which alone would push the AUC below one half."""
    y = np.asarray(labels).astype(bool)
    names = sorted(set(groups))
    fold_of = dict(zip(names, np.random.default_rng(seed).permutation(len(names)) % FOLDS, strict=True))
    fold = np.array([fold_of[g] for g in groups])
    scores = np.zeros(len(y))
    for k in range(FOLDS):
        train = fold != k
        if y[train].any() and (~y[train]).any():
            scores[~train] = x[~train] @ fit_logistic(x[train], y[train])[:-1]
    return scores


def null_figures(
    facts: Sequence[FileFacts], labels: ArrayLike, groups: Sequence[str], resamples: int = 1000, seed: int = 0
) -> dict[str, Figure]:
    """AUC of the null model, ``all``; and ``header``, without what the size in bytes tells, which depends on
    the picture too. Group-wise five-fold cross-validation, intervals over groups."""
    out = {}
    for name, leave_out in (("all", ()), ("header", CONTENT)):
        scores = cross_validated(design_matrix(facts, leave_out), labels, groups, seed)
        out[name] = figure(Ranking(labels, scores).auc, groups, resamples=resamples, seed=seed)
    return out


def matched(
    facts: Sequence[FileFacts], labels: ArrayLike, groups: Sequence[str], bins: int = 12, seed: int = 0
) -> NDArray[np.int64]:
    """Indices of a subset in which the file tells nothing: items are sorted into bins of the null model's own
    score, and each bin keeps the same number of reals for every fake, drawn by chance (propensity matching,
    Rosenbaum and Rubin 1983). Of the numbers up to MOST_REALS the one that leaves the largest effective
    sample, 1 / (1 / fakes + 1 / reals), is taken. Matching looks at no picture and at no detector's score."""
    y = np.asarray(labels).astype(bool)
    scores = cross_validated(design_matrix(facts), y, groups, seed)
    order = np.argsort(np.argsort(scores, kind="stable"), kind="stable")
    cell = order * bins // max(len(y), 1)
    cells = [(np.flatnonzero((cell == k) & y), np.flatnonzero((cell == k) & ~y)) for k in range(bins)]

    def fakes_kept(per_fake: int) -> int:
        return sum(min(len(fakes), len(reals) // per_fake) for fakes, reals in cells)

    per_fake = max(range(1, MOST_REALS + 1), key=lambda k: fakes_kept(k) * k / (k + 1))
    rng = np.random.default_rng(seed)
    indices: list[int] = []
    for fakes, reals in cells:
        count = min(len(fakes), len(reals) // per_fake)
        for side, n in ((fakes, count), (reals, count * per_fake)):
            indices += [int(i) for i in rng.choice(side, n, replace=False)]
    return np.sort(np.array(indices, dtype=np.int64))
