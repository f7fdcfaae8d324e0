"""A call under watch, frame by frame."""

from __future__ import annotations

from haechi.live.types import LiveState
from haechi.pipeline import Pipeline
from haechi.types import U8


class LiveSession:
    """One call. Deterministic; memory does not grow; not for several threads.

    session = LiveSession(pipeline)
    state = session.add(rgb, time_s)     # at 5 frames a second or more
    state = session.miss(time_s)         # when no frame came for a while: the state says so
    """

    def __init__(self, pipeline: Pipeline) -> None:
        """Raises ModelError when a model, or the card ``live``, is missing or altered."""

    def add(self, rgb: U8, time_s: float) -> LiveState:
        """The next frame u8 (H, W, 3), upright. Raises UsageError for a frame older than the one before."""
        raise NotImplementedError

    def miss(self, time_s: float) -> LiveState:
        """The state at a time when no frame came: after two seconds without one, ``no_picture``."""
        raise NotImplementedError
