"""What is said over one WebSocket.

The page sends binary messages: eight bytes, the seconds since the call began as a little-endian double, then
a JPEG; or the eight bytes alone when no frame came for a while. Each is answered by a state before the next
is due; one that comes earlier takes the place of one that still waits, so that no old frame is looked at. In
between it sends orders, as text:

    {"do": "ask", "challenge": name}         ask for one of CHALLENGES, or "" for one that is drawn
    {"do": "judge", "done": bool}            whether one was done that no picture shows
    {"do": "keep", "on": bool}               hold the last seconds in memory, or forget them
    {"do": "clip"}                           make a clip of what is held

and is told:

    {"kind": "ready", "thresholds": {…}}     once, when the networks are loaded
    {"kind": "state", …}                     see ``state_message``
    {"kind": "keep", "on": …, "why": …}      whether the last seconds are held, and why not: ``minor``
    {"kind": "clip", "id": …, "why": …}      one is held at /live/clips/ID, because of an alarm or a button
    {"kind": "end", "code": …, "text": …}    why the socket is closed, in the visitor's language
"""

from __future__ import annotations

import asyncio
import json
import math
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from haechi.live import CHALLENGES, LEVELS, ChallengeState
from haechi.live.telling import challenge_sentence
from haechi.report.messages import say, sentence
from haechi.types import Reason
from haechi.web.live.keeping import Keeping
from haechi.web.live.watch import Watch
from haechi.web.problem import Problem
from haechi.web.rate_limit import RateLimiter

HEAD_BYTES = 8
MOST_BYTES = 2 * 1024**2
MOST_PIXELS = 1920 * 1200
MOST_PER_S = 30.0
IDLE_S = 20.0
MOST_ORDER, MOST_ORDERS = 200, 16
"""Characters of an order, and how many may wait."""
_LONGEST_S = 7 * 86_400.0
_ASK_AGAIN_S = 2.0
_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class LiveFrame:
    """time_s: since the call began · jpeg: empty where no frame came."""

    time_s: float
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Order:
    """do: one of ask, judge, keep, clip · challenge: of ask, "" for one that is drawn · yes: of judge and
    keep."""

    do: str
    challenge: str = ""
    yes: bool = False


class Conversation:
    """``lang``: of the sentences. ``still_in``: whether whoever began may still watch."""

    def __init__(
        self, socket: WebSocket, watch: Watch, lang: str, still_in: Callable[[], bool], keeping: Keeping
    ) -> None:
        self._socket, self._watch, self._lang, self._still_in = socket, watch, lang, still_in
        self._keeping = keeping
        self._orders: list[Order] = []
        self._rate = RateLimiter(MOST_PER_S * 60, MOST_PER_S * 2)
        self._newest: LiveFrame | None = None
        self._came = asyncio.Event()
        self._last_s, self._dropped, self._ready = -math.inf, 0, False

    async def run(self) -> None:
        """Until the other side hangs up. Raises Problem, and what the watch raises."""
        tasks = [asyncio.create_task(work()) for work in (self._read, self._answer, self._guard)]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            # Not gather: cancelled meanwhile, it raises the error of a task of its own, by which whoever
            # cancelled us does not know theirs again.
            await asyncio.wait(tasks)
        for task in ended:
            with suppress(WebSocketDisconnect):
                task.result()

    async def _read(self) -> None:
        """Take in what comes, and keep the newest frame only."""
        while True:
            try:
                message = await asyncio.wait_for(self._socket.receive(), IDLE_S)
            except TimeoutError:
                if not self._ready:
                    continue  # nothing is due before the networks are loaded
                raise Problem(
                    "live_idle", f"Nothing came for {IDLE_S:g} seconds, so the call is over: begin again."
                ) from None
            if message["type"] == "websocket.disconnect":
                return
            if self._rate.take("") > 0:
                raise Problem("rate_limited", f"More than {MOST_PER_S:g} frames a second came: send fewer.")
            if message.get("text") is not None:
                if len(self._orders) < MOST_ORDERS:
                    self._orders.append(parsed_order(message["text"]))
                self._came.set()
                continue
            frame = parsed(message.get("bytes"), self._last_s)
            self._last_s = frame.time_s
            self._dropped += self._newest is not None
            self._newest = frame
            self._came.set()

    async def _answer(self) -> None:
        """Load, then look at one frame after another."""
        thresholds = await self._watch.begin()
        self._ready = True
        await self._socket.send_json({"kind": "ready", "thresholds": dict(thresholds)})
        while True:
            await self._came.wait()
            self._came.clear()
            orders, self._orders = self._orders, []
            for order in orders:
                await self._obey(order)
            frame, self._newest = self._newest, None
            if frame is None:
                continue
            if frame.jpeg:
                state = await self._watch.add(frame.jpeg, frame.time_s)
            else:
                state = await self._watch.miss(frame.time_s)
            await self._socket.send_json(state_message(state, self._lang) | {"dropped": self._dropped})
            await self._tell(self._keeping.add(frame.time_s, frame.jpeg, state))

    async def _obey(self, order: Order) -> None:
        if order.do == "ask":
            await self._watch.ask(order.challenge)
        elif order.do == "judge":
            await self._watch.judge(order.yes)
        elif order.do == "keep":
            await self._tell(self._keeping.switch(order.yes))
        else:
            await self._tell(self._keeping.clip("button"))

    async def _tell(self, message: Mapping[str, Any] | None) -> None:
        if message is not None:
            await self._socket.send_json(message)

    async def _guard(self) -> None:
        """A session that ends takes the call with it."""
        while self._still_in():
            await asyncio.sleep(_ASK_AGAIN_S)
        raise Problem("token_needed", "The session has ended, and the call with it: sign in again.")


