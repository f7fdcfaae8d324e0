"""The only file that knows the order of the stages:

    source -> Media -> FaceTracks + Quality -> Evidence (one per detector) -> Verdict -> Report

Claims, which are what a file says of itself, come after the verdict, so that it cannot depend on them. The
stages are imported where they begin: `import haechi` gives ``check`` without loading numpy or OpenCV.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from haechi import models
from haechi.errors import HaechiError, ModelError
from haechi.settings import Settings

if TYPE_CHECKING:
    from haechi.claims import ClaimReader, Subject
    from haechi.media.original import Original
    from haechi.types import (
        Claim,
        Detector,
        Evidence,
        FaceTrack,
        Media,
        ModelRef,
        Quality,
        Reason,
        Report,
        Verdict,
    )

Source: TypeAlias = str | os.PathLike[str] | bytes
#: Called with the name of the stage and the part of the whole check that is done, in [0, 1], never falling.
Progress: TypeAlias = Callable[[str, float], None]
Finder: TypeAlias = "Callable[[Media, Callable[[float], None] | None], tuple[FaceTrack, ...]]"

_log = logging.getLogger("haechi")

# Parts of a check that are done when a stage ends; measured on videos, where finding faces is most of it.
_OPENED, _FOUND, _EXAMINED, _DECIDED, _CLAIMED = 0.05, 0.65, 0.94, 0.95, 0.96


@dataclass(frozen=True, slots=True)
class Judges:
    """What follows the finding of faces, ready to use."""

    assess: Callable[[Media, Sequence[FaceTrack], Settings], Quality]
    detectors: tuple[Detector, ...]
    decide: Callable[[Sequence[Evidence], Quality, Settings], Verdict]
    models: tuple[ModelRef, ...]
    claims: tuple[ClaimReader, ...] = ()


def shipped_finder(settings: Settings) -> Finder:
    """The project's face finder, its network loaded."""
    from haechi.faces import FaceFinder

    return FaceFinder(settings).find


def shipped_judges(settings: Settings) -> Judges:
    """Quality, the listed detectors, the verdict and the listed claims, every model and list that they need
    loaded and checked."""
    from haechi.claims import CLAIMS
    from haechi.detectors import DETECTORS
    from haechi.quality import assess
    from haechi.types import ModelRef
    from haechi.verdict import decide

    detectors = tuple(make(settings) for make in DETECTORS)
    own = [d.name for d in detectors if d.name not in models.NAMES and models.present(d.name, settings)]
    cards = [models.load(name, settings).card for name in (*models.NAMES, *own)]
    refs = tuple(ModelRef(card.name, card.version, card.sha256, card.figures) for card in cards)
    return Judges(assess, detectors, decide, refs, tuple(make(settings) for make in CLAIMS))


