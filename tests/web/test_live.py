"""The WebSocket of a call: who may, what is taken, in which order it is answered, and how it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import anyio
import pytest
from fastapi.testclient import TestClient
from sites import Site, Start
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from callers import THRESHOLDS, FakeWatcher, HeldWatcher, jpeg, message, state, wait_until
from haechi.errors import DamagedFile, Fault, ModelError
from haechi.settings import LANGUAGES
from haechi.web.live import conversation
from haechi.web.live import watch as watches
from haechi.web.live.keeping import HeldClips, Keeping

LIVE = "ws://127.0.0.1:8765/v1/live"
TOKEN = "correct-horse-battery"


def opened(site: Site, headers: dict[str, str] | None = None, lang: str = "en") -> Any:
    return site.client.websocket_connect(f"{LIVE}?lang={lang}", headers=dict(headers or {}))


def denied(site: Site, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Status and code with which the socket is refused before it opens."""
    with pytest.raises(WebSocketDenialResponse) as refused, opened(site, headers):
        pass
    return refused.value.status_code, refused.value.json()["code"]


def ended(line: Any) -> tuple[str, int]:
    """Code and close code of a call that is over; with words for whoever watched."""
    while (told := line.receive_json())["kind"] != "end":
        assert told["kind"] in ("ready", "state")
    assert told["text"]
    with pytest.raises(WebSocketDisconnect) as closed:
        line.receive_json()
    assert closed.value.reason == told["code"]
    return told["code"], closed.value.code


class Noted:
    """Makes watchers and remembers them."""

    def __init__(self, kind: type[FakeWatcher] = FakeWatcher) -> None:
        self._kind = kind
        self.made: list[FakeWatcher] = []

    def __call__(self, *order: Any) -> FakeWatcher:
        self.made.append(self._kind(*order))
        return self.made[-1]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"host": "evil.example"}, 421, "wrong_host"),
        ({"host": "127.0.0.1.evil.example:8765"}, 421, "wrong_host"),
        ({"origin": "http://evil.example"}, 403, "cross_site"),
        ({"origin": "null"}, 403, "cross_site"),
        ({"origin": "http://127.0.0.1:1"}, 403, "cross_site"),
        ({"sec-fetch-site": "cross-site"}, 403, "cross_site"),
    ],
)
def test_another_site_cannot_watch(start: Start, headers: dict[str, str], status: int, code: str) -> None:
    """A page elsewhere may open a WebSocket to this machine: only its origin tells it from ours."""
    noted = Noted()
    assert denied(start(watch=noted), headers) == (status, code)
    assert noted.made == []


def test_its_own_page_can(start: Start) -> None:
    site = start(watch=FakeWatcher)
    with opened(site, {"origin": "http://127.0.0.1:8765", "sec-fetch-site": "same-origin"}) as line:
        assert line.receive_json() == {"kind": "ready", "thresholds": THRESHOLDS}


def test_where_a_token_is_needed_it_is_needed_here_too(start: Start) -> None:
    site = start(watch=FakeWatcher, token=TOKEN)
    assert denied(site) == (401, "token_needed")
    assert denied(site, {"Authorization": "Bearer wrong-wrong-wrong"}) == (401, "token_needed")
    with opened(site, {"Authorization": f"Bearer {TOKEN}"}) as line:
        assert line.receive_json()["kind"] == "ready"
    site.client.post("/login", data={"token": TOKEN})
    with opened(site) as line:
        assert line.receive_json()["kind"] == "ready"


def test_a_phone_that_was_let_in_may_point_its_camera_at_a_call(start: Start) -> None:
    site = start(watch=FakeWatcher, lan=True, host="192.168.1.5")
    here = {"host": "192.168.1.5:8765", "origin": "https://192.168.1.5:8765"}
    assert denied(site, here) == (401, "token_needed")
    code = site.client.app.state.tokens.once.text  # type: ignore[attr-defined]
    site.client.post("/login", data={"token": code}, headers={"host": here["host"]})
    with opened(site, here) as line:
        assert line.receive_json()["kind"] == "ready"


def test_a_server_for_others_watches_no_calls(start: Start) -> None:
    site = start(watch=FakeWatcher, host="0.0.0.0", token=TOKEN)
    told = {"Authorization": f"Bearer {TOKEN}"}
    assert denied(site, told) == (404, "not_found")
    assert site.client.get("/live", headers={**told, "Accept": "text/html"}).status_code == 404


