"""The verbs that ``haechi-lab`` adds to ``haechi bench``: parse, call, print. Each is an application,
named in the entry points; ``haechi.cli`` turns errors into exit codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from haechi.bench.cli import printable_lines
from haechi.errors import ExitCode
from haechi.terminal import printable

Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="The .json.")]


def _application(verb: Callable[..., None]) -> typer.Typer:
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(context_settings={"help_option_names": ["-h", "--help"]})(verb)
    return app


def _pdq(
    out: Out = Path("results/pdq.json"),
    pictures: Annotated[
        Path | None, typer.Option("--pictures", metavar="DIR", help="Pictures; without, they are made here.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many of them.")] = 200,
    hashes: Annotated[int, typer.Option("--hashes", min=200, help="In the index.")] = 100_000,
) -> None:
    """Measure fingerprints: searching, hashing, agreement with the reference, what copies survive."""
    from haechi_lab.system.fingerprints import bench_pdq, lines

    print(lines(bench_pdq(out, pictures, limit=limit, hashes=hashes)))


def _case(
    out: Out = Path("results/case.json"),
    changes: Annotated[int, typer.Option("--changes", min=1, help="Single bytes to change.")] = 1000,
    forgeries: Annotated[int, typer.Option("--forgeries", min=1, help="Of each kind.")] = 12,
    megabytes: Annotated[int, typer.Option("--mb", min=1, help="Size of the large file.")] = 200,
) -> None:
    """Change bytes of a case, forge it without its passphrase, end additions by force; count what `haechi
    case verify` makes of it."""
    from haechi_lab.system.case_integrity import bench_case
    from haechi_lab.system.fingerprints import lines

    print(lines(bench_case(out, changes=changes, forgeries=forgeries, megabytes=megabytes)))


def _tables(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit with 1 when a table is old.")
    ] = False,
    root: Annotated[Path, typer.Option("--root", metavar="DIR", help="The checkout.")] = Path(),
) -> None:
    """Write what is not written by hand in README*.md and docs/*.md: tables and docs/cost.svg from
    results/*.json; options, settings, the sample and docs/floors.svg from the program."""
    from haechi_lab.docs import pages
    from haechi_lab.system import doc_tables

    files: list[Path] = []
    for part in (doc_tables, pages):
        files += part.stale(root) if check else part.refresh(root)
    for file in files:
        print(printable(f"{'out of date' if check else 'written'}: {file.relative_to(root)}"))
    if check and files:
        raise typer.Exit(ExitCode.INTERNAL)


def _ablation(
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
    from haechi.bench.result_tables import render
    from haechi_lab.system.ablation import ablation

    file = out or folder.with_name(f"{folder.name}.json")
    result = ablation(folder, file, score=score, rung=rung, full=full)
    for view in ("", "held"):
        print(printable_lines(render(result, {"view": view})))


def _speed(
    out: Out = Path("results/speed.json"),
    photo: Annotated[Path | None, typer.Option("--photo", help="Instead of the one made here.")] = None,
    video: Annotated[Path | None, typer.Option("--video", help="Instead of the one made here.")] = None,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Runs of which the median counts.")] = 5,
    cores: Annotated[int, typer.Option("--cores", min=0, help="Processors to use; 0 for all.")] = 2,
    baselines: Annotated[
        bool,
        typer.Option(
            "--baselines", help="Time the face networks beside large ones only, into baselines.json."
        ),
    ] = False,
) -> None:
    """Measure seconds, memory and megabytes against the targets of the project."""
    from haechi.bench.result_tables import render
    from haechi_lab.system.speed import pace_of_baselines, render_speed, speed

    if baselines:
        print(printable_lines(render(pace_of_baselines(out.with_name("baselines.json"), repeats, cores), {})))
    else:
        print(render_speed(speed(out, photo=photo, video=video, repeats=repeats, cores=cores)))


pdq, case, tables = _application(_pdq), _application(_case), _application(_tables)
ablation, speed = _application(_ablation), _application(_speed)
