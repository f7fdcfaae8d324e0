"""The figures that ISO/IEC 30107-3 asks for, with exact bounds.

    APCER   of one species of attack: accepted, of the presentations that were classified
    BPCER   of genuine presentations: not accepted, of those that were classified
    APNRR, BPNRR   presentations without a response, of all
    ACER    mean of BPCER and of the APCER of the worst species; left out of the standard since 2023, still
    asked

A session that ends in ``retry`` has given no response. One that is referred to a person is no acceptance of
an attack, and an error with a genuine one. Species are never pooled: the worst one is the figure of a
system.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from haechi.errors import UsageError
from haechi.verify.attempts import Attempt, AttemptKind
from haechi.verify.binomial import interval, upper


@dataclass(frozen=True, slots=True)
class SpeciesFigures:
    """Of one species. n: sessions · silent: those that ended in retry · errors: attacks that were accepted,
    or genuine ones that were refused or referred · accepted: of all."""

    species: str
    n: int
    silent: int
    errors: int
    accepted: int
    method: str = ""
    level: str = ""

    @property
    def classified(self) -> int:
        """Sessions with a response."""
        return self.n - self.silent

    @property
    def error_rate(self) -> float | None:
        """APCER or BPCER; None when nothing was classified."""
        return self.errors / self.classified if self.classified else None

    @property
    def error_interval(self) -> tuple[float, float]:
        """Two-sided, of 95%."""
        return interval(self.errors, self.classified)

    @property
    def error_upper(self) -> float:
        """One-sided, of 95%."""
        return upper(self.errors, self.classified)

    @property
    def silent_rate(self) -> float:
        """APNRR or BPNRR."""
        return self.silent / self.n

    @property
    def accepted_rate(self) -> float:
        """Of all sessions, those without a response among them: what an attacker who may try gets. (IAPAR, of
        a system that compares nobody with anybody.)"""
        return self.accepted / self.n


@dataclass(frozen=True, slots=True)
class Figures:
    """genuine, presentation, injection: by species, in order of name · bpcer: of all genuine sessions; None
    without one."""

    genuine: tuple[SpeciesFigures, ...]
    presentation: tuple[SpeciesFigures, ...]
    injection: tuple[SpeciesFigures, ...]

    @property
    def all_genuine(self) -> SpeciesFigures | None:
        """Every genuine session, whatever the condition; None without one."""
        if not self.genuine:
            return None
        sums = (sum(getattr(s, name) for s in self.genuine) for name in ("n", "silent", "errors", "accepted"))
        return SpeciesFigures("all", *sums)

    @property
    def worst(self) -> SpeciesFigures | None:
        """The species of presentation with the highest APCER, of several the one whose bound is higher; None
        when nothing was classified."""
        return worst(self.presentation)

    @property
    def acer(self) -> float | None:
        genuine, attack = self.all_genuine, self.worst
        if genuine is None or attack is None or genuine.error_rate is None or attack.error_rate is None:
            return None
        return (genuine.error_rate + attack.error_rate) / 2


def worst(species: Sequence[SpeciesFigures]) -> SpeciesFigures | None:
    """See ``Figures.worst``."""
    spoken = [s for s in species if s.error_rate is not None]
    return max(spoken, key=lambda s: (s.error_rate or 0.0, s.error_upper), default=None)


def figures(attempts: Iterable[Attempt]) -> Figures:
    """Count a test. Raises UsageError when one species stands at two levels of laboratories."""
    attempts = tuple(attempts)
    return Figures(*(_of_kind(attempts, kind) for kind in ("genuine", "presentation", "injection")))


def _of_kind(attempts: Sequence[Attempt], kind: AttemptKind) -> tuple[SpeciesFigures, ...]:
    members = [a for a in attempts if a.kind == kind]
    keys = sorted({(a.method, a.species) for a in members})
    return tuple(
        _of_species([a for a in members if (a.method, a.species) == key], genuine=kind == "genuine")
        for key in keys
    )


def _of_species(attempts: Sequence[Attempt], *, genuine: bool) -> SpeciesFigures:
    levels = {a.level for a in attempts}
    first = attempts[0]
    if len(levels) > 1:
        raise UsageError(
            f"{first.species!r} stands at levels {', '.join(sorted(levels))}: give a species one level."
        )
    results = [a.result for a in attempts]
    accepted, silent = results.count("accept"), results.count("retry")
    errors = len(results) - silent - accepted if genuine else accepted
    return SpeciesFigures(first.species, len(results), silent, errors, accepted, first.method, first.level)
