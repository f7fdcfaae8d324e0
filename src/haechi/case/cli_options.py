"""What the verbs of ``haechi case`` share: options, the language, opening a case with its passphrase."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from haechi.case import atomic_io
from haechi.case.words import catalogue
from haechi.case.words import say as words
from haechi.errors import Locked, UsageError
from haechi.settings import Settings
from haechi.terminal import put, say

PASSPHRASE = "HAECHI_CASE_PASSPHRASE"
"""The variable that holds the passphrase where nobody is there to type it."""

Folder = Annotated[Path, typer.Argument(metavar="CASE", help="The folder of the case.")]
Lang = Annotated[
    str | None, typer.Option("--lang", metavar="en|zh|ko", help="Language of what is said and written.")
]
Country = Annotated[
    str, typer.Option("--country", metavar="KR|CN|US|EU|UK", help="Whose laws and helplines are named.")
]


def language(lang: str | None) -> str:
    """The language that was asked for. Raises UsageError for one that there is not."""
    tag = Settings.from_env().lang if lang is None else lang
    catalogue(tag)
    return tag


def opened(folder: Path, *, apart: bool = False) -> Any:
    """The case, opened with its passphrase when it has one. ``apart``: files are decoded in a process of
    their own, so that one that crashes it is skipped."""
    from haechi.case.fingerprints import FingerprintProcess
    from haechi.case.store import Case
    from haechi.settings import Settings

    settings = Settings.from_env()
    maker = FingerprintProcess(settings, lasting=True) if apart else None
    case = Case.open(folder, None, settings, maker)
    return Case.open(folder, asked(), settings, maker) if case.encrypted else case


def asked(*, twice: bool = False) -> str:
    """The passphrase, from the variable or typed unseen. Raises Locked when there is nobody to type it."""
    if passphrase := os.environ.get(PASSPHRASE):
        return passphrase
    if not sys.stdin.isatty():
        raise Locked(
            f"This case is encrypted: run it in a terminal to type the passphrase, or set {PASSPHRASE}."
        )
    first = getpass.getpass("Passphrase: ", sys.stderr)
    if twice and getpass.getpass("The same again: ", sys.stderr) != first:
        raise UsageError("The two passphrases differ: start again.")
    return first


def put_head(case: Any, lang: str) -> None:
    """The seal as it is now, and what to do with it."""
    put(words("head", lang, head=case.head))
    put(words("head_advice", lang))


def write(path: Path, data: str | bytes, option: str) -> None:
    """Write a file for its owner alone. Raises UsageError, which names the option."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_io.open_private(path, os.O_TRUNC) as file:
            file.write(data if isinstance(data, bytes) else data.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise UsageError(f"{option}: {path.name} cannot be written ({error.strerror})") from None
    say(f"wrote {path}")
