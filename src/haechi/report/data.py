"""Report -> dict, schema ``haechi.report/1`` (schema.json beside this file). Additive changes only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Any

import numpy as np

from haechi.errors import HaechiError
from haechi.report.coverage import not_tested, were_tested
from haechi.report.error_rates import with_hits
from haechi.report.messages import language, level_sentence, sentence
from haechi.report.pointers import headline, headline_reason
from haechi.types import (
    Claim,
    Evidence,
    FaceTrack,
    Media,
    Quality,
    Reason,
    Region,
    Report,
    SegmentVerdict,
    Series,
    Verdict,
)

SCHEMA_NAME = "haechi.report/1"


@cache
def tool_version() -> str:
    """The installed version of Haechi."""
    try:
        return installed_version("haechi")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0+source"


def to_dict(report: Report, lang: str = "en") -> dict[str, Any]:
    """The report as JSON-ready values: no NaN, no infinity, no array, no lone surrogate.

    Sentences (``reason``, ``reasons``, ``issues``, ``tested``, …) are in ``lang``; programs read the codes
    that stand beside them (``reason_code``, ``reason_codes``, ``issue_codes``).
    """
    lang = language(lang)
    verdict = report.verdict
    has_score = verdict.level != "unknown"
    return {
        "schema": SCHEMA_NAME,
        "lang": lang,
        "created": report.created,
        "tool": {"name": "haechi", "version": tool_version()},
        "source": _source(report.media),
        "quality": _quality(report.quality, lang),
        "faces": [_face(track, report.verdict, lang) for track in report.faces if len(track.scores)],
        "segments": [_segment(part) for part in report.verdict.segments],
        "evidence": [
            *(_evidence(item, lang) for item in report.evidence),
            *(_claim_as_evidence(claim, lang) for claim in report.claims),
        ],
        "claims": [_claim(claim, lang) for claim in report.claims],
        "verdict": {
            "level": verdict.level,
            "sentence": level_sentence(verdict, lang),
            "score": number(verdict.score, 4) if has_score else None,
            "interval": _interval(verdict.interval) if has_score else None,
            "thresholds": {name: number(mark, 4) for name, mark in verdict.thresholds.items()} or None,
            **_reasons(report, lang),
        },
        "tested": were_tested(report, lang),
        "not_tested": not_tested(report, lang),
        "models": [{"name": m.name, "version": m.version, "sha256": m.sha256} for m in report.models],
        "elapsed_s": seconds(report.elapsed_s),
        "stages_s": {stage: seconds(s) for stage, s in report.stages_s.items()},
    }


def error_dict(name: str, error: HaechiError) -> dict[str, Any]:
    """The line that stands in the place of a report when ``name`` could not be read."""
    return {
        "schema": SCHEMA_NAME,
        "tool": {"name": "haechi", "version": tool_version()},
        "source": {"name": clean(name)},
        "error": {"code": error.code, "message": clean(error.message)},
    }


def number(value: float | None, digits: int) -> float | None:
    """Rounded; None for None, NaN and infinity, which JSON cannot carry."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits) + 0.0  # + 0.0 turns -0.0 into 0.0


def seconds(value: float) -> float:
    """A time for JSON: never negative, never NaN."""
    return max(number(value, 3) or 0.0, 0.0)


def clean(text: str) -> str:
    """The text without lone surrogates (undecodable bytes of a file name), which UTF-8 cannot carry."""
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)


def _source(media: Media) -> dict[str, Any]:
    return {
        "name": clean(media.name),
        "sha256": media.sha256,
        "kind": media.kind,
        "width_px": int(media.width_px),
        "height_px": int(media.height_px),
        "duration_s": number(media.duration_s, 3),
        "fps": number(media.fps, 3),
        "container": {key: _fact(value) for key, value in media.container.items()},
    }


def _quality(quality: Quality, lang: str) -> dict[str, Any]:
    return {
        "min_face_px": number(quality.min_face_px, 1),
        "blur": number(quality.blur, 3),
        "jpeg_quality": None if quality.jpeg_quality is None else int(quality.jpeg_quality),
        **_worded("issue", quality.issues, lang),
        "faces": [
            {
                "id": int(face.track_id),
                "face_px": number(face.face_px, 1),
                "sharpness": number(face.sharpness, 3),
                "light": number(face.light, 3),
                **_worded("issue", face.issues, lang),
            }
            for face in quality.faces
        ],
    }


