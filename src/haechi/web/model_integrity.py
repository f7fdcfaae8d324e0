"""Whether the models on the disk are still those that the cards describe: asked often, computed once."""

from __future__ import annotations

import threading

from haechi import models
from haechi.errors import ModelError
from haechi.settings import Settings


class ModelIntegrity:
    """Verifies the needed models again whenever one of their files has changed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._signature: tuple[object, ...] | None = None
        self._fault: ModelError | None = None

    def fault(self) -> ModelError | None:
        """What is wrong with the models of a check; None when nothing is."""
        with self._lock:
            signature = _signature(models.NAMES, self._settings)
            if signature != self._signature:
                self._signature, self._fault = signature, _fault(models.NAMES, self._settings)
            return self._fault


def _fault(names: tuple[str, ...], settings: Settings) -> ModelError | None:
    checked = {line.name: line for line in models.verify(settings)}
    for name in names:
        if name not in checked:
            return ModelError(f"The model {name!r} is missing. Reinstall Haechi.")
        if not checked[name].ok:
            return ModelError(checked[name].why)
    return None


def _signature(names: tuple[str, ...], settings: Settings) -> tuple[object, ...]:
    """Size and time of change of every file of these models."""
    entries: list[object] = []
    for name in names:
        for file in sorted(models.folder(settings).glob(f"{name}.*")):
            stat = file.stat()
            entries.append((file.name, stat.st_size, stat.st_mtime_ns))
    return tuple(entries)
