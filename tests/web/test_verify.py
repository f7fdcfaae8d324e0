"""REST of face verification: from the order to the result, and everything that ends a session before."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sites import Start, problem
from visitors import PLACE, Visitor

from callers import FakeLooker, jpeg
from haechi.errors import Crashed, ModelError
from haechi.settings import LANGUAGES
from haechi.verify import challenges
from haechi.verify.recording import Recording
from haechi.verify.uploads import FrameUpload

TOKEN = "correct-horse-battery"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(challenges, "MOTION_S", 0.2)
    monkeypatch.setattr(challenges, "DURATION_S", 0.2)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_from_the_order_to_the_result(start: Start, lang: str) -> None:
    visitor = Visitor(start(look=FakeLooker), lang=lang)
    kinds = {visitor.state["challenge"]["kind"]}
    assert (visitor.state["number"], visitor.state["challenges"]) == (0, 4)
    while visitor.state["state"] == "open":
        visitor.challenge()
        if visitor.state["challenge"]:
            kinds.add(visitor.state["challenge"]["kind"])
    assert {"flash", "mouth"} < kinds
    result = visitor.result()
    assert result["decision"] == "retry", "nobody was seen"
    assert [check["check"] for check in result["checks"]] == [
        *("flash", "compliance", "depth", "injection", "forgery", "reuse", "pulse"),
    ]
    for reason in [*result["reasons"], *(check["reason"] for check in result["checks"])]:
        assert not reason["text"].startswith("verify_"), "a sentence, not a code"


def test_the_colours_are_told_with_their_challenge_only(start: Start) -> None:
    visitor = Visitor(start(look=FakeLooker))
    flashes = 0
    while visitor.state["state"] == "open":
        flash = visitor.state["challenge"]["flash"]
        if visitor.state["challenge"]["kind"] == "flash":
            flashes += 1
            assert len(flash["colours"]) == len(flash["lasts_s"])
            assert min(flash["lasts_s"]) >= 1 / 3
        else:
            assert flash is None
        visitor.challenge()
    assert flashes == 1


def test_without_flash(start: Start) -> None:
    visitor = Visitor(start(look=FakeLooker), flash=False)
    assert visitor.state["challenges"] == 5
    assert visitor.whole()["decision"] == "retry"


@pytest.mark.parametrize(
    ("other", "code"), [({"sequence": 5}, "missing"), ({"challenge": 2}, "another step")]
)
def test_what_is_not_due_ends_the_session(start: Start, other: dict[str, int], code: str) -> None:
    visitor = Visitor(start(look=FakeLooker))
    told = problem(visitor.send(visitor.upload(jpeg(), **other)), 409, "verify_refused")
    assert code in told["detail"]
    assert visitor.result()["decision"] == "refuse"
    problem(visitor.send(visitor.upload(jpeg())), 409, "verify_refused")


def test_a_replay_and_a_changed_frame_are_refused(start: Start) -> None:
    site = start(look=FakeLooker)
    visitor = Visitor(site, "one")
    upload = visitor.upload(jpeg())
    assert visitor.send(upload).status_code == 200
    assert "second time" in problem(visitor.send(upload), 409, "verify_refused")["detail"]
    visitor = Visitor(site, "two")
    upload = visitor.upload(jpeg())
    changed = FrameUpload(upload.sequence, upload.challenge, upload.time_ms, upload.seal, jpeg(9))
    assert "changed" in problem(visitor.send(changed), 409, "verify_refused")["detail"]
    assert visitor.result()["decision"] == "refuse"


@pytest.mark.parametrize("body", [b"", b"x", bytes(52), b"\xff" * 60])
def test_a_body_that_is_none_ends_it_too(start: Start, body: bytes) -> None:
    visitor = Visitor(start(look=FakeLooker))
    problem(visitor.site.client.post(f"{visitor.address}/frames", content=body), 409, "verify_refused")
    assert visitor.result()["decision"] in ("retry", "refuse")


@pytest.mark.parametrize(
    ("error", "decision", "code"),
    [
        (Crashed("It stopped."), "retry", "verify_unreadable"),
        (ModelError("It is missing."), "refer", "verify_fault"),
        (ZeroDivisionError("a secret name"), "refer", "verify_fault"),
    ],
)
def test_whatever_breaks_down_never_accepts(
    start: Start, caplog: pytest.LogCaptureFixture, error: Exception, decision: str, code: str
) -> None:
    class Broken(FakeLooker):
        def look(self, *_: Any) -> Recording:
            raise error

    result = Visitor(start(look=Broken)).whole()
    assert (result["decision"], result["reasons"][0]["code"]) == (decision, code)
    assert "secret" not in caplog.text


def test_one_session_of_a_subject_and_so_many_altogether(start: Start) -> None:
    site = start(look=FakeLooker, verifications=2)
    first = Visitor(site, "one")
    problem(site.client.post(PLACE, json={"subject": "one"}), 409, "verify_busy")
    Visitor(site, "two")
    problem(site.client.post(PLACE, json={"subject": "three"}), 429, "verify_full")
    assert site.client.delete(first.address).status_code == 204
    problem(site.client.get(first.address), 404, "not_found")
    Visitor(site, "one")


@pytest.mark.parametrize(
    "order",
    [
        *(b"", b"[]", b"{", b"{}", b'{"subject": ""}', b'{"subject": 7}', b'{"subject": "a", "flash": 1}'),
        *(
            b'{"subject": "a", "keep_s": 0}',
            b'{"subject": "a", "keep_s": true}',
            b'{"subject": "a", "keep_s": NaN}',
        ),
        b'{"subject": "' + b"a" * 129 + b'"}',
    ],
)
def test_an_order_that_makes_no_sense(start: Start, order: bytes) -> None:
    problem(start(look=FakeLooker).client.post(PLACE, content=order), 422, "invalid")


def test_sessions_belong_to_whoever_opened_them(start: Start) -> None:
    site = start(look=FakeLooker, token=TOKEN)
    problem(site.client.post(PLACE, json={"subject": "a"}), 401, "token_needed")
    visitor = Visitor(site, headers={"Authorization": f"Bearer {TOKEN}"})
    problem(site.client.get(visitor.address), 401, "token_needed")
    site.client.post("/login", data={"token": TOKEN})
    problem(site.client.get(visitor.address), 404, "not_found")


def test_nothing_of_the_pictures_stays(start: Start) -> None:
    site = start(look=FakeLooker)
    visitor = Visitor(site, keep_s=1)
    visitor.whole()
    service = site.client.app.state.verify  # type: ignore[attr-defined]
    entry = service.book.find(visitor.state["id"], "")
    owner_entries = [entry] if entry else list(service.book._entries.values())
    assert all(
        not e.session._frames and not hasattr(look, "jpegs") for e in owner_entries for look in e.looks
    )
    time.sleep(1.1)
    problem(site.client.get(visitor.address), 404, "not_found")


def test_a_picture_that_came_under_another_subject(start: Start) -> None:
    class OnePicture(FakeLooker):
        def look(self, *_: Any) -> Recording:
            return replace(super().look(*_), prints=np.full((1, 32), 7, np.uint8))

    site = start(look=OnePicture)

    def reuse_of(subject: str) -> dict[str, Any]:
        checks = {check["check"]: check for check in Visitor(site, subject).whole()["checks"]}
        told: dict[str, Any] = checks["reuse"]
        return told

    assert reuse_of("first")["reason"]["code"] == "verify_face_new"
    assert reuse_of("first")["reason"]["code"] == "verify_face_new", "the same subject again"
    again = reuse_of("second")
    assert (again["outcome"], again["figures"]) == ("risk", {"subjects_again": 1.0})
    assert "first" not in str(again)
