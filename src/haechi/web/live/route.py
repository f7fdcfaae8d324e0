"""/v1/live: the WebSocket over which the page of a call sends its frames. Only where one person is served, as
cases are: what is seen in a call goes to no machine but one's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from haechi.errors import HaechiError, InputError, UsageError
from haechi.isolated import CallProcess
from haechi.settings import Settings
from haechi.web import words
from haechi.web.answers import AnswerBook
from haechi.web.crash_log import log_crash
from haechi.web.language import asked
from haechi.web.live.conversation import MOST_PIXELS, Conversation
from haechi.web.live.keeping import Keeping
from haechi.web.live.watch import CallWatcher, TooSlow, Watch
from haechi.web.problem import Problem, internal
from haechi.web.rate_limit import ConcurrencyLimiter, TooManyAtOnce
from haechi.web.sessions import Caller

router = APIRouter()

_POLICY, _FAULT, _LATER = 1008, 1011, 1013  # RFC 6455, 7.4.1 and its registry
_CLOSING: Mapping[str, int] = {"internal": _FAULT, "model": _FAULT, "live_busy": _LATER}
_DECODING_S = 2.0


class LiveCalls:
    """The calls that are watched now: one of each client, ``most`` altogether. ``make``: what watches a call,
    if not a process of its own; of the settings and the folder for temporary files. Safe to call from any
    thread."""

    def __init__(
        self,
        most: int,
        settings: Settings,
        scratch: Path,
        make: Callable[[Settings, Path], CallWatcher] | None = None,
    ) -> None:
        self._each, self._most, self._lock = ConcurrencyLimiter(1), most, threading.Lock()
        self._scratch, self._make = scratch, make or _process
        self._settings = replace(
            settings,
            max_pixels=min(settings.max_pixels, MOST_PIXELS),
            decode_timeout_s=min(settings.decode_timeout_s, _DECODING_S),
        )
        self.count = 0

    @contextmanager
    def one(self, client: str) -> Iterator[Watch]:
        """A place for a call, and who watches it. Raises Problem when there is none."""
        try:
            with self._each.one(client):
                self._take()
                watch = Watch(lambda: self._make(self._settings, self._scratch))
                try:
                    yield watch
                finally:
                    watch.end()
                    with self._lock:
                        self.count -= 1
        except TooManyAtOnce:
            raise Problem(
                "live_busy", "This browser watches a call already: stop it there, then begin here."
            ) from None

    def _take(self) -> None:
        with self._lock:
            if self.count >= self._most:
                raise Problem(
                    "live_busy",
                    f"As many calls as may be are watched already ({self._most}): stop one first.",
                )
            self.count += 1


def _process(settings: Settings, scratch: Path) -> CallWatcher:
    return CallProcess(settings, scratch=scratch)


@router.websocket("/v1/live")
async def live(socket: WebSocket) -> None:
    """Watch a call until either side hangs up."""
    state = socket.app.state
    if not state.options.personal:
        nothing = Problem("not_found", "Calls are watched on one's own computer only, not by this server.")
        await socket.send_denial_response(nothing.response(socket.url.path))
        return
    try:
        lang = asked(socket)
    except Problem as problem:
        await socket.send_denial_response(problem.response(socket.url.path))
        return
    caller: Caller = socket.state.caller
    calls: LiveCalls = state.live
    await socket.accept()
    try:
        with calls.one(caller.owner or (socket.client.host if socket.client else "")) as watch:
            keeping = Keeping(state.clips, caller.owner, lambda: not _of_minor(state.answers, caller))

            def still_in() -> bool:
                return bool(socket.state.caller_now() == caller)

            await Conversation(socket, watch, lang, still_in, keeping).run()
    except WebSocketDisconnect:
        return
    except Exception as error:
        await _hang_up(socket, _told(error), lang)


def _of_minor(book: AnswerBook, caller: Caller) -> bool:
    answers = book.get(caller.owner)
    return answers is not None and answers.minor


def _told(error: Exception) -> Problem:
    """What ended a call, as whoever began it is told."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, TooSlow):
        return Problem("live_slow", "A frame took too long, so the call is no longer watched: begin again.")
    if isinstance(error, UsageError):  # of the process, which ended and forgot what it had seen
        return Problem("live_slow", error.message)
    if isinstance(error, InputError):
        return Problem("live_frame", f"A frame of the call cannot be read. {error.message}")
    log_crash("live", error)
    return Problem.of(error) if isinstance(error, HaechiError) else internal()


async def _hang_up(socket: WebSocket, problem: Problem, lang: str) -> None:
    """Say why, and close. Whoever is gone already is told nothing."""
    text = words.say(f"problem_{problem.code}", lang, megabytes="")
    with suppress(WebSocketDisconnect, RuntimeError):
        await socket.send_json({"kind": "end", "code": problem.code, "text": text, "detail": problem.detail})
        await socket.close(_CLOSING.get(problem.code, _POLICY), problem.code)
