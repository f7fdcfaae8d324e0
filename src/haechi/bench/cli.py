"""The verbs of ``haechi bench``: parse, call, print. Errors are turned into exit codes by ``haechi.cli``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from haechi.errors import UsageError
from haechi.extensions import add_verbs
from haechi.terminal import Bar, printable
from haechi.verb_groups import RunByDefault

app = typer.Typer(
    cls=RunByDefault,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Measure on labelled files: haechi bench [run] MANIFEST.",
)
add_verbs(app, "haechi.bench", "haechi bench")


Manifest = Annotated[
    Path, typer.Argument(metavar="MANIFEST", help="csv: path, label[, kind, source, group].")
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="The .json; default results/MANIFEST.json.")
]
Root = Annotated[
    Path | None, typer.Option("--root", metavar="DIR", help="Where the paths of the manifest start.")
]
Rungs = Annotated[str, typer.Option("--rungs", help="Degradations, separated by commas; all, or clean only.")]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="COLUMN=VALUE", help="Keep these lines only; A|B for several values."),
]
Limit = Annotated[int, typer.Option("--limit", help="Measure that many lines, drawn by --seed; 0 for all.")]
Reencode = Annotated[
    int,
    typer.Option("--reencode", metavar="QUALITY", help="Save both classes as JPEG of this quality first."),
]
Size = Annotated[
    str,
    typer.Option(
        "--size", help="Size law for both classes: keep, square:SIDE, square:LEAST-MOST, crop:SIDE."
    ),
]
Match = Annotated[
    bool, typer.Option("--match", help="Keep a subset in which the files tell nothing of the label.")
]
Note = Annotated[
    str, typer.Option("--note", help="What is different about these models, for haechi bench ablation.")
]


@app.command("run")
def bench_command(
    manifest: Manifest,
    out: Out = None,
    root: Root = None,
    rungs: Rungs = "all",
    where: Where = None,
    limit: Limit = 0,
    reencode: Reencode = 0,
    size: Size = "keep",
    match: Match = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes.")] = 1,
    note: Note = "",
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

    rung_names = tuple(RUNGS) if rungs == "all" else tuple(r.strip() for r in rungs.split(",") if r.strip())
    if not rung_names:
        raise UsageError("--rungs: name at least one")
    items = read_manifest(manifest, root, _conditions(where or []), limit, seed)
    options = {"--rungs": rungs, "--where": where or [], "--limit": limit, "--reencode": reencode}
    options |= {"--size": size, "--match": match, "--note": note, "--seed": seed, "--resamples": resamples}
    with Bar(1, quiet=quiet) as bar:
        result = bench(
            items, out or Path("results") / f"{manifest.stem}.json", rungs=rung_names, match=match, jobs=jobs,
            treatment=Treatment(reencode, size), seed=seed, resamples=resamples, note=note,
            command=_command(manifest, options), progress=bar.tell,
        )  # fmt: skip
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


def _command(manifest: Path, options: dict[str, Any]) -> str:
    """What was asked, without folders: a result must not carry paths of the machine it was made on."""
    usual = {"--rungs": "all", "--size": "keep", "--resamples": 1000}
    words = ["haechi", "bench", manifest.name]
    for name, value in options.items():
        if value is True:
            words.append(name)
        elif isinstance(value, list):
            words += [w for v in value for w in (name, v)]
        elif value and value != usual.get(name):
            words += [name, str(value)]
    return shlex.join(words)
