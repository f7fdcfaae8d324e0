"""The log of a case: one line a record, each with the SHA-256 of the line before, and a seal over the end.

    case.json    what the case is: schema, a random id, the encrypted key if there is one; never changes
    log.jsonl    records, append-only; ``prev`` of the first is the SHA-256 of case.json
    head.json    the seal: the number of records, the bytes of the log, the SHA-256 of its last line

A line is canonical JSON (keys sorted, no blanks, ASCII) and a newline; its hash covers the newline, so that
``sed -n 3p log.jsonl | sha256sum`` gives the ``prev`` of the fourth. Every byte of the three files is held by
a hash or has one possible value. What a log cannot show by itself is that somebody wrote the whole case anew:
that shows only against a head that was noted elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from haechi.case import disk
from haechi.errors import CaseError

CASE, LOG, HEAD = "case.json", "log.jsonl", "head.json"
FOLDERS = ("originals", "reports")
PATH = re.compile(rf"({'|'.join(FOLDERS)})/([0-9a-f]{{64}})\.[a-z0-9]{{1,8}}")
"""The only paths that a record may name. A case may come from a stranger: nothing outside of it is read, and
above all nothing is deleted."""
SCHEMA = "haechi.case/1"
_MOST_BYTES = 512 * 1024**2
_LATER = "run `haechi case verify` to see what was changed"


@dataclass(frozen=True, slots=True)
class Seal:
    """Where the log ends. ``head`` is what a person notes to prove the state of the case later."""

    records: int
    size: int
    head: str

    def text(self) -> bytes:
        return canonical({"schema": SCHEMA, "records": self.records, "bytes": self.size, "head": self.head})


def canonical(value: Mapping[str, Any]) -> bytes:
    """The one way to write a JSON object, with a newline. Raises ValueError for NaN."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode("ascii") + b"\n"


def parsed(line: bytes) -> dict[str, Any] | None:
    """The object of a line; None unless it is written in the one way."""
    try:
        value = json.loads(line)
        return value if isinstance(value, dict) and canonical(value) == line else None
    except (ValueError, RecursionError):
        return None


def shaped(record: Mapping[str, Any]) -> bool:
    """Whether a record has the parts that Haechi writes, each of its kind, and names no path but its own."""
    facts, removed = record.get("files", []), record.get("removed", [])
    half = record.get("entry") if "entry" in record else {"sealed": record.get("sealed")}
    return (
        record.get("do") in ("open", "add")
        and type(record.get("n")) is int
        and isinstance(record.get("time"), str)
        and isinstance(half, dict)
        and ("sealed" not in half or isinstance(half["sealed"], str))
        and isinstance(facts, list)
        and all(isinstance(f, dict) and _names(f.get("path"), f.get("sha256"), f.get("size")) for f in facts)
        and isinstance(removed, list)
        and all(_names(path, None, 0) for path in removed)
    )


def _names(path: object, digest: object, size: object) -> bool:
    """Whether a path is one of a case's, and that of the file with this hash."""
    match = PATH.fullmatch(path) if isinstance(path, str) else None
    return match is not None and digest in (None, match[2]) and type(size) is int


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def now() -> str:
    """The computer's clock, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Log:
    """The log of the case in one folder. Nothing is kept in memory: other programs may write it too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, about: Mapping[str, Any]) -> None:
        """The three files of an empty case; no record yet."""
        text = canonical(about)
        disk.replace(self.folder / CASE, text)
        disk.replace(self.folder / LOG, b"")
        disk.replace(self.folder / HEAD, Seal(0, 0, sha256(text)).text())

    def about(self) -> dict[str, Any]:
        """What case.json says. Raises CaseError when it is not what Haechi wrote."""
        value = parsed(disk.read(self.folder / CASE, 64 * 1024))
        told = [(value or {}).get(name) for name in ("schema", "id", "created")]
        if value is None or told[0] != SCHEMA or not all(isinstance(t, str) for t in told):
            raise CaseError(f"case.json is not one that this version of Haechi wrote: {_LATER}.")
        return value

    def seal(self) -> Seal:
        """What head.json says. Raises CaseError."""
        data = disk.read(self.folder / HEAD, 4096)
        value = parsed(data) or {}
        try:
            seal = Seal(int(value["records"]), int(value["bytes"]), str(value["head"]))
        except (KeyError, TypeError, ValueError):
            seal = Seal(-1, -1, "")
        if seal.text() != data:
            raise CaseError(f"head.json, the seal of the case, was changed: {_LATER}.")
        return seal

    def data(self) -> bytes:
        return disk.read(self.folder / LOG, _MOST_BYTES)

    def records(self) -> list[dict[str, Any]]:
        """All sealed records, in order. Raises CaseError where the chain does not hold."""
        seal, data = self.seal(), self.data()
        lines = data[: seal.size].splitlines(keepends=True)
        expected = sha256(disk.read(self.folder / CASE, 64 * 1024))
        out = []
        for number, line in enumerate(lines):
            record = parsed(line)
            place = (number, expected)
            if record is None or not shaped(record) or (record["n"], record.get("prev")) != place:
                raise CaseError(f"Line {number + 1} of the log of this case does not hold: {_LATER}.")
            out.append(record)
            expected = sha256(line)
        if not out or len(data) < seal.size or (len(out), expected) != (seal.records, seal.head):
            raise CaseError(f"The log of this case ends elsewhere than its seal says: {_LATER}.")
        return out

    def append(self, record: Mapping[str, Any]) -> Seal:
        """Add a record and seal it; ``n``, ``prev`` and ``time`` are added here. The caller holds the case
        (``disk.only_writer``). After a loss of power at any moment the record is there or it is not."""
        self.recover()
        seal = self.seal()
        line = canonical({**record, "n": seal.records, "prev": seal.head, "time": now()})
        try:
            with disk.opened(self.folder / LOG, os.O_WRONLY | os.O_APPEND) as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise disk.failed("The log of the case cannot be written", error) from None
        return self._sealed(seal, line)

    def recover(self) -> None:
        """Put in order what a loss of power left: half a line after the seal goes, a whole one that carries
        on the chain is sealed, unfinished files go. Raises CaseError for anything else, which was a
        change."""
        seal, data = self.seal(), self.data()
        rest = data[seal.size :]
        if len(data) < seal.size:
            raise CaseError(f"The log of this case is shorter than its seal says: {_LATER}.")
        if rest:
            record = parsed(rest)
            if b"\n" not in rest:
                disk.replace(self.folder / LOG, data[: seal.size])
            elif record and record.get("prev") == seal.head and record.get("n") == seal.records:
                self._sealed(seal, rest)
            else:
                raise CaseError(f"The log of this case goes on after its seal: {_LATER}.")
        for place in (self.folder, *(self.folder / name for name in FOLDERS)):
            for left in place.glob(f"{disk.UNFINISHED}*") if disk.is_folder(place) else ():
                left.unlink(missing_ok=True)

    def _sealed(self, seal: Seal, line: bytes) -> Seal:
        new = Seal(seal.records + 1, seal.size + len(line), sha256(line))
        disk.replace(self.folder / HEAD, new.text())
        return new
