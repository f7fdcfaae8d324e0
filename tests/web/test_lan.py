"""A phone in the same network: one code, one device, by TLS; everybody else gets nothing."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import time

import pytest

pytest.importorskip("cryptography")

from cryptography import x509
from fastapi.testclient import TestClient
from sites import problem
from test_pages import HTML, Page

from haechi.errors import UsageError
from haechi.server_options import Options
from haechi.web import lan, serve
from haechi.web.one_time import LASTS_S, OneTimeCode


def code_of(site):
    return site.client.app.state.tokens.once.text


def another(site):
    """A second device."""
    return TestClient(site.client.app, base_url=str(site.client.base_url), client=("192.168.1.9", 1))


def sign_in(client, code):
    return client.post("/login", data={"token": code}, headers=HTML, follow_redirects=False)


def test_the_code_lets_one_device_in_to_checks_and_cases(start):
    site = start(lan=True)
    phone, stranger = site.client, another(site)
    seen = phone.get(f"/login?code={code_of(site)}", headers=HTML)
    assert seen.status_code == 200
    assert [a["value"] for a in Page(seen.text).all("input") if a.get("name") == "token"] == [code_of(site)]
    assert sign_in(phone, code_of(site)).headers["location"] == "/"
    assert "\u201cthis computer\u201d means" in phone.get("/", headers=HTML).text
    assert phone.get("/cases", headers=HTML).status_code == 200
    used, wrong = sign_in(stranger, code_of(site)), sign_in(stranger, "x" * 32)
    assert used.status_code == wrong.status_code == 401
    assert used.text == wrong.text, "a used code is not told from one that never was any"
    assert "haechi" not in {**used.cookies, **wrong.cookies}
    for path in (
        "/",
        "/cases",
        "/models",
        "/about",
        "/docs",
        "/healthz",
        "/readyz",
        "/metrics",
        "/v1/models",
    ):
        for headers in (HTML, {}):
            answer = stranger.get(path, headers=headers)
            assert answer.status_code == 401, path
            assert "0.1.0" not in answer.text
    phone.post("/leave")
    assert sign_in(phone, code_of(site)).status_code == 401


def test_the_code_is_no_token_for_programs(start):
    site = start(lan=True)
    bearer = {"Authorization": f"Bearer {code_of(site)}"}
    problem(site.client.get("/v1/models", headers=bearer), 401, "token_needed")
    assert sign_in(site.client, code_of(site)).status_code == 303, "nor is it used up"


def test_a_page_that_names_itself_like_this_computer_is_turned_away(start):
    site = start(lan=True, host="192.168.1.5", headers={"Host": "evil.example:8765"})
    problem(site.client.get("/v1/models"), 421, "wrong_host")
    answer = site.client.get("/login", headers={**HTML, "Host": "192.168.1.5:8765"})
    assert answer.status_code == 401


def test_codes_are_not_guessed_for_long(start):
    site = start(lan=True)
    answers = {site.client.get(f"/login?code={i}", headers=HTML).status_code for i in range(40)}
    assert answers == {401, 429}


def test_a_code_ends():
    now = [0.0]
    code = OneTimeCode(lambda: now[0])
    now[0] = LASTS_S
    assert not code.opens(code.text)
    assert not code.use(code.text)
    fresh = OneTimeCode(lambda: now[0])
    assert not fresh.use("\u00e9")
    assert [fresh.use(fresh.text), fresh.use(fresh.text)] == [True, False]


def test_a_code_that_is_too_old_opens_nothing(start, monkeypatch):
    site = start(lan=True)
    late = time.monotonic() + LASTS_S
    monkeypatch.setattr(site.client.app.state.tokens.once, "_clock", lambda: late)
    shown = site.client.get(f"/login?code={code_of(site)}", headers=HTML)
    assert shown.status_code == sign_in(site.client, code_of(site)).status_code == 401
    assert code_of(site) not in shown.text.partition("<main")[2].partition("</main")[0]


@pytest.mark.parametrize(
    "more",
    [
        {"token": "a-token-of-many-letters"},
        {"trusted_proxy": "10.0.0.0/8"},
        {"host": "0.0.0.0"},
        {"host": "::"},
        {"host": "8.8.8.8"},
        {"host": "my-computer"},
    ],
)
def test_there_is_no_second_way_in_and_none_from_the_internet(more):
    with pytest.raises(UsageError, match="--lan"):
        Options(lan=True, **more)


def test_the_variable_says_yes_or_no():
    assert Options.from_env({"HAECHI_LAN": "1"}).personal
    assert Options.from_env({"HAECHI_LAN": "no"}).private
    with pytest.raises(UsageError, match="HAECHI_LAN"):
        Options.from_env({"HAECHI_LAN": "perhaps"})


def test_the_address_is_one_of_the_own_network(monkeypatch):
    found = ["127.0.0.1", "8.8.8.8", "192.168.1.5", "10.0.0.7"]
    monkeypatch.setattr(lan, "_addresses", lambda: iter(found))
    assert lan.own_address() == "192.168.1.5"
    found[2:] = []
    with pytest.raises(UsageError, match="--host"):
        lan.own_address()


def test_the_certificate_is_kept_for_its_owner_and_made_anew_when_it_has_to_be(tmp_path):
    file, fingerprint = lan.certificate(tmp_path, "192.168.1.5")
    assert lan.certificate(tmp_path, "192.168.1.5") == (file, fingerprint)
    assert fingerprint.count(":") == 31
    made = x509.load_pem_x509_certificate(file.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["192.168.1.5"]
    assert os.name != "posix" or file.stat().st_mode & 0o777 == 0o600
    moved = lan.certificate(tmp_path, "192.168.1.6")[1]
    assert moved != fingerprint
    if os.name == "posix":
        file.chmod(0o644)  # somebody may have read the key
        opened = lan.certificate(tmp_path, "192.168.1.6")[1]
        assert opened != moved
        elsewhere = tmp_path / "elsewhere"
        elsewhere.write_text("mine")
        file.unlink()
        file.symlink_to(elsewhere)
        lan.certificate(tmp_path, "192.168.1.6")
        assert elsewhere.read_text() == "mine"
        assert not file.is_symlink()
    file.write_bytes(b"damaged")
    lan.certificate(tmp_path, "192.168.1.6")
    assert [f.name for f in tmp_path.glob("phone.pem*")] == ["phone.pem"]


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_what_it_says_holds(tmp_path):
    """The fingerprint in the terminal is that of the connection, which is never without TLS."""
    command = [sys.executable, "-m", "haechi", "serve", "--lan", "--host", "127.0.0.1", "--port", "0"]
    env = {**os.environ, "HAECHI_DATA_DIR": str(tmp_path / "data")}
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            lines = []
            while "gets nothing without the code" not in "".join(lines):
                lines.append(process.stderr.readline())
                assert lines[-1], lines
            port = int(lines[0].split(":")[2].split()[0])
            told = next(line.strip() for line in lines if line.count(":") == 31)
            pem = ssl.get_server_certificate(("127.0.0.1", port))
            assert lan._fingerprint(pem.encode()) == told
            with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
                line.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                assert b"HTTP" not in line.recv(100)
        finally:
            process.terminate()
    assert serve._address(Options(lan=True, host="fd00::2"), 1) == "https://[fd00::2]:1"
