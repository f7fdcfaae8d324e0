"""The list of what is measured: a csv with one picture or video a line.

Columns: ``path`` and ``label`` (real or fake); optionally ``kind`` (how the fake was made), ``source`` (the
collection it comes from), ``group`` (one person or one original: pictures of a group are not independent) and
``mask`` (of a forgery: the path of an 8-bit PNG of the same framing, the share of the forgery in each pixel).
Other columns are kept and can be filtered by. Relative paths start at the manifest's folder, or at ``root``.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from haechi.errors import UsageError

LABELS = {"real": False, "fake": True}


@dataclass(frozen=True, slots=True)
class Item:
    """One line. ``id`` and ``group`` are hashes, so that results tell no path and no name; an item without
    a group is a group of its own. ``kind`` and ``source`` may be empty, ``mask`` None."""

    id: str
    path: Path = field(repr=False)
    fake: bool
    kind: str
    source: str
    group: str
    extra: Mapping[str, str] = field(repr=False)
    mask: Path | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The chosen items in the order of the file. ``sha256`` is that of the whole file."""

    name: str
    sha256: str
    items: tuple[Item, ...]


def read_manifest(
    path: Path,
    root: Path | None = None,
    where: Mapping[str, str] | None = None,
    limit: int = 0,
    seed: int = 0,
) -> Manifest:
    """Read and check a manifest.

    ``where``: column -> the value it must have, or several separated by ``|``. ``limit``: keep that many
    items, drawn by ``seed``; 0 keeps all. Raises UsageError that names the line and the cure.
    """
    try:
        data = path.read_bytes()
        lines = data.decode("utf-8-sig").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name}: cannot be read as a csv in UTF-8 ({type(error).__name__})") from error
    base = path.parent if root is None else root
    reader = csv.DictReader(lines)
    columns = reader.fieldnames or []
    for column in ("path", "label"):
        if column not in columns:
            raise UsageError(
                f"{path.name}, line 1: there is no column {column!r}; it has: {', '.join(columns)}"
            )
    for column in where or {}:
        if column not in columns:
            raise UsageError(f"{path.name}, line 1: there is no column {column!r} to choose by")
    items: list[Item] = []
    line_of_path: dict[str, int] = {}
    for row in reader:
        line = f"{path.name}, line {reader.line_num}"
        if None in row or None in row.values():
            raise UsageError(
                f"{line}: it has more or fewer fields than the first line; quote commas in names"
            )
        if any(row[column] not in values.split("|") for column, values in (where or {}).items()):
            continue
        item = _item(row, base, line)
        if item.id in line_of_path:
            raise UsageError(f"{line}: the same path as in line {line_of_path[item.id]}")
        line_of_path[item.id] = reader.line_num
        items.append(item)
    if limit > 0 and limit < len(items):
        sample = np.sort(np.random.default_rng(seed).choice(len(items), limit, replace=False))
        items = [items[k] for k in sample]
    if not items:
        raise UsageError(f"{path.name}: no line is left to measure")
    return Manifest(path.name, hashlib.sha256(data).hexdigest(), tuple(items))


def hashed(text: str) -> str:
    """The first 12 hexadecimal digits of SHA-256: enough to tell items apart, too few to carry a name."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _item(row: Mapping[str, str], base: Path, line: str) -> Item:
    name, label = row["path"].strip(), row["label"].strip()
    if not name:
        raise UsageError(f"{line}: the path is empty")
    if label not in LABELS:
        raise UsageError(f"{line}: the label is {label!r}; write real or fake")
    full = base / name
    if not full.is_file():
        raise UsageError(
            f"{line}: there is no such file under {base.name or base}; give its folder with --root"
        )
    mask = (row.get("mask") or "").strip()
    if mask and not (base / mask).is_file():
        raise UsageError(f"{line}: there is no such mask under {base.name or base}")
    key = hashed(name)
    group = (row.get("group") or "").strip()
    columns = {"path", "label", "kind", "source", "group", "mask"}
    return Item(
        id=key,
        path=full,
        fake=LABELS[label],
        kind=(row.get("kind") or "").strip(),
        source=(row.get("source") or "").strip(),
        group=hashed(f"group/{group}") if group else key,
        extra={k: v for k, v in row.items() if k not in columns},
        mask=base / mask if mask else None,
    )
