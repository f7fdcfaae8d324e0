"""The attacks of ``haechi bench web hostile`` and the corpus of `haechi check` against a server, in small."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from live import in_thread

from fakes import picture
from haechi.web import http_protocol
from haechi_lab.system.server import load
from haechi_lab.system.server.attacks import MARK, Attack, attacks
from haechi_lab.system.server.hostile_uploads import Canary, _pages, _send_all, _status, send
from haechi_lab.system.server.result import rendered, row, write
from hostile import write_corpus


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_S", 0.5)


def test_attacks_end_in_4xx_and_leave_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    photo = picture(tmp_path / "a.png", "strong").read_bytes()
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    extra = [item.path for item in write_corpus(corpus) if item.path.is_file()]
    before = set(tmp_path.rglob("*"))
    canary = Canary()
    with in_thread(tmp_path / "data", idle_s=0.5, queue=1000, rate_per_min=1_000_000) as port:
        sent = list(attacks(photo, canary.address, 150, extra=extra))
        answers = _send_all(port, sent)
        pages = _pages(port, [a for a in answers if a.startswith(b"HTTP/1.1 200")])
        assert send(
            port, Attack("", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        )
        assert not list((tmp_path / "data" / "uploads").iterdir())
    told = Counter(map(_status, answers))
    assert not [status for status in told if status.startswith("5")], told
    assert {"200", "400", "413", "415", "421", "422"} <= set(told)
    assert pages
    assert all(page.startswith(b"HTTP/1.1 200") for page in pages)
    for page in pages:
        assert b"<script>alert(" not in page
        assert b"<img src=x onerror" not in page
        assert b"93599359" not in page
    assert {p for p in tmp_path.rglob("*") if tmp_path / "data" not in p.parents} - before == {
        tmp_path / "data"
    }
    assert canary.visits == 0
    assert MARK not in caplog.text
    canary.close()


def test_without_the_token_every_attack_is_turned_away(tmp_path: Path) -> None:
    photo = picture(tmp_path / "a.png", "strong").read_bytes()
    with in_thread(tmp_path / "data", token="a-token-of-some-length", idle_s=0.5) as port:
        answers = _send_all(port, list(attacks(photo, "http://127.0.0.1:9", 50, seed=1)))
        assert not {"200", "202"} & set(map(_status, answers))
        assert not list((tmp_path / "data" / "uploads").iterdir())


def test_clients_under_load_all_get_their_reports(tmp_path: Path) -> None:
    class Here:
        """What the bench needs of its own server."""

        def resident_mb(self) -> float:
            return 100.0

    files = [picture(tmp_path / f"{says}.png", says) for says in ("strong", "none")]
    with in_thread(tmp_path / "data", rate_per_min=1_000_000) as port:
        server = Here()
        server.port = port  # type: ignore[attr-defined]
        seen, memory, took_s = load._drive(server, files, 1.5, 8)  # type: ignore[arg-type]
    assert set(seen.statuses) == {200}
    assert seen.lost == 0
    assert len(seen.seconds) == seen.statuses[200] > 8
    assert took_s >= 1.5
    assert load._growth(memory) == 0.0


def test_growth_is_that_of_the_second_half() -> None:
    rising = [100.0] * 50 + [100.0 + k for k in range(50)]
    assert load._growth(rising) == pytest.approx(100 * (144.5 / 104.5 - 1))
    assert load._growth([50.0] * 50 + [100.0] * 50) == 0.0


def test_each_command_renews_its_own_part(tmp_path: Path) -> None:
    out = tmp_path / "web.json"
    write(out, "load", [row("a", 1.0, "s", 2.0)], seconds=1)
    write(out, "kill", [row("b", 3.0, "", 0)])
    write(out, "load", [row("a", 80.0, "%", 80, least=True)], seconds=2)
    parts = json.loads(out.read_text())["parts"]
    assert list(parts) == ["kill", "load"]
    assert parts["load"]["seconds"] == 2
    assert parts["load"]["rows"][0]["ok"] is True
    assert parts["kill"]["rows"][0]["ok"] is False
    assert "MISSED" in rendered(parts["kill"]["rows"])
