"""The verbs of ``haechi batch``: parse, call, print. Errors are turned into exit codes by ``haechi.cli``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from haechi.batch.progress import Form
from haechi.batch.sources import COLUMN, Kind
from haechi.errors import ExitCode
from haechi.terminal import put
from haechi.verb_groups import RunByDefault

app = typer.Typer(
    cls=RunByDefault,
    help="Check many files: haechi batch [run] SOURCE --out RUN.",
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)

Lang = Annotated[
    str | None, typer.Option("--lang", metavar="en|zh|ko", help="Language of what is said and written.")
]


@app.command("run")
def run_command(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A folder, 'a glob', a list, a CSV, a tar, - for stdin.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="RUN", help="The folder of the results.")],
    kind: Annotated[
        Kind | None, typer.Option("--from", help="What SOURCE is, where its name does not tell.")
    ] = None,
    column: Annotated[
        str, typer.Option("--column", metavar="NAME", help="The column of a CSV that holds the paths.")
    ] = COLUMN,
    by_zero: Annotated[
        bool, typer.Option("--null", "-0", help="A list has a zero byte behind each path (find -print0).")
    ] = False,
    workers: Annotated[
        int, typer.Option("--workers", min=0, help="Processes that check; 0: one a processor.")
    ] = 0,
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="Try files again that are rows with an error.")
    ] = False,
    progress: Annotated[
        Form, typer.Option("--progress", help="A bar on a terminal, or a line of JSON a minute on stderr.")
    ] = Form.bar,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary.")] = False,
    lang: Lang = None,
) -> None:
    """Check every file of SOURCE and write a row of JSON for each into RUN.

    Start the same command again after whatever ended it: what is done stays done.

    Exit codes: 0 done, whatever the verdicts; 1 internal error; 2 usage; 3 the source cannot be read; 4 model
    missing or altered; 5 some files are rows with an error, or folders could not be listed.
    """
    from haechi.batch.progress import Progress
    from haechi.batch.run import Order, run
    from haechi.batch.summary import failures, summary
    from haechi.report.messages import language
    from haechi.settings import Settings

    settings = Settings.from_env()
    tag = language(lang or settings.lang)
    order = Order(source, out, kind, column, by_zero, workers, retry_errors)
    with Progress(progress, quiet=quiet) as telling:
        outcome = run(order, settings, telling)
    if not quiet:
        for line in summary(outcome.contents.levels, outcome.contents.errors, tag):
            put(line)
    if failures(outcome.contents.errors) or outcome.unlisted:
        raise typer.Exit(ExitCode.PARTIAL)


@app.command("report")
def report_command(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Put small, blurred pictures on the page.")
    ] = True,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing.")] = False,
    lang: Lang = None,
) -> None:
    """Write RUN/report.html, one page to read a run, and RUN/rows.csv."""
    from haechi.batch.run_report import write_report
    from haechi.report.messages import language, say
    from haechi.settings import Settings

    settings = Settings.from_env()
    tag = language(lang or settings.lang)
    for name in write_report(folder, settings, tag, pictures=pictures):
        if not quiet:
            put(say("batch_written", tag, name=name))
