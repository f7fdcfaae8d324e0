"""The verbs of the distribution ``haechi-lab``, which come to the command line by entry points: groups
``haechi.commands`` and ``haechi.bench``, each entry a ``typer.Typer``.

Their names and their help stand here, so that ``haechi --help`` shows them whether or not the lab is
installed, and imports nothing of it.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

import typer

from haechi.errors import UsageError

VERBS: Mapping[str, Mapping[str, str]] = {
    "haechi.commands": {"train": "Train the networks, calibrate them, measure what they find (haechi-lab)."},
    "haechi.bench": {
        "ablation": "Set variants of a network against the full one, picture by picture (haechi-lab).",
        "case": "Change, forge and interrupt cases; count what goes unseen (haechi-lab).",
        "pdq": "Measure fingerprints: what copies survive, how quick a search is (haechi-lab).",
        "speed": "Measure seconds, memory and megabytes (haechi-lab).",
        "tables": "Write the tables of the documentation from results/*.json (haechi-lab).",
        "web": "Measure `haechi serve`: latency, load, sudden ends, attacks (haechi-lab).",
    },
}
Outcome: TypeAlias = Callable[[], AbstractContextManager[None]]
PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""Settings of a verb that hands its arguments to an application of its own."""


def add_verbs(app: typer.Typer, group: str, prog_name: str, outcome: Outcome = nullcontext) -> None:
    """Add the verbs of a group to ``app``. ``outcome`` turns what ends a verb into an exit code,
    where ``app`` is not called by a verb that does."""
    for name, help_ in VERBS[group].items():
        app.command(name, help=help_, context_settings=PASSED_ON)(_caller(group, name, prog_name, outcome))


def _caller(group: str, name: str, prog_name: str, outcome: Outcome) -> Callable[[typer.Context], None]:
    def call(context: typer.Context) -> None:
        with outcome():
            load(group, name)(args=context.args, prog_name=f"{prog_name} {name}")

    return call


def load(group: str, name: str) -> Any:
    """The ``typer.Typer`` of a verb. Raises UsageError, which says what to install, when there is none or it
    lacks a module."""
    for point in importlib.metadata.entry_points(group=group, name=name):
        try:
            return point.load()
        except ModuleNotFoundError as error:
            raise UsageError(
                f"{name} needs {error.name}, which is not installed: pip install ./lab in a copy of the "
                "repository installs all that haechi-lab needs"
            ) from error
    raise UsageError(
        f"{name} is part of haechi-lab, which is not installed: pip install ./lab in a copy of the repository"
    )
