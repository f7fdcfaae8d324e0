"""``haechi batch report``: the page of a run and its rows as a CSV, written beside the shards."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from haechi.batch.page import page
from haechi.batch.shards import rows_of
from haechi.batch.table import write_table
from haechi.batch.thumbnails import Thumbnails
from haechi.errors import NotAFile, UsageError
from haechi.settings import Settings

PAGE, TABLE = "report.html", "rows.csv"
_NEW = ".report-"


def write_report(folder: Path, settings: Settings, lang: str, *, pictures: bool) -> tuple[str, str]:
    """Write both for their owner alone, each whole or not at all; their paths. Raises NotAFile when there is
    no row, DamagedFile when a shard was changed, ModelError, and UsageError when they cannot be written."""
    from haechi import models

    card = models.load("verdict", settings).card
    if next(rows_of(folder), None) is None:
        raise NotAFile("There is no run in this folder, or no row is finished: check its name.")
    try:
        for rest in folder.glob(f"{_NEW}*"):  # of one that was killed
            shutil.rmtree(rest)
        with tempfile.TemporaryDirectory(prefix=_NEW, dir=folder) as place:
            new = Path(place)
            thumbnails = Thumbnails(settings, new) if pictures else None
            try:
                with (new / TABLE).open("w", encoding="utf-8", newline="") as file:
                    text = page(write_table(rows_of(folder), file), lang, card, thumbnails)
            finally:
                if thumbnails is not None:
                    thumbnails.stop()
            (new / PAGE).write_text(text, encoding="utf-8")
            for name in (PAGE, TABLE):
                (new / name).chmod(0o600)
                (new / name).replace(folder / name)
    except OSError as error:
        raise UsageError(f"The report cannot be written ({error.strerror}): free some room.") from None
    return str(folder / PAGE), str(folder / TABLE)
