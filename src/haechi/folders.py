"""The files in a folder and in the folders in it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path


def files_in(
    folder: Path, skip: Path | None = None, on_error: Callable[[OSError], None] | None = None
) -> Iterator[Path]:
    """Regular files in the folder and the folders in it, by name; no links, and nothing in ``skip``.
    ``on_error`` is told of each folder that cannot be listed, which is left out."""
    own = None if skip is None else skip.resolve()
    for place, inner, names in os.walk(folder, followlinks=False, onerror=on_error):
        here = Path(place)
        inner[:] = sorted(n for n in inner if own is None or (here / n).resolve() != own)
        if own is not None and here.resolve() == own:
            inner.clear()
            continue
        for name in sorted(names):
            try:
                if stat.S_ISREG((here / name).lstat().st_mode):
                    yield here / name
            except OSError:
                continue  # it went while we were walking
