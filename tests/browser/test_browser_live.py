"""A call under watch, with a camera that plays a file: from the click to the state in words."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from machine import DESKTOP, PATIENCE_MS, PHONE
from playwright.sync_api import expect
from stage import Visitor, staged, visits
from test_browser_access import findings

from callers import FakeWatcher, state, wait_until

NO_PROCESSOR = "delete window.MediaStreamTrackProcessor;"
NO_HAND_OVER = """
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (message, transfer) {
    if (message.kind === "track") throw new DOMException("no", "DataCloneError");
    return post.call(this, message, transfer);
  };
"""

SHARED = """
  const share = MediaDevices.prototype.getDisplayMedia;
  MediaDevices.prototype.getDisplayMedia = async function (wish) {
    window.wish = wish;
    return (window.shared = await share.call(this, wish));
  };
"""
DRAWN = """
  MediaDevices.prototype.getDisplayMedia = async () => {
    const canvas = document.createElement("canvas");
    canvas.width = 320;
    canvas.height = 240;
    const context = canvas.getContext("2d");
    window.drawing = setInterval(() => {
      context.fillStyle = `rgb(${Math.random() * 255}, 0, 0)`;
      context.fillRect(0, 0, 320, 240);
    }, 50);
    return canvas.captureStream(30);
  };
