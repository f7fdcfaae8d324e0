"""Deleting: the file of one entry, which the log tells for ever, or a whole case, of which nothing stays.

The log only grows, so an entry is never taken out of it: of a deleted file it keeps the name, the notes, the
hashes and the fingerprints, and a record of its own says that the file was deleted and when. So the proof of
everything else holds, and nobody can delete a file and make it look as if it had never been there. Whoever
wants to be rid of the entry as well deletes the case.

Files are deleted as any program deletes them, not overwritten: on today's disks that would promise too much.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from haechi.case import atomic_io
from haechi.case.log_format import CASE, FOLDERS, HEAD, LOG, PATH
from haechi.case.types import Entry
from haechi.errors import CaseError, UsageError


def deleted_paths(records: Iterable[Mapping[str, Any]]) -> set[str]:
    """The files that the log says are deleted, less those that were stored again since."""
    paths: set[str] = set()
    for record in records:
        paths -= {facts["path"] for facts in record.get("files", ())}
        paths |= set(record.get("removed", ()))
    return paths


def same_file(entries: Iterable[Entry], digest: str) -> tuple[Entry, ...]:
    """The entries that still hold the file with this SHA-256, or a report on it."""
    return tuple(e for e in entries if e.sha256 == digest and (e.file or e.report_file))


def paths_of(entries: Iterable[Entry]) -> list[str]:
    """The paths of all that is stored with these entries."""
    return sorted({path for e in entries for path in (e.file, e.report_file) if path})


def remove_case(folder: Path) -> tuple[str, ...]:
    """Delete a case: every file that Haechi wrote there, and the folder. Works without the passphrase and for
    a damaged case. Files of others are left, and their names returned. What says what the case is goes last:
    ended by force, it is still there to be deleted. Raises UsageError when there is no case, CaseError when
    a file cannot be deleted or somebody writes into the case."""
    if not atomic_io.is_folder(folder) or not any(atomic_io.is_file(folder / n) for n in (CASE, LOG, HEAD)):
        raise UsageError("There is no case in this folder, so nothing was deleted: check its name.")
    try:
        with atomic_io.writer_lock(folder):
            for path in _own_files(folder):
                atomic_io.delete(path)
            for name in FOLDERS:
                _remove_empty(folder / name)
        atomic_io.delete(folder / atomic_io.LOCK)
        _remove_empty(folder)
        atomic_io.sync_folder(folder.parent)
        return tuple(sorted(p.name for p in folder.iterdir())) if atomic_io.is_folder(folder) else ()
    except OSError as error:
        raise atomic_io.io_error("The case cannot be deleted", error) from None


def _own_files(folder: Path) -> Iterator[Path]:
    for name in FOLDERS:
        place = folder / name
        for path in sorted(place.iterdir()) if atomic_io.is_folder(place) else ():
            if PATH.fullmatch(f"{name}/{path.name}") and (path.is_symlink() or atomic_io.is_file(path)):
                yield path
        yield from atomic_io.unfinished(place)
    yield from atomic_io.unfinished(folder)
    yield from (folder / name for name in (LOG, HEAD, CASE))


def _remove_empty(folder: Path) -> None:
    """Remove a folder, unless something is left in it."""
    if atomic_io.is_folder(folder):
        with suppress(OSError):
            folder.rmdir()


def nothing_stored(number: int) -> CaseError:
    return CaseError(f"Of entry {number} no file is stored, so there is none to delete.")
