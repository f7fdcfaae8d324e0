"""What each detector says besides its contract (test_detectors.py), with stand-ins for the networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from haechi import models
from haechi.detectors.flicker import (
    FEATURES,
    FlickerDetector,
    dense_run,
    landmark_jitter,
    measure,
    sharpness_ratio,
)
from haechi.detectors.network import BATCH
from haechi.detectors.swap import SwapDetector
from haechi.detectors.synthesis import SynthesisDetector
from haechi.faces import FaceFinder
from haechi.keyframes import keyframes
from haechi.report.messages import LANGUAGES, catalogue, sentence
from haechi.settings import Settings
from haechi.types import F32, F64, U8, FaceTrack, Media, Scores
from standins import CARDS, CLIP, FLICKER, MOMENTS, PHOTO, Make, coloured, filmed, run
from synthetic import FakeModel, MarkerNet, SureLook, media, texture, track


def shown(scores: Scores) -> tuple[F64, F32]:
    assert scores.maps is not None
    return scores.logits, scores.maps


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize("make", [SwapDetector, SynthesisDetector])
def test_the_worst_face_leads_and_its_evidence_is_that_of_the_whole(make: Make) -> None:
    tracks = [coloured(red, number=i + 1) for i, red in enumerate((-4, 10, 2))]
    evidence = run(make, PHOTO, *tracks)
    assert [r.track_id for r in evidence.regions] == [2, 3, 1]
    assert evidence.llr == evidence.regions[0].llr
    assert evidence.reason.params["face"] == 2


@pytest.mark.usefixtures("fakes")
def test_a_still_is_asked_both_ways_round_and_the_map_turned_back() -> None:
    crop = texture(224, 224)
    crop[:, :112, 0] = 250
    detector = SwapDetector(Settings())
    logits, maps = shown(detector.score(crop[None], both_ways=True))
    mirrored, turned = shown(detector.score(np.ascontiguousarray(crop[None, :, ::-1]), both_ways=True))
    assert logits == pytest.approx(mirrored)
    assert maps[0, :, :13].min() > 0.99
    assert maps[0, :, 15:].max() < 0.99
    assert np.allclose(maps[0][:, 2:-2], turned[0][:, ::-1][:, 2:-2], atol=0.2)


@pytest.mark.usefixtures("fakes")
def test_more_crops_than_a_batch_keep_their_order() -> None:
    crops = np.stack([np.full((224, 224, 3), 100 + i, np.uint8) for i in range(2 * BATCH + 3)])
    logits, maps = shown(SwapDetector(Settings()).score(crops))
    assert np.allclose(logits, (np.arange(2 * BATCH + 3) - 28) / 4)
    assert maps.shape == (2 * BATCH + 3, 28, 28)


@pytest.mark.usefixtures("fakes")
def test_a_video_shows_when_the_swap_shows() -> None:
    crops = np.stack([np.full((224, 224, 3), 160 if 10 <= i < 20 else 100, np.uint8) for i in range(32)])
    evidence = run(SwapDetector, CLIP, track(MOMENTS, crops=crops))
    assert evidence.spans_s == ((1.0, 1.9),)
    assert evidence.regions[0].time_s == 1.0
    assert evidence.series[0].llr.max() == 4.0


@pytest.mark.usefixtures("fakes")
def test_the_large_network_looks_at_few_moments_spread_over_the_whole_time() -> None:
    times = (*(i / 10 for i in range(60)), *(6.0 + i for i in range(54)))
    crops = np.stack([np.full((224, 224, 3), 100 + i, np.uint8) for i in range(len(times))])
    look = SynthesisDetector(Settings()).look(track(times, crops=crops), "video")
    assert len(look.logits) <= 16
    assert look.times_s[0] < 3
    assert look.times_s[-1] > 55
    assert np.diff(look.times_s).max() < 6, "no part of the time is left out"
    assert look.boxes_xyxy.shape == (len(look.logits), 4)


def still_crops(n: int) -> U8:
    return np.stack([texture(224, 224)] * n)


def test_even_motion_is_not_rough_whatever_its_speed() -> None:
    face = track(MOMENTS, crops=still_crops(32))
    face.boxes_xyxy[:] += np.arange(32, dtype=np.float32)[:, None] * 7
    face.landmarks_xy[:] += np.arange(32, dtype=np.float32)[:, None, None] * 7
    assert measure(face, np.linspace(-2, 2, 32), slice(0, 32)) == pytest.approx([0, 0, 0], abs=1e-5)


def test_jitter_is_measured_against_the_size_of_the_face() -> None:
    noise = np.random.default_rng(0).normal(0, 1, (32, 5, 2)).astype(np.float32)
    small, large = (
        track(MOMENTS, side=100, crops=still_crops(32)),
        track(MOMENTS, side=300, crops=still_crops(32)),
    )
    small.landmarks_xy[:] += noise
    large.landmarks_xy[:] += 3 * noise
    jitters = [landmark_jitter(t.boxes_xyxy, t.landmarks_xy) for t in (small, large)]
    assert jitters[0] == pytest.approx(jitters[1], rel=1e-4)
    assert jitters[0] > 0.01
    assert len(FEATURES) == 3


def test_a_face_softer_than_its_surroundings_has_a_low_ratio() -> None:
    crop = texture(224, 224, soft=0.7)
    soft = crop.copy()
    soft[50:174, 60:164] = texture(224, 224, soft=4)[50:174, 60:164]
    assert sharpness_ratio(soft) < sharpness_ratio(crop) - 0.2


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize(
    ("source", "face", "code"),
    [
        (PHOTO, track(), "abstain_image"),
        (CLIP, track(MOMENTS[:15], crops=still_crops(15)), "abstain_short_track"),
        (CLIP, track(tuple(i / 2 for i in range(32)), crops=still_crops(32)), "abstain_out_of_domain"),
        (CLIP, track((*MOMENTS[:15], *range(5, 20)), crops=still_crops(30)), "abstain_out_of_domain"),
    ],
)
def test_flicker_does_not_guess(source: Media, face: FaceTrack, code: str) -> None:
    evidence = run(FlickerDetector, source, face)
    assert (evidence.status, evidence.reason.code) == ("abstained", code)
    if code == "abstain_out_of_domain":
        for lang in LANGUAGES:
            assert sentence(evidence.reason, lang).endswith(catalogue(lang)["frames_far_apart"])


def burst_then_spread() -> FaceTrack:
    """Crops 2 s apart before and after a burst of twenty that begins at 10 s; every one is a new picture."""
    before, burst = [2.0 * i for i in range(5)], [10 + i / 10 for i in range(20)]
    return track([*before, *burst, *(14 + 2.0 * i for i in range(8))])


def test_the_longest_run_of_close_crops_is_found() -> None:
    face = burst_then_spread()
    assert dense_run(face, 0.2) == slice(5, 25)
    assert dense_run(face, 0.099995) == slice(5, 25), "rounding of times does not break a run"
    assert dense_run(face, 0.05) == slice(0, 1)
    assert dense_run(track(), 0.2) == slice(0, 1)
    two = track([0.0, 0.1, 0.2, 5.0, 5.1, 5.2])
    assert dense_run(two, 0.2) == slice(0, 3), "the first of equals"


def test_flicker_looks_at_nothing_but_the_run() -> None:
    face, llrs = burst_then_spread(), np.random.default_rng(2).normal(size=33)
    run = dense_run(face, 0.2)
    told = measure(face, llrs, run)
    face.crops[:5], face.landmarks_xy[25:], llrs[25:] = 0, 7.0, 99.0
    assert measure(face, llrs, run) == pytest.approx(told)
    only = track(face.times_s[run].tolist(), crops=face.crops[run])
    only.landmarks_xy[:] = face.landmarks_xy[run]
    assert measure(only, llrs[run], slice(0, 20)) == pytest.approx(told)


def test_landmarks_are_those_of_the_crops() -> None:
    """Observations of which no crop was kept do not count, however wildly their landmarks jump."""
    face = track([i / 20 for i in range(40)], crops=still_crops(40))
    face.landmarks_xy[1::2] += np.random.default_rng(1).normal(0, 9, (20, 5, 2)).astype(np.float32)
    kept = np.arange(0, 40, 2)
    thinned = replace(face, crops=face.crops[kept], crop_index=kept, crop_boxes_xyxy=face.boxes_xyxy[kept])
    assert measure(thinned, np.zeros(20), dense_run(thinned, 0.2))[1] == pytest.approx(0, abs=1e-6)


@pytest.mark.usefixtures("fakes")
def test_flicker_shows_the_face_where_the_run_begins() -> None:
    evidence = run(FlickerDetector, CLIP, burst_then_spread())
    assert evidence.status == "scored"
    assert evidence.regions[0].time_s == 10.0


@pytest.mark.parametrize("worst", [7, 64])
def test_the_frames_shown_are_those_in_which_the_evidence_was_seen(
    worst: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a crop in the burst and of one among the spread ones: the preview is that very frame."""
    monkeypatch.setattr(
        models, "load", lambda name, settings: {**CARDS, "faces": MarkerNet(), "face_check": SureLook()}[name]
    )
    frames = [texture(180, 320) for _ in range(100)]
    for i, frame in enumerate(frames):
        frame[60:130, 100 + i : 160 + i] = (255 if i == worst else 210, 0, 0)
    source = media(frames, fps=10)
    tracks = FaceFinder(Settings()).find(source)
    assert worst in tracks[0].crop_index
    evidence = run(SwapDetector, source, *tracks)
    (region,) = evidence.regions
    assert region.time_s == worst / 10
    shown = [p for p in keyframes(source, [evidence], 300) if abs(p.time_s - region.time_s) < 0.01]
    assert len(shown) == 1
    assert np.array_equal(shown[0].rgb, frames[worst])
    seen = tracks[0].crop_index.tolist().index(worst)
    assert region.box_xyxy == pytest.approx(tracks[0].crop_boxes_xyxy[seen].tolist())
    assert len(evidence.series[0].times_s) == len(tracks[0].crops)


