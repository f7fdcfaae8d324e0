"""Files of the kinds that people really have, from their bytes to the verdict.

How each is decoded is tried in ``test_media_…``; here, that what is decoded comes to be judged, or that the
report says why not.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from case_files import (
    H264,
    bars,
    film,
    motion_photo,
    needs_ffmpeg,
    pixels,
    planet,
    portrait_film,
    saved,
    scene,
    second_picture,
)
from haechi.media import open_media
from haechi.pipeline import Pipeline
from haechi.report.data import to_dict
from haechi.settings import Settings
from haechi.types import Report


@pytest.fixture(scope="module")
def checker() -> Pipeline:
    return Pipeline(Settings())


def judged(report: Report) -> bool:
    return len(report.faces) == 1 and report.verdict.level != "unknown"


def untested(report: Report) -> str:
    return " ".join(to_dict(report)["not_tested"])


@needs_ffmpeg
def test_an_interlaced_video_is_judged_and_never_shown_in_place_of_the_next(
    checker: Pipeline, tmp_path: Path
) -> None:
    interlaced = (*H264, "-x264-params", "tff=1", "-flags", "+ildct+ilme")
    assert judged(checker.check(portrait_film(tmp_path / "face.mp4", *interlaced)))
    after = film(tmp_path / "bars.mp4", [bars(step=i) for i in range(8)], *interlaced)
    report = checker.check(after)
    assert (len(report.faces), report.verdict.level) == (0, "unknown")
    wanted = pixels(bars()).reshape(-1, 3)
    for frame in open_media(after, Settings()).frames(8):
        shown = pixels(Image.fromarray(frame.rgb))
        nearest = [abs(colour - shown[180, ::8]).max(axis=1) for colour in {*map(tuple, wanted)}]
        assert sum(min(away) < 40 for away in zip(*nearest, strict=True)) > 70, "of 80, but for edges"


def test_a_planet_is_not_judged(checker: Pipeline) -> None:
    report = checker.check(saved(planet(), "JPEG", quality=90))
    assert (len(report.faces), report.verdict.level) == (0, "unknown")


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_a_photograph_turned_without_a_note_is_judged_as_the_upright_one(
    checker: Pipeline, astronaut: Path, angle: int
) -> None:
    upright = Image.open(astronaut).convert("RGB")
    turned = saved(upright.rotate(angle, expand=True), "WEBP", quality=95)
    before = checker.check(saved(upright, "WEBP", quality=95))
    assert checker.check(turned).verdict.level in (before.verdict.level, "unknown")


def test_a_jpeg_that_lacks_only_its_end_mark_is_judged_as_the_whole_one(
    checker: Pipeline, astronaut: Path
) -> None:
    data = saved(Image.open(astronaut).convert("RGB"), "JPEG", quality=95)
    whole, cut = checker.check(data), checker.check(data[:-2])
    assert judged(cut)
    assert cut.verdict.score == pytest.approx(whole.verdict.score, abs=1e-6)


@needs_ffmpeg
def test_jpeg_xl_is_judged(checker: Pipeline, tmp_path: Path) -> None:
    pytest.importorskip("pylibjxl")
    path = film(tmp_path / "a.jxl", [scene()], "-frames:v", "1", "-c:v", "libjxl", "-distance", "1")
    assert judged(checker.check(path))


@needs_ffmpeg
def test_av1_is_judged(checker: Pipeline, tmp_path: Path) -> None:
    path = portrait_film(tmp_path / "a.mp4", "-c:v", "libsvtav1", "-pix_fmt", "yuv420p", "-crf", "30")
    assert judged(checker.check(path))


@needs_ffmpeg
def test_a_video_of_oblong_pixels_is_judged_in_its_true_shape(checker: Pipeline, tmp_path: Path) -> None:
    report = checker.check(portrait_film(tmp_path / "a.mp4", "-vf", "scale=480:360,setsar=4/3", *H264))
    assert (report.media.width_px, report.media.height_px) == (640, 360)
    assert judged(report)
    left, top, right, bottom = report.faces[0].boxes_xyxy[0]
    assert 0.65 < (right - left) / (bottom - top) < 1.0, "a face is not a quarter too narrow"


@needs_ffmpeg
def test_what_a_camcorder_writes_is_judged(checker: Pipeline, tmp_path: Path) -> None:
    path = portrait_film(tmp_path / "a.m2ts", *H264, "-f", "mpegts", "-mpegts_m2ts_mode", "1")
    assert judged(checker.check(path))


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_a_moving_picture_behind_a_title_is_judged(checker: Pipeline, form: str) -> None:
    more = {"save_all": True, "append_images": [scene()] * 8, "duration": 200}
    report = checker.check(saved(bars(), form, **more))
    assert report.media.kind == "video"
    assert judged(report)


def test_a_second_picture_is_named(checker: Pipeline) -> None:
    first, second = (saved(image, "JPEG", quality=95) for image in (bars(), scene()))
    assert "Further pictures in this file (1)" in untested(checker.check(second_picture(first, second)))
    assert "Further pictures" not in untested(checker.check(first))


@needs_ffmpeg
def test_the_video_behind_a_photograph_is_named(checker: Pipeline, tmp_path: Path) -> None:
    picture = saved(scene(), "JPEG", quality=95)
    video = portrait_film(tmp_path / "a.mp4", *H264).read_bytes()
    report = checker.check(motion_photo(picture, video))
    assert judged(report)
    assert "The video in this file (a motion photo)" in untested(report)
    assert "motion photo" not in untested(checker.check(picture))
