"""What is cut out around a face, how boxes are compared, and the finder's geometry with a network that finds
red rectangles in place of the trained one."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haechi import models
from haechi.errors import ModelError
from haechi.faces import FaceFinder, FaceRules, crop_box, cut, iou, native_piece
from haechi.faces.detections import MERGE_IOU, NESTED, NMS_IOU, Detections, suppress
from haechi.faces.stream import ranked
from haechi.settings import Settings
from haechi.types import F32, U8
from synthetic import MarkerNet, SureLook, landmarks_of, media, texture, with_markers

Box = tuple[int, int, int, int]
RULES = FaceRules.of(Settings())
SQUARE, PIECE = RULES.crop.square, RULES.piece
SEARCH_PX, VIDEO_SEARCH_PX = RULES.search_px["still"], RULES.search_px["video"]


def box(*xyxy: float) -> F32:
    return np.array(xyxy, np.float32)


# crops


def test_the_crop_is_a_square_a_little_below_the_face() -> None:
    x1, y1, x2, y2 = crop_box(box(10, 20, 50, 80), SQUARE)
    assert x2 - x1 == pytest.approx(SQUARE.scale * 50)
    assert y2 - y1 == pytest.approx(x2 - x1)
    assert (x1 + x2) / 2 == pytest.approx(30)
    assert (y1 + y2) / 2 == pytest.approx(50 + SQUARE.down * 60)


def test_a_cut_of_the_wanted_size_is_the_picture_itself() -> None:
    rgb = texture(60, 80)
    assert np.array_equal(cut(rgb, box(10, 5, 42, 37), 32), rgb[5:37, 10:42])


def test_a_larger_cut_is_averaged_by_area() -> None:
    checkers = np.indices((64, 64)).sum(0) % 2
    rgb = np.repeat((checkers * 200)[:, :, None], 3, 2).astype(np.uint8)
    assert np.abs(cut(rgb, box(0, 0, 64, 64), 16).astype(int) - 100).max() <= 1


def test_a_smaller_cut_is_interpolated() -> None:
    ramp = np.tile(np.arange(16, dtype=np.uint8)[None, :, None] * 10, (16, 1, 3))
    row = cut(ramp, box(0, 0, 16, 16), 64)[32, :, 0].astype(int)
    assert (np.diff(row) >= 0).all()
    assert np.diff(row).max() <= 3


def test_outside_the_picture_the_border_repeats() -> None:
    rgb = texture(40, 40)
    out = cut(rgb, box(-20, -10, 20, 30), 40)
    assert np.array_equal(out[10:, 20:], rgb[:30, :20])
    assert np.array_equal(out[10:, :20], np.repeat(rgb[:30, :1], 20, 1))
    assert (out > 0).all(), "no black edge may tell how the picture was framed"


@pytest.mark.parametrize(
    ("xyxy", "corner"),
    [
        ((-50, -50, -20, -20), (0, 0)),
        ((900, -40, 930, -10), (0, -1)),
        ((900, 900, 950, 950), (-1, -1)),
        ((-9, 900, -2, 907), (-1, 0)),
    ],
)
def test_a_cut_beside_the_picture_shows_the_nearest_corner(xyxy: Box, corner: tuple[int, int]) -> None:
    rgb = texture(30, 50)
    assert (cut(rgb, box(*xyxy), 8) == rgb[corner]).all()


@pytest.mark.parametrize("xyxy", [(5, 7, 6, 8), (5.2, 7.3, 5.4, 7.5), (5, 7, 5, 7)])
def test_a_box_of_one_pixel_is_that_pixel(xyxy: tuple[float, ...]) -> None:
    rgb = texture(30, 50)
    assert (cut(rgb, box(*xyxy), 16) == rgb[7, 5]).all()


@given(
    st.tuples(*(st.floats(-300, 300) for _ in range(2)), *(st.floats(0, 400) for _ in range(2))),
    st.integers(1, 40),
    st.integers(1, 40),
)
def test_any_cut_has_its_size_and_the_colours_of_the_picture(
    place: tuple[float, float, float, float], height: int, width: int
) -> None:
    rgb = texture(height, width, soft=0.5)
    x, y, w, h = place
    out = cut(rgb, box(x, y, x + w, y + h), 12)
    assert out.shape == (12, 12, 3)
    assert out.dtype == np.uint8
    assert rgb.min() <= out.min()
    assert out.max() <= rgb.max()


def naive_cut(rgb: U8, xyxy: F32, size: int) -> U8:
    """The square with its border as one picture, averaged by area."""
    left, top, right, bottom = (int(v) for v in xyxy)
    ys, xs = (
        np.arange(a, b).clip(0, n - 1) for a, b, n in ((top, bottom, len(rgb)), (left, right, rgb.shape[1]))
    )
    whole = np.ascontiguousarray(rgb[ys][:, xs])
    return np.asarray(cv2.resize(whole, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


LARGE = cv2.resize(texture(70, 90, soft=2), (900, 700), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


@pytest.mark.parametrize("xyxy", [(0, 0, 700, 700), (100, 3, 790, 693), (199, 0, 899, 700)])
def test_a_large_cut_within_the_picture_is_its_average_to_the_bit(xyxy: Box) -> None:
    assert np.array_equal(cut(LARGE, box(*xyxy), 32), naive_cut(LARGE, box(*xyxy), 32))


@pytest.mark.parametrize(
    "xyxy",
    [
        (-101, 0, 599, 700), (300, 100, 1000, 800), (-300, -333, 700, 667), (-200, -300, 1100, 1000),
        (895, 300, 1595, 1000), (-997, -997, 3, 3), (0, -5, 705, 700), (-500, -500, 1300, 1300),
    ],
)  # fmt: skip
def test_a_large_cut_that_leaves_the_picture_is_nearly_its_average(xyxy: Box) -> None:
    got, want = cut(LARGE, box(*xyxy), 32).astype(int), naive_cut(LARGE, box(*xyxy), 32).astype(int)
    assert np.abs(got - want).mean() <= 2
    assert np.abs(got - want).max() <= 14
    assert np.abs(got.mean((0, 1)) - want.mean((0, 1))).max() <= 1.5


@pytest.mark.parametrize("shift", [0, -500, 2500])
def test_a_cut_of_a_huge_face_takes_little_memory(shift: int) -> None:
    rgb = np.full((5000, 6000, 3), 99, np.uint8)
    tracemalloc.start()
    out = cut(rgb, box(shift, shift, shift + 5000, shift + 5000), 224)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (out == 99).all()
    assert peak < 12e6, "the square itself has 75 MB"


def test_a_box_far_larger_than_any_picture_does_no_harm() -> None:
    out = cut(texture(30, 50), box(-3e8, -2e8, 3e8, 4e8), 16)
    assert out.shape == (16, 16, 3)


def test_a_native_piece_is_never_resampled() -> None:
    rgb = texture(500, 700)
    piece = native_piece(rgb, box(300, 200, 400, 320), PIECE)
    places = [
        (y, x)
        for y in range(500 - piece.shape[0] + 1)
        for x in range(700 - piece.shape[1] + 1)
        if np.array_equal(rgb[y, x], piece[0, 0])
        and np.array_equal(rgb[y : y + piece.shape[0], x : x + piece.shape[1]], piece)
    ]
    assert len(places) == 1
    y, x = places[0]
    assert abs(x + piece.shape[1] / 2 - 350) <= 1
    assert abs(y + piece.shape[0] / 2 - (260 + SQUARE.down * 120)) <= 1


@given(
    st.integers(1, 400), st.integers(1, 400), st.floats(-50, 450), st.floats(-50, 450), st.floats(0.5, 3000)
)
def test_a_native_piece_stays_within_picture_and_bounds(
    height: int, width: int, x: float, y: float, side: float
) -> None:
    rgb = np.zeros((height, width, 3), np.uint8)
    piece = native_piece(rgb, box(x, y, x + side, y + side), PIECE)
    assert 1 <= piece.shape[0] <= min(height, PIECE.most_px + 1)
    assert 1 <= piece.shape[1] <= min(width, PIECE.most_px + 1)
    if side <= PIECE.largest_px:
        assert piece.shape[0] >= min(height, PIECE.least_px - 1)
        assert piece.shape[1] >= min(width, PIECE.least_px - 1)


def test_the_native_piece_of_a_huge_face_is_reduced_by_a_whole_number() -> None:
    rgb = np.kron(texture(900, 900, soft=0.5), np.ones((2, 2, 1), np.uint8))
    piece = native_piece(rgb, box(300, 300, 1300, 1300), PIECE)
    assert max(piece.shape) <= PIECE.most_px
    flat = np.abs(np.diff(piece[:, ::2].astype(int), axis=1)).mean()
    assert flat > 3, "halved, the doubled pixels are single ones again"


# boxes

sides = st.tuples(
    *(st.integers(0, 60) for _ in range(2)), *(st.integers(1, 40) for _ in range(2)), st.integers(1, 99)
)


def naive_iou(a: F32, b: F32) -> float:
    grid = np.zeros((2, 110, 110), bool)
    for plane, (x1, y1, x2, y2) in zip(grid, (a.astype(int), b.astype(int)), strict=True):
        plane[y1:y2, x1:x2] = True
    return float((grid[0] & grid[1]).sum() / (grid[0] | grid[1]).sum())


def found_of(faces: list[tuple[int, ...]]) -> Detections:
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in faces], np.float32).reshape(-1, 4)
    return Detections(boxes, landmarks_of(boxes), np.array([f[4] / 100 for f in faces], np.float32))


@given(st.lists(sides, min_size=1, max_size=8))
def test_overlap_is_counted_in_pixels(faces: list[tuple[int, ...]]) -> None:
    boxes = found_of(faces).boxes_xyxy
    assert iou(boxes[:1], boxes)[0] == pytest.approx([naive_iou(boxes[0], b) for b in boxes], abs=1e-6)


def naive_suppress(found: Detections) -> list[tuple[F32, F32, float]]:
    """Greedy grouping, surest first; a group's box and landmarks are its mean by squared score."""
    left = sorted(range(len(found)), key=lambda i: -found.scores[i])
    groups = []
    while left:
        overlap = {i: naive_iou(found.boxes_xyxy[left[0]], found.boxes_xyxy[i]) for i in left}
        same = [i for i in left if overlap[i] >= MERGE_IOU]
        total = sum(found.scores[i] ** 2 for i in same)
        box = sum(found.scores[i] ** 2 * found.boxes_xyxy[i] for i in same) / total
        points = sum(found.scores[i] ** 2 * found.landmarks_xy[i] for i in same) / total
        groups.append((box, points, float(found.scores[left[0]])))
        left = [i for i in left if overlap[i] < NMS_IOU]
    return groups


