"""A case: making, opening, adding to and reading one. What the pages and the command line call.

    FOLDER/case.json log.jsonl head.json   see ``log``
    FOLDER/originals/SHA256.SUFFIX         unchanged; with a passphrase SHA256.sealed, of the encrypted bytes
    FOLDER/reports/SHA256.report           what ``haechi.report.archive`` makes of a check; .sealed likewise

With a passphrase all that tells about the person or the file is encrypted: the originals, the reports, and of
each record the names, notes, addresses, hashes and fingerprints. In the open stay the number and time of
records and the hashes and sizes of the encrypted files, so that anybody can verify the case and nobody can
read it; with the passphrase that half is verified as well, see ``binding``.

A file is written beside its place, then its record, then the seal; only then it is renamed. So a file in its
place without a record was put there by somebody, and never by an interruption."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from haechi.case import atomic_io
from haechi.case.binding import locked, private_half, sealed
from haechi.case.encryption import Key, new_key, open_key
from haechi.case.files import REPORTS, CaseFiles
from haechi.case.fingerprints import FingerprintMaker, LocalFingerprints
from haechi.case.letter import Letter, letter
from haechi.case.log import Log
from haechi.case.log_format import CASE, FOLDERS, SCHEMA, SCHEMA_BOUND, canonical, now, sha256
from haechi.case.records import from_record, to_record, without
from haechi.case.removal import deleted_paths, nothing_stored, paths_of, same_file
from haechi.case.source import checked
from haechi.case.types import Entry, Findings, Match, Skipped
from haechi.errors import CaseError, UsageError
from haechi.media import display_name
from haechi.report import archive
from haechi.report.proof import figures
from haechi.settings import Settings
from haechi.types import Report

LONGEST, LONGEST_NAME = 10_000, 255
"""Characters that an address or a note, and a name, may have. A name is cut, the others are refused."""


class Case:
    """One case folder. Open it by ``Case.create`` or ``Case.open``; nothing is held open in between."""

    def __init__(self, folder: Path, key: Key | None, maker: FingerprintMaker) -> None:
        self.folder = folder
        self._log, self._key, self._maker = Log(folder, key), key, maker
        self._files = CaseFiles(folder, key)
        self._about = self._log.about()

    @classmethod
    def create(
        cls,
        folder: Path,
        title: str,
        passphrase: str | None = None,
        settings: Settings | None = None,
        maker: FingerprintMaker | None = None,
    ) -> Case:
        """A new case in a folder that is empty or not there. ``maker``: as for ``open``. Raises
        UsageError when it holds something, for a title that is too long, or for a passphrase of fewer than
        eight characters."""
        folder, private = Path(folder), {"title": _text(title)}
        key, crypto = new_key(passphrase) if passphrase is not None else (None, None)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            if atomic_io.is_folder(folder) and any(folder.iterdir()):
                raise UsageError("The folder for the case is not empty: choose a new name.")
        except OSError as error:
            raise atomic_io.io_error("The folder of the case cannot be made", error) from None
        atomic_io.make_folder(folder)
        with atomic_io.writer_lock(folder):
            schema = SCHEMA if crypto is None else SCHEMA_BOUND
            facts = {"schema": schema, "id": secrets.token_hex(16), "created": now(), "crypto": crypto}
            about = canonical(facts)
            for name in FOLDERS:
                atomic_io.make_folder(folder / name)
            first = {"do": "open", "n": 0, "prev": sha256(about), "time": now()}
            Log(folder, key).create(about, sealed(first, private, key))
        return cls(folder, key, maker or LocalFingerprints(settings or Settings.from_env()))

    @classmethod
    def open(
        cls,
        folder: Path,
        passphrase: str | None = None,
        settings: Settings | None = None,
        maker: FingerprintMaker | None = None,
    ) -> Case:
        """The case in a folder. Without its passphrase an encrypted one can be verified, nothing else.
        ``maker`` makes the fingerprints, in this process unless one is given (``FingerprintProcess``). Raises
        CaseError when there is none or a passphrase is given for one that is not encrypted, Locked when the
        passphrase is wrong."""
        folder = Path(folder)
        if not atomic_io.is_file(folder / CASE):
            raise CaseError(
                "There is no case in this folder: check its name, or make one with `haechi case new`."
            )
        crypto: dict[str, Any] | None = Log(folder).about().get("crypto")
        if passphrase is not None and crypto is None:
            raise CaseError(
                "This case is not encrypted, though a passphrase was given: either it was made without one, "
                "or another case was put in the place of yours. Open it without a passphrase to see which."
            )
        key = None if passphrase is None or crypto is None else open_key(passphrase, crypto)
        return cls(folder, key, maker or LocalFingerprints(settings or Settings.from_env()))

    @property
    def encrypted(self) -> bool:
        return self._about.get("crypto") is not None

    @property
    def locked(self) -> bool:
        """Encrypted, and opened without the passphrase."""
        return self.encrypted and self._key is None

    @property
    def ident(self) -> str:
        """The random name of the case: 32 hexadecimal digits."""
        return str(self._about["id"])

    @property
    def created(self) -> str:
        return str(self._about["created"])

    @property
    def head(self) -> str:
        """The hash that stands for the whole case as it is: to be noted, or handed to the police."""
        return self._log.seal().head

    @property
    def title(self) -> str:
        return str(self._private_half(self._log.records()[0]).get("title", ""))

    def entries(self) -> tuple[Entry, ...]:
        """All entries, in the order in which they were added. Raises Locked, and CaseError where the log does
        not hold."""
        entries: list[Entry] = []
        for record in self._log.records()[1:]:
            half = self._private_half(record)
            if paths := set(record.get("removed", ())):
                entries = [without(entry, paths, str(record["time"])) for entry in entries]
            if record["do"] == "add":
                entries.append(from_record(record, half))
        return tuple(entries)

    def entry(self, number: int) -> Entry:
        """The entry of that number. Raises UsageError when there is none."""
        match = next((e for e in self.entries() if e.number == number), None)
        if match is None:
            raise UsageError(f"This case has no entry {number}: see `haechi case report`.")
        return match

    def add(
        self,
        source: Path | bytes,
        *,
        name: str = "",
        address: str = "",
        note: str = "",
        report: Report | None = None,
        minor: bool = False,
    ) -> Entry:
        """Store a file and what is known of it. The bytes are copied unchanged and never held in memory
        whole.

        ``minor``: the picture shows somebody under age. Then nothing of it is kept, neither a copy nor a
        report with its previews, only hashes and the verdict in words and figures; copies of the very same
        file that this case held are deleted, and the log says so. Raises NotAFile and InputError when the
        source cannot be read, Locked, CaseError."""
        if self.locked:
            raise locked()
        name = display_name(name or source)[:LONGEST_NAME]
        address, note = _text(address), _text(note)
        checked(source)
        fingerprints = self._maker.fingerprints(source)
        with atomic_io.writer_lock(self.folder), ExitStack() as stack:
            self._log.recover()
            self._sweep()
            digest, size, file = self._files.copy_original(stack, source, minor)
            removed = paths_of(same_file(self.entries(), digest)) if minor else []
            report_file = None
            if report is not None and not minor:
                report_file = self._files.write(stack, REPORTS, [archive.dump(report)], "report")
            new = [f for f in (file, report_file) if f is not None]
            paths = [f.path if f else "" for f in (file, report_file)]
            result = figures(report) if report is not None and minor else None
            entry = Entry(
                *(0, "", name, digest, size, fingerprints),
                address=address,
                note=note,
                minor=minor,
                file=paths[0],
                report_file=paths[1],
                figures=result,
            )
            public: dict[str, Any] = {"do": "add", "files": [f.facts for f in new]}
            for one in new:
                one.unfinished.hold()
            number = self._append(public | ({"removed": removed} if removed else {}), to_record(entry))
            for one in new:
                one.unfinished.keep(self.folder / one.path)
            self._sweep()
        return self.entry(number)

    def delete_file(self, number: int) -> tuple[Entry, ...]:
        """Delete the stored file of an entry and its report, and those of every other entry of the very same
        file; the entries as they were. The log keeps what it says of them, and says that they were deleted.
        Raises UsageError when there is no such entry, Locked, and CaseError, also when nothing is stored."""
        if self.locked:
            raise locked()
        with atomic_io.writer_lock(self.folder):
            self._log.recover()
            self._sweep()
            entries = same_file(self.entries(), self.entry(number).sha256)
            if number not in {entry.number for entry in entries}:
                raise nothing_stored(number)
            self._append({"do": "remove", "removed": paths_of(entries)}, {})
            self._sweep()
        return entries

    def report(self, entry: Entry) -> Report | None:
        """The stored report of an entry, None when it has none. Raises CaseError when it was changed."""
        if not entry.report_file:
            return None
        return archive.load(b"".join(self._files.read(entry.report_file)))

    def original(self, entry: Entry) -> Iterator[bytes]:
        """The bytes of the original, a megabyte or less at a time; none when it is not kept."""
        return self._files.read(entry.file) if entry.file else iter(())

    def stored(self, path: str) -> Iterator[bytes]:
        """The plain bytes of a file that an entry names. Raises CaseError when it was changed."""
        return self._files.read(path)

    def verify(self, head: str = "") -> Findings:
        """Compare everything in the folder with the log; ``head``: one noted earlier. Never raises for a
        damaged case: what is wrong is a finding."""
        from haechi.case.verify import verify

        return verify(self.folder, head, self._key)

    def match(self, folder: Path, numbers: Sequence[int] = ()) -> Iterator[Match | Skipped]:
        """Copies of the entries (of these numbers; all when none is given) among the files of a folder and of
        the folders in it, one after another. Links are not followed."""
        from haechi.case.match import match

        entries = [e for e in self.entries() if not numbers or e.number in numbers]
        return match(entries, Path(folder), self._maker, skip=self.folder)

    def bundle(self, to: Path, lang: str = "en", *, hashes_only: bool = False) -> Path:
        """A zip to hand over; see ``haechi.case.bundle``."""
        from haechi.case.bundle import bundle

        return bundle(self, Path(to), lang, hashes_only=hashes_only)

    def bundle_stream(self, lang: str = "en", *, hashes_only: bool = False) -> Iterator[bytes]:
        """The same zip in pieces, of which nothing lies on the disk. Raises CaseError at once when a file of
        the case was changed."""
        from haechi.case.bundle import stream

        return stream(self, lang, hashes_only=hashes_only)

    def letter(
        self,
        numbers: Sequence[int],
        kind: str,
        lang: str = "en",
        country: str = "",
        *,
        intimate: bool = False,
        own_photo: bool = False,
    ) -> Letter:
        """A letter that asks for removal or reports, about these entries (all when none is given); ``kind``
        and ``country``: see ``KINDS`` and ``COUNTRIES``. ``own_photo``: the user took the original."""
        entries = [self.entry(number) for number in numbers] if numbers else list(self.entries())
        return letter(entries, kind, lang, country, intimate=intimate, own_photo=own_photo, head=self.head)

    @property
    def log(self) -> Log:
        return self._log

    def _private_half(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The private half of a record. Raises Locked and CaseError."""
        return private_half(record, self._about, self._key)

    def _append(self, public: Mapping[str, Any], private: Mapping[str, Any]) -> int:
        """Write a record; its number."""
        record = sealed(self._log.placed(public), private, self._key)
        self._log.append(record)
        return int(record["n"])

    def _sweep(self) -> None:
        """Delete what the log says is deleted."""
        for path in deleted_paths(self._log.records()):
            if atomic_io.is_folder((self.folder / path).parent):
                atomic_io.delete(self.folder / path)


def _text(text: str) -> str:
    """What a person typed: valid Unicode, line breaks kept. Raises UsageError when it is too long."""
    clean = text.encode("utf-8", "replace").decode("utf-8")
    if len(clean) > LONGEST:
        raise UsageError(f"The text has {len(clean):,} characters, more than {LONGEST:,}: shorten it.")
    return clean
