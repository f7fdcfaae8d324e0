"""The verb ``haechi check``: a report for each of the files that its arguments name."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from haechi.errors import ExitCode, Fault, HaechiError, InputError, NotAFile, UnknownFormat
from haechi.outcome import outcome
from haechi.settings import Settings
from haechi.terminal import Bar, base_name, say


class Format(StrEnum):
    text = "text"
    json = "json"
    jsonl = "jsonl"
    html = "html"
    proof = "proof"


class FailOn(StrEnum):
    strong = "strong"
    some = "some"


def check(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Photographs, videos, folders.")],
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

    One report per PATH, in their order; of a folder, or 'a glob', one per picture and video in it, and a
    summary at the end. Reports go to stdout, all else to stderr; a progress bar appears on a
    terminal after one second.

    Exit codes: 0 done, whatever the verdict; 1 internal error; 2 usage; 3 unreadable input;
    4 model missing or altered; 5 some of several inputs failed; 10 the level of --fail-on was reached.
    """
    with outcome():
        from dataclasses import replace

        from haechi.report_writer import ReportWriter

        settings = Settings.from_env()
        settings = settings if lang is None else replace(settings, lang=lang)
        inputs = _inputs(paths, out)
        writer = ReportWriter(format_.value, out, settings.lang, count=inputs.count, quiet=quiet)
        server = server or os.environ.get("HAECHI_SERVER")
        token = token or os.environ.get("HAECHI_TOKEN")
        with _checker(settings, server, token, several=inputs.count > 1) as checker:
            tally = _check_all(inputs, checker, writer)
        if inputs.is_listed and not quiet:
            from haechi.batch.summary import summary

            for line in summary(tally.levels, tally.errors, settings.lang):
                say(line)
        raise typer.Exit(_exit_code(tally, fail_on))


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What is checked: each path, and whether a folder or a glob listed it. Among those that did may be
    files that are no picture or video, which are passed over. unlisted: folders that cannot be listed."""

    paths: tuple[tuple[str, bool], ...]
    unlisted: int
    is_listed: bool

    @property
    def count(self) -> int:
        """As many as there may be: whoever names a folder gets a list, also of one."""
        return max(len(self.paths), 2) if self.is_listed else len(self.paths)


@dataclass(slots=True)
class _Tally:
    """How many reports have which level, how many inputs which error, and the exit codes that these stand
    for, less files that were passed over."""

    levels: Counter[str]
    errors: Counter[str]
    failures: list[ExitCode]


def _inputs(paths: list[str], out: Path | None) -> _Inputs:
    """Folders and globs as the files in them, but those in ``out``."""
    from haechi.batch.sources import Folder, Glob, is_glob

    every: list[tuple[str, bool]] = []
    errors: list[OSError] = []
    is_listed = False
    for path in paths:
        source: Folder | Glob | None = None
        if Path(path).is_dir():
            source = Folder(Path(path), out, errors.append)
        elif is_glob(path):
            source = Glob(path, out)
        names = [] if source is None else [item.path for item in source.items(lambda _item: True)]
        is_listed = is_listed or bool(names)
        # An empty folder is told as what cannot be read, like a name that is not there.
        every += [(name, True) for name in names] or [(path, False)]
    for error in errors:
        say(f"haechi: {error.filename}: This folder cannot be listed ({error.strerror}).")
    return _Inputs(tuple(every), len(errors), is_listed)


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


def _check_all(inputs: _Inputs, checker: Any, writer: Any) -> _Tally:
    """Report on every path. Raises NotAFile when folders were named and there was nothing to report on."""
    tally = _Tally(Counter(), Counter(), [ExitCode.UNREADABLE] * inputs.unlisted)
    with writer, Bar(len(inputs.paths), quiet=writer.quiet) as bar:
        for i, (path, is_listed) in enumerate(inputs.paths):
            name = base_name(path)

            def tell(stage: str, part: float, count: int = i, name: str = name) -> None:
                bar.tell(f"{name}: {stage}", count + part)

            answer = _answer(checker, path, tell, writer, alone=inputs.count == 1)
            # Outside of what is held against the input: a full disk is not its fault.
            with bar.hidden():
                if not isinstance(answer, HaechiError):
                    tally.levels[answer[0]] += 1
                    writer.write(path, answer[1])
                    continue
                tally.errors[answer.code] += 1
                if not (is_listed and isinstance(answer, UnknownFormat)):
                    tally.failures.append(answer.exit_code)
                    say(f"haechi: {path}: {answer.message}")
                    writer.failure(path, answer)
            del answer  # an error holds, by its traceback, the bytes of the file
        if not tally.levels and not tally.failures:
            raise NotAFile("There is no picture or video in what was named: check the name of the folder.")
    return tally


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


def _exit_code(tally: _Tally, fail_on: FailOn | None) -> ExitCode:
    """A fault of ours comes first, then what --fail-on asked for, then inputs that could not be read."""
    if ExitCode.INTERNAL in tally.failures:
        return ExitCode.INTERNAL
    if fail_on and tally.levels.keys() & ({"strong"} if fail_on is FailOn.strong else {"strong", "some"}):
        return ExitCode.LEVEL_REACHED
    if tally.failures:
        return ExitCode.PARTIAL if tally.levels else ExitCode.UNREADABLE
    return ExitCode.DONE
