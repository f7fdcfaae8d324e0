"""Watchers that stand in for the process that watches a call, and frames for them."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from haechi.settings import Settings

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


def wait_until(true: Any, wait_s: float = 5.0) -> None:
    """Until a condition holds; fails when it does not in time."""
    end = time.monotonic() + wait_s
    while not true():
        assert time.monotonic() < end, "it does not come about"
        time.sleep(0.01)
