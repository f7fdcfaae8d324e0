"""How a run goes: on a terminal a bar with the rate and the time left, for machines a line of JSON a minute.
Both go to stderr."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Any, Self

from haechi.batch.rows import Row
from haechi.errors import HaechiError
from haechi.terminal import Bar, say

_EVERY_S = 60.0
_RATE_OVER_S = 60.0


class Form(StrEnum):
    """bar: for people · json: for machines."""

    bar = "bar"
    json = "json"


class Progress:
    """Counts what is done. Used as a context; told of by one thread, and of ``skip`` and ``note`` by any."""

    def __init__(self, form: Form, *, quiet: bool) -> None:
        self._is_json = form is Form.json and not quiet
        self._is_bar = form is Form.bar and not quiet and sys.stderr.isatty()
        self._bar = Bar(None, quiet=not self._is_bar)
        self._total: int | None = None
        self._rows, self._skipped, self._errors = 0, 0, 0
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])
        self._told_s = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.__exit__(None, None, None)
        self._tell_machine()

    def expect(self, count: Callable[[], int | None]) -> None:
        """Have all files counted beside the work, if anybody is told."""
        if self._is_json or self._is_bar:
            threading.Thread(target=self._count, args=(count,), name="haechi-count", daemon=True).start()

    def skip(self) -> None:
        """A file is done already."""
        self._skipped += 1

    def add(self, row: Row) -> None:
        """A row is done."""
        self._rows += 1
        self._errors += "error" in row

    def note(self, line: str) -> None:
        """Say a line on stderr."""
        with self._bar.hidden():
            say(line)

    def beat(self) -> None:
        """Tell what there is to tell; to be called now and then."""
        now = time.monotonic()
        if now - self._marks[-1][0] >= 1:
            self._marks.append((now, self._rows))
            while now - self._marks[0][0] > _RATE_OVER_S:
                self._marks.popleft()
        if now - self._told_s >= _EVERY_S:
            self._told_s = now
            self._tell_machine()
        total = None if self._total is None else max(self._total - self._skipped, 1)
        # Of files that were done before neither the rate nor the time left knows.
        self._bar.tell(self._line(), self._rows, total)

    def facts(self) -> dict[str, Any]:
        """files: in the source, None where that is not known · done: of them · errors, files_per_s and
        left_s, None where they are not known: of this run."""
        ready, rate, left_s = self._rows + self._skipped, self._rate(), None
        if self._total is not None and rate:
            left_s = round(max(self._total - ready, 0) / rate, 1)
        rounded = None if rate is None else round(rate, 2)
        return {
            "files": self._total,
            "done": ready,
            "errors": self._errors,
            "files_per_s": rounded,
            "left_s": left_s,
        }

    def _count(self, count: Callable[[], int | None]) -> None:
        # What cannot be read will be told by whoever reads it for the work.
        with suppress(HaechiError, OSError):
            self._total = count()

    def _rate(self) -> float | None:
        """Rows a second over the last minute; None before there is one."""
        since_s, rows = self._marks[0]
        passed_s = time.monotonic() - since_s
        return (self._rows - rows) / passed_s if passed_s > 0 and self._rows > rows else None

    def _line(self) -> str:
        ready, rate = self._rows + self._skipped, self._rate()
        of = "" if self._total is None else f" of {self._total:,}"
        speed = "" if rate is None else f", {rate:.1f} a second"
        return f"{ready:,}{of} files{speed}"

    def _tell_machine(self) -> None:
        if self._is_json:
            say(json.dumps(self.facts()))
