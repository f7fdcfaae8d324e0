"""Metadata in hostile files: nothing raises, nothing takes long, nothing grows."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from noted import EXIF, XMP, box, chunk, drawn, full_meta, item, jpeg, png, tiff, webp, xmp

from haechi.claims.metadata import _facts
from haechi.claims.picture_metadata import exif_texts, picture_metadata
from haechi.claims.raw_metadata import MOST_ALL, MOST_TEXTS, RawMetadata
from haechi.claims.video_metadata import video_metadata
from haechi.claims.xmp import read_xmp

_NOTED = tiff({0x0131: b"GIMP\x00"}, {0x9286: b"ASCII\x00\x00\x00hello"})
_PACKED = b"k\x00\x01\x00\x00\x00" + zlib.compress(b"v")
PICTURES = {
    "jpeg": jpeg((0xE1, EXIF + _NOTED), (0xE1, XMP + xmp())),
    "png": png((b"tEXt", b"parameters\x00Steps: 20"), (b"iTXt", _PACKED)),
    "webp": webp((b"EXIF", tiff({0x0131: b"GIMP\x00"})), (b"XMP ", xmp())),
    "gif": drawn("GIF"),
    "tiff": drawn("TIFF"),
    "avif": b"\x00\x00\x00\x20ftypavif" + b"\x00" * 20 + EXIF + tiff({0x0131: b"GIMP\x00"}) + xmp(),
    "bmp": drawn("BMP"),
}  # fmt: skip
_META = full_meta(
    [item(b"\xa9too", b"Lavf"), item(struct.pack(">I", 1), b"Apple")], [b"com.apple.quicktime.make"]
)
VIDEOS = {
    "mp4": box(b"ftyp", b"isom" * 3) + box(b"moov", box(b"udta", _META)) + box(b"uuid", b"\xbe\x7a" * 20),
    "mov": box(b"moov", box(b"udta", box(b"\xa9swr", b"\x00\x04\x00\x00GIMP"))),
    "avi": b"RIFF\x40\x00\x00\x00AVI LIST\x10\x00\x00\x00INFOISFT\x04\x00\x00\x00Lavf",
    "mkv": b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\xff\x15\x49\xa9\x66\x87\x4d\x80\x84Lavf",
}


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """A bound that even a busy machine keeps, unless the work grows with what a file promises."""
    start = time.perf_counter()
    yield
    assert time.perf_counter() - start < seconds


@contextmanager
def light(megabytes: float) -> Iterator[None]:
    """No more memory than this on the way."""
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < megabytes * 2**20


def all_facts(metadata: RawMetadata) -> int:
    assert len(metadata.texts) <= MOST_TEXTS
    assert sum(len(text) for _, text in metadata.texts) <= MOST_ALL
    return len(list(_facts(metadata)))


def bent(data: bytes, changes: list[tuple[int, int]], keep: int, extra: bytes) -> bytes:
    out = bytearray(data)
    for where, value in changes:
        out[where % len(out)] = value
    return bytes(out[: keep % (len(out) + 1) or None]) + extra


CHANGES = st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=12)


@given(st.sampled_from(sorted(PICTURES)), CHANGES, st.integers(0, 5000), st.binary(max_size=40))
def test_no_bent_picture_breaks_the_reading(
    form: str, changes: list[tuple[int, int]], keep: int, extra: bytes
) -> None:
    all_facts(picture_metadata(bent(PICTURES[form], changes, keep, extra), form))


@given(st.sampled_from(sorted(VIDEOS)), CHANGES, st.integers(0, 500), st.binary(max_size=40))
def test_no_bent_video_breaks_the_reading(
    form: str, changes: list[tuple[int, int]], keep: int, extra: bytes
) -> None:
    all_facts(video_metadata(io.BytesIO(bent(VIDEOS[form], changes, keep, extra)), form))


@given(st.sampled_from([*PICTURES, *VIDEOS]), st.binary(max_size=300))
def test_no_noise_breaks_the_reading(form: str, data: bytes) -> None:
    all_facts(picture_metadata(data, form) if form in PICTURES else video_metadata(io.BytesIO(data), form))


@given(st.binary(max_size=400), st.sampled_from([b"II*\x00", b"MM\x00*"]))
def test_no_exif_breaks_the_reading(data: bytes, head: bytes) -> None:
    exif_texts(head + data)
    exif_texts(head + struct.pack("<I" if head[:1] == b"I" else ">I", 8) + data)


@given(
    st.binary(max_size=400)
    | st.text(max_size=400).map(str.encode)
    | CHANGES.map(lambda c: bent(xmp(), c, 0, b""))
)
def test_no_packet_breaks_the_reading(packet: bytes) -> None:
    assert isinstance(read_xmp(packet), dict)


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    + '<!ENTITY f SYSTEM "file:///etc/passwd"><!ENTITY w SYSTEM "http://127.0.0.1:1/x">]>'
)


@pytest.mark.parametrize("entity", ["j", "f", "w", "a"])
def test_entities_are_refused_whatever_they_are(entity: str) -> None:
    packet = xmp(f"<xmp:CreatorTool>&{entity};</xmp:CreatorTool>").decode()
    with within(1):
        assert read_xmp((LAUGHS + packet).encode()) == {}
    assert read_xmp(packet.encode()) == {}


def test_deep_wide_and_long_packets_are_cut_off() -> None:
    with within(4):
        assert read_xmp(b"<a>" * 500_000) == {}
        assert read_xmp(b"<a>" + b"<b/>" * 500_000) == {}
        long = read_xmp(xmp(f"<xmp:CreatorTool>{'x' * 2_000_000}</xmp:CreatorTool>"))
        assert len(long["xmp:CreatorTool"][0]) <= 8192
        many = read_xmp(xmp("<xmp:CreatorTool>x</xmp:CreatorTool>" * 15_000))
        assert len(many["xmp:CreatorTool"]) <= 500
        read_xmp(xmp(attributes=" ".join(f'a{i}="x"' for i in range(50_000))))


def test_what_was_read_before_a_packet_breaks_counts() -> None:
    whole = xmp("<xmp:CreatorTool>GIMP</xmp:CreatorTool><xmp:Other>")
    assert read_xmp(whole) == {"xmp:CreatorTool": ["GIMP"]}


def test_compressed_text_cannot_grow_without_end() -> None:
    bomb = zlib.compress(b"Steps: 1, " * 1_000_000, 9)
    assert len(bomb) < 40_000
    data = png(*[(b"zTXt", b"parameters\x00\x00" + bomb)] * 200)
    with within(3):
        all_facts(picture_metadata(data, "png"))
    with light(64):
        all_facts(picture_metadata(data, "png"))
    hidden = zlib.compress(b"<x:xmpmeta>" + b" " * 10_000_000, 9)
    data = png(*[(b"iTXt", b"XML:com.adobe.xmp\x00\x01\x00\x00\x00" + hidden)] * 1000)
    with within(3):
        all_facts(picture_metadata(data, "png"))


def test_chunks_of_ten_megabytes_are_cut_short() -> None:
    data = png(
        (b"tEXt", b"parameters\x00" + b"x" * 10_000_000),
        (b"tEXt", b"Comment\x00" + b"Steps: 1, " * 1_000_000),
    )
    with within(3):
        all_facts(picture_metadata(data, "png"))


def test_a_great_many_chunks_take_no_time() -> None:
    data = png() + chunk(b"tEXt", b"a\x00b") * 150_000
    data = data.replace(chunk(b"IEND", b""), b"") + chunk(b"IEND", b"")
    with within(4):
        assert len(picture_metadata(data, "png").texts) == MOST_TEXTS


def test_fill_bytes_and_segments_without_end() -> None:
    with within(4):
        picture_metadata(b"\xff\xd8" + b"\xff" * 20_000_000, "jpeg")
        picture_metadata(b"\xff\xd8" + b"\xff\xfe\x00\x02" * 2_000_000, "jpeg")
        picture_metadata(b"\xff\xd8" + b"\xff\xd0" * 5_000_000, "jpeg")


def test_tags_that_all_point_at_the_same_megabytes() -> None:
    count = 500
    entry = b"".join(struct.pack("<HHII", 0x9286, 7, 50_000_000, 8) for _ in range(count))
    data = b"II*\x00" + struct.pack("<IH", 8, count) + entry + b"\x00" * 20_000_000
    with within(1):
        exif_texts(data)
    with light(64):
        exif_texts(data)


def test_a_directory_that_names_itself() -> None:
    data = b"II*\x00" + struct.pack("<IH", 8, 1) + struct.pack("<HHII", 0x8769, 4, 1, 8) + b"\x00" * 8
    assert exif_texts(data) == []


@pytest.mark.parametrize("length", [2**63 - 1, 2**63, 2**64 - 1])
def test_a_box_that_is_longer_than_any_file(length: int) -> None:
    """What stands before it counts; nobody seeks behind it."""
    far = b"\x00\x00\x00\x01free" + struct.pack(">Q", length)
    for data in (VIDEOS["mp4"] + far, far + VIDEOS["mp4"], box(b"moov", far)):
        metadata = video_metadata(io.BytesIO(data), "mp4")
        assert bool(metadata.texts) == data.startswith(VIDEOS["mp4"])


def test_boxes_without_end() -> None:
    nested = b""
    for _ in range(2000):
        nested = box(b"udta", nested)
    flat = b"\x00\x00\x00\x08free" * 500_000
    endless = struct.pack(">I", 0) + b"moov" + flat
    twisted = box(b"moov", box(b"udta", flat) * 3)
    with within(5):
        for data in (box(b"moov", nested), flat, endless, twisted, b"\x00\x00\x00\x01free" + b"\x00" * 8):
            video_metadata(io.BytesIO(data), "mp4")
        video_metadata(io.BytesIO(b"RIFF\x00\x00\x00\x00AVI " + b"LIST\x00\x00\x00\x00INFO" * 500_000), "avi")
        video_metadata(io.BytesIO(b"\x1a\x45\xdf\xa3" + b"\x80" * 500_000), "mkv")
