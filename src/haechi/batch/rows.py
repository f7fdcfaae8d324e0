"""A row of the output: what a report says, in the words of ``haechi.report/1`` (docs/json.md), less its
sentences; or why there is no report."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from haechi.batch.items import Item
from haechi.errors import HaechiError

if TYPE_CHECKING:
    from haechi.report import Report
    from haechi.types import Claim, Media

SCHEMA = "haechi.batch/1"

#: A row as JSON holds it; always with ``schema``, ``id`` and ``path``.
Row: TypeAlias = Mapping[str, Any]

# Of each part of a report what programs read; sentences are in one language, and docs/json.md has the codes.
_SOURCE = ("name", "sha256", "kind", "width_px", "height_px", "duration_s")
_FACE = ("id", "box_xyxy", "time_s", "level", "manipulation_score")
_EVIDENCE = ("detector", "version", "status", "llr", "reason_code", "regions")
_CLAIM = ("source", "version", "outcome", "reason_code", "fact_codes")
_VERDICT = ("level", "score", "interval", "thresholds", "reason_codes")


def findings(report: Report) -> dict[str, Any]:
    """What a row says of a file that was checked; ``report.media`` can still be read."""
    from haechi.report import to_dict

    facts = to_dict(report)
    return {
        "source": _part(facts["source"], _SOURCE),
        "pdq": _fingerprint(report.media),
        "verdict": _part(facts["verdict"], _VERDICT),
        "quality": {"issue_codes": facts["quality"]["issue_codes"]},
        "faces": [_part(face, _FACE) for face in facts["faces"]],
        "segments": facts["segments"],
        # In a report claims stand behind the evidence, too.
        "evidence": [_part(item, _EVIDENCE) for item in facts["evidence"][: len(report.evidence)]],
        "claims": [_part(claim, _CLAIM) for claim in facts["claims"]],
        "known": [match for claim in report.claims for match in _known(claim)],
        "models": facts["models"],
        "tool": facts["tool"],
        "created": facts["created"],
        "elapsed_s": facts["elapsed_s"],
    }


def row_of(item: Item, facts: Mapping[str, Any]) -> Row:
    """The row of an item, of its ``findings``."""
    return {**_place(item), **facts}


def failed_row(item: Item, error: HaechiError) -> Row:
    """The row of an item of which there is no report."""
    from haechi.report import error_dict

    facts = error_dict(name_of(item), error)
    return {**_place(item), "source": facts["source"], "error": facts["error"], "tool": facts["tool"]}


def name_of(item: Item) -> str:
    """The base name of an item, for people to read."""
    from haechi.media import display_name

    return display_name(item.member or item.path)


def content_path(row: Row) -> str | None:
    """Where the file of a row lies by itself; None for a member of an archive."""
    if "member" in row:
        return None
    return os.fsdecode(bytes.fromhex(row["path_hex"])) if "path_hex" in row else str(row["path"])


def _place(item: Item) -> dict[str, Any]:
    place = {"schema": SCHEMA, "id": item.id, **_named("path", item.path)}
    return {**place, **_named("member", item.member), "offset": item.offset} if item.member else place


def _named(key: str, name: str) -> dict[str, str]:
    """A name as text; where that is not all of it, its bytes beside it in hexadecimal digits."""
    from haechi.report.data import clean

    text = clean(name)
    return {key: text} if text == name else {key: text, f"{key}_hex": os.fsencode(name).hex()}


def _part(of: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: of[key] for key in keys}


def _fingerprint(media: Media) -> dict[str, Any] | None:
    """PDQ of a picture, or of the middle frame of a video; None where that cannot be read."""
    from haechi.errors import InputError
    from haechi.pdq import hash_rgb

    try:
        frame = next(iter(media.frames(1)))
    except (InputError, StopIteration):
        return None
    return hash_rgb(frame.rgb)._asdict()


def _known(claim: Claim) -> Iterable[Mapping[str, Any]]:
    """The lists of known files that a file is on."""
    if claim.source == "known":
        for fact in claim.facts:
            yield {"list": str(fact.params["list"]), "distance": fact.params["distance"]}
