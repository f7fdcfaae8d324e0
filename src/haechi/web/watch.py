"""Whether the models on the disk are still those that the cards describe: asked often, computed once."""

from __future__ import annotations

import threading

from haechi import models
from haechi.errors import ModelError
from haechi.settings import Settings


class Watch:
    """Verifies the needed models again whenever one of their files has changed."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._names = settings, models.needed(settings)
        self._lock = threading.Lock()
        self._seen: tuple[object, ...] = ()
        self._fault: ModelError | None = None

    def fault(self) -> ModelError | None:
        """What is wrong with them; None when all are as they should be."""
        with self._lock:
            seen = self._signature()
            if seen != self._seen:
                bad = [x for x in models.verify(self._settings) if x.name in self._names and not x.ok]
                missing = [name for name in self._names if not models.present(name, self._settings)]
                self._seen = seen
                self._fault = (
                    ModelError(bad[0].why)
                    if bad
                    else ModelError(f"The model {missing[0]!r} is missing: reinstall Haechi.")
                    if missing
                    else None
                )
            return self._fault

    def _signature(self) -> tuple[object, ...]:
        """Size and time of change of every file of the needed models."""
        found: list[object] = []
        for name in self._names:
            for file in sorted(models.folder(self._settings).glob(f"{name}.*")):
                about = file.stat()
                found.append((file.name, about.st_size, about.st_mtime_ns))
        return tuple(found)
