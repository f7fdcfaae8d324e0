"""The verbs of ``haechi bench``: parse, call, print. Errors are turned into exit codes by ``haechi.cli``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from haechi.errors import UsageError
from haechi.extensions import add_verbs
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
    help="Measure on labelled files: haechi bench [run] MANIFEST.",
)
add_verbs(app, "haechi.bench", "haechi bench")


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
    from haechi.bench.corruptions import RUNGS
    from haechi.bench.manifest import read_manifest
    from haechi.bench.result_tables import render
    from haechi.bench.run import bench
    from haechi.bench.treatment import Treatment

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


@app.command("again")
def again_command(
    results: Annotated[list[Path], typer.Argument(metavar="RESULT...", help="The .json of results.")],
) -> None:
    """Compute the figures of results anew from their stored scores; nothing is measured."""
    from haechi.bench.result import renew

    for path in results:
        if renew(path):
            print(printable(f"written: {path}"))


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
