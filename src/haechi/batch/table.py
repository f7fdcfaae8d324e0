"""The rows of a run as a CSV, for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TextIO

from haechi.batch.rows import Row

COLUMNS = (
    *("id", "path", "member", "sha256", "pdq", "level", "score", "some_from", "strong_from", "faces"),
    *("known", "error", "created", "elapsed_s"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_table(rows: Iterator[Row], file: TextIO) -> Iterator[Row]:
    """Write the head, and each row as it goes by."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_harmless(cell) for cell in _cells(row)])
        yield row


def _cells(row: Row) -> Iterator[object]:
    verdict = row.get("verdict", {})
    marks = verdict.get("thresholds") or {}
    yield from (row["id"], row["path"], row.get("member", ""), row["source"].get("sha256", ""))
    yield (row.get("pdq") or {}).get("hash", "")
    yield from (verdict.get("level", ""), verdict.get("score"), marks.get("some"), marks.get("strong"))
    yield len(row["faces"]) if "faces" in row else ""
    yield " ".join(dict.fromkeys(match["list"] for match in row.get("known", ())))
    yield row.get("error", {}).get("code", "")
    yield from (row.get("created", ""), row.get("elapsed_s"))


def _harmless(cell: object) -> object:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
