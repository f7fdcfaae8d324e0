"""The verb of the stand: ``haechi train verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from haechi.errors import UsageError
from haechi.settings import Settings
from haechi.terminal import say

app = typer.Typer()


@app.command("verify")
def verify(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The csv; what it holds already stays.")],
    sessions: Annotated[int, typer.Option("--sessions", min=1, help="Of each species.")] = 300,
    species: Annotated[
        list[str] | None, typer.Option("--species", help="Only these; repeatable. Without, all.")
    ] = None,
    signals: Annotated[
        int,
        typer.Option("--signals", min=0, help="Simulate so many light curves instead; no picture is drawn."),
    ] = 0,
) -> None:
    """Sessions of face verification, rendered by code, through the checks: a csv for `haechi verify eval`."""
    from haechi.pipeline import Pipeline
    from haechi_lab.stand.measure import measure
    from haechi_lab.stand.signals import measure_signals
    from haechi_lab.stand.species import SPECIES

    unknown = [name for name in species or () if name not in SPECIES]
    if unknown:
        raise UsageError(f"there is no species {unknown[0]!r}: choose from {', '.join(SPECIES)}")
    if signals:
        measure_signals(signals, out)
        return
    chosen_species = [SPECIES[name] for name in species or SPECIES]
    measure(chosen_species, sessions, out, Pipeline(Settings(threads=1)), say)
