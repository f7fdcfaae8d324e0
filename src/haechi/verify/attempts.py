"""Sessions of a test, from a csv: what was presented, and how each session ended.

Columns: ``kind`` (genuine, presentation or injection), ``species`` (of a genuine session the condition, such
as darkness; of an attack the instrument) and ``result`` (accept, refuse, retry or refer); optionally
``method`` (of an injection: how it got in) and ``level`` (1 or 2: the level of laboratories at which an
instrument counts). Other columns are left alone.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from haechi.errors import UsageError
from haechi.verify.types import DECISIONS, Decision

AttemptKind: TypeAlias = Literal["genuine", "presentation", "injection"]
KINDS: tuple[AttemptKind, ...] = ("genuine", "presentation", "injection")
_NEEDED = ("kind", "species", "result")
_LEVELS = ("", "1", "2")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line. ``method`` and ``level`` may be empty."""

    kind: AttemptKind
    species: str
    result: Decision
    method: str = ""
    level: str = ""


def read(file: Path) -> tuple[Attempt, ...]:
    """All lines. Raises UsageError that names the line and the cure."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
            if missing:
                raise UsageError(f"{file.name} has no column {missing[0]!r}: it needs {', '.join(_NEEDED)}.")
            attempts = tuple(_attempt(line, reader.line_num, file.name) for line in reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{file.name} cannot be read as a csv ({type(error).__name__}): name one.") from None
    if not attempts:
        raise UsageError(f"{file.name} holds no session: give one a line.")
    return attempts


def _attempt(line: dict[str, str | None], number: int, name: str) -> Attempt:
    values = {key: (line.get(key) or "").strip() for key in (*_NEEDED, "method", "level")}
    choices = {"kind": KINDS, "result": DECISIONS, "level": _LEVELS}
    for key, allowed in choices.items():
        if values[key] not in allowed:
            words = ", ".join(filter(None, allowed))
            raise UsageError(
                f"{name}, line {number}: {key} is {values[key]!r}, but one of {words} is needed."
            )
    if not values["species"]:
        raise UsageError(f"{name}, line {number}: the species is missing: say what was presented.")
    return Attempt(**values)  # type: ignore[arg-type]