"""


class Playing(FakeWatcher):
    """Follows what a test wants: ``now`` is the state after each frame."""

    now: dict[str, Any] = {}  # noqa: RUF012  (shared with the test on purpose)
    lengths: list[int] = []  # noqa: RUF012
    asked_for: list[tuple[str, Any]] = []  # noqa: RUF012
    stops = 0

    def stop(self) -> None:
        type(self).stops += 1
        super().stop()

    def ask(self, name: str, tell: Any) -> None:
        self.asked_for.append(("ask", name))

    def judge(self, was_done: bool, tell: Any) -> None:
        self.asked_for.append(("judge", was_done))

    def add(self, picture: bytes, time_s: float, tell: Any) -> Any:
        while self.now.get("level") == "held":
            tell("live", 0.0)
            time.sleep(0.02)
        self.lengths.append(len(picture))
        return super().add(picture, time_s, tell) | self.now | {"size": [640, 480]}


@pytest.fixture
def come(camera_browser: Any, tmp_path: Path) -> Iterator[Callable[..., Visitor]]:
    """come(lang, size, before) -> a visitor of the page; ``before``: a script that takes from the browser
    what others lack."""
    expect.set_options(timeout=PATIENCE_MS)
    Playing.now, Playing.lengths, Playing.stops, Playing.asked_for = {}, [], 0, []
    with (
        staged(tmp_path / "data", watch=Playing) as address,
        visits(camera_browser, address + "/live", PATIENCE_MS) as arrive,
    ):
        yield arrive


def begin(visitor: Visitor) -> None:
    visitor.page.locator("#live-camera").click()
    expect(visitor.page.locator("#live-word")).to_have_text(re.compile("Watching|监测中|지켜보는 중"))


def test_a_call_goes_from_watching_to_an_alarm(come: Callable[..., Visitor]) -> None:
    visitor = come()
    page = visitor.page
    begin(visitor)
    assert page.evaluate("document.activeElement.className") == "live-now", "the focus follows"
    expect(page.locator("#live-word")).to_have_text("Alarm")  # after the third second
    expect(page.locator("#live-alarm")).to_contain_text("call back on a number that you already know")
    expect(page.get_by_role("link", name="What to do now")).to_be_visible()
    expect(page.locator(".live-person h4")).to_have_text("Person 1: Alarm")
    expect(page.locator(".live-person")).to_contain_text("Evidence so far: 117. At 50 a challenge is due")
    assert page.title().startswith("Alarm")
    entries = page.locator("#live-entries li").all_inner_texts()
    assert [re.sub(r"^[\d:.]+ – ", "", entry) for entry in entries] == ["Watching", "Alarm"]
    chart = page.locator(".live-person svg")
    expect(chart).to_have_attribute("aria-label", re.compile(r"at most 117, now 117"))
    assert len(Playing.lengths) >= 10, "frames came"
    page.locator("#live-stop").click()
    expect(page.locator("#live-trouble")).to_have_text("Stopped. Nothing was stored.")
    expect(page.locator(".live-log")).to_be_visible()
    expect(page.locator("#live-share")).to_be_focused()
    sent = len(Playing.lengths)
    page.wait_for_timeout(500)
    assert len(Playing.lengths) <= sent + 1, "it has stopped"


@pytest.mark.parametrize("before", [NO_PROCESSOR, NO_PROCESSOR + NO_HAND_OVER], ids=["track", "clock"])
def test_other_browsers_send_frames_too(come: Callable[..., Visitor], before: str) -> None:
    visitor = come(before=before)
    begin(visitor)
    for _ in range(100):
        if len(Playing.lengths) >= 8:
            break
        visitor.page.wait_for_timeout(50)
    assert len(Playing.lengths) >= 8
    assert min(Playing.lengths) > 1000, "pictures, not empty ones"


def test_a_window_is_watched_like_a_camera_until_it_is_no_longer_shared(come: Callable[..., Visitor]) -> None:
    visitor = come(before=SHARED)
    page = visitor.page
    page.locator("#live-share").click()
    expect(page.locator("#live-word")).to_have_text("Watching")
    asked_for = page.evaluate("wish")
    assert asked_for["audio"] is False, "voices are none of its business"
    page.evaluate("shared.getVideoTracks()[0].dispatchEvent(new Event('ended'))")
    expect(page.locator("#live-trouble")).to_contain_text("no longer shared")
    assert page.evaluate("shared.getVideoTracks()[0].readyState") == "ended"


def test_a_window_that_gives_no_more_frames_is_no_picture(come: Callable[..., Visitor]) -> None:
    """As one that was minimised: nothing comes, so nothing may go on as before."""
    visitor = come(before=DRAWN)
    page = visitor.page
    page.locator("#live-share").click()
    expect(page.locator("#live-word")).to_have_text("Watching")
    page.evaluate("clearInterval(drawing)")
    expect(page.locator("#live-word")).to_have_text("No picture")
    expect(page.locator("#live-reasons li")).to_have_text("No picture comes any more.")


TURN = {"name": "turn", "person_id": 1, "status": "asked", "judge": "video", "left_s": 12.4, "advice": None}
WORD = {**TURN, "name": "word", "judge": "user", "left_s": None}


def test_a_challenge_is_put_into_words_and_followed_to_its_end(come: Callable[..., Visitor]) -> None:
    visitor = come()
    page = visitor.page
    begin(visitor)
    Playing.now = {"level": "ask"}
    page.locator(".live-challenge.due #challenge-draw").click()
    wait_until(lambda: Playing.asked_for == [("ask", "")])
    Playing.now = {"level": "ask", "challenge": TURN}
    expect(page.locator("#challenge-say")).to_have_text(
        "Please turn your head all the way to the side, and back again."
    )
    expect(page.locator("#challenge-left")).to_have_text("13 seconds left")
    expect(page.locator("#challenge-yes")).to_be_hidden()
    Playing.now = {"level": "ask", "challenge": TURN | {"status": "done", "left_s": None}}
    expect(page.locator("#challenge-state")).to_contain_text("Done, as seen in the video")
    expect(page.locator("#challenge-time")).to_be_hidden()
    Playing.now = {"level": "ask", "challenge": TURN | {"status": "done", "left_s": None, "advice": "verify"}}
    expect(page.locator("#challenge-advice")).to_contain_text("call back on a number that you know")
    expect(page.locator("#live-announce")).to_contain_text("Verify by another channel")
    expect(page.locator("#live-entries")).to_contain_text("Verify by another channel")


def test_whether_a_word_was_read_only_the_user_says(come: Callable[..., Visitor]) -> None:
    visitor = come()
    page = visitor.page
    begin(visitor)
    page.locator("#challenge-word").click()
    Playing.now = {"level": "watching", "challenge": WORD}
    expect(page.locator("#challenge-judge")).to_contain_text("only you can tell")
    page.locator("#challenge-no").click()
    wait_until(lambda: Playing.asked_for == [("ask", "word"), ("judge", False)])
    expect(page.locator("#challenge-draw")).to_be_focused()


def test_the_last_seconds_are_held_if_the_user_wants_it(come: Callable[..., Visitor]) -> None:
    visitor = come()
    page = visitor.page
    page.locator("#live-keep").check()
    begin(visitor)
    expect(page.locator("#live-keep-now")).to_be_enabled()
    link = page.get_by_role("link", name=re.compile("Clip of the alarm, . seconds"))
    expect(link).to_be_visible()  # after the third second
    with page.context.expect_page() as opened:
        link.click()
    expect(opened.value.locator("h1")).to_have_text("Keep as evidence")
    expect(page.locator("#live-word")).to_have_text("Alarm", timeout=1)
    assert findings(opened.value) == []
    opened.value.locator("input[name=age][value=adult]").check()
    opened.value.locator(".questions button[type=submit]").click()
    expect(opened.value.locator("h1")).to_have_text("Keep the clip of the call")
    assert findings(opened.value) == []


def test_no_picture_is_told_in_words_and_never_as_a_score(come: Callable[..., Visitor]) -> None:
    visitor = come()
    begin(visitor)
    reason = {"code": "live_no_face", "params": {}}
    Playing.now = {"level": "no_picture", "people": [], "reasons": [reason]}
    page = visitor.page
    expect(page.locator("#live-word")).to_have_text("No picture")
    expect(page.locator("#live-means")).to_contain_text("That is no all-clear")
    expect(page.locator("#live-reasons li")).to_have_count(1)
    expect(page.locator(".live-person")).to_have_count(0)
    expect(page.locator("#live-nobody")).to_be_visible()
    reason = {"code": "live_too_small", "params": {"face_px": 20, "min_px": 40}}
    person = state(1.0, "no_picture", 0.0)["people"][0] | {"reason": reason}
    Playing.now = {"level": "no_picture", "people": [person], "reasons": []}
    expect(page.locator(".live-person h4")).to_have_text("Person 1: No picture")
    expect(page.locator(".live-person .note")).to_be_visible()
    assert "Evidence" not in page.locator(".live-person").inner_text()
    expect(page.locator(".live-person svg")).to_be_hidden()


def test_an_answer_that_does_not_come_is_no_watching(come: Callable[..., Visitor]) -> None:
    visitor = come()
    begin(visitor)
    Playing.now = {"level": "held"}
    page = visitor.page
    expect(page.locator("#live-word")).to_have_text("No picture")
    expect(page.locator("#live-reasons")).to_contain_text("has not answered for some seconds")
    Playing.now = {"level": "watching"}
    expect(page.locator("#live-word")).to_have_text("Watching")


def test_an_alarm_reaches_who_looks_elsewhere(come: Callable[..., Visitor]) -> None:
    visitor = come(
        before="""
      window.shown = [];
      window.Notification = class {
        static permission = "default";
        static async requestPermission() { return (Notification.permission = "granted"); }
        constructor(title, options) { window.shown.push(title + ": " + options.body); }
        addEventListener() {}
      };
    """
    )
    page = visitor.page
    assert page.evaluate("Notification.permission") == "default", "not asked for before a click"
    page.get_by_role("button", name="Allow notifications").click()
    expect(page.locator("#live-notify-state")).to_contain_text("It names nobody")
    begin(visitor)
    expect(page.locator("#live-word")).to_have_text("Alarm")
    assert page.evaluate("shown.length") == 1
    assert page.evaluate("shown[0]").startswith("Alarm: Only very few genuine calls")


def test_what_ends_a_call_is_said_and_never_looks_like_watching(come: Callable[..., Visitor]) -> None:
    visitor = come()
    begin(visitor)
    Playing.now = {"level": "fine"}
    page = visitor.page
    expect(page.locator("#live-trouble")).to_contain_text("The call is not watched.")
    expect(page.locator(".live-now")).to_be_hidden()
    Playing.now = {}
    begin(visitor)
    expect(page.locator("#live-trouble")).to_be_hidden()


def test_a_browser_without_a_picture_says_why(come: Callable[..., Visitor]) -> None:
    visitor = come(before="MediaDevices.prototype.getDisplayMedia = undefined;")
    expect(visitor.page.locator("#live-trouble")).to_contain_text("This browser cannot share a window")
    expect(visitor.page.locator("#live-share")).to_be_disabled()
    visitor = come(before="Object.defineProperty(navigator, 'mediaDevices', {value: undefined});")
    expect(visitor.page.locator("#live-trouble")).to_contain_text("gives no picture to this address")


@pytest.mark.parametrize("how", ["leave now", "another page", "closed"])
def test_whoever_goes_is_no_longer_watching(come: Callable[..., Visitor], how: str) -> None:
    visitor = come()
    begin(visitor)
    if how == "leave now":
        visitor.page.locator(".leave").click()
        visitor.page.wait_for_url("about:blank")
    elif how == "another page":
        visitor.goto("/about")
    else:
        visitor.page.close()
    wait_until(lambda: Playing.stops == 1)


def test_the_keyboard_alone_begins_and_ends_a_call(come: Callable[..., Visitor]) -> None:
    visitor = come()
    page = visitor.page
    for wanted in ("live-camera", "live-stop"):
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == wanted:
                break
        page.keyboard.press("Enter")
        shown = "#live-word" if wanted == "live-camera" else "#live-trouble"
        expect(page.locator(shown)).to_have_text(re.compile("Watching|Stopped"))


@pytest.mark.parametrize(
    ("lang", "scheme", "size"), [("en", "light", DESKTOP), ("zh", "dark", PHONE), ("ko", "light", PHONE)]
)
def test_axe_finds_nothing_while_a_call_is_watched(
    come: Callable[..., Visitor], lang: str, scheme: str, size: Any
) -> None:
    visitor = come(lang=lang, size=size, color_scheme=scheme)
    page = visitor.page
    told = {"before": findings(page)}
    begin(visitor)
    told["watching"] = findings(page)
    for level in ("ask", "alarm", "no_picture"):
        reason = {"code": "live_black", "params": {}}
        Playing.now = {"level": level, "reasons": [reason] if level == "no_picture" else []}
        expect(page.locator(".live-state")).to_have_attribute("data-level", level)
        told[level] = findings(page)
        assert not visitor.too_wide()
    for challenge in (TURN, WORD, TURN | {"status": "not_seen", "left_s": None, "advice": "again"}):
        Playing.now = {"level": "ask", "challenge": challenge}
        expect(page.locator("#challenge-advice")).to_have_text(
            re.compile(r"\S" if challenge["advice"] else "^$")
        )
        told[f"{challenge['name']} {challenge['status']}"] = findings(page)
        assert not visitor.too_wide()
    page.locator("#live-stop").click()
    told["after"] = findings(page)
    assert {state: found for state, found in told.items() if found} == {}


def test_the_shipped_models_watch_a_genuine_face(camera_browser: Any, real: str) -> None:
    """All of it: camera, worker, loopback WebSocket, a process of its own, networks, the sequential test."""
    with camera_browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        page.goto(f"{real}/live")
        page.locator("#live-camera").click()
        expect(page.locator("#live-word")).to_have_text("Watching", timeout=60_000)
        expect(page.locator(".live-person h4")).to_have_text("Person 1: Watching")
        expect(page.locator(".live-person")).to_contain_text("At 50 a challenge is due")
        expect(page.locator("#live-pace")).to_contain_text("pictures a second", timeout=60_000)
        # The box is drawn anew with every answer, so that it may be gone just now.
        heights = [
            box["height"] for _ in range(50) if (box := page.locator(".live-box").first.bounding_box())
        ]
        whole = page.locator(".live-frame").bounding_box()
        assert 0.05 < np.median(heights) / whole["height"] < 0.9, "the box lies around the face"
        page.locator("#live-stop").click()
        expect(page.locator("#live-trouble")).to_have_text("Stopped. Nothing was stored.")
