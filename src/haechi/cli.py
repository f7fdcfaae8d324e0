"""The verbs of the command line: parse, call, print. What is heavy is imported by the verb that needs it."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from haechi.cli_check import check
from haechi.cli_live import live
from haechi.cli_verify import app as verify_app
from haechi.errors import ExitCode
from haechi.extensions import PASSED_ON, add_verbs
from haechi.outcome import outcome
from haechi.settings import Settings
from haechi.terminal import printable, put, say

app = typer.Typer(
    name="haechi",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: quick, and brackets are not taken for markup
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find forged faces in photographs and videos, on your own machine. Nothing is sent anywhere.",
)
models_app = typer.Typer(
    rich_markup_mode=None, help="The model cards: what judges, on what it was trained, how often it errs."
)
app.add_typer(models_app, name="models", invoke_without_command=True)
app.add_typer(verify_app, name="verify")


def main() -> None:
    """Entry point of ``haechi`` and ``python -m haechi``."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a name that is no UTF-8 must not stop a report
    app()


def _version(requested: bool) -> None:
    if requested:
        from haechi import __version__

        with outcome():
            put(f"haechi {__version__}")
        raise typer.Exit


@app.callback()
def haechi(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Global options."""


app.command()(check)


@app.command()
def serve(
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="ADDRESS", help="Address to bind; 127.0.0.1 when not given."),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", metavar="PORT", help="8765 when not given; 0 takes a free one.")
    ] = None,
    lan: Annotated[
        bool,
        typer.Option("--lan", help="For your phone in the same network: an address that lets it in, once."),
    ] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the browser.")] = False,
    new_token: Annotated[
        str | None,
        typer.Option("--new-token", metavar="NAME", help="Make a token for a client, print it, and end."),
    ] = None,
) -> None:
    """Open Haechi in the browser: an app for people and REST for programs, on this machine alone.

    Needs haechi[web]. Bound to anything but this machine, it demands a token from every caller. With --lan it
    speaks TLS, shows a code that lets one phone in, and keeps cases as it does on this machine. Settings:
    HAECHI_DATA_DIR, HAECHI_TOKEN, HAECHI_TOKENS_FILE, HAECHI_TRUSTED_PROXY, HAECHI_KEEP_S, HAECHI_SESSION_S,
    HAECHI_MAX_UPLOAD_BYTES, HAECHI_QUEUE, HAECHI_RATE_PER_MIN.
    """
    with outcome():
        from dataclasses import replace

        from haechi.server_options import Options
        from haechi.web.lan import own_address
        from haechi.web.serve import serve as run

        if new_token is not None:
            from haechi.web.tokens import new_token as token_pair

            token, line = token_pair(new_token)
            say("The token, for the client, shown only now; below it its line for HAECHI_TOKENS_FILE.")
            print(token, line, sep="\n")
            return
        base = Options.from_env()
        if (lan or base.lan) and host is None and not os.environ.get("HAECHI_HOST"):
            host = own_address()
        changes = (("host", host), ("port", port), ("lan", lan or None))
        overrides = {name: value for name, value in changes if value is not None}
        options = replace(base, **overrides)  # type: ignore[arg-type]
        run(options, Settings.from_env(), say, browser=not no_browser)


app.command()(live)


@models_app.callback()
def models_(context: typer.Context) -> None:
    """The model cards: what judges, on what it was trained, how often it errs."""
    if context.invoked_subcommand is None:
        models_list()


@models_app.command("list")
def models_list() -> None:
    """List the cards (the default)."""
    with outcome():
        from haechi.model_table import show

        show(Settings.from_env())


@models_app.command("verify")
def models_verify() -> None:
    """Check every hash. Exit code 4 when a model is missing or altered."""
    with outcome():
        from haechi import models

        checked = models.verify(Settings.from_env())
        for line in checked:
            sha256 = line.card.sha256 if line.card else "-"
            put(f"{'ok ' if line.ok else 'BAD'} {line.name:<10} {sha256} {printable(line.why)}".rstrip())
        if not all(line.ok for line in checked):
            raise typer.Exit(ExitCode.MODEL)


@app.command()
def doctor() -> None:
    """Print what a bug report needs; no paths and no names."""
    with outcome():
        from haechi.doctor import lines

        for line in lines():
            put(printable(line))


@app.command(context_settings=PASSED_ON)
def batch(context: typer.Context) -> None:
    """Check many files, a row of JSON for each. See `haechi batch --help`."""
    with outcome():
        from haechi.batch.cli import app as batch_app

        batch_app(args=context.args, prog_name="haechi batch")


@app.command(context_settings=PASSED_ON)
def case(context: typer.Context) -> None:
    """Keep proof, find copies, ask for removal. See `haechi case --help`."""
    with outcome():
        from haechi.case.cli import app as case_app

        case_app(args=context.args, prog_name="haechi case")


@app.command(context_settings=PASSED_ON)
def bench(context: typer.Context) -> None:
    """Measure on a list of labelled files. See `haechi bench --help`."""
    with outcome():
        from haechi.bench.cli import app as bench_app

        bench_app(args=context.args, prog_name="haechi bench")


add_verbs(app, "haechi.commands", "haechi", outcome)
