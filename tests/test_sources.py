"""Everything that a picture may be handed over as, and what is said about it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fakes import COLOURS, finder, judges, picture
from haechi.errors import DamagedFile, HaechiError, NotAFile, OverLimit, UnknownFormat, UsageError
from haechi.media.sources import open_source
from haechi.pipeline import Pipeline
from haechi.settings import LANGUAGES, Settings
from haechi.types import U8
from synthetic import texture

SETTINGS = Settings()
ORIENTATION = 0x0112


def rgb(height: int = 48, width: int = 64) -> U8:
    return texture(height, width, 5)


def pixels(source: Any, settings: Settings = SETTINGS) -> U8:
    _, media = open_source(source, settings)
    (frame,) = media.frames(1)
    return frame.rgb


def png(picture: Image.Image, **more: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", **more)
    return out.getvalue()


def test_one_picture_in_every_form_is_the_same_pixels(tmp_path: Path) -> None:
    image = Image.fromarray(rgb())
    path = tmp_path / "a.png"
    path.write_bytes(png(image))
    forms: list[Any] = [path, str(path), path.read_bytes(), bytearray(path.read_bytes()), image, rgb()]
    forms += [memoryview(path.read_bytes()), io.BytesIO(path.read_bytes())]
    with path.open("rb") as file, path.open("rb", buffering=0) as raw:
        for source in [*forms, file, raw]:
            assert np.array_equal(pixels(source), rgb()), type(source)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I;16", "I", "F"]
)
def test_every_mode_of_pillow_is_converted(mode: str) -> None:
    grey = Image.fromarray(np.linspace(0, 255, 48 * 64).reshape(48, 64).astype(np.uint8))
    deep = np.asarray(grey).astype(np.uint16) * 257
    image = Image.fromarray(deep) if mode == "I;16" else grey.convert(mode)
    seen = pixels(image)
    assert seen.shape == (48, 64, 3)
    if mode not in ("1", "P"):
        assert np.abs(seen.astype(int) - np.asarray(grey)[:, :, None]).max() <= 3


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_turned_picture_stands_as_its_file_does(turn: int) -> None:
    image = Image.fromarray(rgb())
    exif = Image.Exif()
    exif[ORIENTATION] = turn
    data = png(image, exif=exif)
    assert np.array_equal(pixels(Image.open(io.BytesIO(data))), pixels(data))
    assert pixels(data).shape == ((48, 64, 3) if turn < 5 else (64, 48, 3))


def test_a_picture_opened_from_a_file_is_judged_by_its_pixels(tmp_path: Path) -> None:
    path = picture(tmp_path / "strong.png", "strong")
    pipeline = Pipeline(SETTINGS, finder=finder, judges=judges())
    with Image.open(path) as image:
        by_pixels = pipeline.check(image)
    by_file = pipeline.check(path)
    assert by_pixels.verdict == by_file.verdict
    assert by_pixels.evidence == by_file.evidence
    assert by_pixels.media.container == {"format": "pixels"}
    assert by_pixels.claims == ()
    for lang in LANGUAGES:
        lines, file_lines = (r.to_dict(lang)["not_tested"] for r in (by_pixels, by_file))
        assert len(set(lines) - set(file_lines)) == 2, "the file, and watermarks in the place of all marks"
        page = by_pixels.to_html(lang)
        assert by_pixels.media.sha256 in page
        assert page != by_file.to_html(lang)
    assert any("pixels alone" in line for line in by_pixels.to_dict()["not_tested"])
    assert "SHA-256 of the pixels" in by_pixels.to_html()


def test_the_array_may_change_after_it_was_handed_over() -> None:
    array = rgb()
    _, media = open_source(array, SETTINGS)
    array[:] = 0
    (frame,) = media.frames(1)
    assert np.array_equal(frame.rgb, rgb())
    assert np.array_equal(pixels(rgb()[:, ::-1, ::-1]), rgb()[:, ::-1, ::-1]), "a view as good as a copy"


def test_pixels_have_a_fingerprint_of_their_own() -> None:
    fingerprints = {open_source(source, SETTINGS)[1].sha256 for source in (rgb(), Image.fromarray(rgb()))}
    assert len(fingerprints) == 1
    assert open_source(png(Image.fromarray(rgb())), SETTINGS)[1].sha256 not in fingerprints


def test_what_was_just_written_to_memory_is_read_from_its_start() -> None:
    out = io.BytesIO()
    Image.fromarray(rgb()).save(out, "PNG")
    assert out.tell() > 0
    assert np.array_equal(pixels(out), rgb())


class Stream(io.RawIOBase):
    """A file object that cannot seek, and gives a few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def readinto(self, buffer: Any) -> int:
        part = self._data.read(min(len(buffer), 100))
        buffer[: len(part)] = part
        return len(part)


