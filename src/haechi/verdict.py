"""Evidence -> Verdict: each face, and each stretch of a video, is judged alone, and the weakest link counts.

A face is forged in one manner or another: changed, replaced by one that was blended in, drawn as a whole. For
each the card ``verdict`` has a logistic model (``weights`` for each detector, ``intercept``); the odds of
manipulation are those of the likeliest manner. So a detector that knows a manner is not outvoted by one that
does not. The intercepts are set so that genuine faces reach a mark in each manner as seldom. Detectors are
correlated, so their ratios are not simply added (standing rule 3).

The verdict on a source is that on the face, or the stretch of a video, on which most was found. Where the
levels begin for as many as were looked at: ``haechi.marks``. Scores are lowered by as much as the mark for
``some`` rises, so that its threshold stays where it is. The card also holds resampled copies for the
interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from haechi import models
from haechi.marks import LEVELS, Marks, Tail, contrasts
from haechi.settings import Settings
from haechi.types import (
    CLEAR_RATIO,
    Evidence,
    FaceVerdict,
    Level,
    Quality,
    Reason,
    Segment,
    SegmentVerdict,
    Verdict,
)

INTERVAL = (0.05, 0.95)
NOBODY = 0
"""Number of the face that evidence without faces is about."""
USUAL = 0.5
"""A stretch is lowered by what the highest of as many passes in this share of genuine videos."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A face, or a stretch of its time, with the calibrated ratios of the detectors that scored it. fused:
    its log-odds, less ``lowered``, on the scale of ``marks``."""

    track_id: int
    llrs: Mapping[str, float]
    fused: float
    lowered: float
    marks: Marks
    segment: Segment | None = None

    @property
    def level(self) -> Level:
        return self.marks.level(self.fused)


def log_odds(llrs: Mapping[str, float], model: Mapping[str, Any]) -> float:
    """Fused log-odds of manipulation at even prior odds, of the likeliest manner; a detector that abstained
    adds nothing."""
    return max(
        float(way["intercept"]) + sum(float(way["weights"].get(k, 0.0)) * v for k, v in llrs.items())
        for way in model["manners"].values()
    )


def weighed(model: Mapping[str, Any]) -> set[str]:
    """The detectors that the model of a card counts."""
    return {name for way in model["manners"].values() for name in way["weights"]}


def decide(evidence: Sequence[Evidence], quality: Quality, settings: Settings) -> Verdict:
    """Level, calibrated probability with a 90% interval, the scores at which levels begin, the reasons, and
    the level of every face and of every stretch of a video.

    Detectors that the card does not name are not weighed. Without scored evidence the level is ``unknown``:
    no face, too poor a picture, a failed detector. So it is, for want of an all-clear, when a detector failed
    or was left out, or the main face could not be judged."""
    card = models.load("verdict", settings).card.parameters
    # What another package's detector says is shown; it was not fitted with the others, so it is not weighed.
    evidence = [e for e in evidence if e.detector in weighed(card["model"])]
    counted = [e for e in evidence if _counts(e)]
    faces, segments = _candidates(counted, card)
    worst = max((*faces, *segments), key=lambda c: (LEVELS.index(c.level), c.fused), default=None)
    marks = Marks.of(card, 1) if worst is None else worst.marks
    return replace(
        _decided(evidence, quality, card, faces, worst),
        thresholds={"some": _probability(marks.some), "strong": _probability(marks.strong)},
        faces=tuple(_face_verdicts(faces, quality)),
        segments=tuple(
            SegmentVerdict(c.track_id, c.segment.start_s, c.segment.end_s, c.level, _probability(c.fused))
            for c in segments
            if c.segment is not None
        ),
    )


def _candidates(
    counted: Sequence[Evidence], card: Mapping[str, Any]
) -> tuple[list[_Candidate], list[_Candidate]]:
    """The judged faces, the most suspicious first, and the stretches, in order of face and time."""
    by_face: dict[int, dict[str, float]] = {}
    for e in counted:
        for region in e.regions:
            llrs = by_face.setdefault(region.track_id, {})
            llrs[e.detector] = max(region.llr, llrs.get(e.detector, -np.inf))
    if not by_face and counted:
        by_face[NOBODY] = {}
    for e in counted:
        if not e.regions and e.llr is not None:
            for llrs in by_face.values():
                llrs[e.detector] = e.llr
    marks = Marks.of(card, len(by_face))
    faces = [
        _Candidate(track, llrs, log_odds(llrs, card["model"]) - marks.rise, marks.rise, marks)
        for track, llrs in by_face.items()
    ]
    parts = [
        (e.detector, segment, contrast)
        for e in counted
        for segment, contrast in zip(e.segments, contrasts(e.segments), strict=True)
    ]
    parts.sort(key=lambda p: (p[1].track_id, p[1].start_s, p[0]))
    segments = [
        _stretch(name, segment, contrast, by_face.get(segment.track_id, {}), marks, len(parts), card)
        for name, segment, contrast in parts
    ]
    return sorted(faces, key=lambda c: -c.fused), segments


def _stretch(
    name: str,
    segment: Segment,
    contrast: float | None,
    of_face: Mapping[str, float],
    marks: Marks,
    count: int,
    card: Mapping[str, Any],
) -> _Candidate:
    """One of so many stretches: by what is seen in it, and by how it stands out from the rest of its face."""
    # In it a detector speaks of the stretch, those that have no word on it of the face as a whole.
    llrs = {**of_face, name: segment.llr}
    alone = log_odds(llrs, card["model"])
    tail = Tail.of(card["stretches"][name])
    fused = alone - marks.rise - max(tail.highest(count, USUAL), 0.0)
    # What stands out from an innocent rest may still look innocent itself.
    if contrast is not None and segment.llr > 0:
        fused = max(fused, marks.standing_out(contrast, tail, count, Tail.of(card["tail"])))
    return _Candidate(segment.track_id, llrs, fused, alone - fused, marks, segment)


def _decided(
    evidence: Sequence[Evidence],
    quality: Quality,
    card: Mapping[str, Any],
    faces: Sequence[_Candidate],
    worst: _Candidate | None,
) -> Verdict:
    """Level, score, interval and reasons, of the face or stretch on which most was found."""
    # A score that is no number is a breakdown too: compared with a mark it would pass for innocent.
    failed = [e for e in evidence if e.status == "failed" or (e.status == "scored" and not _counts(e))]
    if worst is None:
        return Verdict("unknown", None, None, (_why_unknown(quality, failed),))
    level = worst.level
    if level == "none" and (why := _no_all_clear(evidence, quality, failed)) is not None:
        return Verdict("unknown", None, None, (why,))
    around = [_probability(log_odds(worst.llrs, m) - worst.lowered) for m in card["resampled"]]
    low, high = (float(v) for v in np.quantile(around, INTERVAL))
    score = _probability(worst.fused)
    reasons = [Reason(f"level_{level}", {"threshold": round(float(card["thresholds"]["strong"]), 2)})]
    reasons += _findings(evidence, worst, level)
    if worst.segment is not None and level != faces[0].level:
        start_s, end_s = worst.segment.start_s, worst.segment.end_s
        reasons.append(
            Reason("segment_stands_out", {"face": worst.track_id, "start_s": start_s, "end_s": end_s})
        )
    if len(faces) > 1:
        reasons.append(Reason("faces_single", {"n": len(faces)}))
    reasons += [Reason("detector_failed_note", {"detector": e.detector}) for e in failed]
    return Verdict(level, score, (min(low, score), max(high, score)), tuple(reasons))


def _no_all_clear(
    evidence: Sequence[Evidence], quality: Quality, failed: Sequence[Evidence]
) -> Reason | None:
    """Why finding nothing says nothing here; None where it does."""
    if failed:
        # What a broken examination would have found is not known.
        return Reason("unknown_failed", {"detector": failed[0].detector})
    left_out = [e for e in evidence if e.reason.code == "abstain_left_out"]
    if left_out:
        # The mark was set with all detectors, so it says nothing about fewer.
        return Reason("unknown_left_out", {"detector": left_out[0].detector})
    if quality.faces and quality.faces[0].issues:
        # Bystanders were judged, the main face was not: their innocence is not its own.
        return quality.faces[0].issues[0]
    return None


def _findings(evidence: Sequence[Evidence], worst: _Candidate, level: Level) -> Iterator[Reason]:
    """The strongest finding on the worst face, and what leans against an all-clear."""
    name = max(worst.llrs, key=lambda n: worst.llrs[n])
    top = next(e for e in evidence if e.detector == name)
    if not top.regions or top.regions[0].track_id == worst.track_id:
        yield top.reason
    elif level != "none":
        yield Reason("face_stands_out", {"face": worst.track_id})
    if level == "none" and worst.llrs[name] >= np.log(CLEAR_RATIO):
        yield Reason("leaning", {"detector": name})


def _face_verdicts(faces: Sequence[_Candidate], quality: Quality) -> Iterator[FaceVerdict]:
    for c in faces:
        if c.track_id != NOBODY:
            yield FaceVerdict(c.track_id, c.level, _probability(c.fused))
    ids = {c.track_id for c in faces}
    for face in quality.faces:
        if face.track_id not in ids:
            why = face.issues[0] if face.issues else Reason("unknown_no_evidence")
            yield FaceVerdict(face.track_id, "unknown", None, why)


def _probability(fused: float) -> float:
    return float(1 / (1 + np.exp(-fused)))


def _counts(evidence: Evidence) -> bool:
    return evidence.status == "scored" and evidence.llr is not None and bool(np.isfinite(evidence.llr))


def _why_unknown(quality: Quality, failed: Sequence[Evidence]) -> Reason:
    if failed:
        return Reason("unknown_failed", {"detector": failed[0].detector})
    if any(i.code == "no_face" for i in quality.issues):
        return Reason("unknown_no_face")
    if quality.faces and all(f.issues for f in quality.faces):
        return quality.faces[0].issues[0]
    return Reason("unknown_no_evidence")
