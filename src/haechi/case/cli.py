"""The verbs of ``haechi case``: parse, call, print. Errors are turned into exit codes by ``haechi.cli``."""

from __future__ import annotations

import json
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from haechi.case.cli_options import (
    PASSPHRASE,
    Country,
    Folder,
    Lang,
    asked,
    language,
    opened,
    put_head,
    write,
)
from haechi.case.cli_proof import register
from haechi.case.cli_remove import register as register_removal
from haechi.case.words import say as words
from haechi.errors import ExitCode, HaechiError, InputError, UsageError
from haechi.settings import Settings
from haechi.terminal import printable, put, say

__all__ = ["PASSPHRASE", "app"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Keep proof of forged pictures in a folder of your own, find copies, ask for removal.",
)

register(app)  # verify, head, anchor
register_removal(app)  # remove


class Form(StrEnum):
    text = "text"
    html = "html"


class Kind(StrEnum):
    platform = "platform"
    police = "police"
    lawyer = "lawyer"
    search_engine = "search-engine"


class Lines(StrEnum):
    text = "text"
    jsonl = "jsonl"


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(metavar="CASE", help="A folder that is empty or not there yet.")],
    title: Annotated[str, typer.Option("--title", help="What the case is about; only you see it.")] = "",
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Encrypt it; you are asked for a passphrase.")
    ] = False,
    lang: Lang = None,
) -> None:
    """Make a case."""
    from haechi.case.store import Case

    tag = language(lang)
    secret = asked(twice=True) if passphrase else None
    case = Case.create(folder, title or folder.name, secret)
    put(words("created", tag, folder=printable(str(folder))))
    if case.encrypted:
        put(words("created_sealed", tag))
    put_head(case, tag)


@app.command()
def add(
    folder: Folder,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What you found.")],
    address: Annotated[str, typer.Option("--address", metavar="URL", help="Where you found it.")] = "",
    note: Annotated[str, typer.Option("--note", help="Anything to remember: when, who, what was said.")] = "",
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Also look for signs of forgery and keep the report.")
    ] = True,
    minor: Annotated[
        bool,
        typer.Option(
            "--minor",
            help="It shows a minor (Korea: under 19): keep hashes and the verdict in words, no copy.",
        ),
    ] = False,
    country: Country = "",
    lang: Lang = None,
) -> None:
    """Store files unchanged, with their hashes, the time and where you found them. Nothing is fetched from
    the address."""
    from haechi.case.page import minors_help, why_no_fingerprint

    tag = language(lang)
    case = opened(folder)
    checker = _checker() if check else None
    failures: list[HaechiError] = []
    for path in files:
        try:
            report, why = _checked(checker, path, previews=not minor)
            before = {e.number: e.file for e in case.entries()} if minor else {}
            entry = case.add(path, address=address, note=note, report=report, minor=minor)
        except InputError as error:
            failures.append(error)
            say(f"haechi: {printable(str(path))}: {error.message}")
            continue
        put(words("added_minor" if minor else "added", tag, number=entry.number, name=entry.name))
        if any(before.get(e.number) and not e.file for e in case.entries()):
            put(words("minor_removed", tag))
        for line in filter(None, (why_no_fingerprint(entry, tag), why and words("no_check", tag, why=why))):
            put(line)
        if report is not None:
            from haechi.report import level_sentence

            put(level_sentence(report.verdict, tag))
    if minor:
        for line in minors_help(tag, country):
            put(line)
    put_head(case, tag)
    if failures:
        raise typer.Exit(failures[0].exit_code if len(failures) == len(files) else ExitCode.PARTIAL)


@app.command()
def report(
    folder: Folder,
    form: Annotated[
        Form, typer.Option("--format", help="text, or html: a page with a report beside it for each entry.")
    ] = Form.text,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where the pages are written.")
    ] = None,
    lang: Lang = None,
) -> None:
    """Show everything in the case."""
    from haechi.case.page import page, text

    tag = language(lang)
    if (form is Form.html) != (out is not None):
        raise UsageError("--format html and --out DIR go together: pages are written into a folder.")
    case = opened(folder)
    if out is None:
        put(text(case, tag))
        return
    from haechi.report import render_html

    if case.folder.resolve() in (out.resolve(), *out.resolve().parents):
        raise UsageError("--out: a page in the folder of the case would look like a change; choose another.")
    links = {}
    for entry in case.entries():
        entry_report = case.report(entry)
        if entry_report is not None:
            links[entry.number] = f"{entry.number:03d}.html"
            write(out / links[entry.number], render_html(entry_report, tag), "--out")
    write(out / "case.html", page(case, tag, links), "--out")


