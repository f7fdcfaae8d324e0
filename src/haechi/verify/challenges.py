"""What a session asks for, in a random order that is told one step at a time."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Literal, TypeAlias

from haechi.verify.flash_code import DURATION_S, FlashCode

ChallengeKind: TypeAlias = Literal["flash", "turn_left", "turn_right", "nod", "closer", "mouth"]
KINDS: tuple[ChallengeKind, ...] = ("flash", "turn_left", "turn_right", "nod", "closer", "mouth")

BEGIN_S = 2.5
"""The first frame of a challenge has to arrive so soon after it was told."""
MOTION_S = 4.0
"""How long a movement is watched."""
_NONCE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Challenge:
    """kind: left and right are the subject's own · nonce: made for this challenge alone, told with it, and
    part of the seal of every frame of it, so that no frame can be sealed before · code: of a flash."""

    kind: ChallengeKind
    duration_s: float
    nonce: bytes
    code: FlashCode | None = None


def plan(*, flash: bool) -> tuple[Challenge, ...]:
    """The challenges of a session. With flash: the colours, a turn, the mouth, and a nod or a step closer.
    Without: turns both ways, the mouth, the nod and the step closer."""
    if flash:
        kinds: list[ChallengeKind] = ["flash", secrets.choice(("turn_left", "turn_right")), "mouth"]
        kinds.append(secrets.choice(("nod", "closer")))
    else:
        kinds = ["turn_left", "turn_right", "mouth", "nod", "closer"]
    secrets.SystemRandom().shuffle(kinds)
    return tuple(_challenge(kind) for kind in kinds)


def _challenge(kind: ChallengeKind) -> Challenge:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    if kind == "flash":
        return Challenge(kind, DURATION_S, nonce, FlashCode.drawn())
    return Challenge(kind, MOTION_S, nonce)
