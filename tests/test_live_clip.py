"""The last seconds of a call as files: what is held, and that any player reads what comes out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callers import jpeg
from haechi.live import clip as clips
from haechi.live.clip import Ring, avi
from haechi.media import open_media
from haechi.settings import Settings


def ring_of(count: int, size: tuple[int, int] = (64, 48), rate: float = 10.0, start_s: float = 0.0) -> Ring:
    ring = Ring()
    for k in range(count):
        ring.add(start_s + k / rate, jpeg(10 + 8 * k % 200, size), size, {"time_s": k / rate})
    return ring


def test_the_video_is_what_came_byte_for_byte_and_can_be_read(tmp_path: Path) -> None:
    clip = ring_of(15).clip()
    assert clip is not None
    video = clip.video()
    assert all(video.count(data) for _, data in clip.frames)
    (tmp_path / "clip.avi").write_bytes(video)
    media = open_media(tmp_path / "clip.avi", Settings())
    assert (media.kind, media.width_px, media.height_px) == ("video", 64, 48)
    assert media.duration_s == pytest.approx(1.5, abs=0.15)
    frames = list(media.frames(15))
    assert len(frames) == 15
    greys = [float(frame.rgb.mean()) for frame in frames]
    assert np.allclose(greys, [10 + 8 * k for k in range(15)], atol=3)
    capture = cv2.VideoCapture(str(tmp_path / "clip.avi"))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(10, rel=0.01)
    capture.release()


def test_what_was_said_goes_with_it() -> None:
    clip = ring_of(12).clip()
    assert clip is not None
    told = json.loads(clip.told())
    assert (told["schema"], told["size_px"]) == ("haechi.live-clip/1", [64, 48])
    assert told["frame_times_s"][:3] == [0.0, 0.1, 0.2]
    assert [state["time_s"] for state in told["states"]][-1] == 1.1


def test_old_frames_go(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = ring_of(500).clip()
    assert clip is not None
    assert clip.seconds == pytest.approx(clips.SECONDS)
    assert len(clip.states) == len(clip.frames)
    monkeypatch.setattr(clips, "MOST_BYTES", 5 * len(jpeg()))
    clip = ring_of(50).clip()
    assert clip is not None
    assert len(clip.frames) <= 6


def test_a_picture_that_changed_its_size_begins_a_new_clip() -> None:
    ring = ring_of(5)
    ring.add(1.0, jpeg(9, (32, 32)), (32, 32), {})
    assert ring.clip() is None, "one frame is no video"
    ring.add(1.1, jpeg(9, (32, 32)), (32, 32), {})
    clip = ring.clip()
    assert clip is not None
    assert (clip.size, len(clip.frames)) == ((32, 32), 2)
    assert Ring().clip() is None


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=8))
def test_its_lengths_are_right_whatever_is_in_it(frames: list[Any]) -> None:
    video = avi(frames, (64, 48), 7.5)
    assert int.from_bytes(video[4:8], "little") == len(video) - 8
    at = video.index(b"movi")
    index = video.rindex(b"idx1")
    for k, frame in enumerate(frames):
        entry = video[index + 8 + 16 * k :][:16]
        begin, length = (int.from_bytes(entry[a : a + 4], "little") for a in (8, 12))
        assert video[at + begin + 8 : at + begin + 8 + length] == frame
