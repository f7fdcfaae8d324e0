"""Signing in with the token and out again, as a person sees it."""

from __future__ import annotations

import pytest
from machine import DESKTOP, PHONE
from stage import staged

TOKEN = "correct-horse-battery"
OUT = {"en": "You are signed out", "zh": "您已退出登录", "ko": "로그아웃했습니다"}


@pytest.mark.parametrize(("lang", "size"), [("en", DESKTOP), ("zh", DESKTOP), ("ko", PHONE)])
def test_who_signs_out_is_told_so_and_is_out(visit, tmp_path, lang, size):
    with staged(tmp_path / "data", token=TOKEN) as base:
        visitor = visit(base, lang, size)
        page = visitor.page
        visitor.goto("/")
        page.fill("#token", TOKEN)
        page.locator("form.form button").click()
        visitor.result("a.png", b"strong")
        result = page.url
        button = page.locator(".sign-out button")
        assert button.is_visible()
        assert not visitor.too_wide()
        button.click()
        assert OUT[lang] in page.locator("[role=status]").inner_text()
        assert page.locator(".sign-out").count() == 0
        page.goto(result)
        assert page.url.endswith("/login")
