"""A saved report, opened from where it lies: its picture is blurred until it is asked for, on paper too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest

from haechi.report import render_html
from report_cases import clip, photo


@pytest.fixture(params=[(photo, True), (photo, False), (clip, True)], ids=["photo", "no script", "clip"])
def saved(request: Any, browser: Any, tmp_path: Any) -> Iterator[Any]:
    """The page of a saved report, and nothing around it."""
    make, javascript = request.param
    file = tmp_path / "report.html"
    file.write_text(render_html(make()), encoding="utf-8")
    context = browser.new_context(java_script_enabled=javascript)
    page = context.new_page()
    page.goto(file.as_uri())
    yield page
    context.close()


def sharpness(picture: Any) -> float:
    """How strongly neighbouring pixels of what is shown differ."""
    grey = cv2.imdecode(np.frombuffer(picture.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())


def veils(page: Any) -> list[bool]:
    """Whether each picture of the page is blurred."""
    script = "found => found.map((one) => getComputedStyle(one).filter.includes('blur'))"
    told: list[bool] = page.locator(".stage > svg, .thumbs svg").evaluate_all(script)
    return told


@pytest.mark.parametrize("media", ["screen", "print"])
def test_every_picture_is_blurred_until_it_is_asked_for(saved: Any, media: str) -> None:
    saved.emulate_media(media=media)
    assert veils(saved)
    assert all(veils(saved))
    stage = saved.locator(".stage:visible > svg").first
    before = sharpness(stage)
    saved.emulate_media(media="screen")
    saved.locator("#unveil").check()
    saved.emulate_media(media=media)
    assert not any(veils(saved))
    assert sharpness(stage) > 2 * before


def test_whoever_opens_it_again_is_asked_again(saved: Any) -> None:
    saved.locator("#unveil").check()
    saved.reload()
    assert all(veils(saved))


def test_what_is_asked_for_on_the_screen_stands_not_on_paper(saved: Any) -> None:
    assert saved.locator(".veil-bar").is_visible()
    saved.emulate_media(media="print")
    assert not saved.locator(".veil-bar").is_visible()
