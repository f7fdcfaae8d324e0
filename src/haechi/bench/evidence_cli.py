"""``haechi bench pdq`` and ``haechi bench case``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="The .json.")]


def register(app: typer.Typer) -> None:
    """Add the two verbs."""
    app.command("pdq")(pdq_command)
    app.command("case")(case_command)


def pdq_command(
    out: Out = Path("results/pdq.json"),
    pictures: Annotated[
        Path | None, typer.Option("--pictures", metavar="DIR", help="Pictures; without, they are made here.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many of them.")] = 200,
    hashes: Annotated[int, typer.Option("--hashes", min=200, help="In the index.")] = 100_000,
) -> None:
    """Measure fingerprints: searching, hashing, agreement with the reference, what copies survive."""
    from haechi.bench.evidence import bench_pdq, lines

    print(lines(bench_pdq(out, pictures, limit=limit, hashes=hashes)))


def case_command(
    out: Out = Path("results/case.json"),
    changes: Annotated[int, typer.Option("--changes", min=1, help="Single bytes to change.")] = 1000,
    forgeries: Annotated[int, typer.Option("--forgeries", min=1, help="Of each kind.")] = 12,
    megabytes: Annotated[int, typer.Option("--mb", min=1, help="Size of the large file.")] = 200,
) -> None:
    """Change bytes of a case, forge it without its passphrase, end additions by force; count what `haechi
    case verify` makes of it."""
    from haechi.bench.case import bench_case
    from haechi.bench.evidence import lines

    print(lines(bench_case(out, changes=changes, forgeries=forgeries, megabytes=megabytes)))