class Checker:
    """Checks sources one after another and keeps the networks between them.

    The networks load in a thread of their own from construction on, while the first source is decoded:
    on a photograph that hides most of the loading. What goes wrong there is raised by ``check``.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        finder: Callable[[Settings], Finder] = shipped_finder,
        judges: Callable[[Settings], Judges] = shipped_judges,
    ) -> None:
        # Before the threads start: imported by two at once, OpenCV may be left without its Python half.
        from haechi.media import open_media
        from haechi.media.opencv import opencv
        from haechi.media.original import Original

        opencv()
        self.settings = Settings.from_env() if settings is None else settings
        self._open, self._original = open_media, Original.of
        pool = ThreadPoolExecutor(1, thread_name_prefix="haechi-load")
        self._finder: Future[Finder] = pool.submit(finder, self.settings)
        self._judges: Future[Judges] = pool.submit(judges, self.settings)
        pool.shutdown(wait=False)

    def check(self, source: Source, progress: Progress | None = None, *, previews: bool = False) -> Report:
        """Everything known about one source. ``previews`` adds the frames that the HTML report shows, which
        for a video costs a second pass over its frames.

        Raises InputError when the source cannot be read and ModelError when a model is missing or altered:
        then there is no report, and no verdict. A detector that crashes is ``failed`` evidence."""
        from haechi.keyframes import keyframes
        from haechi.types import Report

        tell = progress or (lambda _stage, _part: None)
        clock = _Clock()
        tell("open", 0.0)
        with clock.stage("open"):
            # As it is before it is opened, by which claims know it again.
            original, media = self._original(source), self._open(source, self.settings)
        with clock.stage("load"):
            find = self._finder.result()
        tell("faces", _OPENED)
        with clock.stage("faces"):
            tracks = find(media, lambda part: tell("faces", _OPENED + (_FOUND - _OPENED) * min(part, 1.0)))
        with clock.stage("load"):
            judges = self._judges.result()
        with clock.stage("quality"):
            quality = judges.assess(media, tracks, self.settings)
        evidence: list[Evidence] = []
        for i, detector in enumerate(judges.detectors):
            tell(detector.name, _FOUND + (_EXAMINED - _FOUND) * i / len(judges.detectors))
            with clock.stage(detector.name):
                evidence.append(_examine(detector, media, tracks, quality, tuple(evidence)))
        tell("verdict", _EXAMINED)
        with clock.stage("verdict"):
            verdict = judges.decide(evidence, quality, self.settings)
        tell("claims", _DECIDED)
        with clock.stage("claims"):
            claims = _stated(judges.claims, original, media)
        tell("previews", _CLAIMED)
        with clock.stage("previews"):
            shown = keyframes(media, evidence, self.settings.video_frames) if previews else ()
        tell("done", 1.0)
        return Report(
            media=media,
            quality=quality,
            faces=tracks,
            evidence=tuple(evidence),
            verdict=verdict,
            models=judges.models,
            elapsed_s=clock.elapsed_s,
            claims=claims,
            previews=shown,
            stages_s=clock.stages_s,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )


_checkers: dict[Settings, Checker] = {}
_guard = threading.Lock()


def check(source: Source, settings: Settings | None = None, progress: Progress | None = None) -> Report:
    """Check a photograph or a video: a path, or the bytes of the file. Raises as ``Checker.check`` does.
    Networks are kept for the next call with the same settings; None means those of the environment."""
    settings = Settings.from_env() if settings is None else settings
    with _guard:
        if settings not in _checkers:
            _checkers[settings] = Checker(settings)
        checker = _checkers[settings]
    try:
        return checker.check(source, progress)
    except ModelError:
        with _guard:  # after a repair of the models the next call starts afresh
            _checkers.pop(settings, None)
        raise


def _examine(
    detector: Detector,
    media: Media,
    tracks: Sequence[FaceTrack],
    quality: Quality,
    prior: Sequence[Evidence],
) -> Evidence:
    from haechi.types import Evidence

    try:
        return detector.examine(media, tracks, quality, prior)
    except HaechiError:
        raise  # an altered model or an unreadable source is no crash of the detector
    except Exception as error:
        reason = _failure(detector, "detector_failed", error)
        return Evidence(detector.name, detector.version, "failed", None, reason)


def _stated(readers: Sequence[ClaimReader], original: Original, media: Media) -> tuple[Claim, ...]:
    """What each claim has to say. No report is lost to a claim: there is a verdict already."""
    if not readers:
        return ()
    from haechi.claims import Subject

    subject = Subject(original, media)
    return tuple(claim for reader in readers if (claim := _state(reader, subject)) is not None)


def _state(reader: ClaimReader, subject: Subject) -> Claim | None:
    from haechi.types import Claim

    try:
        return reader.state(subject)
    except Exception as error:
        changed = isinstance(error, HaechiError) and error.code == "changed"
        reason = _failure(reader, "claim_changed" if changed else "claim_failed", error)
        return Claim(reader.name, reader.version, reason, outcome="failed")


def _failure(who: Detector | ClaimReader, code: str, error: Exception) -> Reason:
    from haechi.types import Reason

    # The text of the error is left out of the log: it may name the user's file.
    steps = "".join(traceback.format_tb(error.__traceback__))
    _log.debug("%s failed: %s\n%s", who.name, type(error).__name__, steps)
    return Reason(code, {"detector": who.name, "error": type(error).__name__})


class _Clock:
    """Seconds a stage, summed over its visits, from construction on."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self._stages[name] = self._stages.get(name, 0.0) + time.perf_counter() - start

    @property
    def stages_s(self) -> Mapping[str, float]:
        return dict(self._stages)

    @property
    def elapsed_s(self) -> float:
        return time.perf_counter() - self._start
