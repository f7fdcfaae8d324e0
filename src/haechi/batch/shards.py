"""The folder of a run: shards of rows, each written under a temporary name, pushed to the disk and renamed.

    RUN/rows-00000001.jsonl    a finished shard: one row a line, for its owner alone
    RUN/.new-…                 a shard on its way; what a killed run leaves of it counts for nothing
    RUN/report.html, rows.csv  written by `haechi batch report`, see ``run_report``
    RUN/.scratch/              temporary files of the processes that check
    RUN/.lock                  held by the one who writes

What is done is read off the finished shards, and nothing else is remembered. Where an id stands in several
shards, the row in the latest holds: the others failed, and were tried again. Whoever opens the folder to
write takes these out.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from haechi.batch.rows import Row
from haechi.case.atomic_io import open_private, sync_folder, writer_lock
from haechi.errors import CaseError, DamagedFile, NotAFile, UsageError

ROWS_A_SHARD = 1000
SECONDS_A_SHARD = 30.0
"""A killed run loses at most the work of so many seconds."""
SCRATCH = ".scratch"
_NEW = ".new-"
_SHARD = re.compile(r"rows-(\d{8,})\.jsonl")


@dataclass(slots=True)
class Done:
    """What the finished shards hold. ids: of every row, 16 bytes each · failed: of the rows with an error,
    its code · levels: how many rows have which level."""

    ids: set[bytes] = field(default_factory=set)
    failed: dict[bytes, str] = field(default_factory=dict)
    levels: Counter[str] = field(default_factory=Counter)

    @property
    def errors(self) -> Counter[str]:
        """How many rows have which error."""
        return Counter(self.failed.values())

    def add(self, row: Row) -> None:
        """Count a row; one that failed before as what it is now."""
        key = key_of(row["id"])
        self.ids.add(key)
        self.failed.pop(key, None)
        if "error" in row:
            self.failed[key] = str(row["error"]["code"])
        else:
            self.levels[str(row["verdict"]["level"])] += 1


def key_of(id_: str) -> bytes:
    """An id as short as it can be held."""
    return bytes.fromhex(id_)


def rows_of(folder: Path) -> Iterator[Row]:
    """Every row of a run once. Raises NotAFile when there is no run, DamagedFile when a shard was changed."""
    ids: set[bytes] = set()
    for shard in _shards(folder):
        for row in _read(shard):
            key = key_of(row["id"])
            if key not in ids:
                ids.add(key)
                yield row


@contextmanager
def writing(folder: Path) -> Iterator[RunFolder]:
    """The folder of a run, made if it is not there, held against other writers. Raises UsageError when it
    cannot be made or somebody writes into it, DamagedFile when a shard was changed."""
    with _as_usage("made"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(writer_lock(folder))
        except CaseError:
            raise UsageError(
                "The folder of the run cannot be held for writing: another `haechi batch` may write into it; "
                "wait until it is done, or give another folder by --out."
            ) from None
        opened_folder = RunFolder(folder)
        stack.callback(opened_folder.drop)
        yield opened_folder


class RunFolder:
    """Reads what is done and takes in rows. Made by ``writing``."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.scratch = folder, folder / SCRATCH
        self._sweep()
        self.contents = Done()
        self._heal()
        self._next = max((_number(shard) for shard in _shards(folder)), default=0) + 1
        self._retried: set[bytes] = set()
        self._shard: _Shard | None = None

    def wants(self, id_: str, *, retry_errors: bool) -> bool:
        """Whether a file is still to be checked; said once, so that none is checked twice."""
        key = key_of(id_)
        if key not in self.contents.ids:
            self.contents.ids.add(key)
            return True
        if retry_errors and key in self.contents.failed and key not in self._retried:
            self._retried.add(key)
            return True
        return False

    def add(self, row: Row) -> None:
        """Take a row in; ``beat`` and ``close`` make it last. Raises UsageError when it cannot be written."""
        with _as_usage("written"):
            self._shard = self._shard or _Shard(self.folder)
            self._shard.write(row)
        self.contents.add(row)
        self.beat()

    def beat(self) -> None:
        """Finish the shard that is full or old enough; to be called now and then."""
        if self._shard is not None and self._shard.is_due:
            self._finish()

    def close(self) -> None:
        """Finish what was begun, and leave nothing temporary behind."""
        self._finish()
        if self._retried:
            self._heal()
        self._sweep()
        with suppress(OSError):
            self.scratch.rmdir()

    def drop(self) -> None:
        """Let go of a shard that ``close`` did not finish, as after an error."""
        if self._shard is not None:
            self._shard.drop()

    def _finish(self) -> None:
        shard, self._shard = self._shard, None
        if shard is not None:
            with _as_usage("written"):
                shard.finish(self.folder / f"rows-{self._next:08d}.jsonl")
            self._next += 1

    def _heal(self) -> None:
        """Take rows out that a later one replaced, and count the others."""
        self.contents = Done()
        for shard in _shards(self.folder):
            rows = list(_read(shard))
            current = [row for row in rows if key_of(row["id"]) not in self.contents.ids]
            if len(current) < len(rows):
                with _as_usage("written"):
                    _rewrite(shard, current)
            for row in current:
                self.contents.add(row)

    def _sweep(self) -> None:
        with _as_usage("written"):
            for file in self.folder.glob(f"{_NEW}*"):
                file.unlink()
            shutil.rmtree(self.scratch, ignore_errors=True)
            self.scratch.mkdir(mode=0o700)