def test_each_frame_is_answered_by_the_state_after_it(start: Start) -> None:
    noted = Noted()
    with opened(start(watch=noted)) as line:
        line.receive_json()
        for time_s, level in ((0.5, "watching"), (1.0, "watching"), (3.5, "alarm")):
            line.send_bytes(message(time_s, jpeg()))
            told = line.receive_json()
            assert (told["kind"], told["time_s"], told["level"]) == ("state", time_s, level)
            assert told["people"][0]["level"] == level
    (watcher,) = noted.made
    assert [time_s for time_s, _ in watcher.given] == [0.5, 1.0, 3.5]
    assert len(watcher.threads) == 1, "a process belongs to the thread that started it"
    assert watcher.settings.max_pixels == conversation.MOST_PIXELS
    assert watcher.ended.wait(5), "the process ends with the call"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_frame_is_no_picture_in_words(start: Start, lang: str) -> None:
    with opened(start(watch=FakeWatcher), lang=lang) as line:
        line.receive_json()
        line.send_bytes(message(2.0))
        told = line.receive_json()
    assert (told["level"], told["people"]) == ("no_picture", [])
    assert told["reasons"]
    assert not told["reasons"][0].startswith("live_"), "a sentence, not a code"


def test_frames_that_grew_old_are_never_looked_at(start: Start) -> None:
    held = HeldWatcher.fresh()
    noted = Noted(held)
    with opened(start(watch=noted)) as line:
        line.receive_json()
        line.send_bytes(message(0.1, jpeg()))
        assert held.begun.wait(5)
        for time_s in (0.2, 0.3, 0.4):
            line.send_bytes(message(time_s, jpeg()))
        line.portal.call(_breathe)  # the server has taken all of them in
        held.go.set()
        assert [line.receive_json()["time_s"] for _ in range(2)] == [0.1, 0.4]
        line.send_bytes(message(0.5, jpeg()))
        assert line.receive_json()["dropped"] == 2
    assert [time_s for time_s, _ in noted.made[0].given] == [0.1, 0.4, 0.5]


async def _breathe() -> None:
    import asyncio

    await asyncio.sleep(0.3)


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"short",
        message(1.0, b"GIF89a"),
        message(float("nan"), jpeg()),
        message(float("inf"), jpeg()),
        message(-1.0, jpeg()),
        message(0.25, jpeg()),
        message(1.0, b"\xff\xd8\xff" + bytes(conversation.MOST_BYTES)),
        "text",
    ],
    ids=["nothing", "no time", "no jpeg", "nan", "inf", "before the beginning", "older", "too large", "text"],
)
def test_what_is_no_frame_ends_the_call_with_a_reason(start: Start, wrong: bytes | str) -> None:
    site = start(watch=FakeWatcher)
    with opened(site) as line:
        line.receive_json()
        line.send_bytes(message(0.5, jpeg()))
        line.receive_json()
        line.send_text(wrong) if isinstance(wrong, str) else line.send_bytes(wrong)
        assert ended(line) == ("live_frame", 1008)
    with opened(site) as line:
        assert line.receive_json()["kind"] == "ready", "the server goes on"


def test_too_many_frames_a_second_end_the_call(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "MOST_PER_S", 2.0)
    with opened(start(watch=FakeWatcher)) as line:
        line.receive_json()
        for number in range(6):
            line.send_bytes(message(number / 100, jpeg()))
        assert ended(line) == ("rate_limited", 1008)


def test_a_page_that_falls_silent_loses_its_place(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "IDLE_S", 0.1)
    with opened(start(watch=FakeWatcher)) as line:
        assert ended(line) == ("live_idle", 1008)


def test_one_call_a_browser_and_so_many_altogether(start: Start) -> None:
    site = start(watch=FakeWatcher, live_calls=2)
    page = {"Accept": "text/html"}
    with ExitStack() as stack:
        for _ in range(2):
            browser = TestClient(site.client.app, base_url=str(site.client.base_url))
            browser.get("/", headers=page)  # which gives it the cookie of its visit
            line = stack.enter_context(browser.websocket_connect(LIVE))
            assert line.receive_json()["kind"] == "ready"
            with browser.websocket_connect(LIVE) as second:
                assert ended(second) == ("live_busy", 1013)
        site.client.get("/", headers=page)
        assert "haechi_calls 2" in site.client.get("/metrics").text
        with opened(site) as third:
            assert ended(third) == ("live_busy", 1013)
    wait_until(lambda: site.client.app.state.live.count == 0)  # type: ignore[attr-defined]
    with opened(site) as line:
        assert line.receive_json()["kind"] == "ready"


