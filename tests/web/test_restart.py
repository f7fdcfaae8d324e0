"""A real process, killed and started again: no job lost, none doubled, no poison that loops."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from live import Process

from fakes import picture
from haechi.client import Client
from haechi.errors import HaechiError, InputError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")

#: The server with stand-in networks that take their time; a file with the word POISON ends their process.
SERVER = """
import sys
from functools import partial
import haechi.web.jobs.scheduler as scheduler

scheduler.CheckProcess = partial(scheduler.CheckProcess, target="targets:slow")
sys.argv = ["haechi", "serve", *sys.argv[1:]]
from haechi.cli import main
main()
"""


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    tests = str(Path(__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")]))


def wait(client: Client, id_: str, wait_s: float = 30.0) -> str:
    """How the job ended: the level of its verdict, or the text of its error."""
    end = time.monotonic() + wait_s
    try:
        while client.state(id_).status != "done":
            assert time.monotonic() < end
            time.sleep(0.02)
    except HaechiError as error:
        return error.message
    return client.report(id_).verdict.level


def test_kill_9_in_the_middle_loses_and_doubles_nothing(tmp_path: Path, path: None) -> None:
    files = [picture(tmp_path / f"{says}.png", says) for says in ("strong", "some", "none")]
    data = tmp_path / "data"
    with Process(data, code=SERVER) as first, Client(first.address) as client:
        ids = [client.send(files[i % 3]) for i in range(30)]
        wait(client, ids[4])
        first.end(signal.SIGKILL)
    with Process(data, code=SERVER) as second, Client(second.address) as client:
        assert [wait(client, id_) for id_ in ids] == ["strong", "some", "none"] * 10
        assert second.end(signal.SIGINT) == 0
    with closing(sqlite3.connect(data / "haechi.db")) as db:
        assert db.execute("SELECT count(*) FROM jobs").fetchone() == (30,)
        assert db.execute("SELECT count(*) FROM reports").fetchone() == (30,)
        assert db.execute("SELECT max(attempts) FROM jobs").fetchone()[0] <= 2
    assert not list((data / "uploads").iterdir())


def test_a_poison_file_costs_its_own_job_and_the_server_lives(tmp_path: Path, path: None) -> None:
    good = picture(tmp_path / "good.png", "none")
    poison = tmp_path / "poison.png"
    poison.write_bytes(good.read_bytes() + b"POISON")
    with Process(tmp_path / "data", code=SERVER) as server, Client(server.address) as client:
        ids = [client.send(file) for file in (good, poison, good, poison, good)]
        ends = [wait(client, id_) for id_ in ids]
        assert ends[::2] == ["none"] * 3
        assert all("stopped the process" in end for end in ends[1::2])
        assert server.end(signal.SIGTERM) == 0
    assert not list((tmp_path / "data" / "scratch").iterdir())


def test_ctrl_c_ends_it_at_once_and_the_jobs_are_taken_up_again(tmp_path: Path, path: None) -> None:
    file = picture(tmp_path / "a.png", "none")
    with Process(tmp_path / "data", code=SERVER) as server, Client(server.address) as client:
        ids = [client.send(file) for _ in range(20)]
        begin = time.monotonic()
        assert server.end(signal.SIGINT) == 0
    assert time.monotonic() - begin < 10
    assert "Traceback" not in "".join(server.lines)
    assert "stopped" in server.lines[-1]
    with Process(tmp_path / "data", code=SERVER) as again, Client(again.address) as client:
        assert {wait(client, id_) for id_ in ids} == {"none"}


def test_the_real_networks_from_start_to_end(tmp_path: Path, astronaut: Path) -> None:
    with Process(tmp_path / "data") as server, Client(server.address) as client:
        report = client.check(astronaut)
        assert len(report.faces) == 1
        with pytest.raises(InputError):
            client.check(b"words")
        assert server.end(signal.SIGINT) == 0
    assert "astronaut" not in "".join(server.lines)


def test_what_the_end_cuts_off_is_told_so_and_is_no_fault(tmp_path: Path, path: None) -> None:
    with Process(tmp_path / "data", code=SERVER) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
            head = b"POST /v1/checks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
            line.sendall(head + b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n")
            time.sleep(1)
            assert server.end(signal.SIGTERM, 60) == 0
            answer = line.recv(4096)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b'"code": "stopping"' in answer
        assert "Traceback" not in "".join(server.lines)
        assert not list((tmp_path / "data" / "uploads").iterdir())
