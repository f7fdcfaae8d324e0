"""Challenges for the other side: what to ask for, and whether it was done.

    Challenges (asking) -> Challenge (challenge) -> one check each (turn, hand, stand, close) <- Look (look)

``word`` is one that no picture shows: the user alone can tell whether a word was read aloud. Taking off
glasses is left out: nothing here tells a face with glasses from one without well enough to say that it was
done."""

from __future__ import annotations

from haechi.live.challenges.asking import Challenges

__all__ = ["Challenges"]
