"""The page of the calls in Firefox, which cannot take frames from a track: a clock in a worker asks for them.
Skipped where it is not installed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from firefox import FIREFOX, FirefoxPage, firefox
from stage import staged

from callers import FakeWatcher

pytestmark = pytest.mark.skipif(FIREFOX is None, reason="no firefox-esr on this machine")


class Counting(FakeWatcher):
    lengths: list[int] = []  # noqa: RUF012  (shared with the test on purpose)

    def add(self, picture: bytes, time_s: float, tell: object) -> object:  # type: ignore[override]
        self.lengths.append(len(picture))
        return super().add(picture, time_s, tell)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[FirefoxPage]:
    (tmp_path / "profile").mkdir()
    Counting.lengths = []
    with staged(tmp_path / "data", watch=Counting) as address, firefox(tmp_path / "profile") as opened:
        opened.goto(f"{address}/live")
        yield opened


def test_firefox_watches_a_call_also_while_its_page_is_hidden(page: FirefoxPage) -> None:
    assert page.value("typeof MediaStreamTrackProcessor") == "undefined"
    page.value("document.getElementById('live-camera').click()")
    page.wait("document.getElementById('live-word').textContent === 'Alarm'")
    assert page.value("document.getElementById('live-means').textContent").startswith("Only very few")
    assert min(Counting.lengths) > 1000, "pictures, not empty ones"
    page.another_in_front()
    page.wait("document.visibilityState === 'hidden'")
    before, begin = len(Counting.lengths), time.monotonic()
    time.sleep(4)
    frames_a_second = (len(Counting.lengths) - before) / (time.monotonic() - begin)
    assert frames_a_second >= 4.5
    page.value("document.getElementById('live-stop').click()")
    assert page.value("document.getElementById('live-trouble').textContent") == "Stopped. Nothing was stored."
