"""The numbers of the flicker detector, from clips made of stills: both classes move alike and are video-coded
alike; in the forged ones the face is blended anew, a little differently, in every frame."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.bench.metrics import auc
from haechi.calibration import llr as calibrated
from haechi.detectors.flicker import FEATURES, dense_run, measure
from haechi.detectors.swap import SwapDetector
from haechi.faces import FaceFinder
from haechi.media import open_media
from haechi.quality import light, sharpness
from haechi.settings import Settings
from haechi.types import F64, U8, FaceQuality, FaceTrack
from haechi_lab.data.shards import Shards, load_manifest, select
from haechi_lab.export import cards
from haechi_lab.export.onnx import write_card
from haechi_lab.pseudo_fakes.pair import affine, blend, resharpen, tint
from haechi_lab.pseudo_fakes.regions import soften
from haechi_lab.training.logistic import logistic

CLIPS, FRAMES, FPS = 40, 24, 12
"""Clips a class; a video of the user's is seen at about ten frames a second too."""
MIN_FRAMES, MAX_STEP_S = 16, 0.2
"""A run of crops that is measured has at least so many, and no gap above this."""


def clip(rgb: U8, box: np.ndarray, forged: bool, rng: np.random.Generator) -> list[U8]:
    """Frames u8 (256, 256, 3): the still under smooth motion, breathing light and sensor noise."""
    side = rgb.shape[0]
    cx, cy = (box[:2] + box[2:]) / 2
    w, h = box[2:] - box[:2]
    ellipse = np.zeros((side, side), np.float32)
    cv2.ellipse(ellipse, (int(cx), int(cy)), (int(w * 0.42), int(h * 0.45)), 0, 0, 360, 1.0, -1)
    base = soften(ellipse, rng)
    altered = resharpen(tint(rgb, rng), rng)
    phase, speed = rng.uniform(0, 6.3, 4), rng.uniform(0.3, 1.5, 4)
    reach = rng.uniform(1, 8, 2)
    jitter = float(rng.uniform(0.002, 0.02))
    frames = []
    for k in range(FRAMES):
        t = k / FPS
        frame = blend(rgb, affine(altered, rng, jitter, jitter), base) if forged else rgb
        swing = np.sin(phase + speed * t * 2)
        m = cv2.getRotationMatrix2D((side / 2, side / 2), float(3 * swing[2]), float(1 + 0.03 * swing[3]))
        m[:, 2] = m[:, 2] + reach * swing[:2]
        view = cv2.warpAffine(
            frame, m, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        noisy = view + rng.normal(0, 2.5, view.shape) + 3 * np.sin(phase[0] + t)
        frames.append(np.clip(noisy, 0, 255).astype(np.uint8))
    return frames


def track_of(frames: list[U8], finder: FaceFinder, settings: Settings) -> FaceTrack | None:
    """The main face of a clip after video coding, found by the pipeline itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, frames[0].shape[1::-1])
        for f in frames:
            writer.write(np.ascontiguousarray(f[:, :, ::-1]))
        writer.release()
        tracks = finder.find(open_media(path, settings))
    return tracks[0] if tracks else None


def fit_flicker(data: Path, models: Path, seed: int = 3) -> None:
    """Write the card ``flicker``. Three quarters of the people fit it, the others are its figures."""
    x, labels, person = _measured_clips(data, Settings(models_dir=str(models)), seed)
    fitted = person % 4 != 0
    mean, deviation = x[fitted].mean(0), np.maximum(x[fitted].std(0), 0.01)  # rounded below: never to 0
    z = (x - mean) / deviation
    w = logistic(z[fitted], labels[fitted], np.ones(int(fitted.sum())), ridge=0.05)
    score = z[~fitted] @ w[:3] + w[3]
    parameters = {
        "features": list(FEATURES),
        "mean": mean.round(4).tolist(),
        "deviation": deviation.round(4).tolist(),
        "weights": w[:3].round(4).tolist(),
        "intercept": round(float(w[3]), 4),
        "cap_for": 0.7,
        "cap_against": 0.0,
        "min_frames": MIN_FRAMES,
        "max_step_s": MAX_STEP_S,
        "max_z": 3.5,
    }
    what = f"{len(score)} clips made from stills of other people"
    figures = {"auc": {"value": round(auc(labels[~fitted], score), 4), "what": what}}
    write_card(_card(parameters, figures, len(x), seed), models)


def _measured_clips(data: Path, settings: Settings, seed: int) -> tuple[F64, F64, NDArray[np.int64]]:
    """Of clips genuine and forged: logs of the features f64 (n, 3), 1 where forged (n,), the person (n,)."""
    finder, swap = FaceFinder(settings), SwapDetector(settings)
    shards = Shards(data)
    draw = np.random.default_rng(seed)
    pool = select(load_manifest(data), split="train", source="ffhq-stylegan1", label="real")
    x: list[F64] = []
    labels: list[float] = []
    person: list[int] = []
    for n, i in enumerate(draw.permutation(len(pool))[:CLIPS]):
        rgb = shards.rgb(pool[i].path)
        detections = finder.detect(rgb)
        if not len(detections):
            continue
        for forged in (False, True):
            frames = clip(rgb, detections.boxes_xyxy[0], forged, np.random.default_rng([seed, n]))
            track = track_of(frames, finder, settings)
            if track is None:
                continue
            run = dense_run(track, MAX_STEP_S)
            if run.stop - run.start < MIN_FRAMES:
                continue
            quality = FaceQuality(
                1,
                float((track.boxes_xyxy[:, 2:] - track.boxes_xyxy[:, :2]).min(1).mean()),
                float(np.median([sharpness(c) for c in track.crops])),
                float(np.median([light(c) for c in track.crops])),
            )
            logits = swap.score(track.crops).logits
            x.append(np.log(measure(track, calibrated(logits, quality, swap.calibration), run) + 1e-3))
            labels.append(float(forged))
            person.append(n)
    return np.stack(x), np.array(labels), np.array(person)


def _card(
    parameters: Mapping[str, object], figures: Mapping[str, object], clips: int, seed: int
) -> dict[str, object]:
    return {
        "name": "flicker",
        "version": "0.1.0",
        "task": "weighs how a face changes over time",
        "licence": "Apache-2.0",
        "parameters": parameters,
        "training": {
            "data": [f"{clips} clips of {FRAMES} frames made from FFHQ stills (train split), MPEG-4 coded"],
            "terms": cards.TERMS,
            "seed": seed,
        },
        "figures": figures,
        "limits": [
            "fitted on clips made from stills, not on filmed people: "
            "it can at most double the odds, and never lowers them",
            f"needs {MIN_FRAMES} frames of one face that follow each other within {MAX_STEP_S} s",
        ],
    }
