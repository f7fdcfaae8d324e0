"""The log of a case: one line a record, each with the SHA-256 of the line before, and a seal over the end.

    case.json    what the case is: schema, a random id, the encrypted key if there is one; never changes
    log.jsonl    records, append-only; ``prev`` of the first is the SHA-256 of case.json
    head.json    the seal: the number of records, the bytes of the log, the SHA-256 of its last line

``sed -n 3p log.jsonl | sha256sum`` gives the ``prev`` of the fourth line. What a log cannot show by itself is
that somebody wrote the whole case anew: without a passphrase that shows only against a head that was noted
elsewhere; with one, ``binding`` leaves only an older state of the whole case that somebody kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haechi.case import atomic_io
from haechi.case.binding import holds, mac, private_half
from haechi.case.encryption import Key
from haechi.case.log_format import (
    BOUND,
    CASE,
    FOLDERS,
    HEAD,
    LATER,
    LOG,
    SCHEMA_BOUND,
    Seal,
    canonical,
    fits,
    now,
    parsed,
    parsed_about,
    parsed_seal,
    sha256,
    shaped,
)
from haechi.errors import CaseError

_MOST_BYTES = 512 * 1024**2
_FORGED_END = f"The end of this case was not sealed with its passphrase: {LATER}."


class Log:
    """The log of the case in one folder. Nothing is kept in memory: other programs may write it too. With the
    key of an encrypted case what is read is also compared with its MAC."""

    def __init__(self, folder: Path, key: Key | None = None) -> None:
        self.folder, self._key = folder, key

    def create(self, about: bytes, record: Mapping[str, Any]) -> None:
        """The three files of a case with its first record. case.json comes last: before it is there, there is
        no case."""
        line = canonical(record)
        atomic_io.replace(self.folder / LOG, line)
        self._seal_after(Seal(0, 0, ""), line, about)
        atomic_io.replace(self.folder / CASE, about)

    def about_bytes(self) -> bytes:
        return atomic_io.read(self.folder / CASE, 64 * 1024)

    def about(self) -> dict[str, Any]:
        """What case.json says. Raises CaseError when it is not what Haechi wrote."""
        return parsed_about(self.about_bytes())

    def seal(self) -> Seal:
        """What head.json says. Raises CaseError, also when it was not made with the key."""
        seal = parsed_seal(atomic_io.read(self.folder / HEAD, 4096))
        if self._key is not None:
            text = self.about_bytes()
            about = parsed_about(text)
            bound = bool(seal.mac) or about["schema"] == SCHEMA_BOUND
            if about.get("crypto") is None or (bound and not holds(seal, text, self._key)):
                raise CaseError(_FORGED_END)
        return seal

    def data(self) -> bytes:
        return atomic_io.read(self.folder / LOG, _MOST_BYTES)

    def records(self) -> list[dict[str, Any]]:
        """All sealed records, in order. Raises CaseError where the chain does not hold."""
        seal, data = self.seal(), self.data()
        lines = data[: seal.size].splitlines(keepends=True)
        text = self.about_bytes()
        about, expected, bound = parsed_about(text), sha256(text), False
        out = []
        for number, line in enumerate(lines):
            record = parsed(line)
            place = (number, expected)
            if (
                record is None
                or not shaped(record)
                or (record["n"], record.get("prev")) != place
                or not fits(record, about, bound_before=bound)
            ):
                raise CaseError(f"Line {number + 1} of the log of this case does not hold: {LATER}.")
            out.append(record)
            expected, bound = sha256(line), record.get("v") == BOUND
        if not out or len(data) < seal.size or (len(out), expected) != (seal.records, seal.head):
            raise CaseError(f"The log of this case ends elsewhere than its seal says: {LATER}.")
        if bound and self._key is not None and not seal.mac:
            raise CaseError(_FORGED_END)
        return out

    def placed(self, public: Mapping[str, Any]) -> dict[str, Any]:
        """The open half of the record that comes next: with its number, what it follows, and the time."""
        seal = self.seal()
        return {**public, "n": seal.records, "prev": seal.head, "time": now()}

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a record that was ``placed`` and seal it. The caller holds the writer's lock and has let the
        log ``recover``. After a loss of power at any moment the record is there or it is not."""
        seal, line = self.seal(), canonical(record)
        try:
            with atomic_io.open_regular(self.folder / LOG, os.O_WRONLY | os.O_APPEND) as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise atomic_io.io_error("The log of the case cannot be written", error) from None
        self._seal_after(seal, line, self.about_bytes())

    def recover(self) -> None:
        """Put in order what a kill or a loss of power left: half a line after the seal goes, a whole one that
        carries on the chain is sealed, its files are put in their places, unfinished ones go. Raises
        CaseError for anything else, which was a change."""
        seal, data = self.seal(), self.data()
        rest = data[seal.size :]
        if len(data) < seal.size:
            raise CaseError(f"The log of this case is shorter than its seal says: {LATER}.")
        if rest and b"\n" not in rest:
            atomic_io.replace(self.folder / LOG, data[: seal.size])
        elif rest:
            self._carry_on(seal, rest)
        self._settle()

    def _carry_on(self, seal: Seal, line: bytes) -> None:
        """Seal a line that was written and not sealed; one that the key of the case did not make is no
        such."""
        record, text = parsed(line), self.about_bytes()
        if (
            record is None
            or not shaped(record)
            or (record["n"], record.get("prev")) != (seal.records, seal.head)
            or not fits(record, parsed_about(text), bound_before=bool(seal.mac))
        ):
            raise CaseError(f"The log of this case goes on after its seal: {LATER}.")
        if self._key is not None:
            private_half(record, parsed_about(text), self._key)
        self._seal_after(seal, line, text)

    def _settle(self) -> None:
        """Put files that the log names and that were not renamed yet in their places; the rest goes."""
        for name in FOLDERS:
            waiting = atomic_io.unfinished(self.folder / name)
            if not waiting:
                continue
            listing = {f["path"] for record in self.records() for f in record.get("files", ())}
            missing = {path for path in listing if not atomic_io.is_file(self.folder / path)}
            for path in waiting:
                self._place(path, name, missing)
        for place in (self.folder, *(self.folder / name for name in FOLDERS)):
            for remnant in atomic_io.unfinished(place):
                atomic_io.delete(remnant)

    def _place(self, path: Path, name: str, missing: set[str]) -> None:
        """Rename a waiting file to the one of the missing paths that its hash belongs to, if any."""
        try:
            digest = atomic_io.measure(path)[0]
            for target in [m for m in missing if m.startswith(f"{name}/{digest}.")]:
                path.replace(self.folder / target)
                missing.discard(target)
                return
        except OSError as error:
            raise atomic_io.io_error("A file that waits for its place cannot be moved", error) from None

    def _seal_after(self, seal: Seal, line: bytes, about: bytes) -> None:
        new = Seal(seal.records + 1, seal.size + len(line), sha256(line))
        if self._key is not None:
            new = Seal(new.records, new.size, new.head, mac(new, about, self._key))
        atomic_io.replace(self.folder / HEAD, new.text())
