"""What laboratories ask of a system before they write a letter of conformance, beside what a test of one's
own found.

Levels 1 and 2 as iBeta tests them after ISO/IEC 30107-3: six species of 150 presentations, none accepted;
five of 150, at most 1% accepted; and at most 15% of genuine presentations refused."""

from __future__ import annotations

from dataclasses import dataclass

from haechi.verify.figures import Figures, SpeciesFigures, worst

NO_CERTIFICATE = (
    "A stand is no certificate: here the maker of the check also made the attacks, by code. A laboratory "
    "brings instruments that nobody showed to the maker, real cameras and real people, and only its letter "
    "says that a level is met."
)


@dataclass(frozen=True, slots=True)
class LaboratoryLevel:
    """species x presentations: how many are tested · most_apcer, most_bpcer: the highest rates allowed."""

    name: str
    level: str
    species: int
    presentations: int
    most_apcer: float
    most_bpcer: float


LEVELS = (
    LaboratoryLevel("iBeta level 1", "1", 6, 150, 0.0, 0.15),
    LaboratoryLevel("iBeta level 2", "2", 5, 150, 0.01, 0.15),
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A level and what the test holds of it: species of that level with enough classified presentations, the
    worst of them, and the genuine sessions. reached: whether all that is asked was found."""

    asks: LaboratoryLevel
    tested: tuple[SpeciesFigures, ...]
    genuine: SpeciesFigures | None

    @property
    def worst(self) -> SpeciesFigures | None:
        return worst(self.tested)

    @property
    def reached(self) -> bool:
        attack = self.worst
        if len(self.tested) < self.asks.species or attack is None or attack.error_rate is None:
            return False
        if self.genuine is None or self.genuine.error_rate is None:
            return False
        fine = attack.error_rate <= self.asks.most_apcer
        return fine and self.genuine.error_rate <= self.asks.most_bpcer


def compare(figures: Figures) -> tuple[Comparison, ...]:
    """The test beside each level."""
    return tuple(
        Comparison(
            asks,
            tuple(
                s
                for s in figures.presentation
                if s.level == asks.level and s.classified >= asks.presentations
            ),
            figures.all_genuine,
        )
        for asks in LEVELS
    )
