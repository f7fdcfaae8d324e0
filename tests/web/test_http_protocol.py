"""Bytes on a socket: connections that creep, heads that never end, bodies that stop."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from pathlib import Path

import pytest
from live import in_thread, raw
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from callers import FakeWatcher, jpeg, message
from haechi.web import http_protocol

FORM = b"POST /v1/checks HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"


def crept(line: socket.socket, data: bytes) -> float:
    """Seconds until the server hangs up on somebody who sends a byte at a time."""
    begin = time.monotonic()
    try:
        for byte in data:
            line.send(bytes([byte]))
            time.sleep(0.02)
    except OSError:
        return time.monotonic() - begin
    return float("inf")


def test_a_head_that_creeps_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_S", 0.3)
    with in_thread(tmp_path / "data") as port:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            assert crept(line, b"GET /healthz HTTP/1.1\r\nX-Slow: " + b"y" * 1000) < 4
        with socket.create_connection(("127.0.0.1", port), timeout=5) as silent:
            assert silent.recv(100) == b""
        first = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answer = raw(port, first + b"GET /healthz HT", wait_s=1)  # the second head begins and never ends
        assert answer.startswith(b"HTTP/1.1 200")


def test_there_are_only_so_many_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "MOST_CONNECTIONS", 3)
    ask = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with in_thread(tmp_path / "data") as port:
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        time.sleep(0.1)
        assert raw(port, ask) == b""
        for line in held:
            line.close()
        time.sleep(0.1)
        assert raw(port, ask).startswith(b"HTTP/1.1 200")


def test_a_body_that_stands_still_is_cut_off(tmp_path: Path) -> None:
    with in_thread(tmp_path / "data", idle_s=0.3) as port:
        begin = time.monotonic()
        answer = raw(port, FORM + b"Content-Length: 1000\r\n\r\n--b\r\n")
        assert time.monotonic() - begin < 4
        assert answer.startswith(b"HTTP/1.1 408")
        assert b'"code": "too_slow"' in answer


def test_a_body_that_creeps_is_cut_off(tmp_path: Path) -> None:
    with (
        in_thread(tmp_path / "data", idle_s=0.3) as port,
        socket.create_connection(("127.0.0.1", port), timeout=5) as line,
    ):
        line.sendall(FORM + b"Content-Length: 100000\r\n\r\n--b\r\n")
        assert crept(line, b"x" * 1000) < 6


def sending(port: int, count: int, length: int = 5000) -> list[socket.socket]:
    """Uploads that have begun and do not go on."""
    lines = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(count)]
    for line in lines:
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        line.sendall(FORM + f"Content-Length: {length}\r\n\r\n".encode() + head)
    time.sleep(0.3)
    return lines


def whole(port: int) -> bytes:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--b--\r\n'
    head = FORM + f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return raw(port, head + body)


def test_a_body_that_takes_too_long_is_cut_off_however_fast_it_comes(tmp_path: Path) -> None:
    with in_thread(tmp_path / "data", upload_s=0.5) as port:
        line = sending(port, 1, 50_000_000)[0]
        begin = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - begin < 2:
                line.sendall(b"x" * 20_000)
                time.sleep(0.01)
        assert line.recv(100).startswith(b"HTTP/1.1 408")
        line.close()


def test_slow_senders_hold_no_places_in_the_queue(tmp_path: Path) -> None:
    with in_thread(tmp_path / "data", queue=2) as port:
        lines = sending(port, 4)
        assert whole(port).startswith(b"HTTP/1.1 202")
        for line in lines:
            line.close()


def test_one_address_sends_only_so_much_at_a_time(tmp_path: Path) -> None:
    with in_thread(tmp_path / "data", uploads_per_address=3) as port:
        lines = sending(port, 3)
        refused = whole(port)
        assert refused.startswith(b"HTTP/1.1 429")
        assert b"HAECHI_UPLOADS_PER_ADDRESS" in refused
        lines.pop().close()
        time.sleep(0.3)
        assert whole(port).startswith(b"HTTP/1.1 202")
        for line in lines:
            line.close()


def test_a_client_that_leaves_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    with in_thread(tmp_path / "data") as port:
        with socket.create_connection(("127.0.0.1", port)) as line:
            head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
            line.sendall(FORM + b"Content-Length: 5000000\r\n\r\n" + head + b"x" * 2_000_000)
        end = time.monotonic() + 5
        while list((tmp_path / "data" / "uploads").iterdir()):
            assert time.monotonic() < end
        assert raw(port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"POST /v1/checks HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        FORM + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
        b"GET /" + b"%ff" * 100 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /static/../options.py HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /static/%2e%2e/options.py HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /v1/checks/..%2f..%2fhaechi.db HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"CONNECT evil.example:80 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    ],
)
def test_bytes_that_are_no_request_of_ours(tmp_path: Path, data: bytes) -> None:
    with in_thread(tmp_path / "data") as port:
        answer = raw(port, data)
        assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer[:200]
        assert b"Options" not in answer
        assert raw(port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").startswith(
            b"HTTP/1.1 200"
        )


def test_a_call_may_last_longer_than_a_head_may_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_S", 0.3)
    with in_thread(tmp_path / "data", watch=FakeWatcher) as port:
        with connect(f"ws://127.0.0.1:{port}/v1/live") as line:
            assert json.loads(line.recv(5))["kind"] == "ready"
            for time_s in (0.1, 0.5):
                line.send(message(time_s, jpeg()))
                assert json.loads(line.recv(5))["time_s"] == time_s
                time.sleep(0.5)
            line.send(message(1.0, jpeg()))
            assert json.loads(line.recv(5))["level"] == "watching"
        with pytest.raises(InvalidStatus, match="403"):
            connect(f"ws://127.0.0.1:{port}/v1/live", origin="http://evil.example")
