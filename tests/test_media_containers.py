"""The walkers: the pieces of a sound file lie one behind the other, and no file at all leads one astray."""

from __future__ import annotations

import io
import random
import struct
import time
import zlib
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haechi.media.containers import gif, jpeg, matroska, png, riff
from haechi.media.containers.boxes import BoxFile
from haechi.media.containers.items import last_parts
from haechi.media.containers.pieces import MAX_PIECES, Ending, Piece, Walk
from haechi.media.containers.tiff import Tiff
from haechi.media.exif import tiff_pages
from hostile import samples
from tinyheic import box
from tinypicture import animation

_WALKS: dict[str, Callable[[bytes], Walk[bytes] | Walk[int]]] = {
    "jpg": jpeg.segments,
    "png": png.chunks,
    "gif": gif.blocks,
    "webp": lambda data: riff.chunks(io.BytesIO(data)),
    "avi": lambda data: riff.chunks(io.BytesIO(data)),
    "mp4": lambda data: BoxFile(data).top(),
    "mov": lambda data: BoxFile(data).top(),
    "avif": lambda data: BoxFile(data).top(),
    "mkv": lambda data: matroska.elements(data, (0, len(data))),
    "webm": lambda data: matroska.elements(data, (0, len(data))),
}
_EMPTY_CHUNK = bytes(4) + b"tEXt" + struct.pack(">I", zlib.crc32(b"tEXt"))
_MARKED = ("jpg", "png", "gif")
#: Where the first piece begins.
_FIRST = {"jpg": 2, "png": 8, "webp": 12, "avi": 12}


def walked(form: str, data: bytes) -> tuple[list[Piece[bytes] | Piece[int]], Ending]:
    walk = _WALKS[form](data)
    pieces: list[Piece[bytes] | Piece[int]] = [*walk]
    return pieces, walk.ending


@pytest.mark.parametrize("form", sorted(_WALKS))
def test_the_pieces_of_a_sound_file_fill_it(form: str) -> None:
    data = samples()[form]
    pieces, ending = walked(form, data)
    assert ending is (Ending.MARKED if form in _MARKED else Ending.UNMARKED)
    assert not any(piece.missing for piece in pieces)
    behind = {"png": 4}.get(form, 0)
    if form != "gif":
        assert pieces[0].start == _FIRST.get(form, 0)
    for piece, following in pairwise(pieces):
        assert following.start - piece.end - behind in ((0, 1) if form in ("webp", "avi") else (0,))
    assert pieces[-1].end + behind == len(data)


@pytest.mark.parametrize("form", _MARKED)
def test_a_cut_file_never_ends_with_its_mark(form: str) -> None:
    data = animation() if form == "gif" else samples()[form]
    for length in range(14, len(data) - 1, max(1, len(data) // 200)):
        assert walked(form, data[:length])[1] in (Ending.CUT, Ending.UNMARKED, Ending.BROKEN)


@given(st.sampled_from(sorted(_WALKS)), st.integers(0, 2**32), st.integers(0, 12), st.booleans())
def test_no_bent_file_leads_a_walker_astray(form: str, seed: int, changes: int, cut: bool) -> None:
    chance = random.Random(seed)
    data = bytearray(samples()[form])
    for _ in range(changes):
        at = chance.randrange(min(400, len(data)) if chance.random() < 0.7 else len(data))
        data[at] = chance.choice((0, 1, 255, chance.randrange(256)))
    check_pieces(form, bytes(data[: chance.randrange(len(data))] if cut else data))


@given(st.sampled_from(sorted(_WALKS)), st.binary(max_size=300))
def test_no_noise_leads_a_walker_astray(form: str, noise: bytes) -> None:
    check_pieces(form, noise)
    check_pieces(form, samples()[form][:12] + noise)


def check_pieces(form: str, data: bytes) -> None:
    pieces, ending = walked(form, data)
    assert ending is not Ending.OPEN
    assert all(0 <= piece.start <= piece.offset <= piece.end <= len(data) for piece in pieces)
    starts = [piece.start for piece in pieces]
    assert starts == sorted(set(starts)) or form == "jpg"
    assert not any(piece.missing for piece in pieces[:-1])
    if pieces and pieces[-1].missing:
        assert ending is Ending.CUT
    if form in ("mp4", "mov", "avif"):
        list(last_parts(data))


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("jpg", b"\xff\xd8" + b"\xff\xfe\x00\x02" * (MAX_PIECES + 5)),
        ("png", b"\x89PNG\r\n\x1a\n" + _EMPTY_CHUNK * (MAX_PIECES + 5)),
        ("gif", b"GIF89a" + bytes(7) + b"\x21\xfe\x00" * (MAX_PIECES + 5)),
        ("mp4", box(b"free") * (MAX_PIECES + 5)),
        ("webp", b"RIFF\xff\xff\xff\xffWEBP" + b"XMP \x00\x00\x00\x00" * MAX_PIECES),
        ("mkv", b"\xec\x80" * MAX_PIECES),
    ],
)
def test_more_pieces_than_any_honest_file_has_are_not_followed(form: str, data: bytes) -> None:
    pieces, ending = walked(form, data)
    assert ending is Ending.TOO_MANY
    assert len(pieces) <= MAX_PIECES


