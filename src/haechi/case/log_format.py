"""How the three files of a log are written: one line a record, case.json, and the seal over the end.

A line is canonical JSON (keys sorted, no blanks, ASCII) and a newline; its hash covers the newline. Every
byte of the three files is held by a hash or has one possible value.

Two versions of the format are read. ``haechi.case/1`` is that of cases without a passphrase, and of encrypted
ones that Haechi made before it bound their open half. ``haechi.case/2`` is that of encrypted cases: see
``binding``."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from haechi.errors import CaseError

CASE, LOG, HEAD = "case.json", "log.jsonl", "head.json"
FOLDERS = ("originals", "reports")
PATH = re.compile(rf"({'|'.join(FOLDERS)})/([0-9a-f]{{64}})\.[a-z0-9]{{1,8}}")
"""The only paths that a record may name. A case may come from a stranger: nothing outside of it is read, and
above all nothing is deleted."""
SCHEMA, SCHEMA_BOUND = "haechi.case/1", "haechi.case/2"
BOUND = 2
"""``v`` of a record whose open half is bound by its encryption."""
LATER = "run `haechi case verify` to see what was changed"
_MAC = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Seal:
    """Where the log ends. ``head`` is what a person notes to prove the state of the case later. ``mac``: of
    an encrypted case, made with its key over the rest and case.json; "" where there is none."""

    records: int
    size: int
    head: str
    mac: str = ""

    def text(self) -> bytes:
        value: dict[str, Any] = {"records": self.records, "bytes": self.size, "head": self.head}
        if not self.mac:
            return canonical({**value, "schema": SCHEMA})
        value |= {"schema": SCHEMA_BOUND, "mac": self.mac}
        # Without the key a damaged mac could not be told from a good one.
        return canonical({**value, "sum": sha256(canonical(value))})

    def keyed(self, about: bytes) -> bytes:
        """What the mac is made over; ``about``: the bytes of case.json."""
        return canonical(
            {"records": self.records, "bytes": self.size, "head": self.head, "case": sha256(about)}
        )


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


def parsed_about(text: bytes) -> dict[str, Any]:
    """What case.json says. Raises CaseError when it is not what Haechi wrote."""
    value = parsed(text) or {}
    facts = [value.get(name) for name in ("schema", "id", "created")]
    crypto = value.get("crypto")
    if not (
        all(isinstance(t, str) for t in facts)
        and facts[0] in (SCHEMA, SCHEMA_BOUND)
        and isinstance(crypto, dict if facts[0] == SCHEMA_BOUND else dict | None)
    ):
        raise CaseError(f"case.json is not one that this version of Haechi wrote: {LATER}.")
    return value


def parsed_seal(text: bytes) -> Seal:
    """What head.json says. Raises CaseError when it is not what Haechi wrote."""
    value = parsed(text) or {}
    try:
        mac = str(value.get("mac", ""))
        seal = Seal(int(value["records"]), int(value["bytes"]), str(value["head"]), mac)
    except (KeyError, TypeError, ValueError):
        seal = Seal(-1, -1, "")
    if seal.text() != text or not (seal.mac == "" or _MAC.fullmatch(seal.mac)):
        raise CaseError(f"head.json, the seal of the case, was changed: {LATER}.")
    return seal


def shaped(record: Mapping[str, Any]) -> bool:
    """Whether a record has the parts that Haechi writes, each of its kind, and names no path but its own."""
    facts, removed = record.get("files", []), record.get("removed", [])
    half = record.get("entry") if "entry" in record else {"sealed": record.get("sealed")}
    return (
        record.get("do") in ("open", "add", "remove")
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


def fits(record: Mapping[str, Any], about: Mapping[str, Any], *, bound_before: bool) -> bool:
    """Whether a record is of the version that it has to be: of an encrypted case no line is in the open, and
    after one that is bound all are, so that nobody can fall back to the older version."""
    if about.get("crypto") is None:
        return "entry" in record and "v" not in record
    version = record.get("v")
    needed = bound_before or about.get("schema") == SCHEMA_BOUND
    return "entry" not in record and version in ((BOUND,) if needed else (None, BOUND))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def now() -> str:
    """The computer's clock, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