@given(st.lists(sides, max_size=12))
def test_cells_that_agree_are_averaged_and_the_others_dropped(faces: list[tuple[int, ...]]) -> None:
    found = found_of(faces)
    wanted = naive_suppress(found)
    out = suppress(found)
    kept = [int(np.abs(np.stack([g[0] for g in wanted]) - box).max(1).argmin()) for box in out.boxes_xyxy]
    assert len(set(kept)) == len(out)
    assert kept == sorted(kept), "surest first"
    for row, k in enumerate(kept):
        assert out.boxes_xyxy[row] == pytest.approx(wanted[k][0], abs=1e-3)
        assert out.landmarks_xy[row] == pytest.approx(wanted[k][1], abs=1e-3)
        assert out.scores[row] == pytest.approx(wanted[k][2])
    for k in set(range(len(wanted))) - set(kept):
        assert any(
            nested(wanted[k][0], w[0]) or nested(w[0], wanted[k][0]) for w in wanted if w is not wanted[k]
        )


def nested(small: F32, large: F32) -> bool:
    span = np.minimum(small[2:], large[2:]) - np.maximum(small[:2], large[:2])
    return float(np.clip(span, 0, None).prod()) > 0.999 * NESTED * float((small[2:] - small[:2]).prod())


@pytest.mark.parametrize(("inner", "outer", "left"), [(90, 80, 100.0), (90, 30, 30.0)])
def test_of_a_box_within_a_box_the_larger_stays_unless_it_is_far_less_sure(
    inner: int, outer: int, left: float
) -> None:
    out = suppress(found_of([(40, 40, 30, 30, inner), (10, 10, 100, 100, outer)]))
    assert [float(b[2] - b[0]) for b in out.boxes_xyxy] == pytest.approx([left])