@app.command()
def match(
    folder: Folder,
    where: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to look, with the folders in it.")],
    form: Annotated[Lines, typer.Option("--format", help="What to print.")] = Lines.text,
    lang: Lang = None,
) -> None:
    """Find copies of the case's pictures and videos in a folder: resized, encoded again, mirrored, turned, or
    cropped by up to about a tenth."""
    from haechi.case.types import Skipped

    tag = language(lang)
    copies = 0
    for one in opened(folder, apart=True).match(where):
        if isinstance(one, Skipped):
            say(f"{one.path}: {words(one.code, tag, **one.params)}")
            continue
        copies += 1
        if form is Lines.jsonl:
            put(json.dumps({"path": str(one.path), **_fields(one)}, ensure_ascii=True))
        else:
            put(f"{printable(str(one.path))}: {_matched(one, tag)}")
    if form is Lines.text:
        code = "match_some" if copies else "match_none"
        put(words(code, tag, count=_count(where), found=copies))


@app.command()
def letter(
    folder: Folder,
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="ENTRY...", help="Numbers of entries; all without.")
    ] = None,
    kind: Annotated[Kind, typer.Option("--kind", help="To whom.")] = Kind.platform,
    country: Country = "",
    intimate: Annotated[
        bool, typer.Option("--intimate", help="They show you naked or in a sexual situation, or seem to.")
    ] = False,
    own_photo: Annotated[
        bool, typer.Option("--own-photo", help="You took the original picture: name your copyright, too.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it there.")] = None,
    lang: Lang = None,
) -> None:
    """Draft a letter that asks for removal or reports a crime: with hashes and addresses, without
    pictures. Only the letter goes to stdout or into the file; what you have to know stands on stderr."""
    from haechi.case.page import law_source

    case, tag = opened(folder), language(lang)
    draft = case.letter(numbers or [], kind.value, tag, country, intimate=intimate, own_photo=own_photo)
    for line in (words("letter_before", tag), *draft.instructions):
        say(line)
    for statement in draft.cited:
        say(law_source(statement, tag))
    if out is None:
        put(draft.text, end="")
    else:
        write(out, draft.text, "--out")


@app.command()
def bundle(
    folder: Folder,
    to: Annotated[Path, typer.Argument(metavar="FILE.zip", help="The zip to write; never over another.")],
    hashes_only: Annotated[
        bool, typer.Option("--hashes-only", help="No picture, no preview, no name and no note goes out.")
    ] = False,
    lang: Lang = None,
) -> None:
    """Pack the case to hand it to the police, a platform or a lawyer; it can be verified without Haechi."""
    case = opened(folder)
    case.bundle(to, language(lang), hashes_only=hashes_only)
    say(f"wrote {to}")


def _checker() -> Any:
    from haechi.pipeline import Pipeline

    return Pipeline(Settings.from_env())


def _checked(checker: Any, path: Path, *, previews: bool) -> tuple[Any, str]:
    """The report of a file, or why there is none: a file that cannot be checked is stored all the same."""
    if checker is None:
        return None, ""
    try:
        return checker.check(str(path), previews=previews), ""
    except HaechiError as error:
        return None, error.message


def _matched(one: Any, lang: str) -> str:
    """A match in words."""
    share = round(100 * one.share)
    sentence = words(f"match_{one.how}", lang, entry=one.entry, distance=one.distance, share=share)
    marks = [words(f"match_{m}", lang) for m in ("mirrored", "turned") if getattr(one, m)]
    return ", ".join((sentence, *marks))


def _fields(one: Any) -> dict[str, Any]:
    names = ("entry", "how", "distance", "share", "mirrored", "turned")
    return {name: getattr(one, name) for name in names}


def _count(where: Path) -> int:
    return sum(len(names) for _, _, names in os.walk(where))
