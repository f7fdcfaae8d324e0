"""The verbs of ``haechi verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from haechi.outcome import outcome
from haechi.terminal import printable, put

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Face verification: the figures of a test. Sessions run in `haechi serve`.",
)


@app.callback()
def verify() -> None:
    """Face verification: the figures of a test. Sessions run in `haechi serve`."""


@app.command("eval")
def evaluate(
    results: Annotated[
        Path,
        typer.Argument(
            metavar="RESULTS.csv", help="csv: kind, species, result[, method, level], a session a line."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the figures there as JSON.")
    ] = None,
) -> None:
    """Count a test after ISO/IEC 30107-3: APCER by species and of the worst, BPCER, ACER, non-responses.

    kind is genuine, presentation or injection; result is accept, refuse, retry or refer. Bounds are exact
    (Clopper and Pearson). Injections stand in a table of their own (CEN/TS 18099), and what laboratories ask
    stands beside what was found.

    Exit codes: 0 counted, whatever was found; 2 the csv cannot be read.
    """
    with outcome():
        from haechi.bench.result import write_json
        from haechi.bench.result_tables import render
        from haechi.verify.attempts import read
        from haechi.verify.figures import figures
        from haechi.verify.tables import result

        counted = result(figures(read(results)))
        for name, table in counted["tables"].items():
            if table["rows"]:
                text = render(counted, {"view": name})
                put("\n".join(map(printable, text.splitlines())) + "\n")
        put(str(counted["note"]))
        if out is not None:
            write_json(out, {"command": f"haechi verify eval {results.name}", **counted})
