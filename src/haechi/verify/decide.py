"""What the checks come to.

    one that failed                                  refuse
    one that broke down                              refer
    one that must speak and could not               retry
    a risk, or no flash in the session               refer
    all that must speak passed                       accept

A path without flash exists for people who cannot bear it. It never ends in ``accept``: whoever attacks would
choose it."""

from __future__ import annotations

from collections.abc import Sequence

from haechi.types import Reason
from haechi.verify.types import CheckResult, Decision, VerificationResult

MUST_SPEAK = ("flash", "compliance", "depth")
"""Without these there is no acceptance; injection and forgery are risks alone, and may be silent."""


def decide(checks: Sequence[CheckResult], *, flash: bool, device: bool = False) -> VerificationResult:
    """``flash``: whether the session had one; ``device``: whether it was to be bound to one."""
    needed = [name for name in MUST_SPEAK if flash or name != "flash"] + ["device"] * device
    decision, heavy = _decision(checks, needed, flash=flash)
    reasons = tuple(c.reason for c in heavy)
    if decision == "refer" and not flash:
        reasons = (*reasons, Reason("verify_without_flash"))
    if decision == "accept":
        reasons = (Reason("verify_accepted"),)
    return VerificationResult(decision, reasons, tuple(checks))


def _decision(
    checks: Sequence[CheckResult], needed: Sequence[str], *, flash: bool
) -> tuple[Decision, list[CheckResult]]:
    """The decision, and the checks that led to it."""

    def those(outcome: str) -> list[CheckResult]:
        return [c for c in checks if c.outcome == outcome]

    if failed := those("fail"):
        return "refuse", failed
    if crashed := those("crash"):
        return "refer", crashed
    passed = {c.check for c in those("pass")}
    if missing := [name for name in needed if name not in passed]:
        return "retry", [c for c in checks if c.check in missing]
    risks = those("risk")
    return ("refer", risks) if risks or not flash else ("accept", [])
