"""What a verification session is made of: frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from haechi.types import Reason
from haechi.values import Value

Decision: TypeAlias = Literal["accept", "refuse", "retry", "refer"]
DECISIONS: tuple[Decision, ...] = ("accept", "refuse", "retry", "refer")
"""``accept``: every check that must speak spoke for a person before a camera · ``refuse``: one found what no
genuine session shows · ``retry``: nothing could be said, for a reason that a new session may mend ·
``refer``: a person has to decide."""

CheckOutcome: TypeAlias = Literal["pass", "fail", "abstain", "risk", "crash"]
"""``abstain``: it could not tell · ``risk``: a sign that refuses nobody by itself · ``crash``: it broke down,
which is never a pass."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CheckResult(Value):
    """What one check has to say of a session. figures: what it measured, by name with the unit at its end."""

    check: str
    outcome: CheckOutcome
    reason: Reason
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class VerificationResult(Value):
    """How a session ended. reasons: why, the weightiest first · checks: all evidence, also of those that
    passed."""

    decision: Decision
    reasons: tuple[Reason, ...]
    checks: tuple[CheckResult, ...] = ()