@pytest.mark.usefixtures("fakes")
def test_the_evidence_on_a_face_is_a_mean_over_time() -> None:
    """Twenty red crops within two seconds, then ten grey ones over thirty seconds."""
    times = [i / 10 for i in range(20)] + [5 + 2.5 * i for i in range(10)]
    crops = np.stack([np.full((224, 224, 3), 144 if i < 20 else 124, np.uint8) for i in range(30)])
    face = track(times, crops=crops)
    (region,) = run(SwapDetector, CLIP, face).regions
    share = (1.9 + (5 - 1.9) / 2 + 0.05) / (27.5 + 0.05 + 1.25)  # the ends stand for a whole gap each
    assert region.llr == pytest.approx(4 * share - 1 * (1 - share), abs=0.05)
    assert region.llr < 0 < float(np.mean([4] * 20 + [-1] * 10))
    even = track(MOMENTS[:30], crops=crops)
    (region,) = run(SwapDetector, CLIP, even).regions
    assert region.llr == pytest.approx(70 / 30)


@pytest.mark.usefixtures("fakes")
def test_flicker_stays_below_its_cap_and_out_of_unknown_ground(monkeypatch: pytest.MonkeyPatch) -> None:
    loud = {**FLICKER, "intercept": 99.0}
    monkeypatch.setitem(CARDS, "flicker", FakeModel({"name": "flicker", "parameters": loud}))
    assert run(FlickerDetector, CLIP, filmed(20)).llr == 0.7
    monkeypatch.setitem(
        CARDS, "flicker", FakeModel({"name": "flicker", "parameters": {**FLICKER, "max_z": 0.1}})
    )
    evidence = run(FlickerDetector, CLIP, filmed(20))
    assert evidence.reason.code == "abstain_out_of_domain"
    assert sentence(evidence.reason).endswith(catalogue("en")["unlike_changes"])
    broken = filmed(20)
    broken.landmarks_xy[:] = np.nan
    assert run(FlickerDetector, CLIP, broken).reason.code == "abstain_out_of_domain"


@pytest.mark.usefixtures("fakes")
def test_what_lies_around_the_face_is_not_looked_at_and_the_map_still_covers_the_crop() -> None:
    crops = np.full((1, 224, 224, 3), 100, np.uint8)
    framed = crops.copy()
    margin = (224 - 208) // 2
    framed[:, :margin] = framed[:, -margin:] = framed[:, :, :margin] = framed[:, :, -margin:] = 255
    detector = SwapDetector(Settings())
    plain, around = (shown(detector.score(c, both_ways=True)) for c in (crops, framed))
    assert plain[0] == pytest.approx(around[0])
    assert around[1].shape == (1, 28, 28)
    assert np.allclose(plain[1], around[1])
