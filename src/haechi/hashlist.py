"""Lists of known pictures, as platforms exchange them: a CSV of PDQ hashes.

One hash a line, 64 hexadecimal digits. Without a heading line the first column that holds one is taken, and
no names. With a heading the columns are found by their names, in any order:

    hash (or pdq, pdq_hash, indicator, value, signal) · name (or label, title, description, tags)
    source (or origin, owner, list) · quality

Commas, semicolons and tabs separate; empty lines and lines that begin with # are left out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from haechi.errors import DamagedFile, NotAFile, UsageError
from haechi.pdq import MIN_QUALITY, checked

_COLUMNS = {
    "hash": ("hash", "pdq", "pdq_hash", "pdqhash", "indicator", "value", "signal", "signal_value"),
    "name": ("name", "label", "title", "description", "tags"),
    "source": ("source", "origin", "owner", "list"),
    "quality": ("quality", "pdq_quality"),
}
_SHOWN = 5
_LONGEST_LINE = 100_000


@dataclass(frozen=True, slots=True)
class Known:
    """A line of a list: a picture that somebody knows. ``quality`` is None where the list tells none."""

    hash: str
    name: str = ""
    source: str = ""
    quality: int | None = None
    line: int = 0


def load_list(path: Path) -> list[Known]:
    """All lines of a list. Left out are those of which the list itself says that their quality is below
    MIN_QUALITY: such a hash would match every plain wall.

    Raises NotAFile and DamagedFile when it cannot be read, and UsageError that names each line (the first
    five) which holds no hash: half of a list is no list."""
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DamagedFile("The hash list is no text in UTF-8: save it as CSV in UTF-8.") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "a name that no file can have"
        raise NotAFile(f"The hash list cannot be read ({why}): check its name and permissions.") from None
    found: list[Known] = []
    wrong: list[str] = []
    columns: dict[str, int] | None = None
    for number, cells in _lines(text):
        if columns is None:
            columns = _columns(cells)
            if _hash_in(cells) is None:
                if "hash" not in columns:
                    raise UsageError(
                        f"Line {number} of the hash list holds no PDQ hash and no heading for one: write 64 "
                        "hexadecimal digits a line, or a first line that names the columns hash,name,source."
                    )
                continue
        try:
            found.append(_known(cells, columns, number))
        except UsageError as error:
            wrong.append(f"line {number}: {error.message}")
    if wrong:
        more = f" (and {len(wrong) - _SHOWN} more)" if len(wrong) > _SHOWN else ""
        raise UsageError(
            f"The hash list has lines that cannot be used: {' '.join(wrong[:_SHOWN])}{more} "
            "Correct or delete them; nothing was loaded."
        )
    if not found:
        raise UsageError("The hash list is empty: write one PDQ hash a line.")
    return [k for k in found if k.quality is None or k.quality >= MIN_QUALITY]


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """The number and the cells of each line that holds something."""
    head = next((x for x in text.splitlines() if x.strip() and not x.lstrip().startswith("#")), "")
    mark = max(",;\t", key=head.count)
    for number, line in enumerate(text.split("\n"), 1):
        plain = line.strip("\r")
        if not plain.strip() or plain.lstrip().startswith("#"):
            continue
        if len(plain) > _LONGEST_LINE:
            yield number, [""]
            continue
        with suppress(csv.Error):
            yield number, [c.strip() for c in next(csv.reader([plain], delimiter=mark), [])]
            continue
        yield number, [""]


def _columns(cells: Sequence[str]) -> dict[str, int]:
    """Where each column stands by the heading; of a line that holds a hash, where that is."""
    if (at := _hash_in(cells)) is not None:
        return {"hash": at}
    names = [c.lower().replace(" ", "_").replace("-", "_") for c in cells]
    found: dict[str, int] = {}
    for column, known in _COLUMNS.items():
        for name in known:
            if name in names:
                found.setdefault(column, names.index(name))
    return found


def _hash_in(cells: Sequence[str]) -> int | None:
    for i, cell in enumerate(cells):
        with suppress(UsageError):
            checked(cell)
            return i
    return None


def _known(cells: Sequence[str], columns: dict[str, int], number: int) -> Known:
    def cell(column: str) -> str:
        at = columns.get(column, len(cells))
        return cells[at] if at < len(cells) else ""

    quality = cell("quality")
    if quality and not (quality.isascii() and quality.isdigit() and int(quality) <= 100):
        raise UsageError("The quality must be a whole number from 0 to 100.")
    return Known(
        checked(cell("hash")), cell("name"), cell("source"), int(quality) if quality else None, number
    )
