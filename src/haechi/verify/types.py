"""What a verification session is made of: frozen values."""

from __future__ import annotations

from typing import Literal, TypeAlias

Decision: TypeAlias = Literal["accept", "refuse", "retry", "refer"]
DECISIONS: tuple[Decision, ...] = ("accept", "refuse", "retry", "refer")
"""``accept``: every check that must speak spoke for a person before a camera · ``refuse``: one found what no
genuine session shows · ``retry``: nothing could be said, for a reason that a new session may mend ·
``refer``: a person has to decide."""
