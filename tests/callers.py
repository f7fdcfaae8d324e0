"""Stand-ins for the processes that watch a call and look at a verification, and frames for them."""

from __future__ import annotations

import math
import os
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from haechi.isolated.calls import Calls
from haechi.live import LiveLevel, LiveSession, LiveState, PersonState
from haechi.settings import Settings
from haechi.types import U8, Reason
from haechi.verify.recording import Recording

THRESHOLDS = {"ask": 3.0, "alarm": 6.0}


def jpeg(grey: int = 127, size: tuple[int, int] = (64, 48)) -> bytes:
    """A picture of one grey, ``size`` in pixels (width, height)."""
    width, height = size
    return cv2.imencode(".jpg", np.full((height, width, 3), grey, np.uint8))[1].tobytes()


def message(time_s: float, picture: bytes = b"") -> bytes:
    """A frame as the page sends it."""
    return struct.pack("<d", time_s) + picture


def state(time_s: float, level: str = "watching", statistic: float = 0.5, **more: Any) -> dict[str, Any]:
    """A state as the process tells it, with one person."""
    person = {
        "id": 1, "box": [10.0, 10.0, 40.0, 40.0], "level": level, "seen_s": time_s, "statistic": statistic,
        "second": {"swap": 0.25}, "reason": None,
    }  # fmt: skip
    told = {"time_s": time_s, "level": level, "frames": 1, "looks": 1, "reasons": [], "people": [person]}
    return told | {"size": [64, 48]} | more


class FakeWatcher:
    """Answers at once: alarms from the third second on; ``no_picture`` where no frame came. Notes what it
    was given."""

    def __init__(self, settings: Settings, scratch: Path) -> None:
        self.settings = settings
        self.given: list[tuple[float, int]] = []
        self.orders: list[tuple[str, Any]] = []
        self.threads: set[int] = set()
        self.ended = threading.Event()

    def begin(self, tell: Any) -> Mapping[str, Any]:
        return THRESHOLDS

    def add(self, picture: bytes, time_s: float, tell: Any) -> Mapping[str, Any]:
        self.threads.add(threading.get_ident())
        self.given.append((time_s, len(picture)))
        tell("live", 0.0)
        return state(time_s, "alarm", 7.0) if time_s >= 3 else state(time_s)

    def miss(self, time_s: float, tell: Any) -> Mapping[str, Any]:
        self.given.append((time_s, 0))
        reasons = [{"code": "live_no_frame", "params": {}}]
        return state(time_s, "no_picture", people=[], reasons=reasons) | {"size": None}

    def ask(self, name: str, tell: Any) -> None:
        self.orders.append(("ask", name))

    def judge(self, was_done: bool, tell: Any) -> None:
        self.orders.append(("judge", was_done))

    def stop(self) -> None:
        self.ended.set()


class HeldWatcher(FakeWatcher):
    """Waits with each frame until it is let go, as the process does: telling that it lives."""

    go = threading.Event()
    begun = threading.Event()

    @classmethod
    def fresh(cls) -> type[HeldWatcher]:
        return type("Held", (cls,), {"go": threading.Event(), "begun": threading.Event()})

    def add(self, picture: bytes, time_s: float, tell: Any) -> Mapping[str, Any]:
        self.begun.set()
        while not self.go.wait(0.01):
            tell("live", 0.0)
        return super().add(picture, time_s, tell)


class FakeLooker:
    """Sees no face in what a verification sends."""

    def __init__(self, _: Settings) -> None:
        pass

    def look(
        self, jpegs: Sequence[bytes], times_s: Sequence[float], kind: str, tell: Callable[[str, float], None]
    ) -> Recording:
        tell("verify", 0.0)
        n, nothing = len(jpegs), np.zeros((0, 2), np.float32)
        blank = np.full((n, 3), np.nan, np.float32)
        lost = np.full((n, 5, 2), np.nan, np.float32)
        return Recording(
            np.array(times_s), lost, lost, blank, blank, blank[:, 0], np.zeros((n, 24, 32), np.uint8),
            nothing, nothing, np.zeros(0), np.zeros((0, 32), np.uint8),
        )  # fmt: skip

    def stop(self) -> None:
        pass


def wait_until(true: Any, wait_s: float = 5.0) -> None:
    """Until a condition holds; fails when it does not in time."""
    end = time.monotonic() + wait_s
    while not true():
        assert time.monotonic() < end, "it does not come about"
        time.sleep(0.01)


class FakeSession:
    """Asks for a challenge in the second half of each minute, to show that states go through whole; kills its
    process at a white picture."""

    def __init__(self) -> None:
        self._frames = 0

    def add(self, rgb: U8, time_s: float) -> LiveState:
        if rgb.mean() > 250:
            os._exit(1)
        self._frames += 1
        level: LiveLevel = "ask" if time_s % 60 >= 30 else "watching"
        box = np.array([1, 2, 3, 4], np.float32)
        reason = Reason("face_too_small", {"face_px": 20.0, "min_px": 40}) if rgb.shape[1] < 50 else None
        person = PersonState(3, box, level, 2.0, 1.5, {"swap": 0.5}, reason)
        return LiveState(time_s, level, (person,), (), self._frames, 7)

    def miss(self, time_s: float) -> LiveState:
        return LiveState(time_s, "no_picture", (), (Reason("live_no_frame"),), self._frames, 7)


def calls(settings: Settings) -> Calls:
    """A target of ``haechi.isolated.child`` with that session."""
    return Calls(settings, lambda _: (cast(LiveSession, FakeSession()), THRESHOLDS))


def film(photo: Path, count: int = 30) -> bytes:
    """Motion JPEG, as Chromium's fake camera plays it: a portrait that moves a little before a wall, with the
    noise of a camera, 1280 x 720 px."""
    noise = np.random.default_rng(0).integers(-5, 6, (720, 1280, 3), np.int16)
    face = cv2.resize(cv2.imread(str(photo)), (600, 600), interpolation=cv2.INTER_AREA)
    frames = []
    for number in range(count):
        x = 340 + round(40 * math.sin(2 * math.pi * number / count))
        frame = np.full((720, 1280, 3), (110, 118, 122), np.int16)
        frame[60:660, x : x + 600] = face
        noisy = np.clip(frame + np.roll(noise, 37 * number), 0, 255).astype(np.uint8)
        frames.append(cv2.imencode(".jpg", noisy)[1].tobytes())
    return b"".join(frames)
