"""Servers for the tests of ``haechi.web``; skipped where haechi[web] is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")

from sites import FAKE, Site, Slow, Start, started

from haechi.settings import Settings


def pytest_configure(config: pytest.Config) -> None:
    # FastAPI silences this one in a way that another thread can undo in the meantime.
    config.addinivalue_line("filterwarnings", "ignore:The '.*' attribute with value:UserWarning")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:

    running: list[Site] = []

    def start_one(
        make: Any = None,
        settings: Settings | None = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> Site:
        site = started(tmp_path / "data", make or FAKE, settings, headers, **options)
        site.client.__enter__()
        running.append(site)
        return site

    yield start_one
    for site in running:
        site.client.__exit__(None, None, None)


@pytest.fixture
def site(start: Start) -> Site:
    return start()


@pytest.fixture
def slow() -> type[Slow]:
    from sites import Slow

    return Slow.fresh()
