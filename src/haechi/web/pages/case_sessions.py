"""The cases that a person has opened in this browser, and the folder in which all cases lie.

The key of an encrypted case stays in the memory of this process, bound to a cookie of the browser's session:
for a quarter of an hour after it was last used, or until it is locked. It is never written anywhere.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import Request
from starlette.responses import Response

from haechi.case import Case
from haechi.case.fingerprints import FingerprintMaker, FingerprintProcess
from haechi.errors import CaseError, Locked
from haechi.settings import Settings
from haechi.web.middleware import secure
from haechi.web.problem import Problem

COOKIE = "haechi_case"
IDLE_S = 900.0
_IDENT = re.compile(r"[0-9a-f]{16}")


@dataclass(slots=True)
class _Open:
    """What one browser has opened, by the name of the folder, and when it last asked for it."""

    cases: dict[str, Case] = field(default_factory=dict)
    used_s: float = 0.0


class CaseSessions:
    """Safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, _Open] = {}

    def put(self, token: str, ident: str, case: Case) -> str:
        """Remember an opened case; the token under which, a new one when this one is not known."""
        with self._lock:
            self._sweep()
            if token not in self._open:
                token = secrets.token_urlsafe(24)
                self._open[token] = _Open()
            mine = self._open[token]
            mine.cases[ident], mine.used_s = case, time.monotonic()
            return token

    def get(self, token: str, ident: str) -> Case | None:
        """The opened case, and its quarter of an hour begins anew."""
        with self._lock:
            self._sweep()
            mine = self._open.get(token)
            if mine is None or ident not in mine.cases:
                return None
            mine.used_s = time.monotonic()
            return mine.cases[ident]

    def lock(self, token: str, ident: str = "") -> None:
        """Forget the key of one case, or of all that this browser opened."""
        with self._lock:
            if ident and token in self._open:
                self._open[token].cases.pop(ident, None)
            else:
                self._open.pop(token, None)

    def forget(self, ident: str) -> None:
        """Close a case that is deleted, in every browser that has it open."""
        with self._lock:
            for mine in self._open.values():
                mine.cases.pop(ident, None)

    def _sweep(self) -> None:
        oldest = time.monotonic() - IDLE_S
        self._open = {token: mine for token, mine in self._open.items() if mine.used_s >= oldest}


@dataclass(frozen=True, slots=True)
class Listed:
    """A case in the list. ``state``: open, locked or damaged; ``title`` is empty unless it is open."""

    ident: str
    state: str
    title: str
    created: str
    encrypted: bool


def sessions(request: Request) -> CaseSessions:
    """The one of the application."""
    sessions_: CaseSessions = request.app.state.case_sessions
    return sessions_


def home(request: Request) -> Path:
    """The folder in which the cases lie."""
    folder: Path = request.app.state.options.data_dir / "cases"
    return folder


def folder_of(request: Request, ident: str) -> Path:
    """The folder of one case. Raises Problem when there is none of this name."""
    folder = home(request) / ident
    if not _IDENT.fullmatch(ident) or not (folder / "case.json").is_file():
        raise Problem("not_found", "There is no such case.")
    return folder


def remnant(request: Request, ident: str) -> str:
    """The folder of a case that was deleted, when files that are not Haechi's are still in it; else empty."""
    folder = home(request) / ident
    left = _IDENT.fullmatch(ident) and folder.is_dir() and not (folder / "case.json").exists()
    return str(folder) if left else ""


def new_folder(request: Request) -> Path:
    """A folder for a new case, not made yet. Raises OSError."""
    home(request).mkdir(mode=0o700, exist_ok=True)
    return home(request) / secrets.token_hex(8)


def maker(settings: Settings) -> FingerprintMaker:
    """Makes the fingerprints of cases away from this process, which holds their keys."""
    return FingerprintProcess(settings)


def opened(request: Request, ident: str) -> Case:
    """The case, ready to be read. Raises Locked when its passphrase has to be asked for."""
    case = sessions(request).get(request.cookies.get(COOKIE, ""), ident)
    if case is None:
        settings: Settings = request.app.state.settings
        case = Case.open(folder_of(request, ident), settings=settings, maker=maker(settings))
    if case.locked:
        raise Locked("This case is locked: open it with its passphrase.")
    return case


def unlock(request: Request, response: Response, ident: str, case: Case) -> None:
    """Keep an encrypted case open for this browser."""
    if case.encrypted:
        token = sessions(request).put(request.cookies.get(COOKIE, ""), ident, case)
        # A cookie of the session; its key is worthless when the browser or the server has ended.
        response.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure(request))


def listed(request: Request) -> list[Listed]:
    """All cases, the newest first."""
    return sorted(_listed(request), key=lambda entry: entry.created, reverse=True)


def _listed(request: Request) -> Iterator[Listed]:
    folders = home(request).iterdir() if home(request).is_dir() else iter(())
    for folder in folders:
        if not _IDENT.fullmatch(folder.name) or not (folder / "case.json").is_file():
            continue
        created, encrypted, state, title = "", False, "damaged", ""
        with suppress(CaseError):
            plain = Case.open(folder)
            created, encrypted = plain.created, plain.encrypted
            try:
                title, state = opened(request, folder.name).title, "open"
            except Locked:
                state = "locked"
        yield Listed(folder.name, state, title, created, encrypted)
