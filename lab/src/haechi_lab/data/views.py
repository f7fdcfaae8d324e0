"""What ``haechi train features`` has stored, read back."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from haechi.errors import UsageError
from haechi_lab.data.corpus import origin


@dataclass(slots=True)
class Views:
    """Cached features by trunk, f16 (n, d) each, and what is known of every view; arrays of one length n."""

    features: dict[str, np.ndarray]
    source: np.ndarray
    fake: np.ndarray
    train: np.ndarray
    law: np.ndarray
    group: np.ndarray
    kind: np.ndarray

    @staticmethod
    def open(folder: Path) -> Views:
        """What ``train features`` has stored so far. Raises UsageError when that is nothing."""
        if not (folder / "rows.csv").is_file():
            raise UsageError(f"no rows.csv in {folder.name!r}: run haechi train features first")
        with (folder / "rows.csv").open(newline="") as lines:
            rows = list(csv.DictReader(lines))
        features = {f.stem: np.load(f, "r") for f in sorted(folder.glob("*.npy"))}
        count = int(json.loads((folder / "progress.json").read_text())["views"])
        rows = rows[:count]
        column: Callable[[str], np.ndarray] = lambda name: np.array([r[name] for r in rows])  # noqa: E731
        source = np.array([origin(r["source"]) for r in rows])
        return Views(
            {name: np.array(s[:count], np.float32) for name, s in features.items()},
            source, column("label") == "fake", column("split") == "train", column("law"), column("group"),
            column("kind"),
        )  # fmt: skip
