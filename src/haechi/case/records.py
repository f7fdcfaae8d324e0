"""Entries to the private half of a record of the log, and back."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from haechi.case.kinds import Entry, Prints
from haechi.errors import CaseError
from haechi.pdq import Moment


def to_record(entry: Entry) -> dict[str, Any]:
    """What the log keeps of an entry besides its number and time: JSON-ready."""
    prints = entry.prints
    return {
        "name": entry.name,
        "address": entry.address,
        "note": entry.note,
        "minor": entry.minor,
        "sha256": entry.sha256,
        "size": entry.size,
        "kind": prints.kind,
        "why": prints.why,
        "pdq": prints.pdq,
        "quality": prints.quality,
        "parts": list(prints.parts),
        "moments": [[round(m.time_s, 3), m.hash] for m in prints.moments],
        "file": entry.file,
        "report": entry.report_file,
    }


def from_record(record: Mapping[str, Any], told: Mapping[str, Any]) -> Entry:
    """The other way. Raises CaseError when something is missing or of another kind."""
    try:
        prints = Prints(
            told["kind"],
            told["why"],
            str(told["pdq"]),
            int(told["quality"]),
            tuple(str(p) for p in told["parts"]),
            tuple(Moment(float(t), str(h)) for t, h in told["moments"]),
        )
        return Entry(
            number=int(record["n"]),
            time=str(record["time"]),
            name=str(told["name"]),
            sha256=str(told["sha256"]),
            size=int(told["size"]),
            prints=prints,
            address=str(told["address"]),
            note=str(told["note"]),
            minor=bool(told["minor"]),
            file=str(told["file"]),
            report_file=str(told["report"]),
        )
    except (KeyError, TypeError, ValueError):
        raise CaseError(
            "A record of this case is not one that this version of Haechi wrote: use a newer version."
        ) from None


def without(entry: Entry, gone: AbstractSet[str]) -> Entry:
    """The entry less the files that were deleted since."""
    return replace(
        entry,
        file="" if entry.file in gone else entry.file,
        report_file="" if entry.report_file in gone else entry.report_file,
    )
