"""The verbs of the command line: parse, call, print. What is heavy is imported by the verb that needs it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from haechi.cli_live import live
from haechi.cli_verify import app as verify_app
from haechi.errors import ExitCode, Fault, HaechiError, InputError
from haechi.extensions import PASSED_ON, add_verbs
from haechi.outcome import outcome
from haechi.settings import Settings
from haechi.terminal import Bar, base_name, printable, put, say

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


class Format(StrEnum):
    text = "text"
    json = "json"
    jsonl = "jsonl"
    html = "html"
    proof = "proof"


class FailOn(StrEnum):
    strong = "strong"
    some = "some"


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


@app.command()
def check(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Photographs and videos.")],
    format_: Annotated[
        Format, typer.Option("--format", help="What to print; proof: text to keep, without a picture.")
    ] = Format.text,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write one json, html or proof file per PATH there."),
    ] = None,
    fail_on: Annotated[
        FailOn | None, typer.Option("--fail-on", help="Exit with 10 when any PATH reaches this level.")
    ] = None,
    lang: Annotated[
        str | None, typer.Option("--lang", metavar="en|zh|ko", help="Language of the report, also as zh-CN.")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress and no notes, only errors.")
    ] = False,
    server: Annotated[
        str | None, typer.Option("--server", metavar="URL", help="Let a `haechi serve` check; HAECHI_SERVER.")
    ] = None,
    token: Annotated[
        str | None, typer.Option("--token", metavar="TOKEN", help="Of that server; better in HAECHI_TOKEN.")
    ] = None,
) -> None:
    """Look for signs of manipulation in the faces of photographs and videos.

    One report per PATH, in their order. Reports go to stdout, all else to stderr; a progress bar appears on a
    terminal after one second.

    Exit codes: 0 done, whatever the verdict; 1 internal error; 2 usage; 3 unreadable input;
    4 model missing or altered; 5 some of several inputs failed; 10 the level of --fail-on was reached.
    """
    with outcome():
        from dataclasses import replace

        from haechi.report_writer import ReportWriter

        settings = Settings.from_env()
        settings = settings if lang is None else replace(settings, lang=lang)
        writer = ReportWriter(format_.value, out, settings.lang, count=len(paths), quiet=quiet)
        server = server or os.environ.get("HAECHI_SERVER")
        token = token or os.environ.get("HAECHI_TOKEN")
        with _checker(settings, server, token, several=len(paths) > 1) as checker:
            raise typer.Exit(_check_all(paths, checker, writer, fail_on))


@contextmanager
def _checker(settings: Settings, server: str | None, token: str | None, *, several: bool) -> Iterator[Any]:
    """What checks: a server, or this process. Of several files each in a process beside this one, so that
    one that crashes a decoder costs no other; for one file that would only cost time."""
    if not server and several and os.environ.get("HAECHI_DEBUG") != "1":
        from haechi.isolated import CheckProcess

        process = CheckProcess(settings)
        try:
            yield process
        finally:
            process.stop()
        return
    if not server:
        from haechi.pipeline import Pipeline

        yield Pipeline(settings)
        return
    from haechi.client import Client, RemoteChecker

    with Client(server, token) as client:
        yield RemoteChecker(client)


def _check_all(paths: list[str], checker: Any, writer: Any, fail_on: FailOn | None) -> ExitCode:
    """Report on every path; say the exit code of the run."""
    levels: set[str] = set()
    failures: list[ExitCode] = []
    with writer, Bar(len(paths), quiet=writer.quiet) as bar:
        for i, path in enumerate(paths):
            name = base_name(path)

            def tell(stage: str, part: float, count: int = i, name: str = name) -> None:
                bar.tell(f"{name}: {stage}", count + part)

            answer = _answer(checker, path, tell, writer, alone=len(paths) == 1)
            # Outside of what is held against the input: a full disk is not its fault.
            with bar.hidden():
                if isinstance(answer, HaechiError):
                    failures.append(answer.exit_code)
                    say(f"haechi: {path}: {answer.message}")
                    writer.failure(path, answer)
                else:
                    levels.add(answer[0])
                    writer.write(path, answer[1])
            del answer  # an error holds, by its traceback, the bytes of the file
    return _exit_code(levels, failures, len(paths), fail_on)


def _answer(
    checker: Any, path: str, tell: Callable[[str, float], None], writer: Any, *, alone: bool
) -> tuple[str, str] | HaechiError:
    """The level and the rendered report of one path, or why there is none. The report itself, and with it
    the picture, ends here."""
    try:
        report = checker.check(path, tell, previews=writer.format in ("html", "proof"))
        return report.verdict.level, writer.render(report)
    except (InputError, Fault) as error:
        if alone and isinstance(error, Fault):
            raise
        return error
    except HaechiError:
        raise
    except Exception as error:
        if alone or os.environ.get("HAECHI_DEBUG") == "1":
            raise
        return Fault(type(error).__name__)


def _exit_code(levels: set[str], failures: list[ExitCode], count: int, fail_on: FailOn | None) -> ExitCode:
    """A fault of ours comes first, then what --fail-on asked for, then inputs that could not be read."""
    if ExitCode.INTERNAL in failures:
        return ExitCode.INTERNAL
    if fail_on and levels & ({"strong"} if fail_on is FailOn.strong else {"strong", "some"}):
        return ExitCode.LEVEL_REACHED
    if failures:
        return ExitCode.UNREADABLE if len(failures) == count else ExitCode.PARTIAL
    return ExitCode.DONE


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
