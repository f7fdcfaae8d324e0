"""The frozen values that pass between the stages.

    source -> Media -> FaceTracks + Quality -> Evidence (one per detector) -> Verdict -> Report

Conventions: RGB, uint8; pixel origin top left; boxes are (x1, y1, x2, y2) in pixels of the upright
picture; times in seconds; probabilities in [0, 1]; ``llr`` is a natural logarithm of a likelihood
ratio, above 0 it speaks for manipulation. All are compared by what they hold, arrays included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from haechi.values import Value

U8: TypeAlias = NDArray[np.uint8]
F32: TypeAlias = NDArray[np.float32]
F64: TypeAlias = NDArray[np.float64]

MediaKind: TypeAlias = Literal["image", "video"]
Status: TypeAlias = Literal["scored", "abstained", "failed"]
Outcome: TypeAlias = Literal["answered", "unread", "failed"]
Level: TypeAlias = Literal["strong", "some", "none", "unknown"]
Fact: TypeAlias = str | int | float | bool


CLEAR_RATIO = 1.5
"""A likelihood ratio nearer to 1 than this is told as "nothing clear either way"."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reason(Value):
    """A sentence not yet in any language: a key of the message catalogues and what fills its gaps.

    ``texts``: the sentence by language (en, zh, ko), for a code that the catalogues do not have: another
    package's detector or claim brings its own, with gaps ``{like_this}``."""

    code: str
    params: Mapping[str, Fact] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Frame(Value):
    """One picture. ``rgb`` is u8 (H, W, 3), upright; a still photograph has index 0 and time 0."""

    rgb: U8
    index: int
    time_s: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Media(Value):
    """A decoded source. ``frames(n)`` yields at most n evenly spaced frames in order of time, one at a
    time; it can be called again. A photograph yields one. ``container`` holds facts such as
    ``format``, ``codec``, ``jpeg_quality`` (1 to 100, estimated from the tables), ``software``."""

    name: str
    sha256: str
    kind: MediaKind
    width_px: int
    height_px: int
    fps: float | None
    duration_s: float | None
    container: Mapping[str, Fact]
    reader: Callable[[int], Iterator[Frame]] = field(repr=False, compare=False)

    def frames(self, n: int) -> Iterator[Frame]:
        return self.reader(n)

    def again(self, n: int, times_s: Sequence[float]) -> Iterator[Frame] | None:
        """Of ``frames(n)``, after they were yielded to their end, those nearest to the times; None where that
        is no cheaper than ``frames(n)``."""
        again: Callable[[int, Sequence[float]], Iterator[Frame] | None] | None
        again = getattr(self.reader, "again", None)
        return None if again is None else again(n, times_s)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FaceTrack(Value):
    """One face through time (K observations; K = 1 in a photograph).

    times_s f64 (K,) · boxes_xyxy f32 (K, 4) · landmarks_xy f32 (K, 5, 2): the subject's right eye,
    left eye, nose tip, right and left corner of the mouth · scores f32 (K,) in [0, 1] ·
    crops u8 (M, S, S, 3): resampled by the crop rule of the swap model's card, for the M <= K
    observations listed, ascending, in ``crop_index`` i64 (M,): spread over the whole track, and of a
    large face the first ones without a gap · native: pieces of the picture around the face that
    were never resampled, u8 (h, w, 3) each, for the observations in ``native_index`` · of_found: faces
    found in the source, of which this is one; only the largest become tracks when they are too many ·
    certainty: probability that it is a face at all, median over the observations · crop_turns_deg f32 (M,):
    the degrees, clockwise, by which the face is shown turned; crops and native pieces show it upright. None
    stands for faces that were all shown upright.
    """

    track_id: int
    times_s: F64
    boxes_xyxy: F32
    landmarks_xy: F32
    scores: F32
    crops: U8
    crop_index: NDArray[np.int64]
    crop_boxes_xyxy: F32
    native: tuple[U8, ...]
    native_index: NDArray[np.int64]
    of_found: int = 1
    certainty: float = 1.0
    crop_turns_deg: F32 | None = None

    @property
    def crop_weights(self) -> F64:
        """f64 (M,), sum 1: the share of time that each crop stands for, half the gap to each neighbour (at
        either end the one gap there is). Crops lie dense at the beginning of a track and sparse after it; a
        mean with these weights is one over time. Equal for a single crop and for crops of one moment."""
        times = self.times_s[self.crop_index]
        gaps = np.gradient(times) if len(times) > 1 else np.ones(len(times))
        total = float(gaps.sum())
        out: F64 = gaps / total if total > 0 else np.full(len(times), 1 / max(len(times), 1))
        return out


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FaceQuality(Value):
    """Grounds to abstain for one track. face_px: median of the shorter side of the box. sharpness: 0
    (blurred) to 1. light: mean luma in [0, 1]."""

    track_id: int
    face_px: float
    sharpness: float
    light: float
    issues: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Quality(Value):
    """min_face_px: of the smallest judged face, None without one. blur: 0 (sharp) to 1, of the most
    blurred judged face. jpeg_quality: 1 to 100, None when the container tells none."""

    min_face_px: float | None
    blur: float | None
    jpeg_quality: int | None
    issues: tuple[Reason, ...]
    faces: tuple[FaceQuality, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Region(Value):
    """Where in the picture evidence sits. ``box_xyxy`` is also the area that ``heatmap`` f32 (h, w) in
    [0, 1] covers, stretched."""

    track_id: int
    time_s: float
    box_xyxy: tuple[float, float, float, float]
    llr: float
    heatmap: F32 | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Scores(Value):
    """What a detector's network says of n pictures: logits f64 (n,), above 0 it speaks for manipulation, not
    calibrated · maps f32 (n, h, w) in [0, 1] over the whole crops, None where it draws none."""

    logits: F64
    maps: F32 | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Series(Value):
    """A detector's evidence over time for one track: times_s f64 (M,), llr f64 (M,)."""

    track_id: int
    times_s: F64
    llr: F64


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Segment(Value):
    """A detector's evidence of one stretch of a face's time, from start_s to end_s, both within it: the mean
    over some seconds, which says more than a single moment and is not drowned by the rest of a video."""

    track_id: int
    start_s: float
    end_s: float
    llr: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Evidence(Value):
    """What one detector has to say about the whole source. ``llr`` is None unless scored. Regions come
    strongest first, at most one a face; ``segments`` are those of faces that a video shows for long."""

    detector: str
    version: str
    status: Status
    llr: float | None
    reason: Reason
    spans_s: tuple[tuple[float, float], ...] = ()
    regions: tuple[Region, ...] = ()
    series: tuple[Series, ...] = ()
    segments: tuple[Segment, ...] = ()

    @property
    def heatmap(self) -> F32 | None:
        """f32 (h, w) in [0, 1]: the map of the strongest region that has one."""
        return next((r.heatmap for r in self.regions if r.heatmap is not None), None)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Claim(Value):
    """What a file, or a list, says of a file: shown beside the verdict, never weighed (standing rule 2).

    source: the short name of what was read, such as ``provenance`` · reason: what it comes to in one sentence
    · facts: its single statements, each a sentence of the catalogues · outcome: ``answered`` also when the
    answer is that there is nothing; ``unread`` when the question could not be put; ``failed`` after an error.
    """

    source: str
    version: str
    reason: Reason
    facts: tuple[Reason, ...] = ()
    outcome: Outcome = "answered"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FaceVerdict(Value):
    """What was found on one face alone. score: probability of manipulation, lowered by how far marks rise for
    as many faces (``haechi.verdict``); None, with the level ``unknown``, of a face that was not judged.
    ``reason``: why it was not."""

    track_id: int
    level: Level
    score: float | None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SegmentVerdict(Value):
    """What was found on one face in one stretch of a video, from start_s to end_s; the score as in
    ``FaceVerdict``, for as many stretches as were looked at."""

    track_id: int
    start_s: float
    end_s: float
    level: Level
    score: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Verdict(Value):
    """score: calibrated probability of manipulation and its 90% interval, of the face, or of the stretch of a
    video, on which most was found; both None when unknown. thresholds: the scores at which the levels
    ``some`` and ``strong`` begin for as many faces, by their names, whatever the level. faces: one each, the
    most suspicious first, then those that were not judged; segments: in order of face and time. Empty where
    they are not known, as in reports that earlier versions stored."""

    level: Level
    score: float | None
    interval: tuple[float, float] | None
    reasons: tuple[Reason, ...]
    thresholds: Mapping[str, float] = field(default_factory=dict)
    faces: tuple[FaceVerdict, ...] = ()
    segments: tuple[SegmentVerdict, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ModelRef(Value):
    """Which weights spoke. ``figures`` are the card's measured error rates, for the reader."""

    name: str
    version: str
    sha256: str
    figures: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Preview(Value):
    """A reduced copy of a frame for the HTML report: rgb u8 (h, w, 3); ``scale``: preview over source px."""

    rgb: U8
    time_s: float
    scale: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Report(Value):
    """Everything known about one source. Equal to another that says the same, whenever it was made and
    however long that took. Callers hold a ``haechi.report.Report``: this, with its ways to be told."""

    media: Media
    quality: Quality
    faces: tuple[FaceTrack, ...]
    evidence: tuple[Evidence, ...]
    verdict: Verdict
    models: tuple[ModelRef, ...]
    elapsed_s: float = field(compare=False)
    claims: tuple[Claim, ...] = ()
    previews: tuple[Preview, ...] = ()
    stages_s: Mapping[str, float] = field(default_factory=dict, compare=False)
    created: str = field(default="", compare=False)


class Detector(Protocol):
    """One file in ``detectors/``, or a package of somebody else's. Pure: the same arguments give the same
    Evidence. It abstains rather than guesses; what it raises becomes ``failed`` evidence in ``check``.

    ``needs``: names of the detectors whose Evidence it reads; they stand before it in the list, and ``prior``
    holds theirs, by name, and nobody else's."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def needs(self) -> tuple[str, ...]: ...

    def examine(
        self,
        media: Media,
        tracks: Sequence[FaceTrack],
        quality: Quality,
        prior: Mapping[str, Evidence],
    ) -> Evidence: ...


@runtime_checkable
class Scorer(Protocol):
    """A detector whose network looks at pictures one by one: what live calls, batches, benchmarks and attacks
    ask, which want no evidence of it."""

    @property
    def name(self) -> str: ...

    def score(self, pictures: U8, *, both_ways: bool = False) -> Scores:
        """Pictures u8 (n, H, W, 3) RGB as the detector cuts them -> their scores, in batches; pure. With
        ``both_ways`` each is asked again with left and right exchanged and the mean is taken."""
        ...
