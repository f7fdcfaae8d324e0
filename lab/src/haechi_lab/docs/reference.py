"""Options and settings as tables in Markdown, read from the program."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import click
import typer

import haechi
from haechi.cli import app
from haechi.errors import UsageError
from haechi.server_options import Options
from haechi.settings import Settings

_BYTES = (("GiB", 1024**3), ("MiB", 1024**2))


def options(verb: str) -> str:
    """The arguments and options of ``haechi VERB``. Raises UsageError when there is no such verb."""
    group = typer.main.get_command(app)
    command = getattr(group, "commands", {}).get(verb)
    if command is None:
        raise UsageError(f"haechi has no verb {verb!r}")
    context = command.make_context(verb, [], resilient_parsing=True)
    rows = [_row(parameter, context) for parameter in command.params if parameter.name != "help"]
    return _table(["option", "meaning", "default"], rows)


def settings() -> str:
    """The settings of a check, each with its variable, meaning and default."""
    return _table(["variable", "meaning", "default"], [_setting(f) for f in fields(Settings)])


def server_settings() -> str:
    """The options of the server, likewise."""
    return _table(["variable", "meaning", "default"], [_setting(f) for f in fields(Options)])


def names() -> str:
    """Directives by which Sphinx shows what is in ``haechi.__all__`` with its docstring: functions first, and
    without the errors, which the page shows as a tree."""
    values = {name: getattr(haechi, name) for name in haechi.__all__}
    functions = [name for name, value in values.items() if inspect.isfunction(value)]
    classes = [
        name for name, value in values.items() if inspect.isclass(value) and not issubclass(value, Exception)
    ]
    blocks = [
        *(f".. autofunction:: haechi.{name}\n" for name in functions),
        *(f".. autoclass:: haechi.{name}\n   :members:\n" for name in classes),
    ]
    return "```{eval-rst}\n" + "\n".join(blocks) + "```\n"


def _row(parameter: Any, context: click.Context) -> list[str]:
    metavar = parameter.metavar or ""
    choices = getattr(parameter.type, "choices", ())
    if choices and not metavar:
        metavar = "|".join(str(getattr(choice, "value", choice)) for choice in choices)
    name = metavar if parameter.param_type_name == "argument" else ", ".join(parameter.opts)
    flag = getattr(parameter, "is_flag", False)
    usage = name if flag or parameter.param_type_name == "argument" else f"{name} {metavar}"
    default = parameter.get_default(context)
    value = "" if default is None or flag else f"`{getattr(default, 'value', default)}`"
    return [f"`{usage.strip()}`", parameter.help or "", value]


def _setting(setting: Field[Any]) -> list[str]:
    return [f"`HAECHI_{setting.name.upper()}`", str(setting.metadata["help"]), _default(setting)]


def _default(setting: Field[Any]) -> str:
    if setting.default is MISSING:
        return "the folder for programs' data of this user"
    value = setting.default
    if value is None or value == "" or isinstance(value, Path):
        return "none"
    for unit, size in _BYTES:
        if "bytes" in setting.name and value % size == 0:
            return f"`{value}` ({value // size} {unit})"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_line(head), "|" + " --- |" * len(head), *(_line(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
