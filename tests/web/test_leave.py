"""*Leave now* ends the session: whatever was sent in it answers 404 afterwards, and its files are gone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from sites import FAKE, Site, Start, problem, started

from haechi.web.sessions import Sessions

TOKEN = "correct-horse-battery"
PAGE = {"Accept": "text/html"}


def come(site: Site) -> None:
    """Open the first page, as a browser does before it sends anything."""
    if site.jobs.options.token:
        site.client.post("/login", data={"token": TOKEN})
    site.client.get("/", headers=PAGE)


def checked(site: Site) -> str:
    """Send a picture as a browser; the identifier of its check, which is done."""
    answer = site.send(site.picture("strong"), headers={"Prefer": "wait=20"})
    assert answer.status_code == 200, answer.text
    return str(answer.headers["location"].rpartition("/")[2])


def addresses(id_: str) -> dict[str, dict[str, str]]:
    """Everything that shows something of a check, with the headers to ask for it."""
    api = ("", "/heatmap.png", "/proof.txt", "/report.html", "/report.pdf", "/report.haechi")
    pages = ("", "/report.css", "/case")
    return {f"/v1/checks/{id_}{end}": {} for end in api} | {f"/checks/{id_}{end}": PAGE for end in pages}


def answers(site: Site, id_: str) -> dict[str, int]:
    return {to: site.client.get(to, headers=head).status_code for to, head in addresses(id_).items()}


@pytest.mark.parametrize("options", [{}, {"token": TOKEN}], ids=["on this computer", "with a token"])
def test_nothing_of_the_session_is_left(start: Start, options: dict[str, Any]) -> None:
    site = start(**options)
    come(site)
    id_ = checked(site)
    before = answers(site, id_)
    assert before[f"/checks/{id_}"] == before[f"/v1/checks/{id_}/report.html"] == 200
    cookies = dict(site.client.cookies)
    left = site.client.post("/leave", headers=PAGE)
    assert left.status_code == 200
    assert left.headers["cache-control"] == "no-store"
    assert "Haechi" not in left.text
    assert site.jobs.counts() == {"waiting": 0, "running": 0, "done": 0, "failed": 0}
    if options:  # the guard knows whoever shows the token; the check is gone for them too
        site.client.headers["Authorization"] = f"Bearer {TOKEN}"
    for known in ({}, cookies):  # whoever copied the cookies has nothing
        site.client.cookies.clear()
        site.client.cookies.update(known)
        gone = answers(site, id_)
        assert gone == dict.fromkeys(gone, 404)


def test_a_browser_is_never_allowed_to_keep_what_it_was_shown(site: Site) -> None:
    come(site)
    id_ = checked(site)
    for address, headers in addresses(id_).items():
        assert site.client.get(address, headers=headers).headers["cache-control"] == "no-store", address


def test_a_check_that_runs_is_broken_off_and_its_file_deleted(start: Start, slow: Any) -> None:
    site = start(slow)
    come(site)
    ids = [site.send(site.picture("none")).json()["id"] for _ in range(2)]  # one runs, one waits
    assert slow.begun.wait(10)
    site.client.post("/leave")
    assert all(site.client.get(f"/v1/checks/{id_}").status_code == 404 for id_ in ids)
    slow.go.set()
    end = time.monotonic() + 10
    while any(id_ in file.name for file in site.folder.rglob("*") for id_ in ids):
        assert time.monotonic() < end, "an original is still there"
        time.sleep(0.01)


def test_what_others_sent_stays(site: Site) -> None:
    program = checked(site)  # without a cookie: a program on this computer
    come(site)
    first = dict(site.client.cookies)
    mine = checked(site)
    site.client.cookies.clear()
    come(site)
    assert dict(site.client.cookies) != first
    other = checked(site)
    assert site.client.get(f"/checks/{mine}", headers=PAGE).status_code == 200  # an address can be passed on
    site.client.post("/leave")
    assert [site.client.get(f"/v1/checks/{id_}").status_code for id_ in (program, mine, other)] == [
        200,
        200,
        404,
    ]


def test_it_ends_what_was_sent_before_a_restart_too(tmp_path: Path) -> None:
    site = started(tmp_path / "data", FAKE, None, None)
    with site.client:
        come(site)
        cookies, id_ = dict(site.client.cookies), checked(site)
    again = started(tmp_path / "data", FAKE, None, None)
    with again.client:
        again.client.cookies.update(cookies)
        assert again.client.get(f"/v1/checks/{id_}").status_code == 200
        again.client.post("/leave")
        assert again.client.get(f"/v1/checks/{id_}").status_code == 404


def test_an_upload_that_arrives_after_its_session_ended_is_not_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    come(site)
    submit = site.jobs.submit

    def late(*args: Any, **more: Any) -> str:
        site.client.app.state.sessions.depart(more["owner"])  # type: ignore[attr-defined]
        return submit(*args, **more)

    monkeypatch.setattr(site.jobs, "submit", late)
    problem(site.send(site.picture("none")), 400, "bad_request")
    assert sum(site.jobs.counts().values()) == 0


def test_whoever_comes_again_begins_anew(site: Site) -> None:
    come(site)
    cookies = dict(site.client.cookies)
    site.client.post("/leave")
    site.client.cookies.update(cookies)  # the page was asked for before the answer took the cookie away
    come(site)
    assert site.client.get(f"/v1/checks/{checked(site)}").status_code == 200


@pytest.mark.parametrize("cookie", ["", "/", "x" * 32, "0" * 31, "../0000000000000000000000000000"])
def test_a_cookie_that_we_did_not_make_means_nothing(site: Site, cookie: str) -> None:
    site.client.cookies.set("haechi_visit", cookie)
    id_ = checked(site)
    site.client.post("/leave")
    assert site.client.get(f"/v1/checks/{id_}").status_code == 200


def test_a_program_with_the_token_deletes_nothing_by_leaving(start: Start) -> None:
    site = start(token=TOKEN, headers={"Authorization": f"Bearer {TOKEN}"})
    id_ = checked(site)
    assert site.client.post("/leave").status_code == 200
    assert site.client.get(f"/v1/checks/{id_}").status_code == 200


def test_another_site_ends_no_session(site: Site) -> None:
    come(site)
    id_ = checked(site)
    problem(site.client.post("/leave", headers={"Sec-Fetch-Site": "cross-site"}), 403, "cross_site")
    assert site.client.get(f"/v1/checks/{id_}").status_code == 200


def test_sessions_that_ended_are_not_remembered_for_ever() -> None:
    sessions = Sessions(60, lambda _: "")
    for number in range(10_001):
        sessions.depart(str(number))
    assert not sessions.departed("0")
    assert sessions.departed("10000")
