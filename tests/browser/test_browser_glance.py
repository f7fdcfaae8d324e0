"""The verdict and the picture that it is about are seen at once, without scrolling."""

from __future__ import annotations

import pytest
from test_browser_result import webm  # noqa: F401  (a fixture)

SCREENS = [{"width": 1366, "height": 768}, {"width": 360, "height": 800}]
BOX = """selector => {
  const seen = [...document.querySelectorAll(selector)].find((one) => one.getBoundingClientRect().height > 0);
  const box = seen.getBoundingClientRect();
  const bar = document.querySelector(".leaving").getBoundingClientRect();
  const end = bar.top > 300 ? bar.top : innerHeight;  // on a phone the way out covers the lower edge
  return {top: box.top, bottom: box.bottom, left: box.left, right: box.right, height: box.height, end};
}"""
PICTURE = ".stage:not(.print-only) > svg"


def at_once(page, picture=PICTURE, least_px=150):
    """Both are whole within the first screen, the picture large enough to see something, and neither lies
    upon the other."""
    sentence, shown = page.evaluate(BOX, "#verdict .sentence"), page.evaluate(BOX, picture)
    switch = page.evaluate(BOX, ".veil-bar label")
    assert page.evaluate("scrollY") == 0
    for box in (sentence, shown, switch):
        assert box["top"] >= 0
        assert box["bottom"] <= box["end"], (sentence, shown, switch)
        assert box["left"] >= 0
    assert shown["height"] >= least_px
    assert sentence["bottom"] <= shown["top"] or sentence["right"] <= shown["left"]


@pytest.mark.parametrize("size", SCREENS, ids=["desktop", "phone"])
@pytest.mark.parametrize("lang", ["en", "zh", "ko"])
def test_verdict_and_picture_in_one_screen(visit, lang, size):
    visitor = visit(lang=lang, size=size)
    for content in (b"strong", b"clean", b"unsure", b"stated", b"upright"):
        visitor.result("a.png", content)
        at_once(visitor.page)
        visitor.page.locator("#unveil").check()
        at_once(visitor.page)
        assert not visitor.too_wide()
    visitor.result("c.mp4", b"video", "video/mp4")
    at_once(visitor.page)


@pytest.mark.parametrize("size", SCREENS, ids=["desktop", "phone"])
def test_verdict_and_video_in_one_screen(visit, webm, size):  # noqa: F811
    visitor = visit(size=size)
    visitor.result("c.mp4", webm, "video/mp4")
    at_once(visitor.page, ".player video", least_px=120)


@pytest.mark.parametrize("size", SCREENS, ids=["desktop", "phone"])
def test_a_stored_report_shows_both_too(visit, size):
    from test_browser_access import filled

    visitor = visit(size=size)
    visitor.goto(filled(visitor) + "/1")
    at_once(visitor.page)
