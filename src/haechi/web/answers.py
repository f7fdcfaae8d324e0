"""What a visitor said of the person in a picture: whether that is a minor, and in which country.

Both are asked before any advice is given, because what is right depends on them. They stay in the memory of
this process, under the session or the visit of the browser, and go with it: when it is left, with the
process, and after twelve hours at the latest. A browser that sends no cookie carries them in the address
instead.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from haechi import helplines
from haechi.web.sessions import LONGEST_S, caller_of

_MOST = 10_000
AGES = ("minor", "adult")


@dataclass(frozen=True, slots=True)
class Answers:
    """``country``: one that the help lines know, or empty for another."""

    minor: bool
    country: str

    @property
    def age(self) -> str:
        """One of ``AGES``."""
        return AGES[0] if self.minor else AGES[1]

    @property
    def query(self) -> str:
        """The same as the query of an address."""
        return f"age={self.age}&country={self.country}"


class AnswerBook:
    """Safe to call from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._by_owner: dict[str, tuple[Answers, float]] = {}  # in the order in which they were given

    def put(self, owner: str, answers: Answers) -> None:
        """Remember what was answered in a session or a visit."""
        now = self._clock()
        with self._lock:
            self._by_owner.pop(owner, None)
            self._by_owner[owner] = answers, now
            if len(self._by_owner) > _MOST:
                del self._by_owner[next(iter(self._by_owner))]

    def get(self, owner: str) -> Answers | None:
        """What was answered; None when nothing was, or too long ago."""
        with self._lock:
            answers, given_s = self._by_owner.get(owner, (None, 0.0))
            if answers is not None and self._clock() - given_s >= LONGEST_S:
                del self._by_owner[owner]
                return None
            return answers

    def forget(self, owner: str) -> None:
        """The session or the visit has ended."""
        with self._lock:
            self._by_owner.pop(owner, None)


def book(request: Request) -> AnswerBook:
    """The one of the application."""
    book_: AnswerBook = request.app.state.answers
    return book_


def parsed(age: str, country: str) -> Answers | None:
    """The answers of a form or an address; None when the age was not answered, or not so that we know it."""
    if age not in AGES:
        return None
    code = country.upper()
    return Answers(age == AGES[0], code if code in helplines.countries() else "")


def answers_of(request: Request) -> Answers | None:
    """What this visitor said: in the address, else before in the visit. None when it has to be asked."""
    query = request.query_params
    asked_here = parsed(query.get("age", ""), query.get("country", ""))
    caller = caller_of(request)
    return asked_here or (book(request).get(caller.owner) if caller.passes else None)


def of_minor(request: Request) -> bool:
    """Whether this visitor said that the person is a minor: no picture is shown, handed out or kept then."""
    answers = answers_of(request)
    return answers is not None and answers.minor
