"""What is measured: anything that gives scores to a picture, and the whole of Haechi as the default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

import cv2

from haechi.bench.localisation import THRESHOLD, ellipses, iou, picture_map, true_area
from haechi.bench.scores import ELLIPSE, FACE_PX, IOU, LEVEL
from haechi.detectors.evidence import Look, map_region
from haechi.settings import Settings
from haechi.types import U8, Report

Scores: TypeAlias = Mapping[str, float | str | None]
"""Score name -> a number that grows with suspicion, None for an abstention. ``level``, where given, is the
verdict's level; a name that begins with @ is a measure that is no suspicion (``questions``)."""


class Scorer(Protocol):
    """rgb u8 (H, W, 3) -> scores, the same names each time. For several jobs it must be picklable."""

    def __call__(self, rgb: U8) -> Scores: ...


@runtime_checkable
class FileScorer(Protocol):
    """A scorer that would rather have the file, whose container may tell something."""

    def score_file(self, source: Path | bytes) -> Scores: ...


@runtime_checkable
class MapScorer(Protocol):
    """A scorer that draws maps, and can tell how they lie over a true mask u8 (h, w)."""

    def score_masked(self, source: Path | bytes, mask: U8) -> Scores: ...


@dataclass(frozen=True, slots=True)
class CheckScorer:
    """The way of a user's file through ``haechi.check``: ``verdict`` is the calibrated probability, ``level``
    the verdict's level, and each detector's llr goes by the detector's name. Beside them the size of the
    smallest judged face and, with a mask, the overlap of each map."""

    settings: Settings = field(default_factory=Settings.from_env)

    def __call__(self, rgb: U8) -> Scores:
        """Scores of a picture, handed over as a PNG so that nothing more is lost."""
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        return self.score_file(bytes(cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]))

    def score_file(self, source: Path | bytes) -> Scores:
        """Scores of a file. Raises InputError when it cannot be read, ModelError without sound models."""
        return _scores(self._report(source))

    def score_masked(self, source: Path | bytes, mask: U8) -> Scores:
        """As ``score_file``, with the overlap of each detector's map, and of the ellipses in the boxes of the
        same faces, with the true mask u8 (h, w) of the picture. No overlap for a mask that is empty."""
        from haechi.pipeline import Pipeline

        pipeline = Pipeline(self.settings)
        report = pipeline.check(source)
        looks = pipeline.score(report.faces, report.media.kind)
        return {**_scores(report), **_overlaps(report, looks, mask, self.thresholds())}

    def thresholds(self) -> Mapping[str, float]:
        """Detector -> where its map is cut, for those whose card says so."""
        from haechi.models import cards

        return {c.name: c.map_threshold for c in cards(self.settings) if c.map_threshold is not None}

    def _report(self, source: Path | bytes) -> Report:
        from haechi.check import check

        return check(source, self.settings, previews=False)

    def models(self) -> Sequence[Mapping[str, str]]:
        """Name, version and hash of the weights that speak."""
        from haechi.models import cards

        model_cards = cards(self.settings)
        return [{"name": c.name, "version": c.version, "sha256": c.sha256} for c in model_cards]


def _scores(report: Report) -> dict[str, float | str | None]:
    scores: dict[str, float | str | None] = {
        "verdict": report.verdict.score,
        LEVEL: report.verdict.level,
        FACE_PX: report.quality.min_face_px,
    }
    for evidence in report.evidence:
        scores[evidence.detector] = evidence.llr if evidence.status == "scored" else None
    return scores


def _overlaps(
    report: Report, looks: Mapping[str, Sequence[Look]], mask: U8, thresholds: Mapping[str, float]
) -> dict[str, float | None]:
    """Of the maps of the faces that were judged, whether people are shown them or not."""
    size = (report.media.width_px, report.media.height_px)
    true = true_area(mask, *size)
    faces = {track.track_id: track.boxes_xyxy[0] for track in report.faces}
    out: dict[str, float | None] = {}
    for evidence in report.evidence:
        ids = {region.track_id for region in evidence.regions}
        regions = [
            map_region(look)
            for look in looks.get(evidence.detector, ())
            if look.maps is not None and look.track_id in ids
        ]
        if true is None or evidence.status != "scored" or not regions:
            continue
        map_area = picture_map(regions, *size) >= thresholds.get(evidence.detector, THRESHOLD)
        guess = ellipses([faces[r.track_id].tolist() for r in regions], *size)
        out[IOU + evidence.detector] = iou(map_area, true)
        out[ELLIPSE + evidence.detector] = iou(guess, true)
    return out
