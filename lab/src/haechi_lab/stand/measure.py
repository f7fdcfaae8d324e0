"""``haechi train verify``: sessions of every species through the checks, a line each, for ``haechi verify
eval``.

An attack is over with the first challenge by which a check fails it, since one failure decides; a genuine
session is filmed to its end. The face network is not asked: to it a rendered head is a forgery, and rightly
so.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from haechi.faces import Window
from haechi.pipeline import Pipeline
from haechi.verify.challenges import Challenge, plan
from haechi.verify.checks import CHECKS, examine
from haechi.verify.decide import decide
from haechi.verify.observe import observe
from haechi.verify.seen import Seen
from haechi.verify.types import CheckResult, VerificationResult
from haechi_lab.stand.species import Actor, Species

COLUMNS = ("kind", "species", "method", "level", "session", "result", "reason")
_ASKED = tuple((name, check) for name, check in CHECKS if name != "forgery")


def session(species: Species, seed: int, pipeline: Pipeline) -> tuple[VerificationResult, list[Seen]]:
    """How one session of a species ends, and what was seen of it."""
    rng = np.random.default_rng(seed)
    actor = species.actor(rng)
    challenges = plan(flash=True)
    if species.kind != "genuine":
        challenges = tuple(sorted(challenges, key=lambda c: not c.kind.startswith(species.first)))
    takes: list[Seen] = []
    checks: tuple[CheckResult, ...] = ()
    for challenge in challenges:
        takes.append(_filmed(species, challenge, rng, actor, pipeline))
        checks = examine(takes, _ASKED)
        if species.kind != "genuine" and any(c.outcome == "fail" for c in checks):
            break
    return decide(checks, flash=True), takes


def _filmed(
    species: Species, challenge: Challenge, rng: np.random.Generator, actor: Actor, pipeline: Pipeline
) -> Seen:
    film = species.film(challenge, rng, actor)
    frames = zip(film.frames, film.times_s.tolist(), strict=True)
    stream = pipeline.stream("video", Window())
    return Seen(challenge, observe(frames, challenge.kind, stream, None))


def measure(
    species: Sequence[Species], sessions: int, out: Path, pipeline: Pipeline, log: Callable[[str], None]
) -> None:
    """Add to the csv ``out`` until it has so many sessions of each species; what is there already stays."""
    rows = list(csv.DictReader(out.open(newline=""))) if out.is_file() else []
    for seed in range(sessions):
        for one in species:
            if any(row["species"] == one.name and row["session"] == str(seed) for row in rows):
                continue
            result, _ = session(one, seed, pipeline)
            reason = result.reasons[0].code if result.reasons else ""
            values = (one.kind, one.name, one.method, one.level, str(seed), result.decision, reason)
            rows.append(dict(zip(COLUMNS, values, strict=True)))
            log(f"{one.name} {seed}: {result.decision} ({reason})")
            with out.open("w", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS)
                writer.writeheader()
                writer.writerows(rows)
