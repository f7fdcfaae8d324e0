"""From scores to evidence: the course that all detectors share which look at the pictures of a face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from haechi.calibration import finding, llr, over_faces, spans
from haechi.face_regions import as_shown, place
from haechi.models import Calibration
from haechi.types import (
    F32,
    F64,
    Evidence,
    FaceQuality,
    FaceTrack,
    MediaKind,
    Quality,
    Reason,
    Region,
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
    kind: MediaKind,
) -> Evidence:
    """The evidence of one look or more: every face's own, strongest first, and that of at least one."""
    regions = [(_region(look, quality, calibration), look, quality) for look, quality in looks]
    regions.sort(key=lambda item: -item[0].llr)
    series = tuple(Series(x.track_id, x.times_s, llr(x.logits, q, calibration)) for _, x, q in regions)
    top, look, _ = regions[0]
    stretches: tuple[tuple[float, float], ...] = ()
    where = None
    if top.heatmap is not None:
        where = place(top.heatmap, top.box_xyxy, look.landmarks_xy[int(np.argmax(look.logits))])
        # Only a network that looks at every moment says when.
        stretches = () if kind == "image" else spans(series[0].times_s, series[0].llr)
    reason = finding(name, top.llr, top.track_id, genuine=calibration.genuine, place=where)
    total = over_faces([region.llr for region, _, _ in regions])
    faces = tuple(region for region, _, _ in regions)
    return Evidence(name, version, "scored", total, reason, stretches, faces, series)


def _region(look: Look, quality: FaceQuality, calibration: Calibration) -> Region:
    """The face at its most suspicious picture, with the evidence of the whole of it."""
    k = int(np.argmax(look.logits))
    whole = float(llr(np.array([look.mean]), quality, calibration)[0])
    x1, y1, x2, y2 = (float(v) for v in look.boxes_xyxy[k])
    heatmap = None
    if look.maps is not None:
        turns = look.turns_deg
        heatmap = look.maps[k] if turns is None else as_shown(look.maps[k], float(turns[k]))
    return Region(look.track_id, float(look.times_s[k]), (x1, y1, x2, y2), whole, heatmap)
