"""Everything in a case folder against its log: what was changed, what is missing, what was put there.

It reads and never writes, needs no network and no passphrase, and says all it finds instead of stopping at
the first. It cannot find a case that was rewritten as a whole, seals included: that shows only against a head
that was noted elsewhere before (``noted``), and nothing shows what was true before the first record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from haechi.case import disk
from haechi.case.kinds import Finding, Findings
from haechi.case.log import CASE, FOLDERS, HEAD, LOG, Log, Seal, parsed, sha256, shaped
from haechi.errors import HaechiError

_HEAD = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class _Chain:
    """What a walk along the log gathers. ``files``: path -> (SHA-256, size) of all that should be there."""

    findings: list[Finding] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    files: dict[str, tuple[str, int]] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)

    def wrong(self, code: str, path: str = "", record: int = 0) -> None:
        self.findings.append(Finding(code, path, record))


def verify(
    folder: Path, noted: str, told: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None
) -> Findings:
    """The findings for one folder. ``told`` opens the private half of a record; None leaves that out."""
    chain = _Chain()
    about = _about(folder, chain)
    seal = _seal(folder, chain)
    _walk(folder, about, seal, told, chain)
    _files(folder, chain)
    for path in _others(folder):
        if path not in chain.files:
            chain.wrong("removed_still_there" if path in chain.removed else "extra", path)
    at = _noted(noted, chain)
    head = chain.heads[-1] if chain.heads else ""
    return Findings(
        seal.head if seal else head,
        len(chain.heads),
        len(chain.files),
        tuple(chain.findings),
        at,
        told is not None,
    )


def _about(folder: Path, chain: _Chain) -> bytes:
    """The bytes of case.json, b"" when they cannot be had."""
    try:
        Log(folder).about()
        return disk.read(folder / CASE, 64 * 1024)
    except HaechiError:
        chain.wrong("case_changed" if (folder / CASE).exists() else "missing", CASE)
        return b""


def _seal(folder: Path, chain: _Chain) -> Seal | None:
    try:
        return Log(folder).seal()
    except HaechiError:
        chain.wrong("head_changed" if (folder / HEAD).exists() else "missing", HEAD)
        return None


def _walk(
    folder: Path,
    about: bytes,
    seal: Seal | None,
    told: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None,
    chain: _Chain,
) -> None:
    try:
        data = Log(folder).data()
    except HaechiError:
        chain.wrong("log_unreadable" if (folder / LOG).exists() else "missing", LOG)
        return
    lines = data.split(b"\n")
    expected = sha256(about)
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
            _record(record, number, told, chain)
        expected = sha256(line)
        chain.heads.append(expected)
    if lines[-1]:
        chain.wrong("line_cut_off", record=len(lines))
    _end(data, seal, chain)


def _end(data: bytes, seal: Seal | None, chain: _Chain) -> None:
    """Whether the log ends where its seal says."""
    if seal is None:
        return
    if len(data) < seal.size or len(chain.heads) < seal.records:
        chain.wrong("log_shortened", LOG)
    elif seal.records < 1 or chain.heads[seal.records - 1] != seal.head:
        chain.wrong("end_changed", LOG)
    elif len(data) > seal.size:
        chain.wrong("not_sealed", LOG)


def _record(
    record: Mapping[str, Any],
    number: int,
    told: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None,
    chain: _Chain,
) -> None:
    """Gather the files of a record, and open its private half."""
    if not shaped(record):
        chain.wrong("line_changed", record=number + 1)
        return
    for facts in record.get("files", ()):
        chain.files[facts["path"]] = (facts["sha256"], facts["size"])
    for path in record.get("removed", ()):
        chain.removed.add(path)
        chain.files.pop(path, None)
    if told is not None:
        try:
            told(record)
        except (HaechiError, KeyError, TypeError, ValueError):
            chain.wrong("entry_changed", record=number + 1)


def _files(folder: Path, chain: _Chain) -> None:
    for path, (digest, size) in chain.files.items():
        place = folder / path
        if not disk.is_folder(place.parent) or not disk.is_file(place):
            chain.wrong("link" if place.is_symlink() else "missing", path)
            continue
        try:
            found = disk.measure(place)
        except OSError:
            chain.wrong("unreadable", path)
            continue
        if found != (digest, size):
            chain.wrong("changed", path)


def _others(folder: Path) -> Iterator[str]:
    """Whatever else lies in the folder, links not followed, in the order of names."""
    for place in sorted(folder.iterdir()) if disk.is_folder(folder) else ():
        name = place.name
        if name in (CASE, LOG, HEAD):
            continue
        if name in FOLDERS and disk.is_folder(place):
            yield from (f"{name}/{inner.name}" for inner in sorted(place.iterdir()))
        elif name != disk.LOCK or not disk.is_file(place) or place.stat().st_size:
            yield name


def _noted(noted: str, chain: _Chain) -> int | None:
    """The record that a noted head belongs to; a finding when there is none."""
    if not noted:
        return None
    wanted = noted.strip().lower()
    if _HEAD.fullmatch(wanted) and wanted in chain.heads:
        return chain.heads.index(wanted) + 1
    chain.wrong("head_not_found")
    return None
