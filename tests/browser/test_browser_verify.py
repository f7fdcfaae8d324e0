"""A verification in a browser, with a camera that plays a file: from the order to the result, by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from machine import PATIENCE_MS, PHONE
from playwright.sync_api import expect
from stage import Visitor, staged, visits
from test_browser_access import findings

from callers import FakeLooker
from haechi.settings import LANGUAGES
from haechi.verify import challenges
from haechi.verify.recording import Recording

TITLES = {"en": "Please try again", "zh": "请再试一次", "ko": "다시 해 보세요"}


class Blind(FakeLooker):
    """Remembers how many frames came of which challenge."""

    looks: list[tuple[str, int]] = []  # noqa: RUF012  (shared with the test on purpose)

    def look(self, jpegs: Sequence[bytes], times_s: Sequence[float], kind: str, tell: Any) -> Recording:
        self.looks.append((kind, len(jpegs)))
        assert all(jpeg.startswith(b"\xff\xd8\xff") for jpeg in jpegs)
        return super().look(jpegs, times_s, kind, tell)


@pytest.fixture
def come(
    camera_browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Visitor]]:
    """come(lang, size) -> a visitor of the page; challenges are short."""
    expect.set_options(timeout=PATIENCE_MS)
    monkeypatch.setattr(challenges, "MOTION_S", 0.6)
    monkeypatch.setattr(challenges, "DURATION_S", 1.2)
    Blind.looks = []
    with (
        staged(tmp_path / "data", look=Blind) as address,
        visits(camera_browser, address + "/verify", PATIENCE_MS) as arrive,
    ):
        yield arrive


@pytest.mark.parametrize("lang", LANGUAGES)
def test_from_the_order_to_the_result_by_keyboard_on_a_phone(come: Callable[..., Visitor], lang: str) -> None:
    visitor = come(lang, PHONE)
    page = visitor.page
    page.locator("#verify-subject").focus()
    page.keyboard.type("customer 7")
    page.keyboard.press("Enter")
    expect(page.locator("#verify-now")).to_be_focused()
    expect(page.locator("#verify-word")).to_have_text(TITLES[lang])
    expect(page.locator("#verify-end")).to_be_focused()
    assert page.locator("#verify-checks dt").count() == 7
    assert not re.search("verify_", page.locator("#verify-end").inner_text())
    assert sorted(kind for kind, _ in Blind.looks if kind in ("flash", "mouth")) == ["flash", "mouth"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert findings(page) == []
    page.locator("#verify-again").press("Enter")
    expect(page.locator("#verify-subject")).to_be_focused()


def test_the_screen_shows_the_colours(come: Callable[..., Visitor]) -> None:
    visitor = come()
    page = visitor.page
    page.locator("#verify-subject").fill("customer 7")
    page.locator("#verify-begin button").click()
    expect(page.locator(".verify-colours")).to_be_visible()
    colour = page.locator("#verify-now").evaluate("place => getComputedStyle(place).backgroundColor")
    assert re.fullmatch(r"rgb\(\d+, \d+, \d+\)", colour)
    assert colour != "rgb(255, 255, 255)"
    expect(page.locator("#verify-word")).to_have_text(TITLES["en"])
    expect(page.locator(".verify-colours")).to_have_count(0)


def test_stopping_ends_it_and_frees_the_subject(come: Callable[..., Visitor]) -> None:
    visitor = come()
    page = visitor.page
    for _ in range(2):
        page.locator("#verify-subject").fill("customer 7")
        page.locator("#verify-begin button").click()
        expect(page.locator("#verify-step")).to_contain_text("Step 1 of 4")
        page.locator("#verify-stop").click()
        expect(page.locator("#verify-trouble")).to_have_text("Stopped. Nothing was stored.")
