"""Tracks: who is who from frame to frame, shot changes, and memory that does not grow with the video."""

from __future__ import annotations

import numpy as np
import pytest

from haechi.faces.detections import Detections
from haechi.faces.rules import FaceRules
from haechi.faces.stream import ranked
from haechi.faces.track_buffer import BURST
from haechi.faces.tracks import BURST_TRACKS, CROP_BUDGET, NATIVE_BUDGET, NATIVE_KEPT, Tracker
from haechi.settings import Settings
from haechi.types import U8, FaceTrack, Frame
from synthetic import landmarks_of, texture

RULES = FaceRules.of(Settings())
Box = tuple[float, float, float, float]
SCENE, OTHER_SCENE = texture(180, 320, 1), np.full((180, 320, 3), (20, 90, 160), np.uint8)


def found(*boxes: Box) -> Detections:
    b = np.array(boxes, np.float32).reshape(-1, 4)
    return Detections(b, landmarks_of(b), np.full(len(b), 0.9, np.float32))


def follow(
    faces: list[list[Box]], *, fps: float = 10.0, scenes: list[U8] | None = None, most: int = 64
) -> tuple[FaceTrack, ...]:
    tracker = Tracker(Settings().video_crops, most, RULES)
    for i, boxes in enumerate(faces):
        rgb = SCENE if scenes is None else scenes[i]
        tracker.add(Frame(rgb, i, i / fps), found(*boxes))
    return ranked(tracker.tracks())


def at(x: float, y: float = 60.0, side: float = 50.0) -> Box:
    return (x, y, x + side, y + side)


def test_a_moving_face_is_one_track() -> None:
    (track,) = follow([[at(5 * i)] for i in range(40)])
    assert track.track_id == 1
    assert len(track.times_s) == 40
    assert np.allclose(track.boxes_xyxy[:, 0], 5 * np.arange(40))
    assert np.allclose(track.times_s, np.arange(40) / 10)


def test_a_short_gap_keeps_the_track_and_a_long_one_ends_it() -> None:
    def with_gap(frames: int) -> list[list[Box]]:
        return [[] if 15 <= i < 15 + frames else [at(100)] for i in range(60)]

    assert len(follow(with_gap(10))) == 1
    first, second = follow(with_gap(20))
    assert max(t.times_s[-1] for t in (first, second)) == 5.9


def test_a_shot_change_ends_all_tracks() -> None:
    scenes = [SCENE] * 15 + [OTHER_SCENE] * 20
    first, second = follow([[at(100)]] * 35, scenes=scenes)
    assert (len(first.times_s), len(second.times_s)) == (20, 15)


def test_light_that_changes_slowly_is_no_shot_change() -> None:
    scenes = [(SCENE.astype(float) * (1 - 0.008 * i)).astype(np.uint8) for i in range(40)]
    assert len(follow([[at(100)]] * 40, scenes=scenes)) == 1


def test_faces_that_pass_each_other_at_a_distance_stay_who_they_are() -> None:
    tracks = follow([[at(10 + 6 * i, 10), at(250 - 6 * i, 120)] for i in range(40)])
    assert len(tracks) == 2
    for t in tracks:
        assert len(set(t.boxes_xyxy[:, 1].tolist())) == 1, "its own height all the time"
        assert len(t.times_s) == 40


def test_the_nearest_claimant_gets_the_track() -> None:
    first, second = follow([[at(100)], *[[at(130), at(102)]] * 12])
    assert (len(first.times_s), len(second.times_s)) == (13, 12)
    assert first.boxes_xyxy[1, 0] == 102


def test_a_face_of_another_size_is_another_face() -> None:
    assert len(follow([*[[at(100, side=30)]] * 5, *[[at(60, 30, side=110)]] * 5])) == 2


def test_a_face_seen_once_among_close_frames_is_noise() -> None:
    (track,) = follow([[at(100), at(250)] if i == 17 else [at(100)] for i in range(30)])
    assert len(track.times_s) == 30


def test_in_a_handful_of_frames_a_face_seen_once_counts() -> None:
    assert len(follow([[at(100), at(250)], [at(100)], [at(100)]])) == 2


def test_a_long_video_with_frames_far_apart_still_has_faces() -> None:
    (track,) = follow([[at(100)]] * 300, fps=1 / 12)
    assert len(track.times_s) == 300
    lively = follow(
        [[at(100)] if i % 3 else [] for i in range(60)],
        fps=1 / 12,
        scenes=[SCENE, OTHER_SCENE] * 30,
    )
    assert len(lively) == 40, "each shot was seen once; none of them is noise"


def test_tracks_are_numbered_by_size_and_no_more_than_wanted() -> None:
    faces = [[at(10, 10, 20), at(60, 10, 60), at(160, 10, 40), at(250, 10, 30)] for _ in range(12)]
    tracks = follow(faces, most=3)
    assert [t.track_id for t in tracks] == [1, 2, 3]
    assert [t.of_found for t in tracks] == [4, 4, 4]
    assert [float(t.boxes_xyxy[0, 2] - t.boxes_xyxy[0, 0]) for t in tracks] == [60, 40, 30]


def test_what_is_kept_of_a_long_track_is_bounded_and_evenly_spread() -> None:
    most = Settings().video_crops
    (track,) = follow([[at(100 + (i % 7))] for i in range(700)])
    assert len(track.times_s) == 700
    assert len(track.crops) == len(track.crop_index) == len(track.crop_boxes_xyxy)
    (spread,) = set(np.diff(track.crop_index[track.crop_index >= 2 * BURST]))
    assert most / 2 <= sum(track.crop_index % spread == 0) <= most
    assert 700 - track.crop_index[-1] <= 2 * spread
    assert NATIVE_KEPT / 2 <= len(track.native) <= NATIVE_KEPT


