"""A call under watch in a process of its own: the parent sends frames as they came over the wire, the child
decodes them, follows the faces and holds the session. What the child answers are figures and codes; no
picture comes back, and none is stored."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from haechi.errors import UsageError
from haechi.isolated.process import Process
from haechi.settings import Settings

if TYPE_CHECKING:
    from haechi.live import LiveSession, LiveState
    from haechi.types import Reason

    #: A session, and the ``statistic`` of a person at which its levels begin.
    Begun: TypeAlias = tuple[LiveSession, Mapping[str, float]]

TARGET = "haechi.isolated.calls:Calls"


class CallProcess:
    """Watches one call. ``tell`` of each method is called at least five times a second while one waits, and
    breaks off what it raises, which ends the process. ``Process`` tells what else is raised, and that all of
    it has to be asked by one thread."""

    def __init__(self, settings: Settings, *, scratch: Path | None = None, target: str = TARGET) -> None:
        self._process = Process(target, settings, scratch=scratch)
        self.stop = self._process.stop

    def begin(self, tell: Callable[[str, float], None]) -> Mapping[str, Any]:
        """Load every network and begin the session; what stays the same throughout it, such as the
        thresholds. Raises ModelError when a model is missing or altered."""
        return self._process.ask({"begin": True}, tell)[0]

    def add(self, jpeg: bytes, time_s: float, tell: Callable[[str, float], None]) -> Mapping[str, Any]:
        """The state after this frame. Raises InputError when it is no JPEG that can be read within the
        limits, UsageError when it is older than the one before, or the process is not the one that began."""
        request = {"frame": base64.b64encode(jpeg).decode("ascii"), "time_s": time_s}
        return self._process.ask(request, tell)[0]

    def ask(self, name: str, tell: Callable[[str, float], None]) -> None:
        """Ask for a challenge, one that is drawn where ``name`` is empty; the states tell how it stands.
        Raises UsageError as ``add`` does."""
        self._process.ask({"challenge": name}, tell)

    def judge(self, was_done: bool, tell: Callable[[str, float], None]) -> None:
        """Whether one that no picture shows was done. Raises UsageError as ``add`` does."""
        self._process.ask({"judge": was_done}, tell)

    def miss(self, time_s: float, tell: Callable[[str, float], None]) -> Mapping[str, Any]:
        """The state at a time when no frame came. Raises UsageError as ``add`` does."""
        return self._process.ask({"time_s": time_s}, tell)[0]


class Calls:
    """The child's half: a target of ``child``."""

    def __init__(self, settings: Settings, make: Callable[[Settings], Begun] | None = None) -> None:
        self._settings, self._make = settings, make or _begun
        self._session: LiveSession | None = None

    def answer(
        self, request: Mapping[str, Any], _tell: Callable[[str, float], None]
    ) -> tuple[Mapping[str, Any], bytes]:
        if "begin" in request:
            self._session, thresholds = self._make(self._settings)
            return thresholds, b""
        if self._session is None:
            # Begun anew it would have forgotten what was seen, and say "watching" after an alarm.
            raise UsageError("The process that watched the call ended: begin again.")
        if "challenge" in request:
            return {"asked": self._session.ask(request["challenge"] or None)}, b""
        if "judge" in request:
            self._session.judge(bool(request["judge"]))
            return {}, b""
        time_s = float(request["time_s"])
        if "frame" not in request:
            return facts(self._session.miss(time_s)), b""
        from haechi.media.image import decode_image

        rgb, _ = decode_image(base64.b64decode(request["frame"]), "jpeg", self._settings, {"format": "jpeg"})
        height, width = rgb.shape[:2]
        return facts(self._session.add(rgb, time_s)) | {"size": [width, height]}, b""


def facts(state: LiveState) -> dict[str, Any]:
    """A state as JSON holds it."""
    return {
        "time_s": state.time_s,
        "level": state.level,
        "frames": state.frames,
        "looks": state.looks,
        "reasons": [_reason(reason) for reason in state.reasons],
        "people": [
            {
                "id": person.track_id,
                "box": [round(float(value), 1) for value in person.box_xyxy],
                "level": person.level,
                "seen_s": person.seen_s,
                "statistic": person.statistic,
                "second": {name: float(value) for name, value in person.second.items()},
                "reason": None if person.reason is None else _reason(person.reason),
            }
            for person in state.people
        ],
        "challenge": None if state.challenge is None else asdict(state.challenge),
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {"code": reason.code, "params": dict(reason.params)}


def _begun(settings: Settings) -> Begun:
    from haechi.live import LiveSession
    from haechi.live.session import rule_of
    from haechi.pipeline import Pipeline

    rule = rule_of(settings)
    return LiveSession(Pipeline(settings)), {"ask": rule.ask, "alarm": rule.alarm}
