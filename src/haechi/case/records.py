"""Entries to the private half of a record of the log, and back."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, get_args

from haechi.case.log_format import PATH
from haechi.case.types import Entry, Fingerprints, Kind, NoFingerprint
from haechi.errors import CaseError, UsageError
from haechi.pdq import Moment, checked
from haechi.report.proof import figures_from


def to_record(entry: Entry) -> dict[str, Any]:
    """What the log keeps of an entry besides its number and time: JSON-ready."""
    return {
        "name": entry.name,
        "address": entry.address,
        "note": entry.note,
        "minor": entry.minor,
        "sha256": entry.sha256,
        "size": entry.size,
        **fingerprints_record(entry.fingerprints),
        "file": entry.file,
        "report": entry.report_file,
        **({} if entry.figures is None else {"figures": entry.figures}),
    }


def from_record(record: Mapping[str, Any], facts: Mapping[str, Any]) -> Entry:
    """The other way. Raises CaseError when something is missing or of another kind."""
    try:
        return Entry(
            number=int(record["n"]),
            time=str(record["time"]),
            name=str(facts["name"]),
            sha256=checked(facts["sha256"]),
            size=int(facts["size"]),
            fingerprints=fingerprints_from(facts),
            address=str(facts["address"]),
            note=str(facts["note"]),
            minor=bool(facts["minor"]),
            file=_path(facts["file"]),
            report_file=_path(facts["report"]),
            figures=figures_from(facts["figures"]) if "figures" in facts else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError, UsageError):
        raise CaseError(
            "A record of this case is not one that this version of Haechi wrote: use a newer version."
        ) from None


def fingerprints_record(fingerprints: Fingerprints) -> dict[str, Any]:
    """Fingerprints as the log keeps them: JSON-ready."""
    return {
        "kind": fingerprints.kind,
        "why": fingerprints.why,
        "pdq": fingerprints.pdq,
        "quality": fingerprints.quality,
        "parts": list(fingerprints.parts),
        "moments": [[round(m.time_s, 3), m.hash] for m in fingerprints.moments],
    }


def fingerprints_from(facts: Mapping[str, Any]) -> Fingerprints:
    """The other way. Raises KeyError, TypeError, ValueError or UsageError for what is none."""
    return Fingerprints(
        _one_of(facts["kind"], get_args(Kind)),
        _one_of(facts["why"], get_args(NoFingerprint)),
        checked(facts["pdq"]) if facts["pdq"] else "",
        int(facts["quality"]),
        tuple(checked(p) for p in facts["parts"]),
        tuple(Moment(float(t), checked(h)) for t, h in facts["moments"]),
    )


def _one_of(value: Any, choices: tuple[Any, ...]) -> Any:
    if value not in choices:
        raise ValueError("a word that Haechi does not write")
    return value


def _path(path: str) -> str:
    if path and PATH.fullmatch(path) is None:
        raise ValueError("a path that Haechi does not write")
    return path


def without(entry: Entry, paths: AbstractSet[str], time: str) -> Entry:
    """The entry less the files that were deleted at a time after it was added."""
    if not paths & {entry.file, entry.report_file}:
        return entry
    return replace(
        entry,
        deleted=time,
        file="" if entry.file in paths else entry.file,
        report_file="" if entry.report_file in paths else entry.report_file,
    )
