"""Debian's chromium, and a server as people start it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

ROOT = Path(__file__).parent.parent.parent
SAMPLE = ROOT / "samples" / "astronaut.jpg"
CHROMIUM = which("chromium") or which("chromium-browser")
LOCALES = {"en": "en-GB", "zh": "zh-CN", "ko": "ko-KR"}
CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=fps=30")
PATIENCE_MS = 60_000
"""For busy machines; whoever is quick does not wait."""
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}


@contextmanager
def chromium(*arguments: str) -> Iterator[Any]:
    """A browser of Playwright without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, launched(playwright.chromium, *arguments) as browser:
        yield browser


@contextmanager
def launched(kind: Any, *arguments: str) -> Iterator[Any]:
    """A browser of a kind of Playwright's; ``browser.browser_type`` is that of one that runs already, beside
    which no second Playwright can be started."""
    # No sandbox: continuous integration runs as root, and every page that is opened is ours.
    browser = kind.launch(executable_path=CHROMIUM, args=["--no-sandbox", *arguments])
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def served(folder: Path, *arguments: str, address: str = r"http://\S+") -> Iterator[str]:
    """The address of ``haechi serve`` with the shipped models and its data in ``folder``: the first that it
    prints and that fits ``address``."""
    command = [sys.executable, "-m", "haechi", "serve", "--port", "0", "--no-browser", *arguments]
    env = {**os.environ, "HAECHI_DATA_DIR": str(folder)}
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            lines: list[str] = []
            while not (match := re.search(address, lines[-1] if lines else "")):
                lines.append(process.stderr.readline())
                assert lines[-1], f"no address: {lines}"
            yield match[0]
        finally:
            process.terminate()
