"""The client against a real server: the same reports, errors and exit codes as without one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from live import in_thread
from sites import Slow

from fakes import picture
from haechi import cli, client
from haechi.client import Client
from haechi.errors import DamagedFile, NotAFile, OverLimit, ServerError, UnknownFormat, UsageError


@pytest.fixture
def port(tmp_path: Path) -> Any:
    with in_thread(tmp_path / "data") as port:
        yield port


def test_a_report_comes_back_as_from_here(port: int, tmp_path: Path) -> None:
    stages: list[tuple[str, float]] = []
    with Client(f"http://127.0.0.1:{port}/") as visitor:
        report = visitor.check(
            picture(tmp_path / "a.png", "strong"), lambda stage, part: stages.append((stage, part))
        )
        assert report.verdict.level == "strong"
        assert report.media.name == "a.png"
        assert report.previews
        assert stages[0][0] == "upload"
        parts = [part for _, part in stages]
        assert parts == sorted(parts)
        assert visitor.check((tmp_path / "a.png").read_bytes()).media.name == "<bytes>"
    assert not list((tmp_path / "data" / "uploads").iterdir())


def test_a_result_is_deleted_once_it_is_fetched(port: int, tmp_path: Path) -> None:
    visitor = Client(f"http://127.0.0.1:{port}")
    visitor.check(picture(tmp_path / "private.png", "none"))
    held = b"".join(file.read_bytes() for file in (tmp_path / "data").glob("haechi.db*"))
    assert b"private.png" not in held
    visitor.close()


def test_step_by_step(port: int, tmp_path: Path) -> None:
    with Client(f"http://127.0.0.1:{port}") as visitor:
        id_ = visitor.send(picture(tmp_path / "a.png", "some"))
        while visitor.state(id_).status != "done":
            pass
        assert visitor.report_json(id_, "zh")["lang"] == "zh"
        assert visitor.drop(id_)
        assert not visitor.drop(id_)
        assert visitor.models()
        assert visitor.ready()
        with pytest.raises(ServerError, match="no such check"):
            visitor.state(id_)


def test_errors_are_those_of_a_local_check(port: int, tmp_path: Path) -> None:
    with Client(f"http://127.0.0.1:{port}") as visitor:
        with pytest.raises(UnknownFormat, match="said by the server"):
            visitor.check(b"only words, no picture")
        with pytest.raises(DamagedFile):
            visitor.check(b"")
        with pytest.raises(NotAFile):
            visitor.check(tmp_path)
        with pytest.raises(NotAFile):
            visitor.check(tmp_path / "none.png")


def test_too_large_is_told_although_it_is_refused_at_once(tmp_path: Path) -> None:
    with (
        in_thread(tmp_path / "data", max_upload_bytes=1000) as port,
        Client(f"http://127.0.0.1:{port}") as visitor,
        pytest.raises(OverLimit, match="1,000 bytes"),
    ):
        visitor.check(b"x" * 30_000_000)


def test_a_full_queue_is_waited_for(
    tmp_path: Path, slow: type[Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_seconds", lambda _text: 0.05)
    with in_thread(tmp_path / "data", slow, queue=1) as port, Client(f"http://127.0.0.1:{port}") as visitor:
        file = picture(tmp_path / "a.png", "none")
        visitor.send(file)
        assert slow.begun.wait(10)
        visitor.send(file)

        def tell(stage: str, part: float) -> None:
            if stage == "busy":
                slow.go.set()

        assert visitor.check(file, tell).verdict.level == "none"
        assert slow.go.is_set()


def test_the_token(tmp_path: Path) -> None:
    token = "a-token-of-some-length"
    with in_thread(tmp_path / "data", token=token) as port:
        file = picture(tmp_path / "a.png", "none")
        with Client(f"http://127.0.0.1:{port}", token) as visitor:
            assert visitor.check(file).verdict.level == "none"
        wrong = Client(f"http://127.0.0.1:{port}", "another-token-entirely")
        with wrong, pytest.raises(ServerError, match="token"):
            wrong.check(file)


def test_nobody_answers() -> None:
    with Client("http://127.0.0.1:9") as visitor, pytest.raises(ServerError, match="haechi serve"):
        visitor.check(b"x")


@pytest.mark.parametrize("url", ["127.0.0.1:8765", "ftp://x", "http://", "http://x:99999", "http://x/?y"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(UsageError):
        Client(url)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["haechi", "check", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_check_with_a_server(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    strong, words = picture(tmp_path / "s.png", "strong"), tmp_path / "words.jpg"
    words.write_text("only words")
    address = f"http://127.0.0.1:{port}"
    told = ("--server", address, "--format", "jsonl", "--lang", "ko", "--fail-on", "strong", "--")
    assert run(monkeypatch, *told, str(strong), str(words)) == 10
    out, err = capfd.readouterr()
    first, second = (json.loads(line) for line in out.splitlines())
    assert first["verdict"]["level"] == "strong"
    assert first["lang"] == "ko"
    assert first["source"]["name"] == "s.png"
    assert second["error"]["code"] == "unknown_format"
    assert "words.jpg" in err
    monkeypatch.setenv("HAECHI_SERVER", address)
    assert run(monkeypatch, str(words)) == 3
    assert run(monkeypatch, "--format", "html", str(strong)) == 0
    assert "data:image/jpeg" in capfd.readouterr().out
    assert run(monkeypatch, str(strong)) == 0
    assert "s.png" in capfd.readouterr().out


def test_check_with_a_server_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    strong = picture(tmp_path / "s.png", "strong")
    assert run(monkeypatch, "--server", "http://127.0.0.1:9", str(strong)) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "does not answer" in err
