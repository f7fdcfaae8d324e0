"""A clip of a call: held only when it was asked for, and stored only in a case that was chosen."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from sites import Site, Start
from test_live import LIVE, ended, opened
from test_pages import HTML, answered, get
from test_pages_cases import stored

from callers import FakeWatcher, jpeg, message
from haechi.web.live.keeping import HELD_S, MOST, HeldClips, Keeping
from haechi.web.problem import Problem

pytest.importorskip("cryptography")
KEEP = {"do": "keep", "on": True}


@pytest.fixture
def site(start: Start) -> Site:
    site = start(watch=FakeWatcher)
    get(site, "/live")  # which gives the browser the cookie of its visit
    return site


def order(line: Any, **values: Any) -> None:
    line.send_text(json.dumps(values))


def call(line: Any, *times: float) -> list[Any]:
    """Frames at these seconds; what came back."""
    told = []
    for time_s in times:
        line.send_bytes(message(time_s, jpeg(round(20 * time_s) % 255)))
        told.append(line.receive_json())
    return told


def clip_of(site: Site, *times: float) -> str:
    """The address of a clip that an alarm made."""
    with opened(site) as line:
        line.receive_json()
        order(line, **KEEP)
        assert line.receive_json() == {"kind": "keep", "on": True, "why": ""}
        assert {one["kind"] for one in call(line, *(times or (0.5, 1.0, 1.5, 2.0, 3.5)))} == {"state"}
        told = line.receive_json()
    assert (told["kind"], told["why"]) == ("clip", "alarm")
    return f"/live/clips/{told['id']}"


def keep(site: Site, address: str, **fields: str) -> Any:
    data = {"case": "new", "lock": "none", **fields}
    return site.client.post(address, data=data, headers=HTML, follow_redirects=False)


def test_nothing_is_held_unless_it_is_asked_for(site: Site) -> None:
    with opened(site) as line:
        line.receive_json()
        order(line, do="clip")
        assert {one["kind"] for one in call(line, 0.5, 1.0, 3.5, 4.0)} == {"state"}
        order(line, **KEEP)
        line.receive_json()
        call(line, 4.5, 5.0)
        order(line, do="keep", on=False)
        assert line.receive_json()["on"] is False
        order(line, do="clip")
        assert call(line, 5.5)[0]["kind"] == "state"


def test_the_clip_of_an_alarm_goes_into_a_case_with_what_was_said(site: Site) -> None:
    address = clip_of(site)
    assert not (site.folder / "cases").exists(), "nothing was stored before it was asked for"
    assert "age" in get(site, address).text, "first the two questions"
    answered(site, "adult", "")
    page = get(site, address).text
    assert "3 seconds of the call" in page
    answer = keep(site, address, note="He wanted money.")
    assert answer.status_code == 303, answer.text
    files = stored(site)
    (video,) = [data for name, data in files.items() if name.endswith(".avi")]
    assert video[:4] == b"RIFF"
    (facts,) = [json.loads(d) for n, d in files.items() if n.endswith(".json") and b"live-clip" in d]
    assert [state["level"] for state in facts["states"]][-1] == "alarm"
    shown = get(site, answer.headers["location"]).text
    assert "He wanted money." in shown
    assert shown.count(".avi") >= 2, "the second entry names the first"
    assert site.client.get(address, headers=HTML).status_code == 404, "it is held no longer"


def test_a_case_with_a_passphrase_seals_it(site: Site) -> None:
    address = clip_of(site)
    answered(site, "adult", "")
    short = keep(site, address, lock="passphrase", passphrase="short", again="short")
    assert short.status_code == 422
    words = "a horn that tells the truth"
    assert keep(site, address, lock="passphrase", passphrase=words, again=words).status_code == 303
    files = stored(site)
    assert not any(b"RIFF" in data or b"live-clip" in data for data in files.values())
    assert sum(name.endswith(".sealed") for name in files) == 2


def test_the_button_makes_a_clip_without_an_alarm(site: Site) -> None:
    with opened(site) as line:
        line.receive_json()
        order(line, **KEEP)
        line.receive_json()
        call(line, 0.5, 1.0, 1.5)
        order(line, do="clip")
        told = line.receive_json()
    assert (told["kind"], told["why"], told["seconds"]) == ("clip", "button", 1.0)


def test_of_a_minor_nothing_is_held(site: Site) -> None:
    answered(site, "minor", "")
    with opened(site) as line:
        line.receive_json()
        order(line, **KEEP)
        assert line.receive_json() == {"kind": "keep", "on": False, "why": "minor"}
        assert {one["kind"] for one in call(line, 0.5, 1.0, 3.5, 4.0)} == {"state"}


@pytest.mark.parametrize("how", ["answers", "form"])
def test_a_clip_that_turns_out_to_show_a_minor_is_deleted(site: Site, how: str) -> None:
    address = clip_of(site)
    answered(site, "minor" if how == "answers" else "adult", "")
    answer = get(site, address) if how == "answers" else keep(site, address, minor="1")
    assert "The clip was deleted" in answer.text
    assert site.client.get(address, headers=HTML).status_code == 404
    assert not (site.folder / "cases").exists()


def test_leaving_forgets_it(site: Site) -> None:
    address = clip_of(site)
    site.client.post("/leave")
    get(site, "/live")
    assert site.client.get(address, headers=HTML).status_code == 404


def test_no_other_browser_gets_it(site: Site) -> None:
    address = clip_of(site)
    site.client.cookies.clear()
    assert site.client.get(address, headers=HTML).status_code == 404


def test_clips_are_few_and_not_held_for_long() -> None:
    now = [0.0]
    held = HeldClips(lambda: now[0])
    keeping = Keeping(held, "me", lambda: True)
    keeping.switch(True)
    for k in range(3):
        keeping.add(k / 10, jpeg(), {"level": "watching", "size": [64, 48]})
    idents = [str((keeping.clip("button") or {})["id"]) for _ in range(MOST + 1)]
    with pytest.raises(Problem):
        held.get("me", idents[0])
    assert held.get("me", idents[-1]).size == (64, 48)
    now[0] = HELD_S + 1
    with pytest.raises(Problem):
        held.get("me", idents[-1])


def test_a_challenge_reaches_the_process_and_its_words_the_page(start: Start) -> None:
    made: list[FakeWatcher] = []

    class Asking(FakeWatcher):
        def add(self, picture: bytes, time_s: float, tell: Any) -> Any:
            made[:] = [self]
            challenge = {
                "name": "word", "person_id": 1, "status": "not_seen", "judge": "user", "left_s": None,
                "advice": "again",
            }  # fmt: skip
            return {**super().add(picture, time_s, tell), "challenge": challenge}

    with start(watch=Asking).client.websocket_connect(f"{LIVE}?lang=ko") as line:
        line.receive_json()
        order(line, do="ask", challenge="")
        order(line, do="ask", challenge="turn")
        order(line, do="judge", done=True)
        told = call(line, 0.5)[0]["challenge"]
        # A frame may overtake an order.
        for _ in range(2000):
            if len(made[0].orders) == 3:
                break
            time.sleep(0.01)
    assert made[0].orders == [("ask", ""), ("ask", "turn"), ("judge", True)]
    assert (told["status"], told["advice"]) == ("not_seen", "again")
    assert told["say"] == "채팅에 단어를 하나 쓸게요. 소리 내어 읽어 주세요."
    assert told["text"] == "상대방이 하지 않았다고 표시하셨습니다."
    assert told["advice_text"].startswith("아직")


@pytest.mark.parametrize(
    "wrong",
    [
        '{"do": "format"}', '{"do": "ask", "challenge": "jump"}', '{"do": "ask", "challenge": ["turn"]}',
        '{"do": "keep", "on": "yes"}', "[]", "{", '"ask"', "null", '{"do": "clip"}' + " " * 300,
    ],
)  # fmt: skip
def test_what_is_no_order_ends_the_call_with_a_reason(start: Start, wrong: str) -> None:
    with opened(start(watch=FakeWatcher)) as line:
        line.receive_json()
        line.send_text(wrong)
        assert ended(line) == ("live_frame", 1008)
