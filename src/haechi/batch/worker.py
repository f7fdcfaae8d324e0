"""Rows made in a process of their own, as ``haechi.isolated`` does it: a file that crashes it, keeps it busy
or fills its memory is a row with an error, and the process comes again for the next."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from haechi.batch.items import Item
from haechi.batch.rows import Row, failed_row, findings, name_of, row_of
from haechi.errors import Crashed, DamagedFile, Fault, InputError
from haechi.isolated.checks import Checks
from haechi.isolated.process import Process
from haechi.settings import Settings

TARGET = "haechi.batch.worker:Rows"
ATTEMPTS = 3
"""How often a file is tried whose process ended: somebody else may have ended it."""
_NO_PROCESS = ("ProcessDied", "StartTimeout")
"""Faults of the machine, and not of a file."""


class RowProcess:
    """Makes rows one after another. ``Process`` tells from which thread it may be asked; ``tell`` is called
    five times a second, and breaks off what it raises."""

    def __init__(self, settings: Settings, scratch: Path, tell: Callable[[], None], target: str = TARGET):
        self._process = Process(target, settings, scratch=scratch)
        self._tell: Callable[[str, float], None] = lambda _stage, _part: tell()
        self.stop = self._process.stop

    def row(self, item: Item) -> Row:
        """Raises ModelError when a model is missing or altered, UsageError for a setting that cannot be
        followed, and Fault when no process can be started: all of these would befall every other file."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return row_of(item, self._asked(item))
            except Crashed as error:
                if attempt == ATTEMPTS:
                    return failed_row(item, error)
            except InputError as error:
                return failed_row(item, error)
            except Fault as error:
                if error.kind not in _NO_PROCESS:
                    return failed_row(item, error)
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _asked(self, item: Item) -> Mapping[str, Any]:
        request = {"path": str(item.content or item.path), "name": name_of(item)}
        _, data = self._process.ask(request, self._tell)
        try:
            facts = json.loads(data)
            if isinstance(facts["verdict"]["level"], str) and isinstance(facts["source"]["sha256"], str):
                return dict(facts)
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        raise DamagedFile("The process that checked this file answered nonsense: it may be made to do harm.")


class Rows(Checks):
    """The child's half: a target of ``haechi.isolated.child``."""

    def answer(
        self, request: Mapping[str, Any], tell: Callable[[str, float], None]
    ) -> tuple[Mapping[str, Any], bytes]:
        report = self.checked(request, tell)
        return {}, json.dumps(findings(report)).encode()
