"""Frames one by one: the same as all at once, whatever is asked between, and for as long as one likes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from haechi.errors import UsageError
from haechi.faces import Detections, FaceRules, FaceStream, Window
from haechi.faces.detections import take
from haechi.faces.stream import QUARTERS, TRIES
from haechi.faces.track_buffer import BURST
from haechi.faces.tracks import BURST_TRACKS, CROP_BUDGET, NATIVE_BUDGET
from haechi.settings import Settings
from haechi.types import U8, FaceTrack, Frame
from synthetic import landmarks_of, texture

SCENES = (texture(72, 128, 1), np.full((72, 128, 3), (20, 90, 160), np.uint8))
WINDOW = Window(seconds=4.0, observations=60)

Face = tuple[float, float, float, float]  # left, top, side, score
Clip = list[tuple[int, list[Face]]]  # the number of the scene and the faces of each frame


@dataclass
class Listed:
    """Finds in each picture what stands next in its list; remembers how it was asked."""

    faces: Iterator[Detections]
    certain: float = 0.5
    quarters: list[Sequence[int]] = field(default_factory=list)
    searched: list[Sequence[int]] = field(default_factory=list)

    def detect(
        self, rgb: U8, search_px: Sequence[int], quarters: Sequence[int], both_ways: bool
    ) -> Detections:
        self.quarters.append(quarters)
        self.searched.append(search_px)
        return next(self.faces)


def detections(faces: Sequence[Face]) -> Detections:
    rows = np.array(faces, np.float32).reshape(-1, 4)
    boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:3]], 1)
    return Detections(boxes, landmarks_of(boxes), rows[:, 3])


def frames(clip: Clip, fps: float = 10.0) -> Iterator[Frame]:
    for i, (scene, _) in enumerate(clip):
        yield Frame(SCENES[scene], i, i / fps)


def stream_of(
    clip: Clip, order: Sequence[int] | None = None, window: Window | None = None, most: int = 6
) -> FaceStream:
    """``order``: seeds by which the faces of a frame are shuffled; ``most``: faces that are followed."""
    found = [detections(faces) for _, faces in clip]
    if order is not None:
        found = [take(d, shuffled(len(d), seed)) for d, seed in zip(found, order, strict=True)]
    return FaceStream(Listed(iter(found)), Settings(max_faces=most, video_crops=8), window=window)


def shuffled(n: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).permutation(n).astype(np.int64)


def same(a: Sequence[FaceTrack], b: Sequence[FaceTrack]) -> bool:
    def arrays(t: FaceTrack) -> list[NDArray[np.generic]]:
        turns = t.crop_turns_deg
        assert turns is not None
        return [
            *(t.times_s, t.boxes_xyxy, t.landmarks_xy, t.scores, t.crops, t.crop_index),
            *(t.crop_boxes_xyxy, turns, *t.native),
        ]

    return len(a) == len(b) and all(
        (x.track_id, x.of_found, x.certainty) == (y.track_id, y.of_found, y.certainty)
        and all(np.array_equal(p, q) for p, q in zip(arrays(x), arrays(y), strict=True))
        for x, y in zip(a, b, strict=True)
    )


_face = st.tuples(
    st.integers(0, 100), st.integers(0, 50), st.integers(12, 40), st.sampled_from([0.6, 0.9])
).map(lambda f: (float(f[0]), float(f[1]), float(f[2]), f[3]))
_scene = st.sampled_from([0, 0, 0, 0, 0, 0, 1])
few = settings(max_examples=30)
clips = st.lists(st.tuples(_scene, st.lists(_face, max_size=9)), min_size=1, max_size=40)
windows = st.sampled_from([None, Window(2.0, BURST)])


@few
@given(clip=clips, window=windows)
def test_asking_for_the_tracks_on_the_way_changes_nothing(clip: Clip, window: Window | None) -> None:
    curious, patient = stream_of(clip, window=window), stream_of(clip, window=window)
    for frame in frames(clip):
        curious.add(frame)
        curious.tracks()
    for frame in frames(clip):
        patient.add(frame)
    assert same(curious.tracks(), patient.tracks())
    assert same(patient.tracks(), patient.tracks())


@few
@given(clip=clips, window=windows, data=st.data())
def test_the_order_of_faces_in_a_frame_makes_no_difference(
    clip: Clip, window: Window | None, data: st.DataObject
) -> None:
    seeds = data.draw(st.lists(st.integers(0, 99), min_size=len(clip), max_size=len(clip)))
    straight, mixed = stream_of(clip, window=window), stream_of(clip, seeds, window)
    for frame in frames(clip):
        a, b = straight.add(frame), mixed.add(frame)
        assert [s.track_id for s in a] == [s.track_id for s in b]
        assert all(np.array_equal(s.box_xyxy, t.box_xyxy) for s, t in zip(a, b, strict=True))
    assert same(straight.tracks(), mixed.tracks())


@few
@given(clip=clips)
def test_a_window_that_holds_everything_forgets_nothing(clip: Clip) -> None:
    whole, windowed = stream_of(clip, most=64), stream_of(clip, window=Window(60.0, 600), most=64)
    for frame in frames(clip):
        whole.add(frame)
        windowed.add(frame)
    assert len(whole.tracks()) == len(windowed.tracks())
    for a, b in zip(whole.tracks(), windowed.tracks(), strict=True):
        assert (a.track_id, a.of_found) == (b.track_id, b.of_found)
        assert np.array_equal(a.boxes_xyxy, b.boxes_xyxy)


@few
@given(clip=clips, window=windows)
def test_every_sighting_stands_in_its_track(clip: Clip, window: Window | None) -> None:
    stream = stream_of(clip, window=window)
    seen: dict[int, int] = {}
    for (_, faces), frame in zip(clip, frames(clip), strict=True):
        sightings = stream.add(frame)
        assert len(sightings) == min(len(faces), 6)
        assert len({s.track_id for s in sightings}) == len(sightings)
        assert {s.track_id for s in sightings} <= stream.open_ids
        for s in sightings:
            seen[s.track_id] = seen.get(s.track_id, 0) + 1
            assert s.observations == seen[s.track_id]
            assert s.crop is None or s.crop.shape == (224, 224, 3)
    last = clip[-1][1] and {s.track_id: s for s in sightings}
    for track in stream.tracks():
        assert len(track.crops) == len(track.crop_index) >= 1
        assert track.crop_index[-1] < len(track.times_s)
        if last and track.track_id in last:
            assert np.array_equal(track.boxes_xyxy[-1], last[track.track_id].box_xyxy)


def endless(count: int) -> Iterator[tuple[int, list[Face]]]:
    """One face that stays, others that come and go, crowds now and then, cuts, and nobody for a while."""
    rng = np.random.default_rng(3)
    for i in range(count):
        faces: list[Face] = []
        if i % 2000 >= 300:
            faces.append((40.0 + 3 * np.sin(i / 9), 20.0, 30.0, 0.9))
        if i % 90 < 20:
            faces.append((float(rng.integers(0, 100)), 40.0, 14.0, 0.8))
        if i % 1000 > 990:
            faces += [(12.0 * k, 2.0 + i % 7, 10.0, 0.7) for k in range(10)]
        yield (1 if i % 800 == 799 else 0), faces


def test_an_endless_stream_needs_no_more_memory_and_no_more_time_a_frame() -> None:
    clip = list(endless(10_000))
    stream = FaceStream(
        Listed(detections(faces) for _, faces in clip), Settings(max_faces=6, video_crops=8), window=WINDOW
    )
    tracker = stream._tracker
    for frame in frames(clip, fps=15.0):
        stream.add(frame)
        buffers = tracker.open + tracker.closed
        assert len(tracker.open) <= 3 * 6
        assert len(tracker.closed) <= 2 * 6
        assert all(len(b.observations) <= WINDOW.observations for b in buffers)
        assert sum(len(b.crops) for b in buffers) <= min(CROP_BUDGET, 8 * len(buffers))
        assert sum(len(b.native) for b in buffers) <= max(NATIVE_BUDGET, len(buffers))
        assert sum(len(b.burst) for b in buffers) <= BURST * BURST_TRACKS
        assert max(len(tracker.times_s), len(tracker.let_go), len(tracker.crowds)) <= 6 * WINDOW.observations
    (track,) = (t for t in stream.tracks() if t.boxes_xyxy[-1, 1] == 20)
    assert track.times_s[0] >= 10_000 / 15 - 2 * WINDOW.seconds


def test_in_an_endless_stream_the_newest_crop_is_always_there() -> None:
    clip: Clip = [(0, [(40.0, 20.0, 30.0, 0.9)])] * 200
    stream = stream_of(clip, window=WINDOW)
    for frame in frames(clip):
        (face,) = stream.add(frame)
        assert face.crop is not None
    (track,) = stream.tracks()
    assert track.crop_index[-BURST:].tolist() == list(range(len(track.times_s) - BURST, len(track.times_s)))
    assert track.times_s[0] >= 19.9 - WINDOW.seconds - 0.1


def test_after_a_crowd_a_single_face_has_its_crops_again() -> None:
    alone: list[Face] = [(40.0, 20.0, 30.0, 0.9)]
    crowd = [*alone, *((12.0 * k, 60.0, 10.0, 0.7) for k in range(10))]
    clip: Clip = [(0, crowd)] * 100 + [(0, alone)] * 300
    stream = FaceStream(
        Listed(detections(faces) for _, faces in clip), Settings(video_crops=200), window=Window(10.0, 200)
    )
    for frame in frames(clip):
        stream.add(frame)
    (track,) = stream.tracks()
    assert len(track.crops) > 60


def test_a_face_that_left_closes_its_track_and_one_that_comes_opens_another() -> None:
    here: list[Face] = [(40.0, 20.0, 30.0, 0.9)]
    clip: Clip = [(0, here)] * 5 + [(0, [])] * 20 + [(0, here)] * 5
    stream = stream_of(clip, window=WINDOW)
    ids = [(stream.add(frame), stream.open_ids) for frame in frames(clip)]
    assert [s.track_id for s, _ in ids[:5] for s in s] == [1] * 5
    assert ids[6][1] == {1}, "it may come back"
    assert ids[24][1] == frozenset()
    assert [s.track_id for s, _ in ids[25:] for s in s] == [2] * 5
    assert [t.track_id for t in stream.tracks()] == [1, 2]


def test_frames_without_a_face_give_nothing() -> None:
    clip: Clip = [(0, [])] * 30
    stream = stream_of(clip, window=WINDOW)
    assert all(stream.add(frame) == () for frame in frames(clip))
    assert stream.tracks() == ()


def test_a_camera_is_asked_which_way_up_at_first_and_after_a_long_while_without_a_face() -> None:
    clip: Clip = [(0, [])] * 120
    endless_finder, file_finder = (Listed(detections(faces) for _, faces in clip) for _ in range(2))
    live = FaceStream(endless_finder, Settings(), window=WINDOW)
    file = FaceStream(file_finder, Settings())
    for frame in frames(clip):
        live.add(frame)
        file.add(frame)
    assert [q == QUARTERS for q in file_finder.quarters] == [True] * TRIES + [False] * (120 - TRIES)
    asked = [i for i, q in enumerate(endless_finder.quarters) if q == QUARTERS]
    assert asked[:TRIES] == list(range(TRIES))
    assert len(asked) == TRIES + 2, "once in the time of each window"


def test_a_photograph_is_searched_more_closely() -> None:
    finder = Listed(iter([detections([(40.0, 20.0, 30.0, 0.9)])]))
    stream = FaceStream(finder, Settings(), kind="image")
    stream.add(Frame(SCENES[0], 0, 0.0))
    search_px = FaceRules.of(Settings()).search_px
    assert finder.searched == [search_px["still"]] != [search_px["video"]]
    assert len(stream.tracks()) == 1


def test_a_stream_without_an_end_holds_its_frames_to_the_order_of_time() -> None:
    stream = stream_of([(0, [])] * 4, window=WINDOW)
    for time_s in (1.0, 1.0):
        stream.add(Frame(SCENES[0], 0, time_s))
    for time_s in (0.5, float("nan")):
        with pytest.raises(UsageError, match="in order of time"):
            stream.add(Frame(SCENES[0], 0, time_s))


def test_a_clock_that_stands_still_costs_no_memory_either() -> None:
    clip: Clip = [(i % 2, [(12.0 * k, 2.0, 10.0, 0.7) for k in range(9)]) for i in range(600)]
    stream = FaceStream(
        Listed(detections(faces) for _, faces in clip), Settings(max_faces=2, video_crops=2),
        window=Window(2.0, BURST),
    )  # fmt: skip
    for scene, _ in clip:
        stream.add(Frame(SCENES[scene], 0, 5.0))
    tracker = stream._tracker
    assert max(len(tracker.let_go), len(tracker.crowds), len(tracker.times_s)) <= 2 * BURST
    assert len(tracker.open + tracker.closed) <= 3 * 2 + 2 * 2


@pytest.mark.parametrize(("seconds", "observations"), [(0.5, 600), (10.0, 3), (float("nan"), 600)])
def test_a_window_too_short_to_follow_a_face_is_refused(seconds: float, observations: int) -> None:
    with pytest.raises(UsageError, match="too short to follow"):
        Window(seconds, observations)