def test_a_file_object_that_cannot_seek_is_read_to_its_end() -> None:
    assert np.array_equal(pixels(Stream(png(Image.fromarray(rgb())))), rgb())
    assert np.array_equal(pixels(io.BufferedReader(Stream(png(Image.fromarray(rgb()))))), rgb())


@pytest.mark.parametrize(
    ("source", "kind", "words"),
    [
        (rgb().astype(np.float32) / 255, UsageError, "holds float32.*astype"),
        (rgb().astype(np.int64), UsageError, "holds int64"),
        (rgb()[:, :, 0], UsageError, r"\(48, 64\).*dstack"),
        (np.dstack([rgb(), rgb()[:, :, :1]]), UsageError, r"transparency, as in a\[:, :, :3\]"),
        (rgb()[:, :, :1], UsageError, "repeat the grey"),
        (rgb().transpose(2, 0, 1), UsageError, r"transpose\(1, 2, 0\)"),
        (rgb()[None], UsageError, r"a\[0\]"),
        (np.zeros(3, np.uint8), UsageError, "one picture in RGB"),
        (np.zeros((0, 4, 3), np.uint8), DamagedFile, "0 pixels"),
        (io.StringIO("words"), UsageError, "binary mode"),
        (io.BytesIO(b"only words, no picture"), UnknownFormat, "."),
        (io.BytesIO(), HaechiError, "empty"),
        (None, UsageError, "A NoneType cannot be checked: give a path"),
        (3, UsageError, "A int cannot"),
        (["a.png"], UsageError, "A list cannot"),
        (Path("nowhere.png"), NotAFile, "no such file"),
    ],
)
def test_what_cannot_be_checked_is_an_error_that_says_what_to_do(
    source: Any, kind: type[HaechiError], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        open_source(source, SETTINGS)
    assert "\n" not in str(caught.value)


def test_closed_files_and_cut_pictures_are_errors() -> None:
    closed = io.BytesIO(b"x")
    closed.close()
    with pytest.raises(DamagedFile, match="closed"):
        open_source(closed, SETTINGS)
    data = png(Image.fromarray(texture(200, 200, 1)))
    with pytest.raises(DamagedFile, match="cannot be decoded"):
        open_source(Image.open(io.BytesIO(data[: len(data) // 2])), SETTINGS)
    image = Image.open(io.BytesIO(data))
    image.close()
    with pytest.raises(DamagedFile, match="keep its file open"):
        open_source(image, SETTINGS)


def test_limits_hold_for_pixels_and_file_objects_too() -> None:
    few = Settings(max_pixels=100)
    for source in (rgb(), Image.fromarray(rgb())):
        with pytest.raises(OverLimit, match="64 x 48 pixels"):
            open_source(source, few)
    with pytest.raises(OverLimit, match="more than 100 bytes"):
        open_source(io.BytesIO(png(Image.fromarray(rgb()))), Settings(max_bytes=100))


def test_a_colour_profile_is_followed_as_in_a_file() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = png(Image.fromarray(rgb()), icc_profile=profile)
    image = Image.open(io.BytesIO(data))
    assert np.array_equal(pixels(image), pixels(data))
    assert "colour_profile" in open_source(image, SETTINGS)[1].container


def test_the_shipped_models_judge_pixels_as_they_judge_the_file(astronaut: Path, shipped: Settings) -> None:
    pipeline = Pipeline(shipped)
    by_file, by_pixels = pipeline.check(astronaut), pipeline.check(Image.open(astronaut))
    assert by_pixels.evidence == by_file.evidence
    assert by_pixels.verdict == by_file.verdict
    assert set(COLOURS) > {by_file.verdict.level}
