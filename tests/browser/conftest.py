"""The real thing: Debian's chromium drives the pages. Skipped where it, Playwright or haechi[web] is missing;
``pytest -m browser`` runs these alone, ``-m 'not browser'`` all others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("playwright")

from machine import CAMERA, CHROMIUM, DESKTOP, LOCALES, PATIENCE_MS, SAMPLE, chromium, launched, served
from playwright.sync_api import expect
from stage import Visitor, staged

from callers import film

HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives the pages with chromium")
    # FastAPI silences this one in a way that another thread can undo in the meantime.
    config.addinivalue_line("filterwarnings", "ignore:The '.*' attribute with value:UserWarning")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no chromium on this machine"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    expect.set_options(timeout=PATIENCE_MS)
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def camera_browser(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One whose camera plays a film of the sample."""
    file = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    file.write_bytes(film(SAMPLE))
    with launched(browser.browser_type, *CAMERA, f"--use-file-for-fake-video-capture={file}") as started:
        yield started


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with staged(tmp_path_factory.mktemp("stage")) as address:
        yield address


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("real")) as address:
        yield address


@pytest.fixture
def visit(browser: Any, stage: str) -> Iterator[Callable[..., Visitor]]:
    """visit(base, lang, size, **context) -> Visitor. At the end no page may have asked for anything outside
    of this machine, and nothing may have been blocked or broken."""
    visitors: list[Visitor] = []

    def come(base: str = stage, lang: str = "en", size: dict[str, int] = DESKTOP, **more: Any) -> Visitor:
        context = browser.new_context(locale=LOCALES[lang], viewport=size, **more)
        context.set_default_timeout(PATIENCE_MS)
        visitor = Visitor(context.new_page(), base)
        visitor.watch()
        visitors.append(visitor)
        return visitor

    yield come
    for visitor in visitors:
        visitor.page.context.close()
    for visitor in visitors:
        assert visitor.left_the_machine() == []
        assert visitor.complaints() == []


@pytest.fixture
def visitor(visit: Callable[..., Visitor]) -> Visitor:
    return visit()
