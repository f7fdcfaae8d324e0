"""What each detector says besides its contract (test_detectors.py), with stand-ins for the networks."""

from __future__ import annotations

import numpy as np
import pytest

from haechi.calibration import over_faces
from haechi.detectors.flicker import FEATURES, FlickerDetector, landmark_jitter, measure, sharpness_ratio
from haechi.detectors.swap import BATCH, SwapDetector
from haechi.detectors.synthesis import PLACES, WINDOW_PX, SynthesisDetector, windows
from haechi.settings import Settings
from haechi.types import U8, FaceTrack, Media
from standins import CARDS, CLIP, FLICKER, MOMENTS, PHOTO, Make, coloured, filmed, run
from synthetic import FakeModel, texture, track


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize("make", [SwapDetector, SynthesisDetector])
def test_the_worst_face_leads_and_a_crowd_is_weighed_together(make: Make) -> None:
    tracks = [coloured(red, number=i + 1) for i, red in enumerate((-4, 10, 2))]
    evidence = run(make, PHOTO, *tracks)
    assert [r.track_id for r in evidence.regions] == [2, 3, 1]
    assert evidence.llr == pytest.approx(over_faces([r.llr for r in evidence.regions]))
    assert evidence.reason.params["face"] == 2


@pytest.mark.usefixtures("fakes")
def test_a_still_is_asked_both_ways_round_and_the_map_turned_back() -> None:
    crop = texture(224, 224)
    crop[:, :112, 0] = 250
    logits, maps = SwapDetector(Settings()).logits(crop[None], mirrored=True)
    mirrored, turned = SwapDetector(Settings()).logits(
        np.ascontiguousarray(crop[None, :, ::-1]), mirrored=True
    )
    assert logits == pytest.approx(mirrored)
    assert maps[0, :, :13].min() > 0.99
    assert maps[0, :, 15:].max() < 0.99
    assert np.allclose(maps[0][:, 2:-2], turned[0][:, ::-1][:, 2:-2], atol=0.2)


@pytest.mark.usefixtures("fakes")
def test_more_crops_than_a_batch_keep_their_order() -> None:
    crops = np.stack([np.full((224, 224, 3), 100 + i, np.uint8) for i in range(2 * BATCH + 3)])
    logits, maps = SwapDetector(Settings()).logits(crops, mirrored=False)
    assert np.allclose(logits, (np.arange(2 * BATCH + 3) - 28) / 4)
    assert maps.shape == (2 * BATCH + 3, 28, 28)


@pytest.mark.usefixtures("fakes")
def test_a_video_shows_when_the_swap_shows() -> None:
    crops = np.stack([np.full((224, 224, 3), 160 if 10 <= i < 20 else 100, np.uint8) for i in range(32)])
    evidence = run(SwapDetector, CLIP, track(MOMENTS, crops=crops))
    assert evidence.spans_s == ((1.0, 1.9),)
    assert evidence.regions[0].time_s == 1.0
    assert evidence.series[0].llr.max() == 4.0


@pytest.mark.parametrize(
    ("height", "width", "count"), [(159, 400, 0), (160, 160, 1), (160, 300, 3), (400, 400, 5)]
)
def test_windows_are_pieces_of_the_picture_without_doubles(height: int, width: int, count: int) -> None:
    piece = texture(height, width)
    cuts = windows(piece, PLACES)
    assert len(cuts) == count
    assert all(c.shape == (WINDOW_PX, WINDOW_PX, 3) for c in cuts)
    if count:
        y, x = (height - WINDOW_PX) // 2, (width - WINDOW_PX) // 2
        assert np.array_equal(cuts[0], piece[y : y + WINDOW_PX, x : x + WINDOW_PX])


@pytest.mark.usefixtures("fakes")
def test_a_face_shown_too_small_for_a_window_is_not_guessed_at() -> None:
    evidence = run(SynthesisDetector, PHOTO, track(native=texture(120, 200)))
    assert (evidence.status, evidence.reason.code) == ("abstained", "resolution_too_low")
    both = run(SynthesisDetector, PHOTO, track(native=texture(120, 200)), coloured(9, number=2))
    assert [r.track_id for r in both.regions] == [2]


def still_crops(n: int) -> U8:
    return np.stack([texture(224, 224)] * n)


def test_even_motion_is_not_rough_whatever_its_speed() -> None:
    face = track(MOMENTS, crops=still_crops(32))
    face.boxes_xyxy[:] += np.arange(32, dtype=np.float32)[:, None] * 7
    face.landmarks_xy[:] += np.arange(32, dtype=np.float32)[:, None, None] * 7
    assert measure(face, np.linspace(-2, 2, 32)) == pytest.approx([0, 0, 0], abs=1e-5)


def test_jitter_is_measured_against_the_size_of_the_face() -> None:
    noise = np.random.default_rng(0).normal(0, 1, (32, 5, 2)).astype(np.float32)
    small, large = (
        track(MOMENTS, side=100, crops=still_crops(32)),
        track(MOMENTS, side=300, crops=still_crops(32)),
    )
    small.landmarks_xy[:] += noise
    large.landmarks_xy[:] += 3 * noise
    assert landmark_jitter(small) == pytest.approx(landmark_jitter(large), rel=1e-4)
    assert landmark_jitter(small) > 0.01
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
        (CLIP, track(tuple(i / 2 for i in range(32)), crops=still_crops(32)), "abstain_short_track"),
    ],
)
def test_flicker_does_not_guess(source: Media, face: FaceTrack, code: str) -> None:
    evidence = run(FlickerDetector, source, face)
    assert (evidence.status, evidence.reason.code) == ("abstained", code)


@pytest.mark.usefixtures("fakes")
def test_flicker_stays_below_its_cap_and_out_of_unknown_ground(monkeypatch: pytest.MonkeyPatch) -> None:
    loud = {**FLICKER, "intercept": 99.0}
    monkeypatch.setitem(CARDS, "flicker", FakeModel({"name": "flicker", "parameters": loud}))
    assert run(FlickerDetector, CLIP, filmed(20)).llr == 0.7
    monkeypatch.setitem(
        CARDS, "flicker", FakeModel({"name": "flicker", "parameters": {**FLICKER, "max_z": 0.1}})
    )
    assert run(FlickerDetector, CLIP, filmed(20)).reason.code == "abstain_out_of_domain"
