"""Who asks: a program with a token, or a browser that showed one and got a session for it.

A session lives in the memory of this process alone. It ends when the person signs out, when it was not used
for the time that the options give, after twelve hours, when its token is changed or taken away, and with the
process.

Where no token is needed there is nothing to sign in to; a browser then makes a visit, bound to a cookie,
so that leaving in a hurry knows what to delete. A visit hides nothing from anybody on this computer.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

LONGEST_S = 12 * 3600.0
_MOST = 10_000
_VISIT = "visit:"  # no name of a token has a colon


@dataclass(frozen=True, slots=True)
class Caller:
    """``name``: of the token that was shown, "" for that of the options and where none is needed.
    ``session``: of a browser, else "". ``visit``: where no token is needed, of a browser, or "" without;
    None where one is."""

    name: str
    session: str = ""
    visit: str | None = None

    @property
    def owner(self) -> str:
        """To whom the jobs belong that this caller sends."""
        if self.visit:
            return f"{_VISIT}{self.visit}"
        return f"{self.name}/{self.session}" if self.session else self.name

    @property
    def passes(self) -> bool:
        """Whether it ends: a program with its token stays."""
        return self.owner != self.name

    def reads(self, owner: str) -> bool:
        """A browser sees what was sent in its session or with its token by a program; a program what was sent
        with its token. Where none is needed, whoever knows the address sees what any browser sent."""
        return owner in (self.owner, self.name) or (self.visit is not None and owner.startswith(_VISIT))


@dataclass(slots=True)
class _Session:
    caller: Caller
    digest: str
    begun_s: float
    used_s: float


class Sessions:
    """Safe to call from any thread. ``digest_of``: what stands for the token of a name now."""

    def __init__(
        self,
        idle_s: float,
        digest_of: Callable[[str], str | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._idle_s, self._digest_of, self._clock = idle_s, digest_of, clock
        self._lock = threading.Lock()
        self._open: dict[str, _Session] = {}
        self._departed: dict[str, None] = {}  # in the order in which they ended

    def begin(self, name: str) -> str:
        """A session for a browser that showed the token of this name; the secret that its cookie holds."""
        secret, now = secrets.token_urlsafe(32), self._clock()
        with self._lock:
            self._open = {key: one for key, one in self._open.items() if self._lives(one)}
            if len(self._open) >= _MOST:
                del self._open[min(self._open, key=lambda key: self._open[key].used_s)]
            caller = Caller(name, secrets.token_hex(16))
            self._open[secret] = _Session(caller, self._digest_of(name) or "", now, now)
        return secret

    def caller(self, secret: str) -> Caller | None:
        """Whose cookie this is; None when the session has ended."""
        with self._lock:
            session = self._open.get(secret)
            if session is None or not self._lives(session):
                self._open.pop(secret, None)
                return None
            session.used_s = self._clock()
            return session.caller

    def end(self, secret: str) -> Caller | None:
        """End a session; whose it was."""
        with self._lock:
            session = self._open.pop(secret, None)
        return None if session is None else session.caller

    def depart(self, owner: str) -> None:
        """Remember that a session or a visit has ended: what is still being sent in it is not kept."""
        with self._lock:
            self._departed[owner] = None
            if len(self._departed) > _MOST:
                del self._departed[next(iter(self._departed))]

    def departed(self, owner: str) -> bool:
        """Whether this session or visit has ended, of the last ten thousand that did."""
        with self._lock:
            return owner in self._departed

    def _lives(self, session: _Session) -> bool:
        now = self._clock()
        in_time = now - session.used_s < self._idle_s and now - session.begun_s < LONGEST_S
        return in_time and self._digest_of(session.caller.name) == session.digest


def caller_of(request: Request) -> Caller:
    """Who asks, as the guard found out."""
    caller: Caller = request.state.caller
    return caller
