"""For the tests of runs: child processes find the stages that stand in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from haechi.batch.progress import Form, Progress
from haechi.batch.run import Order, Outcome, run
from haechi.settings import Settings

TESTS = Path(__file__).parents[1]

#: ``run`` with the stages of ``fakes``: a source, the folder of the run, further fields of the order.
Run = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]))


@pytest.fixture
def batch() -> Run:
    def call(source: Path | str, out: Path, settings: Settings | None = None, **more: Any) -> Outcome:
        order = Order(str(source), out, **{"workers": 1, "target": "targets:rows"} | more)
        with Progress(Form.bar, quiet=True) as progress:
            return run(order, settings or Settings(threads=1), progress)

    return call
