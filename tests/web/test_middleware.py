"""Who is turned away, and what every answer carries."""

from __future__ import annotations

from typing import Any

import pytest
from sites import Site, Start, problem

TOKEN = "correct-horse-battery"


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8765", "127.0.0.1.evil.example", "localhost.evil.example:1"),
        *("0.0.0.0", "[::2]", "[", ""),
    ],
)
def test_other_names_for_this_machine_are_turned_away(site: Site, host: str) -> None:
    """DNS rebinding: the name is the attacker's, the address ours."""
    problem(site.client.get("/readyz", headers={"host": host}), 421, "wrong_host")
    shown = site.client.get("/", headers={"host": host, "Accept": "text/html"})
    assert (shown.status_code, shown.headers["content-type"]) == (421, "text/html; charset=utf-8")
    assert "open the address that it printed" in shown.text  # a person is told so, not a program


@pytest.mark.parametrize("host", ["localhost", "localhost:8765", "127.0.0.1:99", "[::1]:8765", "LOCALHOST"])
def test_its_own_names_are_not(site: Site, host: str) -> None:
    assert site.client.get("/healthz", headers={"host": host}).status_code == 200


def test_behind_a_token_the_name_does_not_matter(start: Start) -> None:
    site = start(host="0.0.0.0", token=TOKEN)
    told = {"host": "lab.example", "Authorization": f"Bearer {TOKEN}"}
    assert site.client.get("/v1/models", headers=told).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://127.0.0.1:8765", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_other_sites_change_nothing(site: Site, headers: dict[str, str]) -> None:
    address = site.send(site.picture("none"), headers={"Prefer": "wait=20"}).headers["location"]
    problem(site.send(site.picture("none"), headers=headers), 403, "cross_site")
    problem(site.client.delete(address, headers=headers), 403, "cross_site")
    assert site.client.get(address, headers=headers).status_code == 200  # reading is the browser's own matter


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8765"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://127.0.0.1:8765"},
    ],
)
def test_its_own_pages_may(site: Site, headers: dict[str, str]) -> None:
    assert site.send(site.picture("none"), headers=headers).status_code == 202


def test_without_the_token_nothing_but_health(start: Start) -> None:
    site = start(token=TOKEN)
    for address in ("/v1/models", "/v1/checks/x", "/metrics", "/docs", "/openapi.json", "/"):
        answer = site.client.get(address)
        problem(answer, 401, "token_needed")
        assert answer.headers["www-authenticate"] == "Bearer"
    problem(site.send(site.picture("none")), 401, "token_needed")
    assert not list((site.folder / "uploads").iterdir())
    assert site.client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "given",
    [
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Bearer ",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer \xff\xfe",
        "Bearer " + "x" * 8000,
    ],
)
def test_wrong_tokens(start: Start, given: str) -> None:
    site = start(token=TOKEN)
    headers = {"Authorization": given.encode("latin-1")}
    problem(site.client.get("/v1/models", headers=headers), 401, "token_needed")


def test_guessing_is_slowed_down_and_does_not_lock_out_the_owner(start: Start) -> None:
    site = start(token=TOKEN)
    wrong = {"Authorization": "Bearer not-the-token-at-all"}
    statuses = {site.client.get("/v1/models", headers=wrong).status_code for _ in range(40)}
    assert statuses == {401, 429}
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert site.client.get("/v1/models", headers=right).status_code == 200


def test_a_browser_signs_in_once(start: Start) -> None:
    site = start(token=TOKEN)
    page = {"Accept": "text/html"}
    sent = site.client.get("/", headers=page, follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (303, "/login")
    assert site.client.get("/login", headers=page).status_code == 200
    wrong = site.client.post("/login", data={"token": "wrong"}, follow_redirects=False)
    assert wrong.status_code == 401
    assert "set-cookie" not in wrong.headers
    right = site.client.post("/login", data={"token": TOKEN}, follow_redirects=False)
    assert (right.status_code, right.headers["location"]) == (303, "/")
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert site.client.get("/", headers=page).status_code == 200
    assert site.send(site.picture("none")).status_code == 202
    other = {"Sec-Fetch-Site": "cross-site"}
    problem(site.send(site.picture("none"), headers=other), 403, "cross_site")


def test_signing_in_is_limited_too(start: Start) -> None:
    site = start(token=TOKEN)
    answers = [site.client.post("/login", data={"token": f"wrong{i}"}).status_code for i in range(40)]
    assert set(answers) == {401, 429}
    long = site.client.post("/login", data={"token": "x" * 10_000})
    assert long.status_code in (400, 429)


def test_without_a_token_there_is_no_signing_in(site: Site) -> None:
    for answer in (
        site.client.get("/login", follow_redirects=False),
        site.client.post("/login", data={"token": "x"}, follow_redirects=False),
    ):
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    "address",
    ["/", "/v1/models", "/nothing", "/healthz", "/docs", "/static/app.css", "/v1/checks/x/report.html"],
)
def test_every_answer_carries_the_strict_headers(site: Site, address: str) -> None:
    answer: Any = site.client.get(address)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http:" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "no-store" in answer.headers["cache-control"] or address.startswith("/static/")
    assert "server" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers


def test_a_declared_giant_is_refused_before_it_is_read(site: Site) -> None:
    told = {"content-length": str(10 * 1024**3), "content-type": "multipart/form-data; boundary=x"}
    for address, length in (("/v1/checks", 10 * 1024**3), ("/checks", 10**5000), ("/login", 10**30)):
        told["content-length"] = f"{length}" if length < 10**1000 else "1" + "0" * 5000
        answer = site.client.post(address, headers={**told, "accept": "application/json"}, content=b"")
        problem(answer, 413, "too_large")