def parsed_order(text: str) -> Order:
    """A text message as an order. Raises Problem for anything else."""
    try:
        values = json.loads(text) if len(text) <= MOST_ORDER else None
    except ValueError:
        values = None
    if isinstance(values, dict):
        do, challenge = values.get("do"), values.get("challenge", "")
        yes = values.get({"judge": "done", "keep": "on"}.get(str(do), ""), False)
        if (
            do in ("ask", "judge", "keep", "clip")
            and challenge in ("", *CHALLENGES)
            and isinstance(yes, bool)
        ):
            return Order(do, challenge, yes)
    raise _no_frame("is text and no order: send frames as binary messages")


def parsed(data: bytes | None, last_s: float) -> LiveFrame:
    """A message as a frame. Raises Problem for anything else."""
    if data is None:
        raise _no_frame("is empty: send it as a binary message")
    if len(data) > HEAD_BYTES + MOST_BYTES:
        raise _no_frame(f"is larger than {MOST_BYTES // 1024**2} MB: reduce the picture")
    if len(data) < HEAD_BYTES:
        raise _no_frame("has no time: begin it with eight bytes, the seconds as a little-endian double")
    (time_s,) = struct.unpack("<d", data[:HEAD_BYTES])
    if not 0 <= time_s <= _LONGEST_S:
        raise _no_frame("has a time that is none: send the seconds since the call began")
    if time_s < last_s:
        raise _no_frame("is older than the one before: send frames in order of time")
    jpeg = data[HEAD_BYTES:]
    if jpeg and not jpeg.startswith(_JPEG):
        raise _no_frame("is no JPEG: encode it as one")
    return LiveFrame(time_s, jpeg)


def _no_frame(why: str) -> Problem:
    return Problem("live_frame", f"A frame of the call cannot be used. It {why}.")


def state_message(state: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """A state (see ``haechi.isolated.calls.facts``) as the page is told it. level: one of ``LEVELS`` ·
    reasons, people[].reason: sentences · people[].box: left, top, right, bottom in px of a frame of
    ``size`` · challenge: None, or what ``haechi.live.types.ChallengeState`` holds, with ``say``, the words
    for the other side, ``text``, how it stands, and ``advice_text``, what follows.

    Raises ValueError for a level that is none: that is a fault, never a quiet "watching"."""
    levels = {state["level"], *(person["level"] for person in state["people"])}
    if not levels <= set(LEVELS):
        raise ValueError("no level of a call")
    people = [
        {**person, "reason": person["reason"] and _sentence(person["reason"], lang)}
        for person in state["people"]
    ]
    reasons = [_sentence(reason, lang) for reason in state["reasons"]]
    challenge = state.get("challenge") and _challenge(ChallengeState(**state["challenge"]), lang)
    return {"kind": "state", **state, "reasons": reasons, "people": people, "challenge": challenge}


def _challenge(challenge: ChallengeState, lang: str) -> dict[str, Any]:
    advice = "" if challenge.advice is None else say(f"live_advice_{challenge.advice}", lang)
    return {
        **asdict(challenge),
        "say": say(f"live_say_{challenge.name}", lang),
        "text": challenge_sentence(challenge, lang),
        "advice_text": advice,
    }


def _sentence(reason: Mapping[str, Any], lang: str) -> str:
    return sentence(Reason(str(reason["code"]), dict(reason["params"])), lang)
