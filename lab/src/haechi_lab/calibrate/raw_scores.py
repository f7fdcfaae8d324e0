"""What the shipped pipeline measures on a picture before calibration: the raw material of calibration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from haechi.bench.corruptions import degrade
from haechi.detectors.swap import SwapDetector
from haechi.detectors.synthesis import SynthesisDetector
from haechi.faces import FaceFinder
from haechi.quality import light, sharpness, turned
from haechi.settings import Settings
from haechi.types import FaceQuality
from haechi_lab.data.augment import blockiness
from haechi_lab.inputs import upright_crop


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture to probe: png bytes or a path in the shards, already read; no file name travels on."""

    item: str
    label: int
    kind: str
    source: str
    group: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Probed:
    """Raw logits (None where nothing was measured) and quality features of the largest face."""

    item: str
    label: int
    kind: str
    source: str
    group: str
    rung: str
    faces: int
    face_px: float
    sharpness: float
    light: float
    turned: bool
    blockiness: float
    swap: float | None
    synthesis: float | None

    def quality(self) -> FaceQuality:
        return FaceQuality(1, self.face_px, self.sharpness, self.light)


class Probe:
    """The pipeline's own finder, crop rule and networks, without calibration and verdict."""

    def __init__(self, models_dir: Path, threads: int = 1) -> None:
        settings = Settings(models_dir=str(models_dir), threads=threads)
        self.finder, self.swap, self.synthesis = (
            FaceFinder(settings),
            SwapDetector(settings),
            SynthesisDetector(settings),
        )

    def look(self, sample: Sample, rung: str) -> Probed:
        bgr = np.asarray(cv2.imdecode(np.frombuffer(sample.data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
        rgb = degrade(rung, np.ascontiguousarray(bgr[:, :, ::-1]), sample.item)
        faces = self.finder.detect(rgb)
        about = (sample.item, sample.label, sample.kind, sample.source, sample.group, rung)
        if not len(faces):
            return Probed(*about, 0, 0.0, 0.0, 0.0, False, 0.0, None, None)
        k = faces.largest()
        box = faces.boxes_xyxy[k]
        own, turn = faces.own_xyxy[k], float(faces.turns_deg[k])
        crop = upright_crop(rgb, own, turn)
        logits = self.swap.score(crop[None], both_ways=True).logits
        of_generator = self.synthesis.score(crop[None], both_ways=True).logits
        px = float((box[2:] - box[:2]).min())
        return Probed(
            *about, len(faces), px, sharpness(crop), light(crop), turned(faces.landmarks_xy[k]),
            blockiness(crop), float(logits[0]), float(of_generator[0]),
        )  # fmt: skip


_probe: Probe | None = None


def _start(models_dir: Path) -> None:
    global _probe  # noqa: PLW0603 - one pipeline a worker process
    cv2.setNumThreads(1)
    _probe = Probe(models_dir)


def _work(job: tuple[Sample, str]) -> Probed:
    assert _probe is not None
    return _probe.look(*job)


def probe_all(
    models_dir: Path, samples: Sequence[Sample], rungs: Sequence[str], jobs: int = 2
) -> Iterator[Probed]:
    """Every sample on every rung, in order; pseudo-fakes and their genuine halves, of which there are many,
    on the first two only."""
    work = [(s, r) for s in samples for r in (rungs[:2] if s.source.startswith("pairs-") else rungs)]
    # Fresh processes: a forked one would judge with the cards that its parent had loaded before they changed.
    fresh = get_context("spawn")
    with ProcessPoolExecutor(jobs, fresh, initializer=_start, initargs=(models_dir,)) as pool:
        yield from pool.map(_work, work, chunksize=16)


def as_row(p: Probed) -> dict[str, object]:
    return asdict(p)
