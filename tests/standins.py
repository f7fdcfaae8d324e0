"""Networks and cards that stand in for the trained ones of the detectors, and faces to ask them about. Their
logits are functions of the picture: red speaks for manipulation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from haechi import registry
from haechi.detectors.network import BATCH
from haechi.settings import Settings
from haechi.types import F32, Detector, Evidence, FaceQuality, FaceTrack, Media, Quality, Reason
from synthetic import FakeModel, media, texture, track

Make = Callable[[Settings], Detector]

CALIBRATION = {
    "bins": [{"below_px": 1e9, "slope": 1.0, "intercept": 0.0}],
    "cap_for": 4.0,
    "genuine": [-2.0 + 0.04 * k for k in range(101)],
    "cap_against": 2.5,
}
FLICKER = {
    "mean": [0.0] * 3,
    "deviation": [1.0] * 3,
    "weights": [1.0, 1.0, 1.0],
    "intercept": 15.0,
    "cap_for": 0.7,
    "cap_against": 0.0,
    "min_frames": 16,
    "max_step_s": 0.2,
    "max_z": 30.0,
}
PHOTO, CLIP = media([texture(400, 400)]), media([texture(400, 400)] * 32, fps=10)
MOMENTS = tuple(i / 10 for i in range(32))


def redness(x: F32) -> F32:
    out: F32 = ((x[:, 0].mean((1, 2)) - 128) / 4).astype(np.float32)
    return out


def swap_net(x: F32) -> tuple[F32, F32]:
    assert x.dtype == np.float32
    assert 1 <= len(x) <= BATCH
    assert x.shape[1:] == (3, 208, 208)
    return redness(x), (x[:, 0, 4::8, 4::8] - 128) / 8


def synthesis_net(x: F32) -> tuple[F32]:
    assert x.dtype == np.float32
    assert x.shape[1:] == (3, 196, 196)
    return (redness(x),)


CARDS = {
    "swap": FakeModel({"name": "swap", "calibration": CALIBRATION}, swap_net),
    "synthesis": FakeModel({"name": "synthesis", "calibration": CALIBRATION}, synthesis_net),
    "flicker": FakeModel({"name": "flicker", "parameters": FLICKER}),
}


def rated(*tracks: FaceTrack, bad: Sequence[int] = ()) -> Quality:
    issue = (Reason("face_too_blurred"),)
    faces = [FaceQuality(t.track_id, 200.0, 0.6, 0.5, issue if t.track_id in bad else ()) for t in tracks]
    return Quality(200.0, 0.4, None, (), tuple(faces))


def run(make: Make, source: Media, *tracks: FaceTrack, bad: Sequence[int] = ()) -> Evidence:
    """The detector's evidence, those that it needs asked first."""
    quality, by_name = rated(*tracks, bad=bad), {d.name: d.load() for d in registry.DETECTORS}
    detector = make(Settings())
    prior = {name: run(by_name[name], source, *tracks, bad=bad) for name in detector.needs}
    return detector.examine(source, tracks, quality, prior)


def coloured(red: float, **more: Any) -> FaceTrack:
    """A still face whose crop and native piece are this much redder than grey."""
    shift = np.array([red, 0, 0])
    crop, piece = (np.clip(texture(n, n) + shift, 0, 255).astype(np.uint8) for n in (224, 320))
    return track(crops=crop[None], native=piece, **more)


def filmed(jump: float = 0.0, number: int = 1) -> FaceTrack:
    """A face in a clip whose crops change colour by up to ``jump`` from frame to frame."""
    rng = np.random.default_rng(5)
    crops = [np.clip(texture(224, 224) + rng.uniform(-jump, jump), 0, 255).astype(np.uint8) for _ in MOMENTS]
    return track(MOMENTS, number=number, crops=np.stack(crops))


def equal(a: Evidence, b: Evidence) -> bool:
    """Evidence without its arrays, which are compared one by one."""
    same = (a.detector, a.version, a.status, a.llr, a.reason, a.spans_s) == (
        *(b.detector, b.version, b.status, b.llr, b.reason, b.spans_s),
    )
    maps = [
        (p.heatmap is None and q.heatmap is None) or np.array_equal(p.heatmap, q.heatmap)  # type: ignore[arg-type]
        for p, q in zip(a.regions, b.regions, strict=True)
    ]
    series = [np.array_equal(p.llr, q.llr) for p, q in zip(a.series, b.series, strict=True)]
    return same and all(maps) and all(series)
