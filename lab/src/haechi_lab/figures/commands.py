"""``haechi train lesson`` and ``haechi train pictures``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from haechi.errors import ExitCode

app = typer.Typer(add_completion=False)

Data = Annotated[Path, typer.Option("--data", help="folder with the tar shards and manifest.csv")]
Results = Annotated[Path, typer.Option("--results", help="folder of the measured figures")]
Teachers = Annotated[
    Path | None,
    typer.Option("--weights", help="folder with teachers and starting weights; default DATA/../weights"),
]


@app.command()
def lesson(
    data: Data,
    out: Annotated[Path, typer.Option("--out", help="folder for checkpoints, weights and cards")],
    weights: Teachers = None,
    results: Results = Path("results"),
    steps: Annotated[int, typer.Option("--steps", help="steps of each of the three trainings")] = 480,
) -> None:
    """Overfitting, measured: a small network on few persons and on many. Writes results/lesson.json."""
    from haechi_lab.data.prepare import prepare
    from haechi_lab.figures import overfitting as experiment

    prepare(data, weights or data.parent / "weights", out / "prepared")
    experiment.run(out, results, steps)


@app.command()
def pictures(
    out: Annotated[Path, typer.Option("--out", help="folder of the pictures")] = Path("docs/pictures"),
    weights: Annotated[Path, typer.Option("--weights", help="folder with the teachers")] = Path("weights"),
    generators: Annotated[
        Path, typer.Option("--generators", help="OUT/generators of train generators")
    ] = Path("generators"),
    results: Results = Path("results"),
    picture: Annotated[Path, typer.Option("--picture", help="a photograph that may be shown")] = Path(
        "samples/astronaut.jpg"
    ),
    only: Annotated[
        list[str] | None, typer.Option("--only", help="make this picture only; repeatable")
    ] = None,
) -> None:
    """The pictures of docs/how-it-works.md, of the sample, the logs of `train generators` and the results."""
    from haechi.settings import Settings
    from haechi_lab.figures.contact_sheet import Subject
    from haechi_lab.figures.make import make
    from haechi_lab.figures.sources import Stage

    stage = Stage(Subject.open(picture, weights), generators, results, Settings.from_env())
    missing = make(stage, out, only)
    for line in missing:
        typer.echo(f"left as it was: {line}", err=True)
    if missing:
        raise typer.Exit(ExitCode.PARTIAL)
