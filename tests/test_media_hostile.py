"""Whatever is no sound picture or video is refused in one line: no traceback, no hang, no word on stderr."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from haechi.errors import DamagedFile, InputError, NotAFile, UnknownFormat
from haechi.media import open_media
from haechi.media.extent import Extent
from haechi.media.jpeg_header import read_header
from haechi.settings import Settings
from haechi.types import U8
from hostile import Hostile, samples, write_corpus
from tinypicture import encoded, pictures
from tinyvideo import mp4

DEFAULT = Settings()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[Hostile]:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


# --- what must be refused, and how ---------------------------------------------------------------


def test_corpus(corpus: list[Hostile]) -> None:
    for item in corpus:
        if item.error is None:
            media = open_media(item.path, DEFAULT)
            frames = list(media.frames(20))
            assert frames, item.note
            assert all(f.rgb.dtype == np.uint8 and f.rgb.ndim == 3 and f.rgb.shape[2] == 3 for f in frames)
            assert frames[0].rgb.shape[:2] == (media.height_px, media.width_px), item.note
            assert [f.time_s for f in frames] == sorted(f.time_s for f in frames)
            continue
        with pytest.raises(item.error) as caught:
            list(open_media(item.path, DEFAULT).frames(20))
        message = caught.value.message
        assert "\n" not in message, item.note
        assert message.endswith((".", ")")), message
        assert str(item.path.parent) not in message, item.note


def test_corpus_as_bytes_gives_the_same(corpus: list[Hostile]) -> None:
    for item in corpus:
        if not item.path.is_file() or item.path.name.startswith("cut"):
            continue
        if item.error is None:
            assert list(open_media(item.path.read_bytes(), DEFAULT).frames(2)), item.note
        else:
            with pytest.raises(item.error):
                list(open_media(item.path.read_bytes(), DEFAULT).frames(20))


def test_nothing_is_said_on_stderr(corpus: list[Hostile]) -> None:
    """Decoders complain on the file descriptor, past Python, so a whole process is looked at."""
    code = (
        "import sys\nfrom haechi.media import open_media\nfrom haechi.settings import Settings\n"
        "from haechi.errors import InputError\n"
        "for name in sys.argv[1:]:\n"
        "    try: list(open_media(name, Settings()).frames(5))\n"
        "    except InputError: pass\n"
    )
    names = [str(item.path) for item in corpus if item.path.is_file()]
    done = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, timeout=120, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.jpg"
    path.write_bytes(samples()["jpg"])

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    path.chmod(0)
    if os.access(path, os.R_OK):  # root may read everything: let the system's refusal be played
        monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(NotAFile, match="permission") as caught:
        open_media(path, DEFAULT)
    assert str(tmp_path) not in caught.value.message


def test_names_that_are_no_files(tmp_path: Path) -> None:
    for name in (
        "",
        "a\x00b.jpg",
        "x" * 5000,
        "https://example.org/a.jpg",
        str(tmp_path / "a.jpg" / "b.jpg"),
    ):
        with pytest.raises(NotAFile):
            open_media(name, DEFAULT)
    with pytest.raises(NotAFile, match="nothing is fetched"):
        open_media("https://example.org/a.jpg", DEFAULT)


@pytest.mark.parametrize("ending", sorted(pictures()))
def test_a_picture_that_misses_any_part_of_its_end(ending: str) -> None:
    data = samples()[ending]
    for length in range(1, len(data) - 1, max(1, len(data) // 60)):
        with pytest.raises(InputError):
            open_media(data[:length], DEFAULT)


def test_a_jpeg_cut_inside_a_large_scan_is_never_filled_with_grey() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    for options in ({}, {"progressive": True}):
        data = encoded(noise, "JPEG", **options)
        for tenth in range(1, 10):
            with pytest.raises(DamagedFile):
                open_media(data[: len(data) * tenth // 10], DEFAULT)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize(
    "options",
    [{}, {"restart_marker_rows": 1}, {"restart_marker_blocks": 7}, {"optimize": True}, {"progressive": True}],
)
def test_an_end_marker_behind_a_cut_hides_nothing(mode: str, options: dict[str, Any]) -> None:
    rgb = np.random.default_rng(6).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(rgb).convert(mode), "JPEG", **options)
    for tenth in range(4, 10):
        with pytest.raises(DamagedFile, match="cut off"):
            open_media(data[: len(data) * tenth // 10] + b"\xff\xd9", DEFAULT)
    for value in (0, 127, 128, 255):
        rgb[40:] = value
        assert open_media(encoded(Image.fromarray(rgb).convert(mode), "JPEG", **options), DEFAULT)


def test_metadata_cannot_spoil_a_jpeg() -> None:
    whole = samples()["jpg"]
    for segment in (b"\xff\xe0\0\x07JFIF\0", b"\xff\xed\0\x11Photoshop 3.0\0\x01", b"stray"):
        spoilt = whole[:20] + segment + whole[20:]
        assert np.array_equal(first_rgb(spoilt), first_rgb(whole))


def first_rgb(data: bytes) -> U8:
    return next(open_media(data, DEFAULT).frames(1)).rgb


@pytest.mark.parametrize(
    ("fourcc", "spoilt", "fine"),
    [
        ("mp4v", (0.5, 1.0), False),
        ("mp4v", (0.7, 1.0), False),
        ("mp4v", (0.3, 0.4), False),
        ("mp4v", (0.97, 1.0), True),
        ("vp09", (0.5, 1.0), False),
        ("vp09", (0.97, 1.0), True),
    ],
)
def test_a_video_that_stops_decoding_is_refused_at_its_end(
    tmp_path: Path, fourcc: str, spoilt: tuple[float, float], fine: bool
) -> None:
    data = bytearray(mp4(tmp_path / "a.mp4", frames=100, fourcc=fourcc).read_bytes())
    at = data.index(b"mdat") + 4
    size = int.from_bytes(data[at - 8 : at - 4], "big") - 8
    start, stop = (at + int(size * share) for share in spoilt)
    data[start:stop] = bytes(stop - start)
    media = open_media(bytes(data), DEFAULT)
    if fine:
        assert len(list(media.frames(20))) >= 19
        return
    with pytest.raises(DamagedFile, match=r"(cannot|can) be decoded"):
        list(media.frames(20))


def test_what_may_be_missing_from_a_video_and_what_not() -> None:
    def extent(times: Iterable[float]) -> Extent:
        return reduce(Extent.with_one, times, Extent())

    steady = [n / 25 for n in range(100)]
    packets = extent(steady)
    fine = {
        "all": steady,
        "two fields in two packets": steady[::2],
        "two fields, second one first": steady[1::2],
        "an end that is a little short": steady[:92],
        "single frames dropped": [at for n, at in enumerate(steady) if n % 7],
    }
    for decoded in fine.values():
        packets.check(extent(decoded))
    for decoded in (steady[:49], steady[:85], steady[15:], steady[:30] + steady[45:], steady[::3], []):
        with pytest.raises(DamagedFile):
            packets.check(extent(decoded))
    # Packets in the order of decoding; a slide show whose last picture stands long; four fields; no times.
    extent([0.0, 0.12, 0.04, 0.08, 0.24, 0.16, 0.2]).check(extent([0.0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.24]))
    extent([0.0, 10.0, 60.0]).check(extent([0.0, 10.0]))
    extent([0.0, 0.02, 0.04, 0.06, 0.08]).check(extent([0.0, 0.04]))
    extent([0.0] * 10).check(extent([0.0] * 5))


def test_fill_bytes_that_lead_to_no_marker_are_passed_in_a_moment() -> None:
    whole = samples()["jpg"]
    at = whole.index(b"\xff\xda") + 40
    for follower in (b"\0", b"\xd0"):
        began = time.process_time()
        read_header(whole[:at] + b"\xff" * 300_000 + follower + whole[at:])
        assert time.process_time() - began < 1.0


# --- anything at all ------------------------------------------------------------------------------


def readable_or_refused(data: bytes) -> None:
    """Either frames that are RGB pictures, or an InputError: never anything else."""
    limits = Settings(max_pixels=4_000_000, decode_timeout_s=20.0)
    try:
        frames = list(open_media(data, limits).frames(8))
    except InputError:
        return
    assert frames
    assert all(f.rgb.dtype == np.uint8 and f.rgb.ndim == 3 and f.rgb.shape[2] == 3 for f in frames)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes(data: bytes) -> None:
    readable_or_refused(data)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(samples())), st.binary(max_size=300), st.integers(4, 64))
def test_a_right_beginning_then_any_bytes(ending: str, tail: bytes, keep: int) -> None:
    readable_or_refused(samples()[ending][:keep] + tail)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(sorted(samples())), st.integers(0, 2**32), st.integers(1, 12), st.booleans())
def test_flipped_bytes(ending: str, seed: int, flips: int, cut: bool) -> None:
    chance = random.Random(seed)
    data = bytearray(samples()[ending])
    for _ in range(flips):
        # Headers come first and are the more fragile part: half of the flips go there.
        at = chance.randrange(min(200, len(data)) if chance.random() < 0.5 else len(data))
        data[at] = chance.randrange(256)
    readable_or_refused(bytes(data[: chance.randrange(len(data))] if cut else data))


def test_text_is_named_as_such() -> None:
    for data, word in (
        (b"<!doctype html><p>", "web page"),
        (b"PK\x03\x04\x14\x00\x01\x00" + bytes(40), "password-protected zip"),
        (b"PK\x03\x04\x14\x00\x00\x00" + bytes(40), "zip"),
        (b"%PDF-1.4\n", "PDF"),
        (b"hello\n", "text"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", "WAV"),
    ):
        with pytest.raises(UnknownFormat, match=word):
            open_media(data, DEFAULT)
