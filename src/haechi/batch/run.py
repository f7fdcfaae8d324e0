"""A whole run: from a source to finished shards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from haechi.batch.engine import Engine
from haechi.batch.items import Item
from haechi.batch.progress import Progress
from haechi.batch.shards import Done, writing
from haechi.batch.sources import COLUMN, Kind, Reading, open_source
from haechi.batch.worker import TARGET
from haechi.models import cores
from haechi.settings import Settings


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done. source, kind, column, by_zero: see ``sources`` · out: the folder of the run ·
    workers: processes, 0 for one a processor · retry_errors: try rows with an error again · target: what
    makes rows, see ``haechi.isolated.child``."""

    source: str
    out: Path
    kind: Kind | None = None
    column: str = COLUMN
    by_zero: bool = False
    workers: int = 0
    retry_errors: bool = False
    target: str = TARGET


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run holds at its end, and how many folders of the source could not be listed."""

    contents: Done
    unlisted: int


def run(order: Order, settings: Settings, progress: Progress) -> Outcome:
    """Check what is not done yet. However it ends, rows that were made are kept.

    Raises UsageError when the source or the folder of the run makes no sense, InputError when the source
    cannot be read on, DamagedFile when a shard was changed, ModelError, and Fault when no process can be
    started."""
    unlisted: list[OSError] = []

    def tell_unlisted(error: OSError) -> None:
        unlisted.append(error)
        progress.note(f"haechi: {error.filename}: This folder cannot be listed ({error.strerror}).")

    with writing(order.out) as folder:
        reading = Reading(
            scratch=folder.scratch,
            most_bytes=settings.max_bytes,
            kind=order.kind,
            column=order.column,
            by_zero=order.by_zero,
            skip=order.out,
            unlisted=tell_unlisted,
        )
        source = open_source(order.source, reading)

        def wanted(item: Item) -> bool:
            is_wanted = folder.wants(item.id, retry_errors=order.retry_errors)
            if not is_wanted:
                progress.skip()
            return is_wanted

        progress.expect(source.count)
        workers = order.workers or cores()
        try:
            with Engine(settings, workers, folder.scratch, order.target) as engine:
                for row in engine.rows(source.items(wanted)):
                    if row is None:
                        folder.beat()
                    else:
                        folder.add(row)
                        progress.add(row)
                    progress.beat()
        finally:
            folder.close()
        return Outcome(folder.contents, len(unlisted))
