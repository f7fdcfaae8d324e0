"""Everything in a case folder against its log: what was changed, what is missing, what was put there.

It reads and never writes, needs no network, and says all it finds instead of stopping at the first. With the
key of an encrypted case it also finds what was forged with all hashes made anew. Without one it cannot: a
case that was rewritten as a whole shows only against a head that was noted elsewhere before (``noted``). So
does, with or without the key, an older state of the whole folder that somebody kept and put back. Nothing
shows what was true before the first record.

What an interruption leaves is told apart from what was changed: see ``INTERRUPTED``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from haechi.case import atomic_io
from haechi.case.binding import holds, private_half
from haechi.case.encryption import Key
from haechi.case.log import Log
from haechi.case.log_format import (
    BOUND,
    CASE,
    FOLDERS,
    HEAD,
    LOG,
    SCHEMA_BOUND,
    Seal,
    fits,
    parsed,
    sha256,
    shaped,
)
from haechi.case.types import Finding, Findings
from haechi.errors import HaechiError

_HEAD = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class _Chain:
    """What a walk along the log gathers. ``ends``: the bytes of the log up to the end of each line.
    ``files``: path -> (SHA-256, size) of all that should be there. ``bound_since``: see ``Findings``."""

    key: Key | None
    text: bytes = b""
    about: Mapping[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    files: dict[str, tuple[str, int]] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    until: str = ""
    bound_since: int = 0

    @property
    def encrypted(self) -> bool:
        return self.about.get("crypto") is not None

    @property
    def readable(self) -> bool:
        return bool(self.about) and (not self.encrypted or self.key is not None)

    def wrong(self, code: str, path: str = "", record: int = 0) -> None:
        self.findings.append(Finding(code, path, record))


def verify(folder: Path, noted: str, key: Key | None) -> Findings:
    """The findings for one folder; ``key``: of an encrypted case, None leaves out what needs it. Raises
    CaseError when the folder itself cannot be read, or an entry is being added at this moment."""
    try:
        findings = _compared(folder, noted, _Chain(key))
        if not findings.intact and atomic_io.is_locked(folder):
            raise atomic_io.in_use()
        if not findings.intact and findings.head != _head(folder):
            # An entry was added while the files were compared.
            findings = _compared(folder, noted, _Chain(key))
        return findings
    except OSError as error:
        raise atomic_io.io_error("The folder of the case cannot be read", error) from None


def _head(folder: Path) -> str:
    try:
        return Log(folder).seal().head
    except HaechiError:
        return ""


def _compared(folder: Path, noted: str, chain: _Chain) -> Findings:
    if _broken_off(folder):
        chain.wrong("making_interrupted")
        return Findings("", 0, 0, tuple(chain.findings))
    _about(folder, chain)
    seal = _seal(folder, chain)
    _walk(folder, seal, chain)
    if seal is not None and chain.about:
        _keyed(seal, chain)
    _files(folder, chain)
    at = _noted(noted, chain)
    head = chain.heads[-1] if chain.heads else ""
    return Findings(
        seal.head if seal else head,
        len(chain.heads),
        len(chain.files),
        tuple(chain.findings),
        at,
        chain.readable,
        chain.encrypted,
        chain.until,
        chain.bound_since,
        len(chain.removed),
    )


def _broken_off(folder: Path) -> bool:
    """Whether the making of the case was ended by force: case.json comes last, and nothing was added yet."""
    there = {place.name for place in folder.iterdir()} if atomic_io.is_folder(folder) else set()
    names = {name for name in there if not name.startswith(atomic_io.UNFINISHED)}
    if CASE in there or not names <= {LOG, HEAD, atomic_io.LOCK, *FOLDERS} or atomic_io.LOCK not in names:
        return False
    try:
        data = Log(folder).data() if LOG in there else b""
    except HaechiError:
        return False
    return data.count(b"\n") <= 1 and not any(
        True for name in FOLDERS if atomic_io.is_folder(folder / name) for _ in (folder / name).iterdir()
    )


def _about(folder: Path, chain: _Chain) -> None:
    try:
        log = Log(folder)
        chain.about, chain.text = log.about(), log.about_bytes()
        if chain.key is not None and not chain.encrypted:
            chain.wrong("case_changed", CASE)  # the key is of a case whose place this one took
    except HaechiError:
        chain.wrong("case_changed" if (folder / CASE).exists() else "missing", CASE)


def _seal(folder: Path, chain: _Chain) -> Seal | None:
    try:
        return Log(folder).seal()
    except HaechiError:
        chain.wrong("head_changed" if (folder / HEAD).exists() else "missing", HEAD)
        return None


def _walk(folder: Path, seal: Seal | None, chain: _Chain) -> None:
    try:
        data = Log(folder).data()
    except HaechiError:
        chain.wrong("log_unreadable" if (folder / LOG).exists() else "missing", LOG)
        return
    lines = data.split(b"\n")
    expected, end = sha256(chain.text), 0
    for number, bare in enumerate(lines[:-1]):
        line = bare + b"\n"
        record = parsed(line)
        if record is None:
            chain.wrong("line_changed", record=number + 1)
        else:
            if record.get("prev") != expected:
                # Either this line's word for the one before was changed, or that one was.
                chain.wrong("chain_broken", record=number + 1)
            if record.get("n") != number:
                chain.wrong("line_out_of_order", record=number + 1)
            _record(record, number, chain)
        expected, end = sha256(line), end + len(line)
        chain.heads.append(expected)
        chain.ends.append(end)
    _end(data, lines[-1], seal, chain)


def _end(data: bytes, rest: bytes, seal: Seal | None, chain: _Chain) -> None:
    """Whether the log ends where its seal says. ``rest``: what stands after its last whole line."""
    number = len(chain.heads)
    if seal is not None and len(data) >= seal.size and number >= max(seal.records, 1):
        at = seal.records - 1
        if at < 0 or (chain.heads[at], chain.ends[at]) != (seal.head, seal.size):
            chain.wrong("end_changed", LOG)
        elif rest:
            chain.wrong("line_half" if number == seal.records else "line_cut_off", record=number + 1)
        elif number == seal.records + 1:
            chain.wrong("line_unsealed", record=number)
        elif number > seal.records:
            chain.wrong("not_sealed", LOG)
        return
    if rest:
        chain.wrong("line_cut_off", record=number + 1)
    if seal is not None:
        chain.wrong("log_shortened", LOG)


def _keyed(seal: Seal, chain: _Chain) -> None:
    """Whether the seal carries the MAC that it has to carry, and the key made it."""
    needed = chain.encrypted and (chain.bound_since > 0 or chain.about.get("schema") == SCHEMA_BOUND)
    if not (seal.mac or needed):
        return
    if not (seal.mac and chain.encrypted):
        chain.wrong("head_changed", HEAD)
    elif chain.key is not None and not holds(seal, chain.text, chain.key):
        chain.wrong("head_forged", HEAD)


def _record(record: Mapping[str, Any], number: int, chain: _Chain) -> None:
    """Gather the files of a record, and open its private half."""
    bound_before = chain.bound_since > 0
    if not shaped(record) or (chain.about and not fits(record, chain.about, bound_before=bound_before)):
        chain.wrong("line_changed", record=number + 1)
        return
    if record.get("v") == BOUND and not bound_before:
        chain.bound_since = number + 1
    chain.until = str(record["time"])
    for facts in record.get("files", ()):
        chain.files[facts["path"]] = (facts["sha256"], facts["size"])
        chain.removed.discard(facts["path"])
    for path in record.get("removed", ()):
        chain.removed.add(path)
        chain.files.pop(path, None)
    if chain.readable and not _names_same_files(record, chain):
        chain.wrong("entry_changed", record=number + 1)


def _names_same_files(record: Mapping[str, Any], chain: _Chain) -> bool:
    """Whether the private half opens and names the very files that the open half names."""
    try:
        half = private_half(record, chain.about, chain.key)
    except (HaechiError, KeyError, TypeError, ValueError):
        return False
    private = {half.get(name, "") for name in ("file", "report") if isinstance(half.get(name, ""), str)} - {
        ""
    }
    return record.get("do") != "add" or private == {facts["path"] for facts in record.get("files", ())}


def _files(folder: Path, chain: _Chain) -> None:
    waiting = dict(_waiting(folder))
    claimed: set[str] = set()
    for path, facts in chain.files.items():
        place = folder / path
        if atomic_io.is_folder(place.parent) and atomic_io.is_file(place):
            try:
                if atomic_io.measure(place) != facts:
                    chain.wrong("changed", path)
            except OSError:
                chain.wrong("unreadable", path)
            continue
        own = [name for name, own_facts in waiting.items() if own_facts == facts and _beside(name, path)]
        claimed.update(own[:1])
        code = "link" if place.is_symlink() else "file_waiting" if own else "missing"
        chain.wrong(code, path)
    for path in _others(folder):
        if path in waiting:
            if path not in claimed:
                chain.wrong("unfinished", path)
        elif path not in chain.files:
            chain.wrong("removed_still_there" if path in chain.removed else "extra", path)


def _beside(name: str, path: str) -> bool:
    return name.split("/", maxsplit=1)[0] == path.split("/", maxsplit=1)[0]


def _waiting(folder: Path) -> Iterator[tuple[str, tuple[str, int] | None]]:
    """What an interrupted writer left: its path, and its SHA-256 and size where it is a file of the case."""
    for path in atomic_io.unfinished(folder):
        yield path.name, None
    for name in FOLDERS:
        for path in atomic_io.unfinished(folder / name):
            try:
                yield f"{name}/{path.name}", atomic_io.measure(path)
            except OSError:
                yield f"{name}/{path.name}", None


def _others(folder: Path) -> Iterator[str]:
    """Whatever else lies in the folder, links not followed, in the order of names."""
    for place in sorted(folder.iterdir()) if atomic_io.is_folder(folder) else ():
        name = place.name
        if name in (CASE, LOG, HEAD):
            continue
        if name in FOLDERS and atomic_io.is_folder(place):
            yield from (f"{name}/{inner.name}" for inner in sorted(place.iterdir()))
        elif name != atomic_io.LOCK or not atomic_io.is_file(place) or place.stat().st_size:
            yield name


def _noted(noted: str, chain: _Chain) -> int | None:
    """The record that a noted head belongs to; a finding when there is none."""
    if not noted:
        return None
    seal = noted.strip().lower()
    if _HEAD.fullmatch(seal) and seal in chain.heads:
        return chain.heads.index(seal) + 1
    chain.wrong("head_not_found")
    return None
