"""Leaving in a hurry: at once, by key or button, and without a way back."""

from __future__ import annotations

import pytest
from machine import PHONE


def gone(page) -> bool:
    page.wait_for_url("about:blank")
    return page.title() == "" and page.evaluate("document.body.textContent") == ""


def test_escape_twice_leaves_an_empty_page(visitor):
    visitor.goto("/help")
    visitor.page.keyboard.press("Escape")
    visitor.page.wait_for_timeout(100)
    assert visitor.page.url.endswith("/help"), "once is not enough"
    visitor.page.keyboard.press("Escape")
    assert gone(visitor.page)


def test_escape_and_then_another_key_stays(visitor):
    visitor.goto("/help")
    for key in ("Escape", "a", "Escape"):
        visitor.page.keyboard.press(key)
    visitor.page.wait_for_timeout(200)
    assert visitor.page.url.endswith("/help")


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_back_leads_to_no_page_of_ours(visitor, steps):
    visitor.goto("/")
    visitor.goto("/help")
    visitor.result()
    visitor.page.locator(".leave").click()
    assert gone(visitor.page)
    for _ in range(steps):
        visitor.page.evaluate("history.back()")
        visitor.page.wait_for_timeout(250)
        assert gone(visitor.page)


def test_whoever_comes_again_on_purpose_is_let_in(visitor):
    visitor.goto("/help")
    visitor.page.locator(".leave").click()
    assert gone(visitor.page)
    visitor.goto("/help")
    assert visitor.page.locator("h1").inner_text() == "Help now"
    visitor.page.reload()
    assert visitor.page.locator("h1").inner_text() == "Help now"


def test_without_javascript_the_button_still_leads_away(visit):
    visitor = visit(java_script_enabled=False)
    visitor.goto("/help")
    visitor.page.locator(".leave").click()
    visitor.page.wait_for_url("about:blank")


def everything(visitor) -> list[str]:
    """What belongs to the result that is shown."""
    id_ = visitor.page.url.rpartition("/")[2]
    ends = ("", "/heatmap.png", "/report.html", "/report.haechi")
    return [f"/checks/{id_}", f"/checks/{id_}/report.css", *(f"/v1/checks/{id_}{end}" for end in ends)]


@pytest.mark.parametrize("javascript", [True, False])
def test_nothing_of_what_was_checked_is_left(visit, javascript):
    visitor = visit(java_script_enabled=javascript)
    page, asked = visitor.page, visitor.page.request  # asks with the cookies of the browser
    if javascript:
        visitor.result()
    else:
        visitor.goto("/")
        visitor.give("photo.png", b"strong")
        page.locator("main form button[type=submit]").first.click()
        page.wait_for_url("**/checks/*")
        for _ in range(100):
            if page.locator("#result").count():
                break
            page.wait_for_timeout(50)
            page.reload()
    addresses = everything(visitor)
    assert [asked.get(visitor.base + to).status for to in addresses] == [200] * len(addresses)
    with page.expect_request("**/leave"):
        page.locator(".leave").click()
    page.wait_for_url("about:blank")
    for to in addresses:
        for _ in range(100):  # nobody waits for the answer of the server
            if (status := asked.get(visitor.base + to).status) == 404:
                break
            page.wait_for_timeout(50)
        assert status == 404, to
    page.go_back()
    page.wait_for_timeout(250)
    assert page.locator("#result").count() == 0


@pytest.mark.parametrize("size", [{"width": 1366, "height": 768}, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("path", ["/help", "/models", "result"])
def test_the_button_stays_in_sight_and_covers_nothing(visit, size, path):
    visitor = visit(size=size)
    visitor.result() if path == "result" else visitor.goto(path)
    page, button = visitor.page, visitor.page.locator(".leave")
    for part in (0, 0.5, 1):
        page.evaluate(f"scrollTo(0, {part} * document.documentElement.scrollHeight)")
        box = button.bounding_box()
        assert 0 <= box["y"] <= size["height"] - box["height"], f"out of sight at {part}"
        assert box["height"] >= 44
        middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
        assert page.evaluate("([x, y]) => !!document.elementFromPoint(x, y).closest('.leave')", middle)
        if size == PHONE:
            assert box["y"] > 0.8 * size["height"], "out of the thumb's reach"
            assert box["width"] >= 44
    foot, bar = page.locator(".foot").bounding_box(), page.locator(".leaving").bounding_box()
    assert size != PHONE or foot["y"] + foot["height"] <= bar["y"] + 1, "the end lies under the button"
    assert not visitor.too_wide()
