"""A zip of a case to hand to the police, a platform or a lawyer, made so that it can be verified without
Haechi.

    README.txt  SHA256SUMS  entries.json  case.html  reports/NUMBER.html
    case/       the sealed case as it is; of an encrypted one its log and seals, and beside it
    originals/  the originals, decrypted, under their SHA-256

With ``hashes_only`` it holds README.txt, SHA256SUMS and hashes.csv: no picture, no preview, no name and no
note.
"""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import secrets
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TypeAlias

from haechi.case import atomic_io
from haechi.case.log_format import CASE, HEAD, LOG, now
from haechi.case.page import page, verdict
from haechi.case.records import to_record
from haechi.case.source import suffix_of
from haechi.case.types import Entry, Readable
from haechi.case.words import say
from haechi.errors import UsageError
from haechi.report import render_html

_PACKED = (".txt", ".json", ".jsonl", ".html", ".csv")


_Item: TypeAlias = tuple[str, Iterable[bytes]]
"""A file of the zip: its name and its bytes, which are read when their turn comes."""


class _Sink:
    """What ``zipfile`` writes to, a file without an end that cannot seek: ``take`` empties it."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def write(self, data: bytes) -> int:
        self._buffer += data
        return len(data)

    def flush(self) -> None:
        """Nothing to be done; ``zipfile`` asks for it."""

    def take(self) -> bytes:
        data = bytes(self._buffer)
        self._buffer.clear()
        return data


def bundle(case: Readable, to: Path, lang: str, *, hashes_only: bool = False) -> Path:
    """Write the zip to ``to`` and return its path. Raises UsageError when something is there already or it
    would lie in the case itself, Locked, and CaseError when a file is not what the log knows."""
    if to.exists() or to.is_symlink():
        raise UsageError("There is a file of that name already, which is not overwritten: choose another.")
    if case.folder.resolve() in to.resolve().parents:
        raise UsageError("The bundle must not lie in the folder of the case: it would look like a change.")
    unfinished = to.with_name(atomic_io.UNFINISHED + secrets.token_hex(8))
    try:
        with atomic_io.writer_lock(case.folder):
            items = _items(case, lang, hashes_only=hashes_only)
            with atomic_io.open_private(unfinished) as file:
                for piece in _zipped(items):
                    file.write(piece)
        unfinished.rename(to)
    except OSError as error:
        raise UsageError(
            f"The bundle cannot be written there ({error.strerror}): check the folder and the free space."
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)
    return to


def stream(case: Readable, lang: str, *, hashes_only: bool = False) -> Iterator[bytes]:
    """The same zip a piece at a time, of which nothing ever lies on the disk. Every file is read once before,
    so that one that was changed is said at once: raises Locked and CaseError."""
    with atomic_io.writer_lock(case.folder):
        if not hashes_only:
            for entry in case.entries():
                for path in filter(None, (entry.file, entry.report_file)):
                    for _ in case.stored(path):
                        pass
        items = _items(case, lang, hashes_only=hashes_only)
    return _zipped(items)


def _zipped(items: Iterable[_Item]) -> Iterator[bytes]:
    """A zip of these files, with their sums."""
    sink, when, sums = _Sink(), datetime.now(UTC).timetuple()[:6], dict[str, str]()
    with zipfile.ZipFile(sink, "w", allowZip64=True) as packed:  # type: ignore[call-overload]
        for name, parts in itertools.chain(items, _sums(sums)):
            about = zipfile.ZipInfo(name, when)
            about.compress_type = zipfile.ZIP_DEFLATED if name.endswith(_PACKED) else zipfile.ZIP_STORED
            about.external_attr = 0o600 << 16
            digest = hashlib.sha256()
            with packed.open(about, "w", force_zip64=True) as file:
                for part in parts:
                    digest.update(part)
                    file.write(part)
                    yield sink.take()
            sums[name] = digest.hexdigest()
    yield sink.take()


def _sums(sums: Mapping[str, str]) -> Iterator[_Item]:
    """The list of all files that were written until it is asked for."""
    yield "SHA256SUMS", ["".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode()]


def _items(case: Readable, lang: str, *, hashes_only: bool) -> list[_Item]:
    """What belongs into the zip. What the log tells is that of this moment; the originals, which never
    change, are read later."""
    entries = case.entries()
    items = list(_hashes(entries) if hashes_only else _whole(case, entries, lang))
    return [*items, ("README.txt", [_readme(case, entries, lang, hashes_only).encode()])]


def _hashes(entries: tuple[Entry, ...]) -> Iterator[_Item]:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(("number", "time", "kind", "size", "sha256", "pdq", "quality", "second", "address"))
    for entry in entries:
        prints = entry.fingerprints
        start = (entry.number, entry.time, prints.kind, entry.size, entry.sha256)
        hashes = (
            [(prints.pdq, prints.quality, "")]
            if not prints.moments
            else [(m.hash, "", f"{m.time_s:.1f}") for m in prints.moments]
        )
        for pdq, quality, second in hashes:
            rows.writerow((*start, pdq, quality if pdq else "", second, _cell(entry.address)))
    yield "hashes.csv", [out.getvalue().encode()]


def _cell(text: str) -> str:
    """An address that no spreadsheet takes for a formula."""
    plain = " ".join(text.split())
    return f"'{plain}" if plain[:1] in ("=", "+", "-", "@") else plain


def _whole(case: Readable, entries: tuple[Entry, ...], lang: str) -> Iterator[_Item]:
    for name in (CASE, LOG, HEAD):
        yield f"case/{name}", list(atomic_io.pieces(case.folder / name))
    keys: set[str] = set()
    for entry in entries:
        if case.encrypted:
            if entry.file and entry.sha256 not in keys:
                keys.add(entry.sha256)
                yield from _decrypted(case, entry)
            continue
        for path in (entry.file, entry.report_file):
            if path and path not in keys:
                keys.add(path)
                yield f"case/{path}", case.stored(path)
    links: dict[int, str] = {}
    for entry in entries:
        if entry.report_file:
            links[entry.number] = f"reports/{entry.number:03d}.html"
            yield links[entry.number], _rendered(case, entry, lang)
    yield "case.html", [page(case, lang, links).encode("utf-8", "replace")]
    entry_facts = [
        {
            "number": e.number,
            "time": e.time,
            **to_record(e),
            "deleted": e.deleted,
            "verdict": verdict(case, e, lang),
        }
        for e in entries
    ]
    facts = {"schema": "haechi.case.entries/1", "id": case.ident, "title": case.title, "head": case.head}
    text = json.dumps(facts | {"entries": entry_facts}, ensure_ascii=False, indent=1)
    yield "entries.json", [text.encode("utf-8", "replace")]


def _rendered(case: Readable, entry: Entry, lang: str) -> Iterator[bytes]:
    """The page of a stored report, made when its turn comes: there are pictures in it."""
    report = case.report(entry)
    if report is not None:
        yield render_html(report, lang).encode("utf-8", "replace")


def _decrypted(case: Readable, entry: Entry) -> Iterator[_Item]:
    first = next(case.original(entry), b"")
    name = f"originals/{entry.sha256}.{suffix_of(first, entry.name)}"
    yield name, case.original(entry)


def _readme(case: Readable, entries: tuple[Entry, ...], lang: str, hashes_only: bool) -> str:
    """README.txt; its lines end as Windows wants them, which all others can read."""
    title = say("readme_title", lang, title=case.ident if hashes_only else case.title)
    origin = say("readme_made", lang, time=now(), version=metadata.version("haechi"))
    if hashes_only:
        contents = ["readme_hashes"]
    elif case.encrypted:
        contents = ["readme_originals", "readme_log", "readme_entries", "readme_page", "readme_reports"]
    else:
        contents = ["readme_case", "readme_originals", "readme_entries", "readme_page", "readme_reports"]
    items = [say(code, lang) for code in (*contents, "readme_sums")]
    if not (hashes_only or case.encrypted):
        items[1] = f"case/{items[1]}"
    check = ["readme_verify_sums"]
    check += [] if hashes_only else ["readme_verify_names", "readme_verify_chain"]
    lines = [
        *(title, "", origin, ""),
        *(say("readme_contents", lang), *(f"  {line}" for line in items), ""),
        *(say("readme_verify", lang), *(f"  {say(code, lang)}" for code in check)),
        *(f"  {say('readme_verify_head', lang, head=case.head)}", ""),
        *(
            say("readme_limits", lang),
            f"  {say('readme_limits_1', lang)}",
            f"  {say('readme_limits_2', lang)}",
        ),
    ]
    if any(entry.minor for entry in entries):
        lines += [f"  {say('readme_minor', lang)}"]
    return "\r\n".join(lines) + "\r\n"
