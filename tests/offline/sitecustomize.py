"""No network in tests: connections other than to this machine raise, here and in every Python child process
(conftest.py puts this folder on PYTHONPATH, and Python imports a module of this name at its start)."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any


class NetworkBlockedError(RuntimeError):
    """Something tried to leave this machine. No OSError, so that nobody catches it as a flaky network."""


def _is_local(address: object) -> bool:
    """True for paths of local sockets, loopback addresses and the name localhost."""
    if isinstance(address, str | bytes):
        return True
    host = address[0] if isinstance(address, tuple) and address else None
    if host in ("localhost", b"localhost", None, ""):
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _guarded(original: Callable[..., Any], where: int) -> Callable[..., Any]:
    """The function, refusing when its argument number ``where`` (-1: the last) is no local address."""

    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not _is_local(args[where]):
            raise NetworkBlockedError(f"tests may not reach {args[where]!r}")
        return original(*args, **kwargs)

    return guarded


def block() -> None:
    """Block once; a second call changes nothing."""
    if getattr(socket, "haechi_blocked", False):
        return
    for method in ("connect", "connect_ex", "sendto"):
        setattr(socket.socket, method, _guarded(getattr(socket.socket, method), -1))
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not _is_local((host,)):
            raise NetworkBlockedError(f"tests may not look up {host!r}")
        return resolve(host, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo
    socket.haechi_blocked = True  # type: ignore[attr-defined]


block()
