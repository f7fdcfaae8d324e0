"""One function for one file: ``haechi.check``."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from haechi.errors import ModelError
from haechi.pipeline import Pipeline, Progress
from haechi.settings import Settings

if TYPE_CHECKING:
    from haechi.media.sources import Source
    from haechi.report import Report

_pipelines: dict[Settings, Pipeline] = {}
_guard = threading.Lock()


def check(
    source: Source,
    settings: Settings | None = None,
    progress: Progress | None = None,
    *,
    previews: bool = True,
) -> Report:
    """Look for signs of manipulation in the faces of a photograph or a video.

    ``source``: a path; the bytes of a file; a file opened in binary mode, or BytesIO; a Pillow image; or RGB
    pixels, a uint8 array of shape (height, width, 3). Of the last two only the pixels are seen, so there is
    nothing about the file in the report. ``settings``: None means those of the environment; networks are kept
    for the next call with the same ones. ``progress`` is called with the name of a stage and the part of the
    whole that is done, in [0, 1]. ``previews``: keep the small pictures that ``Report.to_html`` shows.

    Raises InputError when the source cannot be read, UsageError when it is nothing that can be checked, and
    ModelError when a model is missing or altered; no verdict is ever given instead."""
    settings = Settings.from_env() if settings is None else settings
    with _guard:
        if settings not in _pipelines:
            _pipelines[settings] = Pipeline(settings)
        pipeline = _pipelines[settings]
    try:
        return pipeline.check(source, progress, previews=previews)
    except ModelError:
        with _guard:  # after a repair of the models the next call starts afresh
            _pipelines.pop(settings, None)
        raise
