"""What the frames of a call say of one person beside the networks: each sign in a file of its own, measured
at every look and weighed once a second by the card ``live``."""

from __future__ import annotations

from haechi.live.evidence.signs import SIGNS, Look, Signs

__all__ = ["SIGNS", "Look", "Signs"]