class _Shard:
    """A shard on its way."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{_NEW}{secrets.token_hex(8)}"
        self._file: IO[bytes] = open_private(self._path)
        self._rows, self._since_s = 0, time.monotonic()

    @property
    def is_due(self) -> bool:
        return self._rows >= ROWS_A_SHARD or time.monotonic() - self._since_s >= SECONDS_A_SHARD

    def write(self, row: Row) -> None:
        self._file.write(json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n")
        self._rows += 1

    def drop(self) -> None:
        with suppress(OSError):  # what is still to be written cannot be, on a full disk
            self._file.close()

    def finish(self, path: Path) -> None:
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
        self._path.replace(path)
        sync_folder(path.parent)


def _rewrite(shard: Path, rows: Iterable[Row]) -> None:
    """Put a shard with fewer rows in the place of one, or nothing in the place of none."""
    rows = tuple(rows)
    if not rows:
        shard.unlink()
        sync_folder(shard.parent)
        return
    new = _Shard(shard.parent)
    for row in rows:
        new.write(row)
    new.finish(shard)


def _shards(folder: Path) -> list[Path]:
    """The finished shards, latest first."""
    try:
        shards = [path for path in folder.iterdir() if _SHARD.fullmatch(path.name)]
    except OSError as error:
        raise NotAFile(f"There is no run in this folder ({error.strerror}): check its name.") from None
    return sorted(shards, key=_number, reverse=True)


def _number(shard: Path) -> int:
    match = _SHARD.fullmatch(shard.name)
    return int(match[1]) if match else 0


def _read(shard: Path) -> Iterator[Row]:
    number = 1
    try:
        with shard.open("rb") as file:
            for line in file:
                row: Mapping[str, Any] = json.loads(line)
                key_of(row["id"])
                str(row["path"])
                str(row["error"]["code"] if "error" in row else row["verdict"]["level"])
                yield row
                number += 1
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedFile(
            f"{shard.name} of the run is damaged at line {number} ({type(error).__name__}): delete it, and "
            "start the same command again; its files are then checked anew."
        ) from None


@contextmanager
def _as_usage(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"The folder of the run cannot be {what} ({error.strerror}): free some room, or give another by "
            "--out; what is done stays done."
        ) from None