@pytest.mark.parametrize(
    ("error", "code", "close"),
    [
        (DamagedFile("The JPEG is cut off."), "live_frame", 1008),
        (ModelError("The model 'live' is missing."), "model", 1011),
        (Fault("ProcessDied"), "internal", 1011),
        (ZeroDivisionError("a secret name"), "internal", 1011),
    ],
)
def test_whatever_goes_wrong_ends_the_call_and_says_so(
    start: Start, caplog: pytest.LogCaptureFixture, error: Exception, code: str, close: int
) -> None:
    """An error must never look like a call in which nothing is found."""

    class Broken(FakeWatcher):
        def add(self, picture: bytes, time_s: float, tell: Any) -> Any:
            raise error

    noted = Noted(Broken)
    with opened(start(watch=noted)) as line:
        line.receive_json()
        line.send_bytes(message(0.5, jpeg()))
        assert ended(line) == (code, close)
    assert noted.made[0].ended.wait(5)
    assert "secret" not in caplog.text


def test_a_level_that_is_none_is_a_fault_and_no_state() -> None:
    with pytest.raises(ValueError, match="no level"):
        conversation.state_message(state(1.0, "fine"), "en")


def test_models_that_cannot_be_loaded_are_told(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    class Missing(FakeWatcher):
        def begin(self, tell: Any) -> Any:
            raise ModelError("The model 'live' is missing. Reinstall Haechi.")

    caplog.set_level(logging.CRITICAL)
    with opened(start(watch=Missing)) as line:
        assert ended(line) == ("model", 1011)


def test_a_frame_that_takes_too_long_ends_the_call(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "PATIENCE_S", 0.1)
    with opened(start(watch=HeldWatcher.fresh())) as line:
        line.receive_json()
        line.send_bytes(message(0.5, jpeg()))
        assert ended(line) == ("live_slow", 1008)


def test_hanging_up_ends_what_runs(start: Start) -> None:
    held = HeldWatcher.fresh()
    noted = Noted(held)
    with opened(start(watch=noted)) as line:
        line.receive_json()
        line.send_bytes(message(0.5, jpeg()))
        assert held.begun.wait(5)
    assert noted.made[0].ended.wait(5)
    assert noted.made[0].given == [], "it was broken off"


def test_a_server_may_stop_in_the_moment_in_which_a_call_ends() -> None:
    """Its cancellation must come out as it went in: one that looks like another's is a crash."""

    class Gone:
        async def receive(self) -> dict[str, str]:
            return {"type": "websocket.disconnect"}

    class Loading:
        def __init__(self, stop: Callable[[], None]) -> None:
            self._stop = stop

        async def begin(self) -> None:
            await Broken(self._stop)

    class Broken(asyncio.Future[None]):
        """Stops the server when it is broken off, before whoever waits for it knows."""

        def __init__(self, stop: Callable[[], None]) -> None:
            super().__init__()
            self._stop = stop

        def cancel(self, msg: Any = None) -> bool:
            self.get_loop().call_soon(self._stop)
            return super().cancel(msg)

    async def serve() -> bool:
        with anyio.CancelScope() as server:
            await conversation.Conversation(
                Gone(), Loading(server.cancel), "en", lambda: True, Keeping(HeldClips(), "", lambda: True)
            ).run()  # type: ignore[arg-type]
        return server.cancelled_caught

    with ThreadPoolExecutor(1) as elsewhere:  # browsers of other tests keep a loop in this thread
        assert elsewhere.submit(anyio.run, serve).result()


def test_leaving_ends_the_call(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "_ASK_AGAIN_S", 0.05)
    site = start(watch=FakeWatcher, token=TOKEN)
    site.client.post("/login", data={"token": TOKEN})
    with opened(site) as line:
        line.receive_json()
        other = TestClient(site.client.app, base_url=str(site.client.base_url), cookies=site.client.cookies)
        other.post("/leave")
        assert ended(line) == ("token_needed", 1008)
