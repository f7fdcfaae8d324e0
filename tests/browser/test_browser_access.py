"""WCAG 2.2 AA as far as a program can judge it: axe-core on every page, in every language, light and dark."""

from __future__ import annotations

import pytest
from machine import DESKTOP, PHONE
from stage import staged

pytest.importorskip("cryptography")
axe_playwright = pytest.importorskip("axe_playwright_python.sync_playwright")

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
PLAIN = (
    "/",
    "/help",
    "/help?age=minor&country=KR",
    "/help?age=adult&country=KR",
    "/help?ask=true",
    "/live",
    "/verify",
    "/models",
    "/about",
    "/cases",
    "/cases/new",
    "/nothing-here",
)


def findings(page) -> list[str]:
    """What axe-core holds against the page, each with the elements that it means."""
    answer = axe_playwright.Axe().run(page, options=RULES).response
    return [
        f"{found['impact']} {found['id']}: {[node['target'] for node in found['nodes']][:4]}"
        for found in answer["violations"]
    ]


def filled(visitor) -> str:
    """The address of a case with an entry that has a report."""
    visitor.result("a.png", b"strong")
    visitor.answer("adult", "US")
    visitor.goto(visitor.page.url.removeprefix(visitor.base) + "/case")
    page = visitor.page
    new = page.locator("input[name=case][value=new][type=radio]")
    if new.count():
        new.check()
    page.locator("input[name=lock][value=none]").check()
    page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": b"strong"})
    page.locator("#keep button[type=submit]").click()
    page.wait_for_selector(".entry")
    return page.url.removeprefix(visitor.base).partition("?")[0]


@pytest.mark.parametrize(
    ("lang", "scheme", "size"), [("en", "light", DESKTOP), ("zh", "dark", PHONE), ("ko", "light", PHONE)]
)
def test_axe_finds_nothing_on_any_page(visit, lang, scheme, size):
    visitor = visit(lang=lang, size=size, color_scheme=scheme)
    page = visitor.page
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        found[name] = findings(page)
        if visitor.too_wide():
            found[name].append("one has to scroll sideways")

    case = filled(visitor)
    ends = (
        "",
        "/add",
        "/match",
        "/verify",
        "/letter",
        "/letter?kind=platform&n=1",
        "/1",
        "/delete",
        "/1/delete",
    )
    for path in (*PLAIN, *(case + end for end in ends)):
        visitor.goto(path)
        look(path)
    for name, content, mime in (("p.png", b"strong", "image/png"), ("c.mp4", b"video", "video/mp4")):
        visitor.result(name, content, mime)
        look(name)
        page.locator("#unveil").check()
        page.locator("label.lens-switch").click()
        page.locator(".menu summary").click()
        page.locator(".expert summary").click()
        look(f"{name}, opened")
    visitor.goto(page.url.removeprefix(visitor.base) + "/case")
    look("keep")
    for age in ("minor", "adult"):
        visitor.goto(page.url.removeprefix(visitor.base).partition("?")[0] + "?ask=true")
        look(f"questions before {age}")
        visitor.answer(age, "KR")
        look(f"keep, {age}")
        visitor.goto(page.url.removeprefix(visitor.base).partition("/case")[0])
        look(f"result, {age}")
        visitor.goto(page.url.removeprefix(visitor.base).partition("#")[0] + "/case")
    visitor.goto("/")
    page.set_input_files(
        "#file",
        [
            {"name": name, "mimeType": "image/png", "buffer": content}
            for name, content in (("a.png", b"strong"), ("b.png", b"?"))
        ],
    )
    page.locator(".job.ended").nth(1).wait_for()
    look("many files")
    assert {name: told for name, told in found.items() if told} == {}


def test_axe_finds_nothing_where_a_passphrase_is_asked_for(visit):
    visitor = visit()
    visitor.goto("/cases/new")
    for field in ("passphrase", "again"):
        visitor.page.locator(f"#{field}").fill("a horn that tells the truth")
    visitor.page.get_by_role("button", name="Make the case").click()
    visitor.page.get_by_role("button", name="Lock").click()
    visitor.page.get_by_role("link", name="Locked case").first.click()
    visitor.page.locator("#passphrase").wait_for()  # the click does not wait for the page that it leads to
    assert findings(visitor.page) == []


@pytest.mark.parametrize("lang", ["en", "zh", "ko"])
def test_a_server_for_others_asks_for_its_token_and_then_works_alike(visit, tmp_path, lang):
    token = "a-token-of-many-letters"
    with staged(tmp_path, host="0.0.0.0", token=token) as base:
        visitor = visit(base, lang=lang)
        page = visitor.page
        visitor.goto("/")
        assert page.url.endswith("/login")
        assert findings(page) == []
        page.locator("#token").fill("not the token at all")
        page.locator("main button").click()
        page.get_by_role("alert").wait_for()
        assert findings(page) == []
        page.locator("#token").fill(token)
        page.locator("main button").click()
        visitor.result()
        assert page.locator("a[href^='/cases'], a[href$='/case']").count() == 0


def test_motion_is_left_out_for_those_who_ask(visit):
    visitor = visit(reduced_motion="reduce")
    visitor.result()
    moving = visitor.page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((element) => {
          const style = getComputedStyle(element);
          return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0;
        }).length"""
    )
    assert moving == 0
