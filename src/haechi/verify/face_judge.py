"""What the face network says of single crops, calibrated as it is for videos."""

from __future__ import annotations

from haechi import models
from haechi.calibration import llr
from haechi.errors import UsageError
from haechi.pipeline import Pipeline
from haechi.types import F64, U8, FaceQuality

NETWORK = "swap"


class FaceJudge:
    """Raises ModelError when a model is missing or altered, UsageError when the pipeline lacks the
    network."""

    def __init__(self, pipeline: Pipeline) -> None:
        scorers = pipeline.scorers()
        if NETWORK not in scorers:
            raise UsageError(f"A session is verified with the detector {NETWORK}: do not leave it out.")
        self._scorer = scorers[NETWORK]
        self._calibration = models.load(NETWORK, pipeline.settings).card.needs_calibration()

    def llrs(self, crops: U8, face_px: float) -> F64:
        """Crops u8 (n, S, S, 3) of a face of so many pixels -> f64 (n,): natural-log likelihood ratios,
        above 0 for a forgery."""
        quality = FaceQuality(1, face_px, 1.0, 1.0)
        ratios: F64 = llr(self._scorer.score(crops).logits, quality, self._calibration)
        return ratios