# the finder


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> MarkerNet:
    fake, look = MarkerNet(), SureLook()
    monkeypatch.setattr(models, "load", lambda name, settings: look if name == "face_check" else fake)
    return fake


def faces_in(rgb: U8, search_px: tuple[int, ...] = SEARCH_PX) -> Detections:
    return FaceFinder(Settings()).detect(rgb, search_px)


@pytest.mark.parametrize(
    ("size", "marker"),
    [
        ((240, 320), (100, 60, 180, 160)),
        ((100, 90), (20, 20, 70, 80)),
        ((1200, 900), (300, 400, 500, 640)),
        ((700, 2000), (1500, 200, 1640, 380)),
        ((2400, 3000), (400, 500, 1900, 2200)),
        ((33, 700), (300, 3, 325, 30)),
    ],
)
def test_boxes_and_landmarks_come_back_in_pixels_of_the_picture(
    net: MarkerNet, size: tuple[int, int], marker: Box
) -> None:
    found = faces_in(with_markers(texture(*size), [marker]))
    assert len(found) == 1, "found at several scales, told once"
    pixel = max(1.0, max(size) / 320)
    assert found.boxes_xyxy[0] == pytest.approx(marker, abs=1.5 * pixel)
    assert found.landmarks_xy[0] == pytest.approx(landmarks_of(box(*marker)[None])[0], abs=1.5 * pixel)
    assert found.scores[0] > 0.9


def test_several_faces_of_all_sizes_come_surest_first(net: MarkerNet) -> None:
    markers = [(40, 40, 440, 480), (700, 60, 760, 130), (820, 400, 845, 430), (600, 500, 720, 640)]
    found = faces_in(with_markers(texture(720, 960), markers))
    assert len(found) == 4
    overlaps = [iou(b[None], np.array(markers, np.float32)).max() for b in found.boxes_xyxy]
    assert min(overlaps) > 0.8
    assert (np.diff(found.scores) <= 0).all()


