"""Leaving in a hurry: at once, by key or button, and without a way back."""

from __future__ import annotations

import pytest


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
    visitor.page.locator("a.leave").click()
    assert gone(visitor.page)
    for _ in range(steps):
        visitor.page.evaluate("history.back()")
        visitor.page.wait_for_timeout(250)
        assert gone(visitor.page)


def test_whoever_comes_again_on_purpose_is_let_in(visitor):
    visitor.goto("/help")
    visitor.page.locator("a.leave").click()
    assert gone(visitor.page)
    visitor.goto("/help")
    assert visitor.page.locator("h1").inner_text() == "Help now"
    visitor.page.reload()
    assert visitor.page.locator("h1").inner_text() == "Help now"


def test_without_javascript_the_button_still_leads_away(visit):
    visitor = visit(java_script_enabled=False)
    visitor.goto("/help")
    visitor.page.locator("a.leave").click()
    visitor.page.wait_for_url("about:blank")