def test_the_first_observations_of_a_long_track_are_all_there_once() -> None:
    scenes = [SCENE.copy() for _ in range(400)]
    for i, scene in enumerate(scenes):
        scene[55:118, 95:155] = 100 + i // 8
    (track,) = follow([[at(100)]] * 400, scenes=scenes)
    assert track.crop_index[:BURST].tolist() == list(range(BURST))
    assert (np.diff(track.crop_index) > 0).all()
    assert [int(c.mean()) for c in track.crops] == [100 + i // 8 for i in track.crop_index.tolist()]
    assert (track.crop_boxes_xyxy == track.crop_boxes_xyxy[0]).all()


def test_crops_weigh_by_the_time_they_stand_for() -> None:
    (track,) = follow([[at(100)]] * 400)
    assert track.crop_weights.sum() == pytest.approx(1)
    times = track.times_s[track.crop_index]
    assert track.crop_weights @ times == pytest.approx(20, abs=1.5), "of 40 s, however dense the beginning"
    assert times.mean() < 18
    (even,) = follow([[at(100)]] * 12)
    assert even.crop_weights == pytest.approx([1 / 12] * 12)
    (still,) = follow([[at(100)]])
    assert still.crop_weights.tolist() == [1.0]


def test_of_many_faces_the_largest_and_of_equals_the_first_keep_a_burst() -> None:
    sides = [20 + k // 2 for k in range(BURST_TRACKS + 4)]
    boxes = [at(26 * k, 60 + 40 * (k % 2), side) for k, side in enumerate(sides)]
    tracks = follow([boxes] * 200)
    bursts = [t for t in tracks if len(np.flatnonzero(np.diff(t.crop_index) == 1)) >= BURST - 1]
    wanted = sorted(sides, reverse=True)[:BURST_TRACKS]
    assert [t.boxes_xyxy[0, 2] - t.boxes_xyxy[0, 0] for t in bursts] == wanted


def test_shots_too_short_for_a_burst_make_way_for_longer_ones() -> None:
    scenes = [(SCENE, OTHER_SCENE)[i // 3 % 2] if i < 60 else SCENE for i in range(90)]
    longest = max(follow([[at(100)]] * 90, scenes=scenes), key=lambda t: len(t.times_s))
    assert longest.crop_index[:BURST].tolist() == list(range(BURST))


def test_memory_does_not_grow_with_the_number_of_faces() -> None:
    tracker = Tracker(Settings().video_crops, 16, RULES)
    for i in range(120):
        rgb = (SCENE, OTHER_SCENE)[i % 2]  # a shot change every time
        tracker.add(Frame(rgb, i, i / 10), found(*(at(30 * k, 20 * (k % 5), 20) for k in range(10))))
        kept = tracker.closed + tracker.open
        assert len(kept) <= 2 * 16 + 10
        assert sum(len(t.crops) for t in kept) <= max(CROP_BUDGET, 4 * len(kept))
        assert sum(len(t.native) for t in kept) <= max(NATIVE_BUDGET, len(kept))
        assert sum(len(t.burst) for t in kept) <= BURST * BURST_TRACKS


def test_many_faces_that_stay_share_the_budget() -> None:
    boxes = [at(30 * (k % 10), 34 * (k // 10), 24) for k in range(40)]
    tracks = follow([boxes] * 60)
    assert len(tracks) == 40
    assert sum(len(t.crops) for t in tracks) <= CROP_BUDGET + BURST * BURST_TRACKS
    assert min(len(t.crops) for t in tracks) >= 4
    assert sum(len(t.native) for t in tracks) <= NATIVE_BUDGET


def test_a_crowd_in_one_picture_is_counted_whole_and_cut_out_in_part() -> None:
    boxes = [at(20 * (k % 16), 20 * (k // 16), 10 + k % 7) for k in range(100)]
    tracker = Tracker(32, 20, RULES)
    tracker.add(Frame(SCENE, 0, 0.0), found(*boxes))
    assert len(tracker.open) == 20, "no more faces take memory than are judged"
    tracks = tracker.tracks()
    assert {t.of_found for t in tracks} == {100}
    sides = sorted((10 + k % 7 for k in range(100)), reverse=True)[:20]
    assert [t.boxes_xyxy[0, 2] - t.boxes_xyxy[0, 0] for t in tracks] == sides


def test_faces_of_a_long_video_are_counted_though_few_are_kept() -> None:
    scenes = [(SCENE, OTHER_SCENE)[i // 4 % 2] for i in range(160)]
    tracks = follow([[at(100), at(200)]] * 160, scenes=scenes, most=8)
    assert len(tracks) == 8
    assert {t.of_found for t in tracks} == {2 * 40}
    noisy = [[at(100), at(200)] if i % 8 == 0 else [at(100)] for i in range(160)]
    once = follow(noisy, scenes=[(SCENE, OTHER_SCENE)[i // 8 % 2] for i in range(160)], most=4)
    assert {t.of_found for t in once} == {20}, "faces seen once are noise, kept in memory or not"


def test_no_frames_and_no_faces_give_no_tracks() -> None:
    assert Tracker(32, 64, RULES).tracks() == ()
    assert follow([[]] * 20) == ()
