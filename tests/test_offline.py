"""The tests themselves cannot reach the network; without this, "never connects" would be an empty claim."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80), ("example.org", 443)])
def test_connecting_elsewhere_raises(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as s, pytest.raises(RuntimeError, match="may not reach"):
        s.connect(address)
    with pytest.raises(RuntimeError, match="may not"):
        socket.create_connection(address, timeout=1)


def test_datagrams_and_names_are_blocked_too() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as s, pytest.raises(RuntimeError, match="may not reach"):
        s.sendto(b"x", ("192.0.2.1", 53))
    with pytest.raises(RuntimeError, match="may not look up"):
        socket.getaddrinfo("example.org", 443)


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_greet, args=[server])
        thread.start()
        socket.create_connection(server.getsockname(), timeout=5).close()
        thread.join()


def _greet(server: socket.socket) -> None:
    server.accept()[0].close()


def test_child_processes_are_blocked_too() -> None:
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "NetworkBlockedError" in run.stderr
