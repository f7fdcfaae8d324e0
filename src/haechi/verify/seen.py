"""What the checks are given of one challenge."""

from __future__ import annotations

from dataclasses import dataclass

from haechi.values import Value
from haechi.verify.challenges import Challenge
from haechi.verify.recording import Recording


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Seen(Value):
    """began_s: from the moment in which the challenge was told to its first frame."""

    challenge: Challenge
    recording: Recording
    began_s: float = 0.0
