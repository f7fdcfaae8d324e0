"""The case file: a folder that its user owns, with originals sealed so that any later change shows.

    case = Case.create(folder, "the fake pictures", passphrase=None)     or Case.open(folder, passphrase=None)
    entry = case.add(path_or_bytes, name="a.jpg", address="https://…", note="…", report=report, minor=False)
    case.entries() -> tuple[Entry, ...] · case.title · case.head · case.locked · case.encrypted
    case.report(entry) -> Report | None · case.original(entry) -> Iterator[bytes]
    case.verify(head="") -> Findings             without the passphrase, on any machine, offline
    case.match(folder) -> Iterator[Match | Skipped]
    case.letter(numbers, kind, lang, country) -> Letter     the text that is sent; instructions apart
    case.delete_file(number)                     the log keeps the hashes and says that it was deleted
    case.bundle(to, lang, hashes_only=False)     a zip to hand over
    case.bundle_stream(lang, hashes_only=False)  the same in pieces
    case.words.say(code, lang, **params)         the sentences, in en, zh and ko

Errors: CaseError (Locked when the passphrase is missing or wrong), UsageError, InputError. docs/case.md tells
how a case is built and what it cannot show.
"""

from __future__ import annotations

from haechi.case.letter import COUNTRIES, KINDS, Letter
from haechi.case.store import Case
from haechi.case.types import Entry, Finding, Findings, Fingerprints, Match, Skipped

__all__ = [
    "COUNTRIES",
    "KINDS",
    "Case",
    "Entry",
    "Finding",
    "Findings",
    "Fingerprints",
    "Letter",
    "Match",
    "Skipped",
]
