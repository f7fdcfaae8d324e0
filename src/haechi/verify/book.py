"""All sessions of a server: one at a time of each subject, each forgotten when its retention is over. In
memory alone; it ends with the process."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from haechi.types import U8, Reason
from haechi.verify.challenges import Challenge, plan
from haechi.verify.device import MISSING, Binding, Credential, Party, challenge_of
from haechi.verify.recording import Recording
from haechi.verify.session import VerificationSession, decision_of
from haechi.verify.types import VerificationResult

LASTS_S = 120.0
"""A session that is not complete after so long has expired."""
KEY_BYTES, ID_BYTES = 32, 18


DeviceOrder: TypeAlias = tuple[Party, Credential | None]


class SubjectBusy(Exception):
    """The subject has a session that runs: two at once would let one learn from the other."""


class BookFull(Exception):
    """As many sessions run as may."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A challenge that has been done, and what its frames show as soon as that is known."""

    challenge: Challenge
    began_s: float
    recording: Future[Recording]


@dataclass(slots=True, eq=False)
class Entry:
    """One session. subject: what the relying party calls whom it asks, opaque to us · owner: who opened it ·
    key: for the seals, told once · keep_s: how long the result stays · result: None while it runs or is
    judged · looks: the challenges that have been done, until it has a result · prints u8 (n, 32): hashes of
    its face, as long as the result stays · opened_s: when it was opened · device: the binding to one, None
    where none was asked for · lock: held while its uploads are taken in."""

    id: str
    subject: str
    owner: str
    flash: bool
    key: bytes = field(repr=False)
    session: VerificationSession = field(repr=False)
    keep_s: float
    opened_s: float
    device: Binding | None = field(default=None, repr=False)
    ended_s: float | None = None
    result: VerificationResult | None = None
    looks: list[Look] = field(default_factory=list, repr=False)
    prints: U8 = field(default_factory=lambda: np.zeros((0, 32), np.uint8), repr=False)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)


class VerificationBook:
    """Safe to call from any thread. ``most``: sessions that may run at the same time · ``clock``: seconds
    that never run backwards · ``challenges``: makes those of a session."""

    def __init__(
        self,
        most: int,
        clock: Callable[[], float] = time.monotonic,
        challenges: Callable[..., tuple[Challenge, ...]] = plan,
    ) -> None:
        self._most, self._clock, self._challenges = most, clock, challenges
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}

    def open(
        self, subject: str, owner: str, *, flash: bool, keep_s: float, device: DeviceOrder | None = None
    ) -> Entry:
        """Begin a session. ``device``: who asks for one, and its credential, None for a new one. Raises
        SubjectBusy, BookFull."""
        with self._lock:
            self._tidy()
            running = [e for e in self._entries.values() if e.result is None]
            if any(e.subject == subject and e.owner == owner for e in running):
                raise SubjectBusy
            if len(running) >= self._most:
                raise BookFull
            key = secrets.token_bytes(KEY_BYTES)
            session = VerificationSession(self._challenges(flash=flash), key, LASTS_S, self._clock)
            id_ = secrets.token_urlsafe(ID_BYTES)
            entry = Entry(id_, subject, owner, flash, key, session, keep_s, self._clock())
            if device is not None:
                entry.device = Binding(device[0], challenge_of(id_, key), device[1])
            self._entries[entry.id] = entry
            return entry

    def find(self, id_: str, owner: str) -> Entry | None:
        """The session, when there is one and this owner opened it: to others it does not exist."""
        with self._lock:
            self._tidy()
            entry = self._entries.get(id_)
        return entry if entry is not None and secrets.compare_digest(entry.owner, owner) else None

    def finish(self, entry: Entry, result: VerificationResult) -> None:
        """Note how it ended; the first result stays."""
        with self._lock:
            self._finish(entry, result)

    def drop(self, entry: Entry) -> None:
        """Forget a session and its result now."""
        with self._lock:
            self._entries.pop(entry.id, None)

    def known(self, entry: Entry, prints: U8) -> list[U8]:
        """Note the hashes u8 (n, 32) of a session; those of each other subject of the same owner."""
        with self._lock:
            entry.prints = prints
            by_subject: dict[str, list[U8]] = {}
            for other in self._entries.values():
                if other.owner == entry.owner and other.subject != entry.subject and len(other.prints):
                    by_subject.setdefault(other.subject, []).append(other.prints)
        return [np.concatenate(all_of_one) for all_of_one in by_subject.values()]

    @property
    def running(self) -> int:
        """Sessions without a result."""
        with self._lock:
            self._tidy()
            return sum(e.result is None for e in self._entries.values())

    def _finish(self, entry: Entry, result: VerificationResult) -> None:
        if entry.result is None:
            entry.result, entry.ended_s = result, self._clock()
            entry.looks.clear()

    def _tidy(self) -> None:
        now_s = self._clock()
        for entry in list(self._entries.values()):
            end = entry.session.end
            if entry.result is None and end is not None:
                self._finish(entry, broken_off(end))
            waits = entry.session.complete and entry.device is not None and entry.device.answer is None
            if waits and now_s - entry.opened_s > LASTS_S:
                self._finish(entry, broken_off(Reason(MISSING)))
            if entry.ended_s is not None and now_s - entry.ended_s > entry.keep_s:
                del self._entries[entry.id]


def broken_off(end: Reason) -> VerificationResult:
    """The result of a session that ended before it was complete."""
    return VerificationResult(decision_of(end), (end,))
