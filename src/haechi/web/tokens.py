"""The tokens that callers show: the one of the options, and named ones in a file, of which it holds hashes.

    # HAECHI_TOKENS_FILE, a client a line; made by `haechi serve --new-token NAME`
    newsroom sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08

The file is read again whenever it changes, so a token that is taken out of it ends at once, and with it the
sessions of browsers that showed it. A token is random and long, so one round of SHA-256 hides it.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
import threading
from pathlib import Path

from haechi import regular_files
from haechi.errors import UsageError
from haechi.web.one_time import OneTimeCode

ONCE = "once:"
"""The name under which the code that works once lets somebody in; no name of a token has a colon."""
_LINE = re.compile(r"([A-Za-z0-9_.-]{1,64})\s+sha256:([0-9a-f]{64})")
_MOST_BYTES = 1024 * 1024
_log = logging.getLogger("haechi.web")


class Tokens:
    """Safe to call from any thread. ``once``: the code that works once, where there is one; only a browser
    signs in with it, no program is let in by it. Raises UsageError when the file cannot be used."""

    def __init__(self, token: str | None, file: Path | None, once: OneTimeCode | None = None) -> None:
        self.once = once
        self._own = {"": digest(token)} if token is not None else {}
        self._file, self._lock = file, threading.Lock()
        self._signature: tuple[int, ...] = ()
        self._of_file: dict[str, str] = {}
        if file is not None:
            self._of_file, self._signature = _read(file), _signature(file)

    @property
    def needed(self) -> bool:
        """Whether callers have to show one at all."""
        return bool(self._own) or self._file is not None or self.once is not None

    def name_of(self, token: str) -> str | None:
        """The name of a token: "" for that of the options; None when it is none. In constant time."""
        own_digest, match = digest(token), None
        for name, expected in self._now().items():
            if hmac.compare_digest(own_digest, expected):
                match = name
        return match

    def signed_in(self, token: str) -> str | None:
        """The same for whoever signs in with a browser, and the code that works once is used up by it."""
        return ONCE if self.once is not None and self.once.use(token) else self.name_of(token)

    def digest_of(self, name: str) -> str | None:
        """What stands for the token of this name now; None when it was taken away."""
        if name == ONCE and self.once is not None:
            return digest(self.once.text)
        return self._now().get(name)

    def _now(self) -> dict[str, str]:
        if self._file is None:
            return self._own
        with self._lock:
            signature = _signature(self._file)
            if signature != self._signature:
                self._signature = signature
                try:
                    self._of_file = _read(self._file)
                except UsageError as error:
                    _log.error("no named token is taken: %s", error.message)
                    self._of_file = {}
            return self._own | self._of_file


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def new_token(name: str) -> tuple[str, str]:
    """A token for a client, and its line for the file. Raises UsageError."""
    token = secrets.token_urlsafe(24)
    line = f"{name} sha256:{digest(token)}"
    if not _LINE.fullmatch(line):
        raise UsageError("The name of a token is 1 to 64 of the characters A-Z, a-z, 0-9, `_`, `.` and `-`.")
    return token, line


def _signature(file: Path) -> tuple[int, ...]:
    try:
        about = file.stat()
    except OSError:
        return ()
    return (about.st_mtime_ns, about.st_size, about.st_ino)


def _read(file: Path) -> dict[str, str]:
    """Digests by name. Raises UsageError."""
    try:
        lines = regular_files.read(file, _MOST_BYTES).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"HAECHI_TOKENS_FILE cannot be read ({type(error).__name__}): name the list."
        ) from None
    digests: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not (text := line.partition("#")[0].strip()):
            continue
        match = _LINE.fullmatch(text)
        if match is None or match[1] in digests:
            raise UsageError(
                f"Line {number} of HAECHI_TOKENS_FILE is not `NAME sha256:DIGEST`, or its name stands there "
                "twice: make lines with `haechi serve --new-token NAME`."
            )
        digests[match[1]] = match[2]
    return digests
