"""How faults of ours are logged: by their kind and place, never by their text, which may name a file."""

from __future__ import annotations

import logging
import traceback

from haechi.errors import Fault

_log = logging.getLogger("haechi.web")


def log_crash(where: str, error: BaseException) -> None:
    """Log a fault of ours by its kind and place. Its text is left out: it may name the user's file."""
    if isinstance(error, Fault):
        kind, steps = error.kind, error.steps
    else:
        kind, steps = type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
    _log.error("internal error in the %s: %s\n%s", where, kind, steps)
