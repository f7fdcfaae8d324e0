"""Edit lists of MP4 and MOV: how much of a trimmed video is stored but not shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haechi.media.edit_list import hidden_s


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def u32(*values: int) -> bytes:
    return b"".join((v % 2**32).to_bytes(4, "big") for v in values)


def index(edits: list[tuple[int, int]], media_s: float = 6.0, handler: bytes = b"vide") -> bytes:
    """An index of one track of 1000 units a second in a movie of 600; edits: (length there, start)."""
    entries = b"".join(u32(length, start, 1 << 16) for length, start in edits)
    elst = box(b"edts", box(b"elst", u32(0, len(edits)), entries)) if edits else b""
    mdhd = box(b"mdhd", u32(0, 0, 0, 1000, int(media_s * 1000), 0))
    mdia = box(b"mdia", mdhd, box(b"hdlr", u32(0, 0), handler, bytes(12)))
    return box(b"mvhd", u32(0, 0, 0, 600, int(media_s * 600)), bytes(80)) + box(b"trak", elst, mdia)


@pytest.mark.parametrize(
    ("edits", "hidden"),
    [
        ([], 0.0),
        ([(3600, 67)], 0.0),  # two frames come late, and all of them are shown
        ([(1800, 2400)], 3.0),  # the first seconds were cut away
        ([(1800, 0)], 3.0),  # the last ones were
        ([(600, -1), (1800, 0)], 3.0),  # a pause shows nothing of the video
        ([(600, 0), (600, 4000)], 4.0),
    ],
)
def test_what_a_trimmed_video_does_not_show(edits: list[tuple[int, int]], hidden: float) -> None:
    assert hidden_s(index(edits)) == pytest.approx(hidden)


def test_only_the_video_track_counts() -> None:
    assert hidden_s(index([(1800, 2400)], handler=b"soun")) == 0.0


@given(st.binary(max_size=200), st.integers(0, 300))
def test_no_bytes_break_it(noise: bytes, at: int) -> None:
    whole = index([(1800, 2400)])
    assert hidden_s(whole[:at] + noise + whole[at + len(noise) :]) >= 0.0
