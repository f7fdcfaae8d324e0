"""The pictures of the app in ``docs/``: ``python -m tests.browser.shots`` from the root of the project.

They show the sample of ``samples/`` as the shipped models judge it, in few colours, so that the files stay
small.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

import haechi

from ..callers import film
from .machine import CAMERA, LOCALES, PHONE, ROOT, SAMPLE, chromium, served

DOCS = ROOT / "docs"
WINDOW = {"width": 1120, "height": 760}
CALL = {"width": 1120, "height": 900}
REPORT = {"width": 800, "height": 1200}
_COLOURS = 256


def save(page: Any, name: str) -> None:
    """What the window shows now."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = picture.quantize(_COLOURS, dither=Image.Dither.NONE)
    small.save(DOCS / name, optimize=True)
    print(f"docs/{name}", (DOCS / name).stat().st_size // 1024, "KiB")


@contextmanager
def visitor(browser: Any, lang: str = "en", size: dict[str, int] | None = None, **more: Any) -> Iterator[Any]:
    context = browser.new_context(locale=LOCALES[lang], viewport=size or WINDOW, **more)
    yield context.new_page()
    context.close()


def judged(page: Any, base: str) -> None:
    """The sample and its verdict."""
    page.goto(base)
    page.set_input_files("#file", str(SAMPLE))
    page.wait_for_selector("#result", timeout=60_000)


def answer(page: Any, country: str) -> None:
    """The two questions of the page, as an adult."""
    page.locator("input[name=age][value=adult]").check()
    page.select_option("#ask-country", country)
    page.locator(".questions button[type=submit]").click()
    page.wait_for_selector("#answered")


def call(base: str, folder: Path) -> None:
    """A call under watch in which nothing is found."""
    camera = folder / "camera.mjpeg"
    camera.write_bytes(film(SAMPLE))
    flags = (*CAMERA, f"--use-file-for-fake-video-capture={camera}")
    with chromium(*flags) as browser, visitor(browser, size=CALL) as page:
        page.goto(f"{base}/live")
        page.locator("#live-camera").click()
        page.wait_for_selector(".live-state[data-level=watching]", timeout=60_000)
        page.wait_for_timeout(20_000)
        save(page, "app-call.png")


def main() -> None:
    with TemporaryDirectory() as folder, served(Path(folder)) as base:
        call(base, Path(folder))
        others(base, Path(folder))


def others(base: str, folder: Path) -> None:
    """Every other page."""
    with chromium() as browser:
        page_file = folder / "report.html"
        page_file.write_text(haechi.check(SAMPLE).to_html("en"), encoding="utf-8")
        with visitor(browser, size=REPORT) as page:
            page.goto(page_file.as_uri())
            page.locator("#unveil").check()
            save(page, "report.png")
        with visitor(browser) as page:
            page.goto(base)
            save(page, "app-check.png")
            judged(page, base)
            save(page, "app-result.png")
            page.locator("#unveil").check()
            page.locator("label.lens-switch").click()
            page.wait_for_selector(".lens")
            page.locator("#picture").evaluate("element => element.scrollIntoView()")
            save(page, "app-picture.png")
            answer(page, "GB")
            page.locator("a[data-stay=on]").click()
            page.get_by_label("Name of the case").fill("Found in March")
            for label in ("Passphrase", "The passphrase again"):
                page.get_by_label(label, exact=True).fill("a horn that tells the truth")
            page.get_by_label("Where did you find it?").fill("https://example.org/gallery/12345")
            page.get_by_role("button", name="Store and seal").click()
            page.wait_for_selector(".entry")
            save(page, "app-case.png")
        with visitor(browser, "zh", color_scheme="dark") as page:
            page.goto(f"{base}/help")
            answer(page, "CN")
            page.evaluate("scrollTo(0, 0)")
            save(page, "app-help.zh-CN.png")
        with visitor(browser, "ko", PHONE, device_scale_factor=2) as page:
            judged(page, base)
            save(page, "app-phone.ko.png")


if __name__ == "__main__":
    main()
