"""Whether the models on the disk are still those that the cards describe: asked often, computed once."""

from __future__ import annotations

import threading
from dataclasses import replace

from haechi import models
from haechi.errors import ModelError
from haechi.settings import Settings


class Watch:
    """Verifies the needed models again whenever one of their files has changed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._seen: dict[bool, tuple[object, ...]] = {}
        self._fault: dict[bool, ModelError | None] = {}

    def fault(self, *, thorough: bool = False) -> ModelError | None:
        """What is wrong with the models of a check, or of a thorough one; None when nothing is."""
        settings = replace(self._settings, thorough=thorough or self._settings.thorough)
        names = models.needed(settings)
        with self._lock:
            seen = _signature(names, settings)
            if seen != self._seen.get(thorough):
                self._seen[thorough], self._fault[thorough] = seen, _fault(names, settings)
            return self._fault[thorough]


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
    found: list[object] = []
    for name in names:
        for file in sorted(models.folder(settings).glob(f"{name}.*")):
            about = file.stat()
            found.append((file.name, about.st_size, about.st_mtime_ns))
    return tuple(found)
