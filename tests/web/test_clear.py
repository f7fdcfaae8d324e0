"""No picture stays in clear where it need not: not while a bundle is sent, not after a search was killed."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest
from live import in_thread, raw

pytest.importorskip("cryptography")

PASSPHRASE = "a horn that tells the truth"
SECRET = b"the bytes of a picture " * 10


def call(
    port: int, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[bytes, dict[str, str]]:
    """The answer and the cookies that came with it."""
    told = {"Host": "127.0.0.1", "Connection": "close", "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in told.items())
    answer = raw(port, f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body, 20)
    return answer, dict(re.findall(r"(?im)^set-cookie: (\w+)=([^;\s]+)", answer.decode("latin-1")))


def form(content: bytes) -> bytes:
    head = b'--bound\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    return head + content + b"\r\n--bound--\r\n"


def in_clear(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file() and SECRET in p.read_bytes()]


def test_a_bundle_of_an_encrypted_case_lies_nowhere_in_clear_while_it_is_sent(tmp_path: Path) -> None:
    with in_thread(tmp_path / "data") as port:
        told = f"title=t&passphrase={PASSPHRASE}&again={PASSPHRASE}".replace(" ", "+").encode()
        kind = "application/x-www-form-urlencoded"
        answer, cookies = call(port, "POST", "/cases", told, Content_Type=kind)
        case = re.search(rb"location: (/cases/\w+)", answer)
        assert case
        cookie = "; ".join(f"{k}={v}" for k, v in cookies.items())
        content = SECRET + os.urandom(24_000_000)
        kind = "multipart/form-data; boundary=bound"
        answer, _ = call(
            port, "POST", f"{case[1].decode()}/add", form(content), Content_Type=kind, Cookie=cookie
        )
        assert b" 303 " in answer.partition(b"\r\n")[0]
        assert not in_clear(tmp_path)
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            asked = (
                f"GET {case[1].decode()}/bundle.zip HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n"
            )
            line.sendall(asked.encode())
            assert b" 200 " in line.recv(4096)
            assert not in_clear(tmp_path)
        assert not list((tmp_path / "data" / "uploads").iterdir())
