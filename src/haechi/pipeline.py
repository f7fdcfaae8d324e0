"""The only file that knows the order of the stages:

    source -> Media -> FaceTracks + Quality -> Evidence (one per detector) -> Verdict -> Report

Claims, which are what a file says of itself, come after the verdict, so that it cannot depend on them. The
stages are imported where they begin: `import haechi` gives ``Pipeline`` without loading numpy or OpenCV.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from haechi.errors import UsageError
from haechi.settings import Settings
from haechi.stages import FaceScorer, Finder, Judges, examine, left_out, state

if TYPE_CHECKING:
    from haechi.detectors.evidence import Look
    from haechi.faces import FaceStream, Window
    from haechi.media.sources import Source
    from haechi.report import Report
    from haechi.types import Detector, Evidence, FaceTrack, Media, MediaKind, Quality, Scorer

#: Called with the name of the stage and the part of the whole check that is done, in [0, 1], never falling.
Progress: TypeAlias = Callable[[str, float], None]

# Parts of a check that are done when a stage ends; measured on videos, where finding faces is most of it.
_OPENED, _FOUND, _EXAMINED, _DECIDED, _CLAIMED = 0.05, 0.65, 0.94, 0.95, 0.96


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """Everything that a pipeline is built from, by name: it can be compared, hashed and pickled, and builds
    the same pipeline in another process.

    settings: limits, models folder and language; those of the environment when not given · detectors, claims:
    names out of the registries, in any order; None stands for all of them. The marks of the verdict were set
    with all detectors: where one is left out, there is no all-clear · finder: ``MODULE:CLASS`` of what
    finds faces, made of the settings."""

    settings: Settings = field(default_factory=Settings.from_env)
    detectors: tuple[str, ...] | None = None
    claims: tuple[str, ...] | None = None
    finder: str = "haechi.faces:FaceFinder"

    def build(self) -> Pipeline:
        """A pipeline of this, whose networks begin to load."""
        return Pipeline(self)


def load_finder(config: PipelineConfig) -> Finder:
    """The face finder, its networks loaded. Raises UsageError when there is none of this name, ModelError."""
    module, _, name = config.finder.partition(":")
    try:
        make = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        raise UsageError(
            f"There is no face finder {config.finder!r}: write MODULE:CLASS, as in haechi.faces:FaceFinder."
        ) from None
    finder: Finder = make(config.settings)
    return finder


def load_judges(config: PipelineConfig) -> Judges:
    """Quality, the chosen detectors, the verdict and the chosen claims, every model and list that they need
    loaded and checked. Raises UsageError for a name that nothing has, ModelError."""
    from haechi import claims, detectors, models
    from haechi.quality import assess
    from haechi.types import ModelRef
    from haechi.verdict import decide

    settings = config.settings
    active_detectors = detectors.build(settings, config.detectors)
    names = [detector.name for detector in active_detectors]
    skipped = tuple(entry.name for entry in detectors.entries() if entry.name not in names)
    cards = [models.load(name, settings).card for name in models.NAMES if name not in skipped]
    refs = tuple(ModelRef(card.name, card.version, card.sha256, card.figures) for card in cards)
    return Judges(assess, active_detectors, decide, refs, claims.build(settings, config.claims), skipped)


class Pipeline:
    """Checks sources one after another and keeps the networks between them; gives its single stages too, for
    whoever needs no report.

    The networks load in a thread of their own from construction on, while the first source is decoded:
    on a photograph that hides most of the loading. What goes wrong there is raised by the first method that
    needs them: ModelError when a model is missing or altered, UsageError for a name that nothing has."""

    def __init__(
        self,
        config: PipelineConfig | Settings | None = None,
        *,
        finder: Callable[[PipelineConfig], Finder] = load_finder,
        judges: Callable[[PipelineConfig], Judges] = load_judges,
    ) -> None:
        """``config``: bare settings stand for all that ships, with them. ``finder`` and ``judges`` load the
        stages; tests give others."""
        # Before the threads start: imported by two at once, OpenCV may be left without its Python half.
        from haechi.media.opencv import opencv
        from haechi.media.sources import open_source

        opencv()
        if not isinstance(config, PipelineConfig):
            config = PipelineConfig() if config is None else PipelineConfig(config)
        self.config, self.settings = config, config.settings
        self._open = open_source
        pool = ThreadPoolExecutor(1, thread_name_prefix="haechi-load")
        self._finder: Future[Finder] = pool.submit(finder, config)
        self._judges: Future[Judges] = pool.submit(judges, config)
        pool.shutdown(wait=False)

    def media(self, source: Source) -> Media:
        """A photograph, decoded, or a video, ready to be. Raises InputError when it cannot be read."""
        return self._open(source, self.settings)[1]

    def faces(self, media: Media, progress: Callable[[float], None] | None = None) -> tuple[FaceTrack, ...]:
        """Every face through time, largest first. ``progress`` is told the part that is done, in [0, 1]."""
        return self._finder.result().find(media, progress)

    def stream(self, kind: MediaKind = "video", window: Window | None = None) -> FaceStream:
        """For frames that come one by one, from a camera or a call; ``window`` where they have no end."""
        return self._finder.result().stream(kind, window)

    def quality(self, media: Media, tracks: Sequence[FaceTrack]) -> Quality:
        """The grounds on which detectors abstain."""
        return self._judges.result().assess(media, tracks, self.settings)

    def evidence(
        self,
        media: Media,
        tracks: Sequence[FaceTrack],
        quality: Quality,
        each: Callable[[Detector, int], Any] | None = None,
    ) -> tuple[Evidence, ...]:
        """What every chosen detector says, in their order; a later one reads those that it needs. One
        that crashes is ``failed`` evidence. ``each`` is called before a detector with it and its number."""
        evidence: tuple[Evidence, ...] = ()
        for number, detector in enumerate(self._judges.result().detectors):
            if each is not None:
                each(detector, number)
            evidence = (*evidence, examine(detector, media, tracks, quality, evidence))
        return evidence

    def score(
        self, tracks: Sequence[FaceTrack], kind: MediaKind = "image"
    ) -> Mapping[str, tuple[Look | None, ...]]:
        """What the networks say of every picture of every face, without quality, calibration or verdict: for
        each chosen detector that looks at single pictures, one ``Look`` a track, in their order, with its
        logits f64 (m,) and maps; None of a face that is shown too small for it. ``kind``: photographs are
        asked both ways round and in more places, which the many frames of a video need not be."""
        scorers = [d for d in self._judges.result().detectors if isinstance(d, FaceScorer)]
        return {scorer.name: tuple(scorer.look(track, kind) for track in tracks) for scorer in scorers}

    def scorers(self) -> Mapping[str, Scorer]:
        """The chosen detectors whose networks can be asked about single pictures, by name: for calls, which
        have no tracks to the end."""
        from haechi.types import Scorer

        return {d.name: d for d in self._judges.result().detectors if isinstance(d, Scorer)}

    def check(self, source: Source, progress: Progress | None = None, *, previews: bool = False) -> Report:
        """Everything known about one source. ``previews`` adds the frames that the HTML report shows, which
        for a video costs a second pass over its frames.

        Raises InputError when the source cannot be read, UsageError when it is nothing that can be, and
        ModelError when a model is missing or altered: then there is no report, and no verdict. A detector
        that crashes is ``failed`` evidence. Of pixels, an array or a picture of Pillow's, there are no
        claims."""
        from haechi.keyframes import keyframes
        from haechi.report import Report

        tell = progress or (lambda _stage, _part: None)
        clock = _Clock()
        tell("open", 0.0)
        clock.enter("open")
        original, media = self._open(source, self.settings)
        clock.enter("load")
        self._finder.result()
        tell("faces", _OPENED)
        clock.enter("faces")
        tracks = self.faces(media, lambda part: tell("faces", _between(_OPENED, _FOUND, part)))
        clock.enter("load")
        judges = self._judges.result()
        clock.enter("quality")
        quality = self.quality(media, tracks)

        def each(detector: Detector, number: int) -> None:
            tell(detector.name, _between(_FOUND, _EXAMINED, number / len(judges.detectors)))
            clock.enter(detector.name)

        evidence = self.evidence(media, tracks, quality, each) + left_out(judges.left_out)
        tell("verdict", _EXAMINED)
        clock.enter("verdict")
        verdict = judges.decide(evidence, quality, self.settings)
        tell("claims", _DECIDED)
        clock.enter("claims")
        claims = () if original is None else state(judges.claims, original, media)
        tell("previews", _CLAIMED)
        clock.enter("previews")
        frames = keyframes(media, evidence, self.settings.video_frames) if previews else ()
        stages_s, elapsed_s = clock.times_s()
        tell("done", 1.0)
        return Report(
            media=media,
            quality=quality,
            faces=tracks,
            evidence=evidence,
            verdict=verdict,
            models=judges.models,
            elapsed_s=elapsed_s,
            claims=claims,
            previews=frames,
            stages_s=stages_s,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )


def _between(start: float, end: float, part: float) -> float:
    """The part of the whole check that is done when ``part`` of a stage is."""
    return start + (end - start) * min(part, 1.0)


class _Clock:
    """Seconds a stage, summed over its visits; a stage lasts until the next is entered."""

    def __init__(self) -> None:
        self._start = self._entered = time.perf_counter()
        self._stage: str | None = None
        self._stages: dict[str, float] = {}

    def enter(self, stage: str | None) -> None:
        """Begin a stage, or none."""
        now = time.perf_counter()
        if self._stage is not None:
            self._stages[self._stage] = self._stages.get(self._stage, 0.0) + now - self._entered
        self._stage, self._entered = stage, now

    def times_s(self) -> tuple[Mapping[str, float], float]:
        """Seconds of each stage, and of everything until now."""
        self.enter(None)
        return dict(self._stages), self._entered - self._start
