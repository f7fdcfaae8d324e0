"""One function for one file: ``haechi.check``."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from haechi.errors import ModelError
from haechi.pipeline import Pipeline, Progress, Source
from haechi.settings import Settings

if TYPE_CHECKING:
    from haechi.types import Report

_pipelines: dict[Settings, Pipeline] = {}
_guard = threading.Lock()


def check(source: Source, settings: Settings | None = None, progress: Progress | None = None) -> Report:
    """Check a photograph or a video: a path, or the bytes of the file. Raises as ``Pipeline.check`` does.
    Networks are kept for the next call with the same settings; None means those of the environment."""
    settings = Settings.from_env() if settings is None else settings
    with _guard:
        if settings not in _pipelines:
            _pipelines[settings] = Pipeline(settings)
        pipeline = _pipelines[settings]
    try:
        return pipeline.check(source, progress)
    except ModelError:
        with _guard:  # after a repair of the models the next call starts afresh
            _pipelines.pop(settings, None)
        raise
