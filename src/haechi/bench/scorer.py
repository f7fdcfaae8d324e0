"""What is measured: anything that gives scores to a picture, and the whole of Haechi as the default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

import cv2

from haechi.settings import Settings
from haechi.types import U8

Scores: TypeAlias = Mapping[str, float | str | None]
"""Score name -> a number that grows with suspicion, None for an abstention. ``level``, where given, is the
verdict's level."""


class Scorer(Protocol):
    """rgb u8 (H, W, 3) -> scores, the same names each time. For several jobs it must be picklable."""

    def __call__(self, rgb: U8) -> Scores: ...


@runtime_checkable
class FileScorer(Protocol):
    """A scorer that would rather have the file, whose container may tell something."""

    def score_file(self, source: Path | bytes) -> Scores: ...


@dataclass(frozen=True, slots=True)
class CheckScorer:
    """The way of a user's file through ``haechi.check``: ``verdict`` is the calibrated probability, ``level``
    the verdict's level, and each detector's llr goes by the detector's name."""

    settings: Settings = field(default_factory=Settings.from_env)

    def __call__(self, rgb: U8) -> Scores:
        """Scores of a picture, handed over as a PNG so that nothing more is lost."""
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        return self.score_file(bytes(cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]))

    def score_file(self, source: Path | bytes) -> Scores:
        """Scores of a file. Raises InputError when it cannot be read, ModelError without sound models."""
        from haechi.check import check

        report = check(source, self.settings)
        scores: dict[str, float | str | None] = {
            "verdict": report.verdict.score,
            "level": report.verdict.level,
        }
        for evidence in report.evidence:
            scores[evidence.detector] = evidence.llr if evidence.status == "scored" else None
        return scores

    def models(self) -> Sequence[Mapping[str, str]]:
        """Name, version and hash of the weights that speak."""
        from haechi.models import cards

        found = cards(self.settings)
        return [{"name": c.name, "version": c.version, "sha256": c.sha256} for c in found]
