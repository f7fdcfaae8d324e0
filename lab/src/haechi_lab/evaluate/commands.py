"""``haechi train calibrate|stretches|measure|next-source|field|live|challenges|targets|baselines``: what
networks, and the checks of challenges, are worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from haechi.errors import UsageError

app = typer.Typer()

Data = Annotated[Path, typer.Option("--data", help="folder with the tar shards and manifest.csv")]
Out = Annotated[Path, typer.Option("--out", help="folder for checkpoints, weights and cards")]
Weights = Annotated[
    Path | None,
    typer.Option("--weights", help="folder with teachers and starting weights; default DATA/../weights"),
]
Results = Annotated[Path, typer.Option("--results", help="folder for the measured figures")]


@app.command()
def calibrate(data: Data, out: Out, weights: Weights = None) -> None:
    """Calibrate and fuse the trained networks on the selection half of the validation split."""
    from haechi_lab.calibrate.fit import run

    run(data, weights or data.parent / "weights", out)


@app.command()
def measure(
    data: Data,
    out: Out,
    weights: Weights = None,
    results: Results = Path("results"),
) -> None:
    """Measure the calibrated models on the reporting half; writes results and the figures of the cards."""
    from haechi_lab.evaluate.card_figures import measure as run

    run(data, weights or data.parent / "weights", out, results, "haechi train measure --data DIR --out DIR")


@app.command(name="next-source")
def next_source(
    out: Out,
    results: Results = Path("results"),
) -> None:
    """How marks and probabilities hold on a source that calibration never saw; after calibrate."""
    from haechi_lab.calibrate.next_source import measure

    measure(out, results, "haechi train next-source --out DIR")


@app.command()
def field(
    data: Data,
    results: Results = Path("results"),
    faceless: Annotated[
        Path | None,
        typer.Option("--faceless", help="folder of pictures without a face, besides the drawn ones"),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="PART", help="measure this part; repeatable")
    ] = None,
) -> None:
    """What people have: pictures without a face, turned, mirrored and made by other means than a camera's."""
    from haechi_lab.evaluate.field import PARTS, measure

    parts = tuple(only or PARTS)
    if unknown := [part for part in parts if part not in PARTS]:
        raise UsageError(f"--only {' '.join(unknown)}: choose from {', '.join(PARTS)}")
    for part in parts:
        for row in measure(part, data, results, faceless)["table"]["rows"]:
            typer.echo("  ".join(f"{cell:>10}" for cell in row))


@app.command()
def stretches(
    data: Data,
    out: Out,
    filmed: Annotated[
        Path, typer.Option("--filmed", help="folder of genuine clips (.mp4) of people who talk")
    ],
    results: Results = Path("results"),
) -> None:
    """How far a stretch of a genuine video stands out, for the marks; after calibrate, 20 minutes."""
    from haechi_lab.calibrate.stretches import run

    command = "haechi train stretches --data DIR --out DIR --filmed DIR"
    result = run(data, filmed, out, results, command, lambda line: typer.echo(line, err=True))
    for row in result["table"]["rows"]:
        typer.echo("  ".join(f"{cell:>12}" for cell in row))


@app.command()
def live(
    packs: Annotated[Path, typer.Option("--packs", help="folder that train data filled")],
    out: Out,
    results: Results = Path("results"),
    filmed: Annotated[
        Path | None, typer.Option("--filmed", help="folder of genuine clips (.mp4) of people who talk")
    ] = None,
    people: Annotated[int, typer.Option("--people", help="filmed stills of each half, one a person")] = 80,
    forged: Annotated[
        int, typer.Option("--forged", help="of how many of them, forged in every species")
    ] = 30,
) -> None:
    """Fit and measure the thresholds for calls; after calibrate, with the networks in OUT/models.

    The short calls are made once, in OUT/live; run again after the networks changed, they are only looked at
    anew. Half an hour on two cores, ten minutes of it for that."""
    from haechi_lab.live.measure import run

    filmed_option = "" if filmed is None else " --filmed DIR"
    command = f"haechi train live --packs DIR --out DIR{filmed_option}"
    result = run(
        packs, filmed, out, results, command, people, forged, lambda line: typer.echo(line, err=True)
    )
    for row in result["table"]["rows"]:
        typer.echo("  ".join(f"{cell:>12}" for cell in row))


@app.command()
def challenges(
    filmed: Annotated[
        Path, typer.Option("--filmed", help="folder of genuine clips (.mp4) of people who talk")
    ],
    results: Results = Path("results"),
    most: Annotated[
        int, typer.Option("--most", min=1, help="of how many of them somebody does the challenges, too")
    ] = 12,
) -> None:
    """How often a challenge that is done in a call is seen, and how often one that nobody did."""
    from haechi_lab.live.challenges import run

    command = f"haechi train challenges --filmed DIR --most {most}"
    for row in run(filmed, results, command, most, lambda line: typer.echo(line, err=True))["table"]["rows"]:
        typer.echo("  ".join(f"{cell:>12}" for cell in row))


@app.command()
def targets(
    results: Annotated[Path, typer.Option("--results", help="folder with the measured figures")] = Path(
        "results"
    ),
) -> None:
    """Set what was measured against its targets; writes results/targets.json."""
    from haechi_lab.evaluate.targets import write

    for what, figure, bar, outcome in write(results)["table"]["rows"]:
        print(f"{outcome:7} {figure:>12}  {bar:8} {what}")


@app.command()
def baselines(
    out: Annotated[Path, typer.Option("--out", help="the figures to write")] = Path("results/baselines.json"),
    runs: Annotated[int, typer.Option("--runs", help="rounds in which all are timed in turn")] = 5,
) -> None:
    """Faces a second of the face networks and of large ones, in turn; see haechi bench speed --baselines."""
    from haechi_lab.evaluate.throughput import measure

    measure(out, runs, lambda line: typer.echo(line, err=True))
