"""Reports made by code, for the tests of ``haechi.report``: drawn pictures, invented numbers, no people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from haechi.report import Report
from haechi.types import (
    F32,
    Claim,
    Evidence,
    FaceQuality,
    FaceTrack,
    FaceVerdict,
    Frame,
    Media,
    ModelRef,
    Preview,
    Quality,
    Reason,
    Region,
    SegmentVerdict,
    Series,
    Verdict,
)

FIGURES = {
    "auc": {"value": 0.921, "low": 0.907, "high": 0.934, "what": "unseen persons"},
    "ece": 0.031,
    "jpeg_40": {"false_alarms_strong": {"value": 0.008, "low": 0.004, "high": 0.014}},
}
THRESHOLDS = {"some": 0.7415, "strong": 0.91229}
MODELS = (ModelRef("faces", "1.0.0", "a3" * 32), ModelRef("swap", "1.0.0", "7c" * 32, FIGURES))


def no_frames(_n: int) -> Iterator[Frame]:
    return iter(())


def media(kind: str = "image", name: str = "photo.jpg") -> Media:
    video = kind == "video"
    facts = {"format": "mp4" if video else "jpeg", "animated": False}
    return Media(
        name=name,
        sha256="9f" * 32,
        kind="video" if video else "image",
        width_px=640,
        height_px=480,
        fps=25.0 if video else None,
        duration_s=10.0 if video else None,
        container=facts,
        reader=no_frames,
    )


def track(number: int, times: list[float], box: tuple[float, float, float, float]) -> FaceTrack:
    k = len(times)
    return FaceTrack(
        track_id=number,
        times_s=np.array(times, np.float64),
        boxes_xyxy=np.tile(np.array(box, np.float32), (k, 1)),
        landmarks_xy=np.zeros((k, 5, 2), np.float32),
        scores=np.linspace(0.7, 0.9, k, dtype=np.float32),
        crops=np.zeros((0, 8, 8, 3), np.uint8),
        crop_index=np.zeros(0, np.int64),
        crop_boxes_xyxy=np.zeros((0, 4), np.float32),
        native=(),
    )


def heat() -> F32:
    y, x = np.mgrid[0:28, 0:28].astype(np.float32) / 27
    return np.exp(-((x - 0.5) ** 2 + (y - 0.7) ** 2) / 0.05).astype(np.float32)


def preview(time_s: float = 0.0) -> Preview:
    rgb = np.full((240, 320, 3), (70, 90, 120), np.uint8)
    rgb[60:160, 100:180] = (220, 180, 150)
    return Preview(rgb, time_s, 0.5)


def photo(name: str = "photo.jpg") -> Report:
    """Strong signs on face 1; face 2 too small; the detector for videos abstains."""
    region = Region(1, 0.0, (160, 80, 400, 360), 2.7, heat())
    evidence = (
        Evidence(
            "swap", "1", "scored", 2.7, Reason("swap_scored", {"face": 1, "ratio": 14.9}), (), (region,)
        ),
        Evidence("synthesis", "1", "scored", -1.4, Reason("synthesis_scored", {"face": 1, "ratio": 0.25})),
        Evidence("flicker", "1", "abstained", None, Reason("abstain_image")),
    )
    small = FaceQuality(2, 24.2, 0.2, 0.4, (Reason("face_too_small", {"face_px": 24.2, "min_px": 40}),))
    reasons = (
        Reason("evidence_for", {"detector": "swap", "face": 1, "ratio": 14.9}),
        Reason("level_strong", {"threshold": 0.91}),
    )
    face_verdicts = (FaceVerdict(1, "strong", 0.934), FaceVerdict(2, "unknown", None, small.issues[0]))
    return Report(
        media=media("image", name),
        quality=Quality(24.2, 0.2, 92, (), (FaceQuality(1, 160.0, 0.8, 0.5), small)),
        faces=(track(1, [0.0], (200, 120, 360, 320)), track(2, [0.0], (500, 20, 524, 44))),
        evidence=evidence,
        verdict=Verdict("strong", 0.934, (0.86, 0.97), reasons, THRESHOLDS, faces=face_verdicts),
        models=MODELS,
        elapsed_s=1.32,
        previews=(preview(),),
        created="2025-01-02T03:04:05+00:00",
    )


def clip() -> Report:
    """Some signs on face 1 over time; one detector failed."""
    times = [i * 0.5 for i in range(20)]
    llr = np.array([2.0 if 3 <= t <= 6 else -0.5 for t in times])
    series = (Series(1, np.array(times), llr), Series(2, np.array(times), np.full(20, -0.8)))
    region = Region(1, 4.0, (160, 80, 400, 360), 2.0, heat())
    evidence = (
        Evidence(
            "swap",
            "1",
            "scored",
            1.9,
            Reason("swap_scored", {"face": 1, "ratio": 6.7}),
            ((3.0, 6.0),),
            (region,),
            series,
        ),
        Evidence("synthesis", "1", "failed", None, Reason("detector_failed", {"error": "ValueError"})),
    )
    stands_out = Reason("segment_stands_out", {"face": 1, "start_s": 2.0, "end_s": 6.0})
    reasons = (Reason("level_some"), stands_out)
    face_verdicts = (FaceVerdict(1, "none", 0.4), FaceVerdict(2, "none", 0.2))
    segments = (
        SegmentVerdict(1, 0.0, 3.5, "none", 0.3),
        SegmentVerdict(1, 2.0, 6.0, "some", 0.78),
        SegmentVerdict(1, 5.5, 9.5, "none", 0.35),
        SegmentVerdict(2, 0.0, 9.5, "none", 0.2),
    )
    return Report(
        media=media("video", "clip.mp4"),
        quality=Quality(160.0, 0.1, None, (Reason("truncated_video"),)),
        faces=(track(1, times, (200, 120, 360, 320)), track(2, times, (420, 120, 560, 300))),
        evidence=evidence,
        verdict=Verdict("some", 0.78, (0.75, 0.85), reasons, THRESHOLDS, face_verdicts, segments),
        models=MODELS,
        elapsed_s=9.8,
        previews=(preview(0.0), preview(4.0), preview(9.5)),
    )


def nothing() -> Report:
    """No face, so no verdict."""
    names = ("swap", "synthesis", "flicker")
    return Report(
        media=media(),
        quality=Quality(None, None, None, (Reason("no_face"),)),
        faces=(),
        evidence=tuple(Evidence(n, "1", "abstained", None, Reason("abstain_no_face")) for n in names),
        verdict=Verdict("unknown", None, None, (Reason("unknown_no_face"),), THRESHOLDS),
        models=MODELS,
        elapsed_s=0.4,
    )


def clean() -> Report:
    """Checked, and nothing found."""
    evidence = (Evidence("swap", "1", "scored", -1.2, Reason("swap_scored", {"face": 1, "ratio": 0.3})),)
    return Report(
        media=media(),
        quality=Quality(160.0, 0.1, 92, ()),
        faces=(track(1, [0.0], (200, 120, 360, 320)),),
        evidence=evidence,
        verdict=Verdict(
            "none", 0.08, (0.03, 0.2), (Reason("level_none"),), THRESHOLDS, (FaceVerdict(1, "none", 0.08),)
        ),
        models=MODELS,
        elapsed_s=0.9,
        previews=(preview(),),
    )


def stated() -> Report:
    """Nothing found in the picture, but the file itself says a great deal; one claim failed."""
    origin = (
        Reason("c2pa_signer", {"signer": "Example News / Desk 3"}),
        Reason("c2pa_signer_unknown"),
        Reason("c2pa_program", {"programs": "Dream Machine 1.2"}),
        Reason("source_ai"),
        Reason("c2pa_ingredients", {"n": 2}),
    )
    notes = (
        Reason("meta_prompt", {"program": "ComfyUI"}),
        Reason("meta_prompt_words", {"words": "a lighthouse keeper, oil <b>"}),
        Reason("meta_face_app", {"program": "FaceApp"}),
    )
    claims = (
        Claim("provenance", "1", Reason("provenance_intact"), origin),
        Claim("metadata", "1", Reason("metadata_says_ai"), notes),
        Claim("known", "1", Reason("claim_failed", {"error": "ValueError"}), outcome="failed"),
    )
    return replace(clean(), claims=claims)


CASES = {"photo": photo, "clip": clip, "nothing": nothing, "clean": clean, "stated": stated}
HOSTILE_NAME = "a<script>alert(1)</script>\n\"'&\u202egpj.\u2066x\x1b[31m\udc80.jpg"
