"""What an earlier network tells a later one: which kinds of swap are still missed.

Mining by cluster: some DFDC swaps cannot be seen at all in the one frame that was kept, so hard swaps alone
are often noise; whole clusters of like swaps are drawn more often, by how badly they are told as a whole.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from haechi.detectors.network import BATCH
from haechi.detectors.swap import SwapDetector
from haechi.settings import Settings
from haechi.types import F32, F64
from haechi_lab.data.pairs import Prepared, SwapData
from haechi_lab.inputs import fed

CLUSTERS = 24
LEAST, MOST = 0.5, 2.0
"""Times that a cluster may be drawn for once that an average one is."""


@dataclass(frozen=True, slots=True)
class Guidance:
    """By row of the prepared table, NaN where nobody asked: ``soft``, the probability of forgery f64 (n,) by
    the earlier network, and its features f32 (n, F)."""

    soft: F64
    features: F32

    @staticmethod
    def of(prepared: Prepared, folder: Path, threads: int = 1) -> Guidance:
        """Ask the calibrated models of ``folder`` about the DFDC crops of the train split, once: the answers
        are kept beside the prepared data. Raises ModelError without sound models."""
        settings = Settings(models_dir=str(folder), threads=threads)
        detector = SwapDetector(settings)
        key = hashlib.sha256(detector.model.card.sha256.encode()).hexdigest()[:12]
        file = prepared.folder / f"guidance-{key}.npz"
        if not file.is_file():
            rows = prepared.where(split="train", source="dfdc")
            soft = np.full(len(prepared.rows), np.nan)
            features: F32 | None = None
            line = detector.calibration.bins[-1]
            for start in range(0, len(rows), BATCH):
                part = rows[start : start + BATCH]
                crops = np.stack([np.asarray(prepared.crops[i]) for i in part])
                logits = detector.score(crops, both_ways=True).logits
                soft[part] = 1 / (1 + np.exp(-(line.slope * logits + line.intercept)))
                features_part = detector.model.run(fed(crops))[2]
                if features is None:
                    features = np.full((len(soft), features_part.shape[1]), np.nan, np.float32)
                features[part] = features_part
            assert features is not None
            np.savez(file, soft=soft, features=features)
        with np.load(file) as arrays:
            return Guidance(arrays["soft"], arrays["features"])

    def steer(self, data: SwapData) -> None:
        """Let these answers decide how often each swap of ``data`` is drawn."""
        data.swap_odds = self.odds(data.swaps)

    def odds(self, swaps: list[int], seed: int = 7) -> F64:
        """How often to draw each of these rows, all of them swaps: f64 (n,), adding up to 1."""
        x = self.features[swaps]
        x = ((x - x.mean(0)) / (x.std(0) + 1e-6)).astype(np.float32)
        cv2.setRNGSeed(seed)
        stop = (cv2.TERM_CRITERIA_MAX_ITER, 30, 0.0)
        _, labels, _ = cv2.kmeans(x, CLUSTERS, None, stop, 1, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
        cluster = labels[:, 0]
        loss = -np.log(self.soft[swaps].clip(0.02, 1))
        mean = np.array([loss[cluster == k].mean() for k in range(CLUSTERS)])
        odds = (mean / loss.mean()).clip(LEAST, MOST)[cluster]
        out: F64 = odds / odds.sum()
        return out
