"""The verbs of ``haechi bench``: parse, call, print. Errors are turned into exit codes by ``haechi.cli``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from haechi.bench.evidence_cli import register
from haechi.bench.web.cli import app as web_app
from haechi.errors import ExitCode, UsageError
from haechi.terminal import Bar, printable


class _RunByDefault(TyperGroup):
    """``haechi bench list.csv`` is ``haechi bench run list.csv``: what is no verb is a manifest."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "-h", "--help"}:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_RunByDefault,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Measure on labelled files: haechi bench [run] MANIFEST; then tables, again, ablation, speed, web.",
)
app.add_typer(web_app, name="web")
register(app)  # pdq, case


@app.command("run")
def bench_command(
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="csv: path, label[, kind, source, group].")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The .json; default results/MANIFEST.json.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option("--root", metavar="DIR", help="Where the paths of the manifest start.")
    ] = None,
    rungs: Annotated[
        str, typer.Option("--rungs", help="Degradations, separated by commas; all, or clean only.")
    ] = "all",
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where", metavar="COLUMN=VALUE", help="Keep these lines only; A|B for several values."
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", help="Measure that many lines, drawn by --seed; 0 for all.")
    ] = 0,
    reencode: Annotated[
        int,
        typer.Option(
            "--reencode", metavar="QUALITY", help="Save both classes as JPEG of this quality first."
        ),
    ] = 0,
    size: Annotated[
        str,
        typer.Option(
            "--size", help="Size law for both classes: keep, square:SIDE, square:LEAST-MOST, crop:SIDE."
        ),
    ] = "keep",
    match: Annotated[
        bool, typer.Option("--match", help="Keep a subset in which the files tell nothing of the label.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes.")] = 1,
    note: Annotated[
        str, typer.Option("--note", help="What is different about these models, for haechi bench ablation.")
    ] = "",
    seed: Annotated[int, typer.Option("--seed", help="For every draw.")] = 0,
    resamples: Annotated[int, typer.Option("--resamples", min=1, help="Of the bootstrap.")] = 1000,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Measure Haechi on a manifest; writes a result and prints its summary.

    A run that was stopped goes on where it was. On a terminal a progress bar appears on stderr.
    """
    from haechi.bench.degrade import RUNGS
    from haechi.bench.manifest import read_manifest
    from haechi.bench.run import bench
    from haechi.bench.treatment import Treatment
    from haechi.bench.views import render

    chosen = tuple(RUNGS) if rungs == "all" else tuple(r.strip() for r in rungs.split(",") if r.strip())
    if not chosen:
        raise UsageError("--rungs: name at least one")
    listed = read_manifest(manifest, root, _conditions(where or []), limit, seed)
    told = {
        "--rungs": rungs,
        "--where": where or [],
        "--limit": limit,
        "--reencode": reencode,
        "--size": size,
    }
    told |= {
        "--match": match,
        "--note": note,
        "--seed": seed,
        "--resamples": resamples,
    }
    with Bar(1, quiet=quiet) as bar:
        result = bench(
            listed,
            out or Path("results") / f"{manifest.stem}.json",
            rungs=chosen,
            treatment=Treatment(reencode, size),
            match=match,
            jobs=jobs,
            seed=seed,
            resamples=resamples,
            command=_command(manifest, told),
            note=note,
            progress=bar.tell,
        )
    for view in ("about", "summary", "ladder", "levels"):
        print(printable_lines(render(result, {"view": view})))


@app.command("tables")
def tables_command(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit with 1 when a table is old.")
    ] = False,
    root: Annotated[Path, typer.Option("--root", metavar="DIR", help="The checkout.")] = Path(),
) -> None:
    """Write the tables of README*.md and docs/*.md, and docs/cost.svg, from results/*.json."""
    from haechi.bench.tables import refresh, stale

    files = stale(root) if check else refresh(root)
    for file in files:
        print(printable(f"{'out of date' if check else 'written'}: {file.relative_to(root)}"))
    if check and files:
        raise typer.Exit(ExitCode.INTERNAL)


@app.command("again")
def again_command(
    results: Annotated[list[Path], typer.Argument(metavar="RESULT...", help="The .json of results.")],
) -> None:
    """Compute the figures of results anew from their stored scores; nothing is measured."""
    from haechi.bench.result import renew

    for path in results:
        if renew(path):
            print(printable(f"written: {path}"))


@app.command("ablation")
def ablation_command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Results of variants, one manifest, each with a --note.")
    ] = Path("results/ablation"),
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The .json; default DIR.json.")
    ] = None,
    score: Annotated[str, typer.Option("--score", help="Which score is compared.")] = "swap",
    rung: Annotated[str, typer.Option("--rung", help="On which degradation.")] = "clean",
    full: Annotated[str, typer.Option("--full", help="The note of the variant with everything.")] = "full",
) -> None:
    """Set variants against the full one, picture by picture: what was left out, and what that cost."""
    from haechi.bench.ablation import ablation
    from haechi.bench.views import render

    found = ablation(
        folder, out or folder.with_name(f"{folder.name}.json"), score=score, rung=rung, full=full
    )
    for view in ("", "held"):
        print(printable_lines(render(found, {"view": view})))


@app.command("speed")
def speed_command(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The .json.")] = Path(
        "results/speed.json"
    ),
    photo: Annotated[Path | None, typer.Option("--photo", help="Instead of the one made here.")] = None,
    video: Annotated[Path | None, typer.Option("--video", help="Instead of the one made here.")] = None,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Runs of which the median counts.")] = 5,
    cores: Annotated[int, typer.Option("--cores", min=0, help="Processors to use; 0 for all.")] = 2,
    peers: Annotated[
        bool,
        typer.Option(
            "--peers",
            help="Time the face networks beside large ones only, into peers.json; needs haechi[lab].",
        ),
    ] = False,
) -> None:
    """Measure seconds, memory and megabytes against the bars of the project."""
    from haechi.bench.speed import pace_of_peers, render_speed, speed
    from haechi.bench.views import render

    if peers:
        print(printable_lines(render(pace_of_peers(out.with_name("peers.json"), repeats, cores), {})))
    else:
        print(render_speed(speed(out, photo=photo, video=video, repeats=repeats, cores=cores)))


def printable_lines(text: str) -> str:
    """Lines that hold names from a manifest, safe for a terminal."""
    return "\n".join(printable(line) for line in text.split("\n"))


def _conditions(where: list[str]) -> dict[str, str]:
    pairs = [w.partition("=") for w in where]
    if any(not name or not mark for name, mark, _ in pairs):
        raise UsageError("--where: write COLUMN=VALUE")
    return {name: value for name, _, value in pairs}


def _command(manifest: Path, told: dict[str, Any]) -> str:
    """What was asked, without folders: a result must not carry paths of the machine it was made on."""
    usual = {"--rungs": "all", "--size": "keep", "--resamples": 1000}
    words = ["haechi", "bench", manifest.name]
    for name, value in told.items():
        if value is True:
            words.append(name)
        elif isinstance(value, list):
            words += [w for v in value for w in (name, v)]
        elif value and value != usual.get(name):
            words += [name, str(value)]
    return shlex.join(words)
