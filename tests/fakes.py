"""Stages that stand in for the trained ones, for tests of what holds the stages together. They are told what
to say by the colour of the picture, so that one run can bring forth every outcome:

red: strong · yellow: some · green and all others: none · blue: unknown · black: the detector crashes ·
magenta: the finder crashes
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from haechi.faces import FaceStream, Window
from haechi.isolated.checks import Checks, Kept
from haechi.pipeline import Pipeline, PipelineConfig
from haechi.report import archive
from haechi.settings import Settings
from haechi.stages import Finder, Judges
from haechi.types import (
    U8,
    Evidence,
    FaceTrack,
    Frame,
    Level,
    Media,
    MediaKind,
    ModelRef,
    Quality,
    Reason,
    Region,
    Verdict,
)

COLOURS: dict[str, tuple[int, int, int]] = {
    "strong": (255, 0, 0),
    "some": (255, 255, 0),
    "none": (0, 255, 0),
    "unknown": (0, 0, 255),
    "crash": (0, 0, 0),
    "breakdown": (255, 0, 255),
}


def picture(path: Path, says: str, size: tuple[int, int] = (64, 48)) -> Path:
    """A PNG of one colour, ``size`` in pixels (width, height)."""
    width, height = size
    rgb = np.full((height, width, 3), COLOURS[says], np.uint8)
    path.write_bytes(cv2.imencode(".png", rgb[..., ::-1])[1].tobytes())
    return path


def _says(rgb: U8) -> str:
    middle = tuple(int(v) for v in rgb[rgb.shape[0] // 2, rgb.shape[1] // 2])
    return next((name for name, colour in COLOURS.items() if colour == middle), "none")


def _first(media: Media) -> Frame:
    return next(iter(media.frames(1)))


def find(media: Media, progress: Callable[[float], None] | None) -> tuple[FaceTrack, ...]:
    """One face, the whole picture."""
    if progress:
        progress(0.5)
        progress(1.0)
    frame = _first(media)
    if _says(frame.rgb) == "breakdown":
        raise ZeroDivisionError(f"secret name {media.name}")
    box = np.array([[0, 0, media.width_px, media.height_px]], np.float32)
    return (
        FaceTrack(
            track_id=0,
            times_s=np.zeros(1),
            boxes_xyxy=box,
            landmarks_xy=np.zeros((1, 5, 2), np.float32),
            scores=np.ones(1, np.float32),
            crops=np.zeros((1, 8, 8, 3), np.uint8),
            crop_index=np.zeros(1, np.int64),
            crop_boxes_xyxy=box,
            native=(),
        ),
    )


@dataclass
class FakeDetector:
    """Scores by colour; remembers what it was given."""

    name: str
    error: BaseException | None = None
    version: str = "7"
    needs: tuple[str, ...] = ()
    prior: list[tuple[str, ...]] = field(default_factory=list)

    def examine(
        self, media: Media, tracks: Sequence[FaceTrack], quality: Quality, prior: Mapping[str, Evidence]
    ) -> Evidence:
        self.prior.append(tuple(prior))
        says = _says(_first(media).rgb)
        if self.error is not None:
            raise self.error
        if says == "crash":
            raise RuntimeError(f"secret name {media.name}")
        llr = {"strong": 5.0, "some": 2.0, "none": -2.0, "unknown": 0.0}[says]
        region = Region(0, 0.0, (0.0, 0.0, float(media.width_px), float(media.height_px)), llr)
        return Evidence(self.name, self.version, "scored", llr, Reason("scored"), regions=(region,))


def assess(media: Media, tracks: Sequence[FaceTrack], settings: Settings) -> Quality:
    return Quality(min_face_px=48.0, blur=0.1, jpeg_quality=None, issues=())


def decide(evidence: Sequence[Evidence], quality: Quality, settings: Settings) -> Verdict:
    scored = [e.llr for e in evidence if e.llr is not None]
    if not scored or scored[0] == 0.0:
        return Verdict("unknown", None, None, (Reason("no_scored_evidence"),))
    level: Level = "strong" if scored[0] > 3 else "some" if scored[0] > 0 else "none"
    return Verdict(level, 0.5, (0.4, 0.6), ())


def judges(*detectors: FakeDetector) -> Callable[[PipelineConfig], Judges]:
    refs = (ModelRef("swap", "1", "0" * 64),)
    return lambda _config: Judges(assess, detectors or (FakeDetector("swap"),), decide, refs)


def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the command line check with these stages, in this process however many files there are."""
    fake = partial(Pipeline, finder=finder, judges=judges())
    inside = type("Inside", (Pipeline,), {"stop": lambda self: None})
    monkeypatch.setattr("haechi.pipeline.Pipeline", fake)
    monkeypatch.setattr("haechi.isolated.CheckProcess", partial(inside, finder=finder, judges=judges()))


@dataclass(frozen=True)
class FakeFinder:
    """Finds one face in everything."""

    def find(self, media: Media, progress: Callable[[float], None] | None = None) -> tuple[FaceTrack, ...]:
        return find(media, progress)

    def stream(self, kind: MediaKind = "video", window: Window | None = None) -> FaceStream:
        raise NotImplementedError("no test follows frames with this finder")


def finder(_config: PipelineConfig) -> Finder:
    return FakeFinder()


def checks(settings: Settings) -> Checks:
    """A target of ``haechi.isolated.child`` with these stages."""
    return Checks(settings, lambda told: Pipeline(told, finder=finder, judges=judges()))


class InProcess:
    """A judge of lanes that checks in this process, with what ``make`` makes of the settings."""

    alive = True

    def __init__(self, make: Any, settings: Settings, scratch: Path, slow: bool) -> None:
        self._judge = make(settings)

    def warm(self, progress: Any) -> None:
        """Nothing is to be loaded."""

    def kept(self, source: Path, name: str, progress: Any) -> Kept:
        report = self._judge.check(source, progress, previews=True)
        named = replace(report, media=replace(report.media, name=name))
        return Kept(report.verdict.level, archive.dump(named))

    def stop(self) -> None:
        """Nothing runs."""
