"""Clips of calls, in memory: nothing of a call is held unless the user asks, and nothing is stored before a
case for it is chosen."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from haechi.live.clip import Clip, Ring
from haechi.web.problem import Problem

HELD_S = 1800.0
"""A clip that is put into no case is forgotten after so long."""
MOST = 2
"""Clips that are held of one browser; the oldest goes first."""


@dataclass(frozen=True, slots=True)
class _Held:
    owner: str
    clip: Clip
    since_s: float


class HeldClips:
    """Those that wait to be put into a case. Safe to call from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._waiting: dict[str, _Held] = {}  # in the order in which they came

    def put(self, owner: str, clip: Clip) -> str:
        """Hold a clip; its name."""
        ident = secrets.token_hex(16)
        with self._lock:
            self._sweep()
            own = [key for key, one in self._waiting.items() if one.owner == owner]
            for key in own[: max(0, len(own) + 1 - MOST)]:
                del self._waiting[key]
            self._waiting[ident] = _Held(owner, clip, self._clock())
        return ident

    def get(self, owner: str, ident: str) -> Clip:
        """Raises Problem when it is not held, or not for this browser."""
        with self._lock:
            self._sweep()
            one = self._waiting.get(ident)
        if one is None or one.owner != owner:
            raise Problem("not_found", "This clip is not held any more: begin a call and keep another.")
        return one.clip

    def drop(self, ident: str) -> None:
        """It was stored, or is not wanted."""
        with self._lock:
            self._waiting.pop(ident, None)

    def forget(self, owner: str) -> None:
        """The session or the visit has ended."""
        with self._lock:
            self._waiting = {key: one for key, one in self._waiting.items() if one.owner != owner}

    def _sweep(self) -> None:
        oldest = self._clock() - HELD_S
        self._waiting = {key: one for key, one in self._waiting.items() if one.since_s >= oldest}


class Keeping:
    """The last seconds of one call, while the user wants them held. ``may``: whether they may be: of a minor
    no picture is kept."""

    def __init__(self, clips: HeldClips, owner: str, may: Callable[[], bool]) -> None:
        self._clips, self._owner, self._may = clips, owner, may
        self._ring: Ring | None = None
        self._alarmed = False

    def switch(self, on: bool) -> dict[str, Any]:
        """Begin to hold them, or forget them; what the page is told."""
        holds = on and self._may()
        if not holds:
            self._ring = None
        elif self._ring is None:
            self._ring = Ring()
        return {"kind": "keep", "on": holds, "why": "minor" if on and not holds else ""}

    def add(self, time_s: float, jpeg: bytes, state: Mapping[str, Any]) -> dict[str, Any] | None:
        """A frame and the state after it; what the page is told when an alarm began, and a clip was made."""
        begins = state["level"] == "alarm" and not self._alarmed
        self._alarmed = state["level"] == "alarm"
        if self._ring is not None and jpeg:
            width, height = state["size"]
            self._ring.add(time_s, jpeg, (width, height), state)
        return self.clip("alarm") if begins else None

    def clip(self, why: Literal["alarm", "button"]) -> dict[str, Any] | None:
        """Make a clip of what is held; what the page is told, None where nothing is."""
        clip = None if self._ring is None or not self._may() else self._ring.clip()
        if clip is None:
            return None
        ident = self._clips.put(self._owner, clip)
        return {"kind": "clip", "id": ident, "why": why, "seconds": round(clip.seconds, 1)}
