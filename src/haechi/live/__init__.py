"""A call under watch: frames as they come -> who is in the picture, and how sure one may be that a face is
forged. Nothing is stored."""

from __future__ import annotations

from haechi.live.session import LiveSession
from haechi.live.types import CHALLENGES, LEVELS, ChallengeState, LiveLevel, LiveState, PersonState

__all__ = [
    "CHALLENGES",
    "LEVELS",
    "ChallengeState",
    "LiveLevel",
    "LiveSession",
    "LiveState",
    "PersonState",
]
