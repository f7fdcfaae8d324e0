"""The page of a run as people use it: sorted, blurred, and within a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from machine import DESKTOP, PATIENCE_MS, PHONE

from haechi import models
from haechi.batch import page
from haechi.batch.items import Item
from haechi.batch.rows import row_of
from haechi.settings import Settings

PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c000000000100010000020144003b")
NAMES = ("/in/" + "a_folder_with_a_long_name/" * 4 + "c.jpg", "/in/a.jpg", "/in/b.jpg")
SCORES = (0.5, 0.95, 0.1)


class Pixels:
    """One for every file."""

    def of(self, path: str, sha256: str) -> bytes:
        return PIXEL


def written(folder: Path) -> str:
    rows = []
    for name, score, level in zip(NAMES, SCORES, ("some", "strong", "none"), strict=True):
        facts = {
            "source": {"name": name, "sha256": "0" * 64}, "pdq": None, "faces": [{"id": 1}], "known": [],
            "verdict": {"level": level, "score": score, "thresholds": {"some": 0.4, "strong": 0.8}},
            "models": [], "created": "2026-01-01T00:00:00+00:00", "elapsed_s": 0.5,
        }  # fmt: skip
        rows.append(dict(row_of(Item(name), facts)))
    file = folder / "report.html"
    file.write_text(page.page(rows, "en", models.load("verdict", Settings()).card, Pixels()), "utf-8")
    return file.as_uri()


@pytest.fixture
def shown(browser: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    context = browser.new_context(viewport=request.param)
    context.set_default_timeout(PATIENCE_MS)
    visitor = context.new_page()
    visitor.goto(written(tmp_path))
    yield visitor
    context.close()


@pytest.mark.parametrize("shown", [DESKTOP], indirect=True)
def test_a_head_of_the_sheet_sorts_by_its_column_and_back(shown: Any) -> None:
    def names() -> list[str]:
        return [str(name)[-5] for name in shown.locator(".sheet tbody th").all_inner_texts()]

    assert names() == ["a", "c", "b"], "the most suspicious first"
    shown.get_by_role("button", name="File").click()
    assert names() == ["b", "a", "c"], "by the whole path"
    shown.get_by_role("button", name="File").click()
    assert names() == ["c", "a", "b"]
    shown.get_by_role("button", name="Score").click()
    assert names() == ["a", "c", "b"]


@pytest.mark.parametrize("shown", [DESKTOP, PHONE], indirect=True)
def test_pictures_are_blurred_until_they_are_asked_for(shown: Any) -> None:
    seen = "getComputedStyle(document.querySelector('.sheet img')).filter"
    assert "blur" in shown.evaluate(seen)
    shown.locator("#unveil").check()
    assert shown.evaluate(seen) == "none"


@pytest.mark.parametrize("shown", [PHONE], indirect=True)
def test_a_long_path_does_not_push_the_sheet_out_of_a_phone(shown: Any) -> None:
    assert shown.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
