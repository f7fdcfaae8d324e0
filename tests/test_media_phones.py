"""What phones and web pages write by default: HEIC, JPEG XL, wide colours, JPEGs without an end, raws."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from haechi.errors import DamagedFile, OverLimit, UnknownFormat
from haechi.media import open_media
from haechi.settings import Settings
from haechi.types import U8
from tinyheic import heic, needs_x265, tiles
from tinypicture import encoded, jpeg_xl
from tinyvideo import picture

DEFAULT = Settings()


def first(source: bytes) -> U8:
    return next(open_media(source, DEFAULT).frames(1)).rgb


def smooth(width: int = 128, height: int = 128) -> U8:
    y, x = np.mgrid[:height, :width]
    rgb = np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)], axis=2)
    return np.ascontiguousarray(rgb.astype(np.uint8))


# --- HEIC -----------------------------------------------------------------------------------------


@needs_x265
def test_heic_of_three_kinds() -> None:
    rgb = smooth(256, 128)
    media = open_media(heic([rgb]), DEFAULT)
    assert (media.kind, media.container["format"], media.container["bit_depth"]) == ("image", "heic", 8)
    assert np.abs(first(heic([rgb])).astype(int) - rgb).mean() < 3
    grid = heic(tiles(rgb, 2, 4), grid=(2, 4))
    assert open_media(grid, DEFAULT).width_px == 256
    assert np.abs(first(grid).astype(int) - rgb).mean() < 3
    deep = heic([rgb], ten_bits=True)
    assert open_media(deep, DEFAULT).container["bit_depth"] == 10
    assert np.abs(first(deep).astype(int) - rgb).mean() < 3
    burst = open_media(heic([rgb, rgb[:, ::-1].copy(), rgb[::-1].copy()]), DEFAULT)
    assert burst.container["frames"] == 3
    assert np.abs(next(burst.frames(1)).rgb.astype(int) - rgb).mean() < 3


@needs_x265
def test_heic_is_turned_exactly_once_and_held_to_the_limits() -> None:
    rgb = smooth(256, 128)
    turned = heic([rgb], turn=1)
    assert np.abs(first(turned).astype(int) - np.rot90(rgb)).mean() < 3
    with pytest.raises(OverLimit, match="HAECHI_MAX_PIXELS"):
        open_media(turned, Settings(max_pixels=256 * 128 - 1))
    with pytest.raises(OverLimit, match="HAECHI_MAX_MEMORY_BYTES"):
        open_media(turned, Settings(max_memory_bytes=100_000))


@needs_x265
def test_a_heic_that_misses_a_part_is_refused() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    for whole in (heic([noise]), heic(tiles(noise, 2, 2), grid=(2, 2))):
        for tenth in range(1, 10):
            with pytest.raises(DamagedFile):
                open_media(whole[: len(whole) * tenth // 10], DEFAULT)


# --- JPEG XL --------------------------------------------------------------------------------------


def test_jpeg_xl_plain_and_in_a_container() -> None:
    pytest.importorskip("pylibjxl")
    rgb = smooth()
    exif = Image.Exif()
    exif[0x010F] = "Acme"
    for data in (jpeg_xl(rgb), jpeg_xl(rgb, lossless=True), jpeg_xl(rgb, exif=exif.tobytes())):
        media = open_media(data, DEFAULT)
        assert (media.kind, media.container["format"]) == ("image", "jxl")
        assert np.abs(first(data).astype(int) - rgb).mean() < 3
    assert media.container["camera_make"] == "Acme"
    grey = jpeg_xl(np.ascontiguousarray(rgb[:, :, :1]))
    assert np.abs(first(grey).astype(int) - rgb[:, :, :1]).mean() < 3
    clear = np.dstack([rgb, np.zeros((128, 128), np.uint8)])
    assert first(jpeg_xl(clear, lossless=True)).min() == 255
    with pytest.raises(OverLimit):
        open_media(jpeg_xl(rgb), Settings(max_pixels=100))
    with pytest.raises(DamagedFile):
        open_media(jpeg_xl(rgb)[:-40], DEFAULT)


def test_without_a_decoder_jpeg_xl_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pylibjxl", None)
    with pytest.raises(UnknownFormat, match="pip install pylibjxl"):
        open_media(b"\xff\x0a" + bytes(200), DEFAULT)


# --- the end of a JPEG ----------------------------------------------------------------------------

NOISE = np.random.default_rng(6).integers(0, 256, (120, 160, 3), dtype=np.uint8)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize(
    "options", [{}, {"restart_marker_rows": 1}, {"optimize": True}, {"progressive": True}]
)
def test_a_jpeg_without_its_end_marker_is_judged_when_all_of_it_is_there(
    mode: str, options: dict[str, bool]
) -> None:
    whole = encoded(Image.fromarray(NOISE).convert(mode), "JPEG", **options)
    for end in (b"", b"\xff", b"\xff\xff\xff"):
        assert np.array_equal(first(whole[:-2] + end), first(whole))
    for cut in (3, 4, 10, 100, len(whole) // 3):
        if not np.array_equal(_lenient(whole[: -2 - cut]), first(whole)):
            with pytest.raises(DamagedFile):
                open_media(whole[: -2 - cut], DEFAULT)


def test_a_download_that_reserved_its_room_is_no_whole_jpeg() -> None:
    for options in ({}, {"progressive": True}):
        whole = encoded(NOISE, "JPEG", **options)
        scan = whole.rindex(b"\xff\xda") + 20
        cut = whole[: (scan + len(whole)) // 2]
        for room in (8, 9, 100, 100_000):
            assert np.array_equal(first(whole[:-2] + bytes(room)), first(whole))
            for end in (b"", b"\xff", b"\xff\xd9"[:1] * 3):
                with pytest.raises(DamagedFile, match="cut off"):
                    open_media(cut + bytes(room) + end, DEFAULT)


def _lenient(data: bytes) -> U8:
    """What a decoder shows that fills up what is missing; nothing where it gives up."""
    try:
        return np.asarray(Image.open(io.BytesIO(data + b"\xff\xd9")).convert("RGB"))
    except OSError:
        return np.empty(0, np.uint8)


def test_a_jpeg_of_which_whole_passes_are_missing_is_refused() -> None:
    whole = encoded(NOISE, "JPEG", progressive=True)
    scans = [at for at in range(len(whole)) if whole[at : at + 2] == b"\xff\xda"]
    tables = [at for at in range(len(whole)) if whole[at : at + 2] == b"\xff\xc4"]
    assert len(scans) > 3
    for scan in scans[1:]:
        at = max([t for t in tables if t < scan and not [s for s in scans if t < s < scan]], default=scan)
        for end in (b"", b"\xff\xd9"):
            with pytest.raises(DamagedFile, match="cut off"):
                open_media(whole[:at] + end, DEFAULT)


# --- colours --------------------------------------------------------------------------------------


def profile(name: str = "sRGB") -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


def swapped() -> bytes:
    """An sRGB profile whose red and blue change places: whoever follows it shows them so."""
    data = bytearray(profile())
    places = {}
    for n in range(struct.unpack_from(">I", data, 128)[0]):
        tag = bytes(data[132 + 12 * n : 136 + 12 * n])
        places[tag] = 136 + 12 * n
    red, blue = (bytes(data[places[tag] : places[tag] + 8]) for tag in (b"rXYZ", b"bXYZ"))
    data[places[b"rXYZ"] : places[b"rXYZ"] + 8], data[places[b"bXYZ"] : places[b"bXYZ"] + 8] = blue, red
    return bytes(data)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_colour_profiles_are_followed(form: str) -> None:
    rgb = np.zeros((64, 64, 3), np.uint8)
    rgb[:] = (200, 120, 60)
    plain = encoded(rgb, form)
    media = open_media(encoded(rgb, form, icc_profile=swapped()), DEFAULT)
    assert media.container["colour_converted"] is True
    shown = next(media.frames(1)).rgb.mean(axis=(0, 1))
    assert np.abs(shown - (60, 120, 200)).max() < 8
    same = open_media(encoded(rgb, form, icc_profile=profile()), DEFAULT)
    assert "colour_converted" not in same.container
    assert np.array_equal(next(same.frames(1)).rgb, first(plain))
    broken = open_media(encoded(rgb, form, icc_profile=b"no profile at all" * 20), DEFAULT)
    assert broken.container["colour_profile_broken"] is True
    assert np.array_equal(next(broken.frames(1)).rgb, first(plain))


def test_a_profile_of_other_colours_than_the_pictures_is_left_aside() -> None:
    grey = encoded(np.full((32, 32), 90, np.uint8), "JPEG", icc_profile=profile())
    media = open_media(grey, DEFAULT)
    assert media.container["colour_profile_broken"] is True
    assert abs(int(next(media.frames(1)).rgb[0, 0, 0]) - 90) <= 1


def greys_of_ink() -> bytes:
    """A profile of four inks by which every colour is a grey: half the light for one, none for two."""
    corners = [bits.bit_count() for bits in range(16)]
    table = b"".join(bytes([255 >> inks if inks < 2 else 0, 128, 128]) for inks in corners)
    ramp = bytes(range(256))
    identity = struct.pack(">9i", *(65536 * (n % 4 == 0) for n in range(9)))
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + 4 * ramp + table + 3 * ramp
    text = b"desc" + bytes(4) + struct.pack(">I", 4) + b"ink\0" + bytes(79)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    tags = [(b"desc", text), (b"A2B0", lut), (b"wtpt", white)]
    body, index, at = b"", struct.pack(">I", len(tags)), 128 + 4 + 12 * len(tags)
    for name, data in tags:
        index += name + struct.pack(">II", at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = bytearray(128)
    struct.pack_into(">I4sI4s4s4s", head, 0, at + len(body), bytes(4), 0x02400000, b"prtr", b"CMYK", b"Lab ")
    head[36:40] = b"acsp"
    struct.pack_into(">3i", head, 68, 63190, 65536, 54061)
    return bytes(head) + index + body


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_inks_are_converted_by_their_profile(form: str) -> None:
    inks = Image.new("CMYK", (64, 64), (0, 255, 0, 0))
    plain = first(encoded(inks, form)).mean(axis=(0, 1))
    assert plain[0] - plain[1] > 200  # magenta
    media = open_media(encoded(inks, form, icc_profile=greys_of_ink()), DEFAULT)
    assert (media.container["colour_profile"], media.container["colour_converted"]) == ("ink", True)
    shown = next(media.frames(1)).rgb.mean(axis=(0, 1))
    assert shown.max() - shown.min() < 6
    assert 90 < shown.mean() < 150


# --- raws -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        b"FUJIFILMCCD-RAW 0201FF383501",
        b"IIU\x00\x18\x00\x00\x00",
        b"IIRO\x08\x00\x00\x00",
        b"II*\x00\x10\x00\x00\x00CR\x02\x00",
        b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom",
        b"FOVb\x00\x00\x03\x00",
    ],
)
def test_raw_pictures_are_named_with_what_to_do(head: bytes) -> None:
    with pytest.raises(UnknownFormat, match=r"raw picture .*export it as JPEG"):
        open_media(head + bytes(500), DEFAULT)


def test_raws_that_are_tiffs_are_told_by_their_tags() -> None:
    for tag, value in ((0x00FE, 1), (0xC612, 1)):
        entries = struct.pack("<HHII", tag, 4, 1, value)
        data = b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 1) + entries + bytes(200)
        with pytest.raises(UnknownFormat, match="raw picture"):
            open_media(data, DEFAULT)


def test_pictures_of_the_plain_kind_are_untouched() -> None:
    rgb = picture(64, 48)
    assert np.array_equal(first(encoded(rgb, "PNG")), rgb)
    assert np.array_equal(first(encoded(rgb, "BMP")), rgb)
