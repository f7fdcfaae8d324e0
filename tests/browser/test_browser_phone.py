"""A phone in the same network: from ``haechi serve --lan`` on the computer to a verdict and a kept case."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from machine import SAMPLE, served
from playwright.sync_api import expect
from test_browser_access import findings

pytest.importorskip("cryptography")

SCREEN = {"width": 360, "height": 800}
PHONE = {"size": SCREEN, "ignore_https_errors": True, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What the camera of the phone reads off the terminal. The address of this computer in its network is its
    own here: tests reach no other."""
    folder = tmp_path_factory.mktemp("phone")
    pattern = r"https://127\.0\.0\.1:\d+/login\?code=\S+"
    with served(folder, "--lan", "--host", "127.0.0.1", address=pattern) as address:
        yield address


def test_from_the_code_on_the_screen_to_a_verdict_and_a_kept_case(visit, link):
    base = "https://" + urlsplit(link).netloc

    def opens_nothing(visitor, path: str, lang: str = "en") -> None:
        answer = visitor.page.goto(base + path)
        assert answer.status == 401
        assert urlsplit(visitor.page.url).path == "/login"
        assert visitor.page.locator("form.form, nav a[href='/cases']").count() == 0
        assert findings(visitor.page) == []

    stranger = visit(base, **PHONE)
    for path in ("/", "/cases", "/help", "/login", f"/login?code={'x' * 32}"):
        opens_nothing(stranger, path)
    expect(stranger.page.get_by_role("alert")).to_contain_text("This code opens nothing")

    phone = visit(base, **PHONE)
    page = phone.page
    page.goto(link)
    assert findings(page) == []
    page.reload()  # to look is not to use it up
    page.get_by_role("button", name="Begin on this device").click()
    phone.result("found.jpg", SAMPLE.read_bytes(), "image/jpeg")
    expect(page.locator("#verdict .sentence")).to_contain_text("No signs found")
    page.get_by_role("link", name="Keep as evidence").click()
    phone.answer(country="KR")
    assert findings(page) == []
    page.get_by_label("Name of the case").fill("Kept on the phone")
    page.locator("#passphrase").fill("a horn that tells the truth")
    page.locator("#again").fill("a horn that tells the truth")
    page.get_by_role("button", name="Store and seal").click()
    expect(page.locator(".entry")).to_contain_text("found.jpg")
    assert not phone.too_wide()
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies["haechi"]["secure"]
    assert cookies["haechi"]["httpOnly"]
    assert cookies["haechi"]["sameSite"] == "Strict"

    page.goto(link)  # whose code it was comes in again, and nobody else
    expect(page.locator("#file")).to_be_attached()
    opens_nothing(stranger, urlsplit(link).path + "?" + urlsplit(link).query)
    page.locator(".leave").click()
    page.wait_for_url("about:blank")
    opens_nothing(phone, "/cases")
    opens_nothing(phone, "/login?" + urlsplit(link).query)
