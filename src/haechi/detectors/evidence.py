"""From scores to evidence: the course that all detectors share which look at the pictures of a face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from haechi.calibration import finding, llr, spans
from haechi.face_regions import as_shown, place
from haechi.models import Calibration
from haechi.types import (
    F32,
    F64,
    Evidence,
    FaceQuality,
    FaceTrack,
    Quality,
    Reason,
    Region,
    Segment,
    Series,
)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a network said of the m pictures of one face. logits f64 (m,) · mean: the logit of the face as a
    whole · times_s f64 (m,) · boxes_xyxy f32 (m, 4): the areas that the pictures show · landmarks_xy
    f32 (m, 5, 2) · maps f32 (m, h, w) in [0, 1] over these areas, of upright faces, or None · turns_deg
    f32 (m,): the degrees clockwise by which the faces are shown turned, None for none."""

    track_id: int
    logits: F64
    mean: float
    times_s: F64
    boxes_xyxy: F32
    landmarks_xy: F32
    maps: F32 | None = None
    turns_deg: F32 | None = None


SEGMENT_S, SEGMENT_PICTURES = 4.0, 4
"""A stretch of a video that is judged by itself lasts at least so long, and so many pictures fall into it."""


def stretches(times_s: F64) -> list[slice]:
    """The stretches of one face's pictures, at times f64 (m,), ascending, that are judged by themselves: each
    of SEGMENT_S and SEGMENT_PICTURES at least, each beginning in the middle of the one before. None where
    there would be a single one."""
    out: list[slice] = []
    start, count = 0, len(times_s)
    while True:
        stop = max(int(np.searchsorted(times_s, times_s[start] + SEGMENT_S)) + 1, start + SEGMENT_PICTURES)
        if stop >= count:
            break
        out.append(slice(start, stop))
        middle = (times_s[start] + times_s[stop - 1]) / 2
        start = max(int(np.searchsorted(times_s, middle)), start + 1)
    # The last one reaches back as far as it must.
    first = min(int(np.searchsorted(times_s, times_s[-1] - SEGMENT_S, "right")) - 1, count - SEGMENT_PICTURES)
    if out and first > out[-1].start:
        return [*out, slice(first, count)]
    out[-1:] = [slice(part.start, count) for part in out[-1:]]
    return out if len(out) > 1 else []


def judged_faces(tracks: Sequence[FaceTrack], quality: Quality) -> list[tuple[FaceTrack, FaceQuality]]:
    """The faces that are good enough to be judged."""
    by_id = {q.track_id: q for q in quality.faces}
    return [(t, by_id[t.track_id]) for t in tracks if not by_id[t.track_id].issues]


def no_judged_face(tracks: Sequence[FaceTrack]) -> Reason:
    """Why there is none: no face at all, or none that is good enough."""
    return Reason("abstain_quality") if tracks else Reason("abstain_no_face")


def abstained(name: str, version: str, reason: Reason) -> Evidence:
    return Evidence(name, version, "abstained", None, reason)


def scored(
    name: str,
    version: str,
    looks: Sequence[tuple[Look, FaceQuality]],
    calibration: Calibration,
    *,
    moments: bool,
) -> Evidence:
    """The evidence of one look or more: every face's own, strongest first, which is that of the whole.
    ``moments``: the looks are at every moment of a video, so that they say when something was seen."""
    regions = [
        (map_region(look, float(llr(np.array([look.mean]), quality, calibration)[0])), look, quality)
        for look, quality in looks
    ]
    regions.sort(key=lambda item: -item[0].llr)
    series = tuple(Series(x.track_id, x.times_s, llr(x.logits, q, calibration)) for _, x, q in regions)
    top, look, _ = regions[0]
    hot_spans_s = spans(series[0].times_s, series[0].llr) if moments else ()
    where = None
    if top.heatmap is not None:
        where = place(top.heatmap, top.box_xyxy, look.landmarks_xy[int(np.argmax(look.logits))])
    reason = finding(name, top.llr, top.track_id, genuine=calibration.genuine, place=where)
    faces = tuple(region for region, _, _ in regions)
    parts = tuple(s for _, x, q in regions for s in _segments(x, q, calibration)) if moments else ()
    return Evidence(name, version, "scored", top.llr, reason, hot_spans_s, faces, series, parts)


def _segments(look: Look, quality: FaceQuality, calibration: Calibration) -> Iterator[Segment]:
    """The evidence of each stretch, of the mean logit over its time."""
    for part in stretches(look.times_s):
        times_s = look.times_s[part]
        share = np.gradient(times_s)
        mean = float(np.average(look.logits[part], weights=share if share.sum() > 0 else None))
        value = float(llr(np.array([mean]), quality, calibration)[0])
        yield Segment(look.track_id, float(times_s[0]), float(times_s[-1]), value)


def map_region(look: Look, llr_of_face: float = 0.0) -> Region:
    """The face at its most suspicious picture, with the map of it as it lies in the picture."""
    k = int(np.argmax(look.logits))
    x1, y1, x2, y2 = (float(v) for v in look.boxes_xyxy[k])
    heatmap = None
    if look.maps is not None:
        turns = look.turns_deg
        heatmap = look.maps[k] if turns is None else as_shown(look.maps[k], float(turns[k]))
    return Region(look.track_id, float(look.times_s[k]), (x1, y1, x2, y2), llr_of_face, heatmap)
