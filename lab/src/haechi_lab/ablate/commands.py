"""``haechi train ablate choices|streams|judge|views``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Leave out each part of the training in turn; then `haechi bench ablation`.",
    no_args_is_help=True,
    add_completion=False,
)

Data = Annotated[Path, typer.Option("--data", help="folder with the tar shards and manifest.csv")]
Out = Annotated[Path, typer.Option("--out", help="folder in which the data were prepared")]
Weights = Annotated[
    Path | None, typer.Option("--weights", help="folder with the starting weights; default DATA/../weights")
]
Results = Annotated[Path, typer.Option("--results", help="folder for the results of the variants")]
Threads = Annotated[int, typer.Option("--threads", help="threads of the network")]


@app.command()
def choices(
    data: Data,
    out: Out,
    weights: Weights = None,
    results: Results = Path("results/ablation"),
    only: Annotated[str, typer.Option("--only", help="variants whose name begins so")] = "",
    threads: Threads = 1,
) -> None:
    """The face network without each family, kind of degradation and term of the loss; frozen; at other sizes.
    Short runs, minutes each."""
    from haechi_lab.ablate import choices as runs

    teachers = weights or data.parent / "weights"
    runs.run(out, teachers, results, lambda note: note.startswith(only), threads)


@app.command()
def streams(
    out: Out,
    start: Annotated[Path, typer.Option("--start", help="checkpoint of a network of all streams")],
    results: Results = Path("results/streams"),
    threads: Threads = 1,
) -> None:
    """A trained face network with one stream less at a time. Short runs, minutes each."""
    from haechi_lab.ablate import streams as runs

    runs.run(out, start, results, threads)


@app.command()
def judge(
    out: Out,
    name: Annotated[str, typer.Option("--name", help="of a run of `haechi train swap`")],
    note: Annotated[str, typer.Option("--note", help="what is different: full, or without FAMILY, FAMILY")],
    results: Results = Path("results/unseen"),
) -> None:
    """A network trained at length, on the crops of the reporting half."""
    from haechi_lab.ablate import reporting_half as exam

    exam.judge(out, name, note, results)


@app.command()
def views(
    out: Out,
    name: Annotated[str, typer.Option("--name", help="of a run of `haechi train swap`")] = "swap",
    results: Annotated[Path, typer.Option("--results", help="the figures to write")] = Path(
        "results/views.json"
    ),
) -> None:
    """How much of the crop a network should be shown, and whether mirrored too."""
    from haechi_lab.ablate import views as runs

    for row in runs.run(out, name, results)["table"]["rows"]:
        typer.echo("  ".join(row))