def test_small_pictures_are_searched_once_and_large_ones_as_finely_as_asked(net: MarkerNet) -> None:
    marker = [(10, 10, 60, 70)]
    faces_in(with_markers(texture(200, 200), marker))
    assert len(net.boards) == 2, "as it is and in the mirror"
    net.boards.clear()
    faces_in(with_markers(texture(1600, 1600), [(100, 100, 900, 1000)]), VIDEO_SEARCH_PX)
    assert [max(b) for b in net.boards[::2]] == list(VIDEO_SEARCH_PX)
    net.boards.clear()
    faces_in(with_markers(texture(1600, 1600), [(100, 100, 900, 1000)]))
    assert [max(b) for b in net.boards[::2]] == list(SEARCH_PX)


def test_a_picture_without_a_find_is_shown_again_with_a_margin_and_in_every_quarter_turn(
    net: MarkerNet,
) -> None:
    assert len(faces_in(texture(224, 192))) == 0
    upright, lying, wide = (224, 192), (192, 224), (320, 320)
    assert net.boards[:4:2] == [upright, wide], "and once more each in the mirror"
    assert net.boards[4:] == [lying, wide, lying, wide, upright, wide], "quickly, one way round"


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (2, 33)])
def test_pictures_of_odd_shape_hold_no_face_and_do_no_harm(net: MarkerNet, size: tuple[int, int]) -> None:
    found = faces_in(np.zeros((*size, 3), np.uint8))
    assert found.boxes_xyxy.shape == (0, 4)
    assert found.landmarks_xy.shape == (0, 5, 2)


def test_a_box_that_claims_far_more_than_the_picture_is_dropped(
    net: MarkerNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absurd(x: F32) -> tuple[F32, ...]:
        cells = sum((x.shape[2] // s) * (x.shape[3] // s) for s in (8, 16, 32))
        rows = np.full((1, cells, 15), -9.0, np.float32)
        rows[0, -1] = [9.0, 0, 0, 6, 6, *[0] * 10]
        return (rows,)

    monkeypatch.setattr(net, "run", absurd)
    assert len(faces_in(texture(300, 300))) == 0


def test_a_photograph_gives_one_track_a_face_the_largest_first(net: MarkerNet) -> None:
    rgb = with_markers(texture(400, 600), [(20, 20, 80, 90), (200, 60, 420, 330)])
    told: list[float] = []
    tracks = FaceFinder(Settings()).find(media([rgb]), told.append)
    assert [t.track_id for t in tracks] == [1, 2]
    assert tracks[0].boxes_xyxy[0] == pytest.approx([200, 60, 420, 330], abs=3)
    assert told == [1.0]
    assert tracks[0].crops.shape == (1, 224, 224, 3)
    assert np.array_equal(tracks[0].crops[0], cut(rgb, crop_box(tracks[0].boxes_xyxy[0], SQUARE), 224))
    assert np.array_equal(tracks[1].native[0], native_piece(rgb, tracks[1].boxes_xyxy[0], PIECE))


@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_frames_added_one_by_one_give_what_the_whole_video_gives(net: MarkerNet, data: st.DataObject) -> None:
    place = st.tuples(st.integers(0, 150), st.integers(0, 80), st.integers(40, 90))
    frames = [
        with_markers(texture(180, 320, 1), [(x, y, x + side, y + side) for x, y, side in places])
        for places in data.draw(st.lists(st.lists(place, max_size=2), min_size=1, max_size=14))
    ]
    clip, finder = media(frames, kind="video"), FaceFinder(Settings(video_crops=4))
    stream = finder.stream()
    for frame in clip.frames(len(frames)):
        stream.add(frame)
    assert ranked(stream.tracks()) == finder.find(clip)


def test_without_its_model_there_is_no_finder(tmp_path: object) -> None:
    with pytest.raises(ModelError, match="faces"):
        FaceFinder(Settings(models_dir=str(tmp_path)))


def test_what_is_surely_no_face_is_left_out_and_what_may_be_none_is_kept_with_its_doubt(
    net: MarkerNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    rgb = with_markers(texture(300, 300), [(80, 60, 200, 220)])
    for logit, kept in ((-3.0, 0), (-0.5, 1), (3.0, 1)):
        look = SureLook(logit)
        monkeypatch.setattr(models, "load", lambda name, _, look=look: look if name == "face_check" else net)
        found = faces_in(rgb)
        assert len(found) == kept
        if kept:
            assert found.certainty[0] == pytest.approx(1 / (1 + np.exp(-logit)))