def _face(track: FaceTrack, verdict: Verdict, lang: str) -> dict[str, Any]:
    """One entry a track: where and when its most certain observation was, and what was found on it alone."""
    own = next((face for face in verdict.faces if face.track_id == track.track_id), None)
    best = int(np.argmax(np.nan_to_num(track.scores, nan=-1.0)))
    return {
        "id": int(track.track_id),
        "box_xyxy": box(track.boxes_xyxy[best]),
        "time_s": seconds(float(track.times_s[best])),
        "score": number(float(track.scores[best]), 4) or 0.0,
        "observations": len(track.scores),
        "first_s": seconds(float(track.times_s[0])),
        "last_s": seconds(float(track.times_s[-1])),
        "level": None if own is None else own.level,
        "manipulation_score": None if own is None else number(own.score, 4),
        **_worded("reason", () if own is None or own.reason is None else (own.reason,), lang),
    }


def _segment(part: SegmentVerdict) -> dict[str, Any]:
    return {
        "face": int(part.track_id),
        "start_s": seconds(part.start_s),
        "end_s": seconds(part.end_s),
        "level": part.level,
        "manipulation_score": number(part.score, 4),
    }


def _evidence(item: Evidence, lang: str) -> dict[str, Any]:
    return {
        "detector": item.detector,
        "version": item.version,
        "status": item.status,
        "llr": number(item.llr, 4) if item.status == "scored" else None,
        "reason": sentence(item.reason, lang),
        "reason_code": item.reason.code,
        "spans_s": [[seconds(a), seconds(b)] for a, b in item.spans_s],
        "regions": [_region(region) for region in item.regions],
        "series": [_series(series) for series in item.series],
        **_worded("fact", (), lang),
    }


def _claim(claim: Claim, lang: str) -> dict[str, Any]:
    return {
        "source": claim.source,
        "version": claim.version,
        "outcome": claim.outcome,
        "reason": sentence(claim.reason, lang),
        "reason_code": claim.reason.code,
        **_worded("fact", claim.facts, lang),
    }


def _claim_as_evidence(claim: Claim, lang: str) -> dict[str, Any]:
    """Where claims stood before they had a list of their own, for who reads them there."""
    return {
        "detector": claim.source,
        "version": claim.version,
        "status": {"answered": "claim", "unread": "abstained", "failed": "failed"}[claim.outcome],
        "llr": None,
        "reason": sentence(claim.reason, lang),
        "reason_code": claim.reason.code,
        "spans_s": [],
        "regions": [],
        "series": [],
        **_worded("fact", claim.facts, lang),
    }


def _reasons(report: Report, lang: str) -> Mapping[str, list[str]]:
    """The verdict's reasons; last, and not weighed, that the file says of itself that AI made it."""
    worded, admission = _worded("reason", with_hits(report), lang), headline(report)
    if admission is None:
        return worded
    return {
        "reasons": [*worded["reasons"], headline_reason(report, lang)],
        "reason_codes": [*worded["reason_codes"], admission.code],
    }


def _region(region: Region) -> dict[str, Any]:
    return {
        "face": int(region.track_id),
        "time_s": seconds(region.time_s),
        "box_xyxy": box(region.box_xyxy),
        "llr": number(region.llr, 4),
    }


def _series(series: Series) -> dict[str, Any]:
    return {
        "face": int(series.track_id),
        "times_s": [number(float(t), 3) for t in series.times_s],
        "llr": [number(float(v), 4) for v in series.llr],
    }


def box(values: Iterable[float]) -> list[float]:
    """[x1, y1, x2, y2] in pixels of the upright picture, rounded to a tenth."""
    return [number(float(v), 1) or 0.0 for v in values]


def _interval(interval: tuple[float, float] | None) -> list[float | None] | None:
    return None if interval is None else [number(interval[0], 4), number(interval[1], 4)]


def _worded(stem: str, reasons: Iterable[Reason], lang: str) -> Mapping[str, list[str]]:
    """Two parallel lists: sentences for people, codes for programs."""
    reasons = tuple(reasons)
    return {f"{stem}s": [sentence(r, lang) for r in reasons], f"{stem}_codes": [r.code for r in reasons]}


def _fact(value: object) -> str | int | float | bool | None:
    if isinstance(value, float):
        return number(value, 6)
    return value if isinstance(value, bool | int) else clean(str(value))