def test_lengths_of_64_bits_lead_nowhere() -> None:
    for length in (0, 15, 2**63, 2**64 - 1):
        long = b"\x00\x00\x00\x01free" + struct.pack(">Q", length)
        for tail in (b"", box(b"moov")):
            pieces, ending = walked("mp4", long + tail)
            assert ending is (Ending.BROKEN if length < 16 else Ending.CUT)
            assert all(piece.end <= len(long + tail) for piece in pieces)


@given(st.binary(max_size=200), st.sampled_from([b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"]))
def test_no_directory_leads_astray(noise: bytes, head: bytes) -> None:
    for data in (head + noise, head + struct.pack("<IH", 8, 3) + noise, tiff_bytes("<")[:20] + noise):
        tiff = Tiff.of(data)
        assert tiff is not None
        for directory in tiff.directories():
            for entry in tiff.entries(directory):
                assert len(tiff.raw(entry, 100) or b"") <= 100
                assert (tiff.first_number(entry) or 0) >= 0


def test_a_chain_of_directories_that_overlap_is_passed_in_a_moment() -> None:
    """Ten thousand directories of five hundred entries each, in a few bytes each."""
    data = bytearray(b"\x00\x02" * 40_000)
    data[:8] = b"II*\x00" + struct.pack("<I", 8)
    size = 2 + 12 * 512
    for at in range(8, 60_000, 6):
        data[at : at + 2] = struct.pack("<H", 512)
        data[at + size : at + size + 4] = struct.pack("<I", at + 6)
    began = time.process_time()
    assert tiff_pages(bytes(data)) > 1
    assert time.process_time() - began < 1.0


def tiff_bytes(order: str) -> bytes:
    """A directory of two texts, one behind it and one inside its entry."""
    head = b"II*\x00" if order == "<" else b"MM\x00*"
    entries = (
        struct.pack(order + "HHII", 0x010F, 2, 5, 38) + struct.pack(order + "HHI", 0x0131, 2, 4) + b"abc\0"
    )
    return head + struct.pack(order + "IH", 8, 2) + entries + bytes(4) + b"Acme\0"


def test_a_directory_says_what_it_holds() -> None:
    for order in "<>":
        tiff = Tiff.of(tiff_bytes(order))
        assert tiff is not None
        (directory,) = tiff.directories()
        assert [(entry.tag, tiff.raw(entry, 100)) for entry in tiff.entries(directory)] == [
            (0x010F, b"Acme\x00"),
            (0x0131, b"abc\x00"),
        ]
        assert directory.next == 0
    assert Tiff.of(b"no TIFF") is None
