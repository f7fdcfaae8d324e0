"""Tokens of several clients, sessions of browsers, and proxies before the server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sites import FAKE, Site, Start, problem, started

from haechi.errors import UsageError
from haechi.server_options import Options, networks
from haechi.settings import Settings
from haechi.web.proxy import unwrapped
from haechi.web.sessions import LONGEST_S, Sessions
from haechi.web.tokens import Tokens, new_token

TOKEN = "correct-horse-battery"
PAGE = {"Accept": "text/html"}
WRONG = {"Authorization": "Bearer not-the-token-at-all"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def signed_in(site: Site, token: str = TOKEN, **headers: str) -> Any:
    site.client.cookies.clear()
    return site.client.post("/login", data={"token": token}, headers=headers, follow_redirects=False)


def shown(site: Site, address: str = "/") -> int:
    return int(site.client.get(address, headers=PAGE, follow_redirects=False).status_code)


@pytest.fixture
def named(tmp_path: Path) -> dict[str, str]:
    """Tokens by name, of the file ``tokens``."""
    made = {name: new_token(name) for name in ("press", "bank")}
    (tmp_path / "tokens").write_text("# clients\n\n" + "\n".join(line for _, line in made.values()) + "\n")
    return {name: token for name, (token, _) in made.items()}


def test_a_guesser_behind_the_same_proxy_locks_nobody_out(start: Start) -> None:
    site = start(token=TOKEN)
    for _ in range(40):
        site.client.post("/login", data={"token": "wrong-wrong-wrong"})
        site.client.get("/v1/models", headers=WRONG)
    assert site.client.post("/login", data={"token": "wrong-wrong-wrong"}).status_code == 429
    assert signed_in(site).status_code == 303
    assert shown(site) == 200


def test_who_signs_out_is_out_and_leaves_nothing(start: Start) -> None:
    site = start(token=TOKEN)
    signed_in(site)
    address = site.send(site.picture("none"), headers={"Prefer": "wait=20"}).headers["location"]
    assert 'action="/logout"' in site.client.get("/", headers=PAGE).text
    cookie = dict(site.client.cookies)
    left = site.client.post("/logout", headers=PAGE)
    assert str(left.url).endswith("/login?out=true")
    assert "You are signed out" in left.text
    assert 'action="/logout"' not in left.text
    site.client.cookies.update(cookie)  # whoever copied it has nothing
    assert shown(site) == 303
    assert site.client.get(address, headers=bearer(TOKEN)).status_code == 404
    assert site.jobs.counts()["done"] == 0
    assert site.client.post("/logout", follow_redirects=False).status_code == 303  # twice does no harm


def test_another_site_signs_nobody_out(start: Start) -> None:
    site = start(token=TOKEN)
    signed_in(site)
    problem(site.client.post("/logout", headers={"Sec-Fetch-Site": "cross-site"}), 403, "cross_site")
    assert shown(site) == 200


def test_without_a_token_there_is_nothing_to_sign_out_of(site: Site) -> None:
    assert "/logout" not in site.client.get("/", headers=PAGE).text


def test_a_session_does_not_outlive_the_process(tmp_path: Path) -> None:
    def opened() -> Site:
        return started(tmp_path / "data", FAKE, Settings(), None, token=TOKEN)

    site = opened()
    with site.client:
        signed_in(site)
        cookies = dict(site.client.cookies)
        mine = site.send(site.picture("none"), headers={"Prefer": "wait=20"}).headers["location"]
        site.client.cookies.clear()
        sent = site.send(site.picture("none"), headers={**bearer(TOKEN), "Prefer": "wait=20"})
    again = opened()
    with again.client:
        again.client.cookies.update(cookies)
        assert shown(again) == 303
        again.client.cookies.clear()
        assert again.client.get(sent.headers["location"], headers=bearer(TOKEN)).status_code == 200
        assert again.client.get(mine, headers=bearer(TOKEN)).status_code == 404
        assert again.jobs.counts()["done"] == 1


def test_a_session_ends_when_it_is_not_used_and_after_twelve_hours() -> None:
    now = 0.0
    sessions = Sessions(100.0, {"": "digest"}.get, clock=lambda: now)
    idle, used = sessions.begin(""), sessions.begin("")
    while now < LONGEST_S:
        assert sessions.caller(used)
        assert bool(sessions.caller(idle)) is False if now >= 100 else True
        now += 99.0
    assert sessions.caller(used) is None


def test_a_changed_token_ends_its_sessions(start: Start, named: dict[str, str], tmp_path: Path) -> None:
    site = start(tokens_file=tmp_path / "tokens")
    assert signed_in(site, named["press"]).status_code == 303
    assert shown(site) == 200
    lines = (tmp_path / "tokens").read_text().splitlines()
    (tmp_path / "tokens").write_text("\n".join(line for line in lines if "press" not in line))
    assert shown(site) == 303
    site.client.cookies.clear()
    problem(site.client.get("/v1/models", headers=bearer(named["press"])), 401, "token_needed")
    assert site.client.get("/v1/models", headers=bearer(named["bank"])).status_code == 200
    (tmp_path / "tokens").write_text("press without a digest")  # damaged: nobody is let in by it
    problem(site.client.get("/v1/models", headers=bearer(named["bank"])), 401, "token_needed")


def test_one_client_cannot_read_another_s_results(
    start: Start, named: dict[str, str], tmp_path: Path
) -> None:
    site = start(token=TOKEN, tokens_file=tmp_path / "tokens")
    press, bank = bearer(named["press"]), bearer(named["bank"])
    address = site.send(site.picture("strong"), headers={**press, "Prefer": "wait=20"}).headers["location"]
    ways = ("", "/report.html", "/report.haechi")
    assert {site.client.get(address + way, headers=press).status_code for way in ways} == {200}
    page = address.removeprefix("/v1")
    for other in (bank, bearer(TOKEN)):
        for way in ways:
            problem(site.client.get(address + way, headers=other), 404, "not_found")
        problem(site.client.delete(address, headers=other), 404, "not_found")
        for way in ("", "/report.css", "/case"):
            assert site.client.get(page + way, headers=other).status_code == 404
        site.client.post(f"{page}/delete", headers=other)
    assert site.client.get(address, headers=press).status_code == 200
    signed_in(site, named["press"])
    assert shown(site, page) == 200  # a browser with the same token may look
    mine = site.send(site.picture("none"), headers={"Prefer": "wait=20"}).headers["location"]
    signed_in(site, named["press"])
    problem(site.client.get(mine), 404, "not_found")  # another browser, though of the same client
    signed_in(site, named["bank"])
    assert shown(site, page) == 404
    assert site.client.delete(address, headers=press).status_code == 204


def test_named_tokens_close_a_server_that_has_no_other(
    start: Start, named: dict[str, str], tmp_path: Path
) -> None:
    site = start(tokens_file=tmp_path / "tokens")
    problem(site.client.get("/v1/models"), 401, "token_needed")


@pytest.mark.parametrize(
    "text", ["press", "press sha256:00", "a b sha256:" + "0" * 64, ("x sha256:" + "0" * 64 + "\n") * 2]
)
def test_a_list_of_tokens_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokens").write_text(text)
    with pytest.raises(UsageError, match="HAECHI_TOKENS_FILE"):
        Tokens(None, tmp_path / "tokens")
    with pytest.raises(UsageError, match="HAECHI_TOKENS_FILE"):
        Tokens(None, tmp_path / "missing")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_as_a_list_of_tokens_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "tokens")
    with pytest.raises(UsageError):
        Tokens(None, tmp_path / "tokens")


def test_a_token_is_made_by_the_command_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "haechi", "serve", "--new-token", "press"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    token, line = ended.stdout.splitlines()
    (tmp_path / "tokens").write_text(line)
    assert Tokens(None, tmp_path / "tokens").name_of(token) == "press"
    assert token not in ended.stderr


PROXIED = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize(
    ("trusted", "peer", "told", "client", "scheme"),
    [
        ("", "127.0.0.1", "203.0.113.9", "127.0.0.1", "http"),
        ("127.0.0.1", "10.0.0.1", "203.0.113.9", "10.0.0.1", "http"),
        ("127.0.0.1", "127.0.0.1", "203.0.113.9", "203.0.113.9", "https"),
        ("127.0.0.1", "127.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9", "https"),
        ("127.0.0.1, 10.0.0.0/8", "10.9.9.9", "6.6.6.6, 203.0.113.9, 10.1.1.1", "203.0.113.9", "https"),
        ("127.0.0.1", "::ffff:127.0.0.1", "[2001:db8::1]:443", "2001:db8::1", "https"),
        ("127.0.0.1", "127.0.0.1", "203.0.113.9:5555", "203.0.113.9", "https"),
        ("127.0.0.1", "127.0.0.1", "nonsense", "127.0.0.1", "https"),
        ("127.0.0.1", "127.0.0.1", "", "127.0.0.1", "https"),
    ],
)
def test_only_a_trusted_proxy_says_who_asks(
    trusted: str, peer: str, told: str, client: str, scheme: str
) -> None:
    headers = [(b"x-forwarded-for", told.encode()), (b"x-forwarded-proto", b"https")]
    scope = {"type": "http", "client": (peer, 1), "scheme": "http", "headers": headers}
    seen = unwrapped(scope, networks(trusted))
    assert (seen["client"][0], seen["scheme"]) == (client, scheme)


def test_behind_a_trusted_proxy_everybody_guesses_for_himself(start: Start) -> None:
    site = start(token=TOKEN, trusted_proxy="127.0.0.1")
    away = {"Host": "lab.example"}
    guess = {**away, "X-Forwarded-For": "203.0.113.9"}
    statuses = [
        site.client.post("/login", data={"token": "wrong"}, headers=guess).status_code for _ in range(40)
    ]
    assert statuses[-1] == 429
    other = {**away, "X-Forwarded-For": "203.0.113.9, 198.51.100.1"}
    assert site.client.post("/login", data={"token": "wrong"}, headers=other).status_code == 401


@pytest.mark.parametrize(
    ("options", "headers", "secure"),
    [
        ({}, {}, False),
        ({}, {"Origin": "https://127.0.0.1:8765"}, True),
        ({"trusted_proxy": "127.0.0.1"}, {"X-Forwarded-Proto": "https"}, True),
        ({}, {"X-Forwarded-Proto": "https"}, False),
    ],
)
def test_a_cookie_that_came_by_tls_is_sent_by_tls_only(
    start: Start, options: dict[str, Any], headers: dict[str, str], secure: bool
) -> None:
    site = start(token=TOKEN, **options)
    assert ("Secure" in signed_in(site, TOKEN, **headers).headers["set-cookie"]) is secure


def test_behind_a_proxy_cases_are_gone_and_a_token_is_needed(start: Start) -> None:
    assert not Options(trusted_proxy="127.0.0.1").private
    site = start(token=TOKEN, trusted_proxy="127.0.0.1")
    assert site.client.get("/cases", headers={**bearer(TOKEN), **PAGE}).status_code == 404


@pytest.mark.parametrize("wrong", ["localhost", "10.0.0.1/8", "1.2.3", "::1/200"])
def test_proxies_that_are_no_addresses(wrong: str) -> None:
    with pytest.raises(UsageError, match="HAECHI_TRUSTED_PROXY"):
        Options(trusted_proxy=wrong)
