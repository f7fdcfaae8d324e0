"""Scores of every item on every rung, and their file: ``NAME.scores.csv.gz``, one item a line:
id, label, source, kind, group (hashes, no path), then a column ``RUNG/SCORE`` for each rung and score. An
empty cell was not measured (a video on a rung for stills), ``-`` is an abstention. A column ``RUNG/@NAME``
is a measure of the item that is no suspicion, such as the size of its face.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haechi.bench.manifest import Item
from haechi.errors import UsageError
from haechi.types import F64

LEVEL = "level"
ALARMS = {"strong": ("strong",), "some": ("strong", "some")}
ANSWERS = ("strong", "some", "none")
FACE_PX, IOU, ELLIPSE = "@face_px", "@iou:", "@ellipse:"
"""Measures of an item that are no suspicion: the smallest judged face, and the overlap with the true mask of
the map and of a guessed ellipse, by detector."""
_HEAD = ("id", "label", "source", "kind", "group")


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores of n items. ``values[rung, score]`` f64 (n,): NaN is an abstention; ``ran[rung]`` bool (n,): the
    rung was measured for the item; ``levels[rung]``: strong, some, none, unknown, unreadable or "";
    ``measures[rung, "@NAME"]`` f64 (n,): what is no suspicion, NaN where there is none."""

    ids: tuple[str, ...]
    fake: NDArray[np.bool_]
    sources: tuple[str, ...]
    kinds: tuple[str, ...]
    groups: tuple[str, ...]
    rungs: tuple[str, ...]
    names: tuple[str, ...]
    values: Mapping[tuple[str, str], F64]
    ran: Mapping[str, NDArray[np.bool_]]
    levels: Mapping[str, tuple[str, ...]]
    measures: Mapping[tuple[str, str], F64] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Sequence[Item], **scores: Any) -> Scored:
        """What a manifest says of its items, beside their ``scores``: all other fields, by name."""
        return cls(
            ids=tuple(i.id for i in items),
            fake=np.array([i.fake for i in items]),
            sources=tuple(i.source for i in items),
            kinds=tuple(i.kind for i in items),
            groups=tuple(i.group for i in items),
            **scores,
        )


def scores_bytes(scored: Scored) -> bytes:
    """The gzipped csv; the same scores give the same bytes."""
    measures = tuple(dict.fromkeys(name for _, name in scored.measures))
    columns = [(r, s) for r in scored.rungs for s in (*scored.names, *measures, LEVEL)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_HEAD, *(f"{r}/{s}" for r, s in columns)])
    for i, key in enumerate(scored.ids):
        label = "fake" if scored.fake[i] else "real"
        head = [key, label, scored.sources[i], scored.kinds[i], scored.groups[i]]
        writer.writerow([*head, *(_cell(scored, r, s, i) for r, s in columns)])
    return gzip.compress(text.getvalue().encode(), mtime=0)


def read_scores(path: Path) -> Scored:
    """The inverse of ``scores_bytes``. Raises UsageError on a file that is none."""
    try:
        rows = list(csv.reader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))
        head, body = rows[0][len(_HEAD) :], rows[1:]
        pairs = [tuple(c.rsplit("/", 1)) for c in head]
        rungs = tuple(dict.fromkeys(r for r, _ in pairs))
        names = tuple(dict.fromkeys(s for _, s in pairs if s != LEVEL and not s.startswith("@")))
        column = {(r, s): [row[len(_HEAD) + k] for row in body] for k, (r, s) in enumerate(pairs)}
    except (OSError, ValueError, IndexError, EOFError) as error:
        raise UsageError(f"{path.name}: these are no stored scores ({type(error).__name__})") from error
    return Scored(
        ids=tuple(row[0] for row in body),
        fake=np.array([row[1] == "fake" for row in body], dtype=bool),
        sources=tuple(row[2] for row in body),
        kinds=tuple(row[3] for row in body),
        groups=tuple(row[4] for row in body),
        rungs=rungs,
        names=names,
        values={(r, s): _numbers(column[r, s]) for r in rungs for s in names},
        ran={
            r: np.array([any(column[r, s][i] for s in (*names, LEVEL)) for i in range(len(body))])
            for r in rungs
        },
        levels={r: tuple(column[r, LEVEL]) for r in rungs},
        measures={(r, s): _numbers(cells) for (r, s), cells in column.items() if s.startswith("@")},
    )


def _numbers(cells: Sequence[str]) -> F64:
    return np.array([np.nan if v in {"", "-"} else float(v) for v in cells], dtype=np.float64)


def _cell(scored: Scored, rung: str, name: str, i: int) -> str:
    if name == LEVEL:
        return scored.levels[rung][i]
    if not scored.ran[rung][i]:
        return ""
    value = (scored.measures if name.startswith("@") else scored.values)[rung, name][i]
    return "-" if np.isnan(value) else repr(float(value))


def scores_path(path: Path) -> Path:
    return path.with_name(path.stem + ".scores.csv.gz")
