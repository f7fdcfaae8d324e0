"""The frozen values that a case gives out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from haechi.pdq import Moment
from haechi.types import Report

Kind: TypeAlias = Literal["image", "video", "other"]
#: Why there is no fingerprint: too little in the picture; not a picture; damaged; over a limit.
NoFingerprint: TypeAlias = Literal["", "plain", "not_media", "damaged", "over_limit"]
#: How a copy was recognised: the very same bytes, the whole picture, a part of it, frames of a video.
How: TypeAlias = Literal["same_file", "picture", "part", "video"]


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """What is known of a file's content without keeping it. ``pdq`` is "" where ``why`` says why not.
    ``parts``: hashes of the picture less its margins, by which a copy that was cropped a little is found.
    ``moments``: of a video's frames."""

    kind: Kind
    why: NoFingerprint = ""
    pdq: str = ""
    quality: int = 0
    parts: tuple[str, ...] = ()
    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a case. ``number`` counts from 1 and never changes. ``file`` and ``report_file`` are paths
    in the case folder, "" where nothing is kept: of somebody under age there is never anything, and
    ``figures`` hold what the check said, in words and numbers (``haechi.report.proof``). ``deleted``: when
    they were deleted, "" while they are there or never were."""

    number: int
    time: str
    name: str
    sha256: str
    size: int
    fingerprints: Fingerprints
    address: str = ""
    note: str = ""
    minor: bool = False
    file: str = ""
    report_file: str = ""
    figures: Mapping[str, Any] | None = None
    deleted: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the folder is not what the log says. ``code`` is a key of the words of ``haechi.case``,
    ``path`` is relative to the folder, ``record`` the line of the log, counted from 1; 0 where it is not
    one."""

    code: str
    path: str = ""
    record: int = 0

    @property
    def params(self) -> Mapping[str, Any]:
        return {"path": self.path, "record": self.record}


INTERRUPTED = frozenset(
    {"unfinished", "file_waiting", "line_half", "line_unsealed", "removed_still_there", "making_interrupted"}
)
"""Codes of findings that a kill or a loss of power leaves; the next entry that is added puts them in
order."""


@dataclass(frozen=True, slots=True)
class Findings:
    """The answer of ``verify``. ``noted``: which record the noted head belongs to, None when none was given
    or it belongs to none. ``decrypted``: the sealed entries could be opened and read as well. ``until``: the
    time of the last record. ``bound_since``: the first line whose open half is bound by the encryption, 0
    where none is, 1 where all are. ``deleted``: how many stored files the log says were deleted."""

    head: str
    records: int
    files: int
    findings: tuple[Finding, ...]
    noted: int | None = None
    decrypted: bool = True
    encrypted: bool = False
    until: str = ""
    bound_since: int = 0
    deleted: int = 0

    @property
    def intact(self) -> bool:
        return not self.findings

    @property
    def interrupted(self) -> bool:
        """Not intact, and all that was found is what an interruption leaves."""
        return bool(self.findings) and all(f.code in INTERRUPTED for f in self.findings)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What has to be known beside the findings: codes of sentences like theirs."""
        if not self.encrypted:
            return ()
        shut = () if self.decrypted else (Finding("verify_shut"),)
        if self.bound_since == 0:
            return (*shut, Finding("verify_unbound"))
        return (
            (*shut, Finding("verify_bound_since", record=self.bound_since)) if self.bound_since > 1 else shut
        )

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)


@dataclass(frozen=True, slots=True)
class Match:
    """A copy of an entry. ``distance`` in bits, of a video's nearest frames; ``share``: of its frames that
    are found in the other one, 1 for pictures; ``turned``: it lies on its side or upside down;
    ``mirrored``."""

    path: Path
    entry: int
    how: How
    distance: int = 0
    share: float = 1.0
    mirrored: bool = False
    turned: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that could not be compared. ``code`` is a key of the words of ``haechi.case``."""

    path: Path
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


class Readable(Protocol):
    """What pages and bundles read of an opened case."""

    folder: Path

    @property
    def encrypted(self) -> bool: ...
    @property
    def ident(self) -> str: ...
    @property
    def created(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def head(self) -> str: ...

    def entries(self) -> tuple[Entry, ...]: ...
    def report(self, entry: Entry) -> Report | None: ...
    def original(self, entry: Entry) -> Iterator[bytes]: ...
    def stored(self, path: str) -> Iterator[bytes]: ...
