"""Commands that the documentation names exist, with their options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer

from haechi.bench.cli import app as bench
from haechi.case.cli import app as case
from haechi.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "lab" / "README.md"]
_COMMAND = re.compile(r"(?:^ {4}|`)(?:[A-Z_]+=\S+ )?haechi ([a-z][^`\n]*)", re.MULTILINE)


def commands() -> Iterator[tuple[str, str]]:
    """The page, and what stands after ``haechi`` in its commands, without the remarks behind them."""
    for page in PAGES:
        if page.name != "CHANGELOG.md":  # which names what once was
            for found in _COMMAND.findall(page.read_text(encoding="utf-8")):
                yield page.name, re.split(r"\s{2,}|\s#|[>…]", found)[0].strip()


def verbs() -> dict[str, Any]:
    """The verbs of ``haechi``; those that are read by an application of their own as that."""
    found = {**typer.main.get_command(app).commands, "case": group(case), "bench": group(bench)}
    if find_spec("torch") is not None:
        found["train"] = group(import_module("haechi_lab.cli").app)
    return found


def group(application: typer.Typer) -> Any:
    return typer.main.get_command(application)


def options(command: Any) -> set[str]:
    names = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return {*names, "-h", "--help", "--lang"}


def wrong(text: str) -> str:
    """What of a command does not exist; empty when all does."""
    first, *words = shlex.split(text.replace("'", ""))
    command = verbs().get(first)
    if command is None:
        return first
    while (own := getattr(command, "commands", None)) and words and not words[0].startswith("-"):
        if re.fullmatch(r"[a-z][a-z-]*", words[0]):
            if words[0] not in own:
                return words[0]
            command = own[words.pop(0)]
        elif "run" in own:  # `haechi bench MANIFEST` is `haechi bench run MANIFEST`
            command = own["run"]
        else:  # names of several verbs, or a word that stands for them
            return ""
    if command.context_settings.get("allow_extra_args"):  # a verb of the lab, read when it is called
        return ""
    told = [word.strip("[]").partition("=")[0] for word in words if word.strip("[]").startswith("-")]
    return " ".join(word for word in told if word != "-" and word not in options(command))


@pytest.mark.parametrize(("page", "text"), sorted(set(commands())))
def test_commands_of_the_docs_exist(page: str, text: str) -> None:
    assert wrong(text) == "", f"{page} names: haechi {text}"


def test_what_does_not_exist_is_found() -> None:
    assert wrong("chekc photo.jpg") == "chekc"
    assert wrong("case bury FOLDER") == "bury"
    assert wrong("check --thorough photo.jpg") == "--thorough"
    assert len(set(commands())) > 60
