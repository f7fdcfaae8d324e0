"""``haechi serve`` as somebody types it: what it prints, what it refuses, what it logs."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from live import Process

from haechi.client import Client
from haechi.errors import UsageError
from haechi.server_options import Options, default_data_dir
from haechi.settings import Settings
from haechi.web import serve


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "haechi", "serve", "--no-browser", *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = run("--port", str(taken.getsockname()[1]), HAECHI_DATA_DIR=str(tmp_path))
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "--port" in ended.stderr


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(serve, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"haechi\[web\]"):
        serve.serve(Options(data_dir=tmp_path), Settings(), print)


def test_a_data_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    ended = run("--port", "0", HAECHI_DATA_DIR=str(tmp_path / "file" / "data"))
    assert ended.returncode == 2
    assert "HAECHI_DATA_DIR" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_open_to_others_it_makes_a_token_and_logs_no_names(tmp_path: Path) -> None:
    with Process(tmp_path / "data", "--host", "0.0.0.0") as server:
        assert server.process.stderr is not None
        server.lines += [server.process.stderr.readline(), server.process.stderr.readline()]
        token = re.search(r"Token.*: (\S{32})$", "".join(server.lines), re.MULTILINE)
        assert token
        with Client(server.address, token[1]) as client:
            assert client.models()
            with pytest.raises(Exception, match="said by the server"):
                client.check(b"no picture")
        with Client(server.address, "x" * 32) as client, pytest.raises(Exception, match="token"):
            client.models()
        assert server.end(signal.SIGTERM) == 0
    assert all(line.startswith("Haechi") or "Token" in line or "Others" in line for line in server.lines)


def test_options_come_from_the_environment(tmp_path: Path) -> None:
    options = Options.from_env({"HAECHI_PORT": "9", "HAECHI_KEEP_S": "5.5", "HAECHI_DATA_DIR": str(tmp_path)})
    assert (options.port, options.keep_s, options.data_dir) == (9, 5.5, tmp_path)
    assert Options.from_env({}).data_dir == default_data_dir({})


@pytest.mark.parametrize(
    "wrong",
    [
        {"HAECHI_PORT": "many"},
        {"HAECHI_PORT": "-1"},
        {"HAECHI_PORT": "70000"},
        {"HAECHI_KEEP_S": "0"},
        {"HAECHI_KEEP_S": "inf"},
        {"HAECHI_KEEP_S": "nan"},
        {"HAECHI_TOKEN": "short"},
        {"HAECHI_TOKEN": "not plain: \u00e9 \u00e9 \u00e9 \u00e9"},
        {"HAECHI_QUEUE": "0"},
    ],
)
def test_options_that_make_no_sense(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        Options.from_env(wrong)


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_what_counts_as_this_machine_alone(host: str, alone: bool) -> None:
    assert Options(host=host).loopback is alone


def test_the_server_loads_no_networks_of_the_lab_and_nothing_heavy_early() -> None:
    code = (
        "import sys, haechi.cli, haechi.web, haechi.client; print(*({'fastapi', 'torch'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == []
    code = "import sys, haechi.web.app; print('torch' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["False"]


def test_the_address_that_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    told: Any = serve._address
    assert told(Options(), 8765) == "http://127.0.0.1:8765"
    assert told(Options(host="0.0.0.0"), 1) == "http://127.0.0.1:1"
    assert told(Options(host="::1"), 1) == "http://[::1]:1"
    assert told(Options(host="::"), 1) == "http://[::1]:1"


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "once and within 15 minutes"), ("zh", "15 分钟内"), ("ko", "15분 안에")]
)
def test_how_a_phone_gets_in_is_told_in_each_language(lang: str, words: str) -> None:
    lines: list[str] = []
    serve._tell_phone("https://192.168.1.5:8765/login?code=x", "AB:CD", Options(), lang, lines.append)
    assert words in lines[0]
    assert {"https://192.168.1.5:8765/login?code=x", "AB:CD"} <= set(lines)
    assert not any(line.startswith("serve_") or "?" in line.replace("?code=", "") for line in lines)
