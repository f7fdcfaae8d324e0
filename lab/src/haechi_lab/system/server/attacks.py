"""Requests that mean harm: bytes for a socket, made by code, each with what it is for."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MARK = "h4chi-bench-mark"
"""In every hostile name and field, so that it can be looked for where it must not appear."""


@dataclass(frozen=True, slots=True)
class Attack:
    """``data``: what is sent. ``slow``: in small pieces with pauses, and never to the end."""

    kind: str
    data: bytes
    slow: bool = False


def names(canary: str) -> tuple[str, ...]:
    """Names that want to be a path, a page, a template, an address or a command."""
    return (
        *(
            f"../../{MARK}.jpg",
            f"..\\..\\{MARK}.jpg",
            f"/tmp/{MARK}.jpg",
            f"C:\\{MARK}.jpg",
            f"uploads/../../{MARK}",
        ),
        *(
            f"..%2f..%2f{MARK}",
            f"{MARK}\x00.jpg",
            f"{MARK}/" * 40,
            "." * 300 + MARK,
            f"~/.ssh/{MARK}",
            f"-rf {MARK}",
        ),
        *(
            f"<script>alert('{MARK}')</script>",
            f"\"><img src=x onerror=alert('{MARK}')>",
            f"'-alert(1)-'{MARK}",
        ),
        *(
            f"{{{{13371337*7}}}}{MARK}",
            f"${{13371337*7}}{MARK}",
            f"{{% include '/etc/passwd' %}}{MARK}",
            f"#{{13371337*7}}{MARK}",
        ),
        *(
            f"{canary}/{MARK}.jpg",
            f"file:///etc/passwd#{MARK}",
            f"\\\\evil\\share\\{MARK}",
            f"|id;{MARK}`id`$(id)",
        ),
        *(
            f"{MARK}\r\nX-Injected: yes",
            f"{MARK}\u202egpj.exe",
            "\u0000\u0007\u001b[2J" + MARK,
            MARK + "é中한" * 30,
        ),
        *(
            f"'; DROP TABLE jobs; --{MARK}",
            f"{MARK}%s%s%s%n",
            "a" * 4000 + MARK,
            f"CON.{MARK}",
            f"haechi.db?{MARK}",
        ),
    )


def contents(photo: bytes, canary: str, seed: int) -> Iterator[tuple[str, bytes]]:
    """Files: broken pictures without end, then bombs and what is no picture at all."""
    rng = random.Random(seed)
    yield "sound", photo
    yield "empty", b""
    yield "page", f"<html><script>fetch('{canary}')</script>{MARK}</html>".encode()
    yield "svg", f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{canary}"/></svg>'.encode()
    yield "playlist", f"#EXTM3U\n#EXTINF:1,\n{canary}/a.ts\nfile:///etc/passwd\n".encode()
    yield "zip bomb", _zip_bomb()
    yield "png bomb", _png_bomb(60_000, 60_000)
    yield "wide png", _png_bomb(2**31 - 1, 1)
    yield "gif", b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\xf7\x00\x00" + bytes(768)
    yield "mp4 head", b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\xff" * 4000
    yield "matroska head", b"\x1a\x45\xdf\xa3" + b"\xff" * 4000
    yield "riff", b"RIFF\xff\xff\xff\xffAVI LIST" + b"\xff" * 4000
    yield "pickle", b"cos\nsystem\n(S'touch /tmp/" + MARK.encode() + b"'\ntR."
    while True:
        data = bytearray(photo[: rng.randrange(1, len(photo))] if rng.random() < 0.5 else photo)
        for _ in range(rng.randrange(1, 40)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        yield "broken picture", bytes(data)


def attacks(
    photo: bytes, canary: str, count: int, seed: int = 0, extra: Sequence[Path] = ()
) -> Iterator[Attack]:
    """``count`` attacks, the same ones for the same seed. ``extra``: files that are sent besides."""
    rng, files = random.Random(seed), contents(photo, canary, seed)
    queue = [(f"file {path.suffix}", path.read_bytes()) for path in extra]
    fixed = list(_requests(photo))
    for k in range(count):
        if k % 5 == 4:
            yield fixed[k // 5 % len(fixed)]
            continue
        kind, content = queue.pop(0) if queue else next(files)
        called = names(canary)
        fields = {"note": "", rng.choice(called): rng.choice(called)} if k % 3 == 0 else {}
        yield Attack(kind, upload(content, called[k % len(called)], fields, headers=_headers(rng, canary)))


def upload(content: bytes, name: str, fields: dict[str, str], headers: str = "") -> bytes:
    """A whole request with a form."""
    parts = [
        f'--bound\r\nContent-Disposition: form-data; name="{_quoted(key)}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--bound\r\nContent-Disposition: form-data; name="file"; filename="{_quoted(name)}"\r\n'
    parts += [
        head.encode("utf-8", "replace"),
        b"Content-Type: image/jpeg\r\n\r\n",
        content,
        b"\r\n--bound--\r\n",
    ]
    body = b"".join(parts)
    return _request("POST", "/v1/checks", f"{_FORM}Prefer: wait=30\r\n{headers}", body)


_FORM = "Content-Type: multipart/form-data; boundary=bound\r\n"


def _request(method: str, path: str, headers: str, body: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    headers = f"Host: 127.0.0.1\r\n{headers}Content-Length: {size}\r\nConnection: close\r\n"
    head = f"{method} {path} HTTP/1.1\r\n{headers}\r\n"
    return head.encode("utf-8", "replace") + body


def _requests(photo: bytes) -> Iterator[Attack]:
    """Attacks on the protocol itself."""
    form = b'--bound\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' + photo
    yield Attack("10 GB declared", _request("POST", "/v1/checks", _FORM, form, 10 * 1024**3))
    yield Attack("slow body", _request("POST", "/v1/checks", _FORM, form[:2000], len(form) + 100), slow=True)
    yield Attack(
        "slow head", b"POST /v1/checks HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"x" * 200, slow=True
    )
    for token in ("Bearer wrong", "Bearer ", "Basic YTpi", "Bearer " + "x" * 9000, f"Bearer {MARK}\u00e9"):
        yield Attack(
            "wrong token", _request("POST", "/v1/checks", f"{_FORM}Authorization: {token}\r\n", form)
        )
    for kind in (
        "image/jpeg",
        "application/json",
        "text/xml",
        "multipart/form-data",
        "multipart/form-data; boundary=",
    ):
        yield Attack("wrong type", _request("POST", "/v1/checks", f"Content-Type: {kind}\r\n", form))
    many = b'--bound\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n' * 20_000
    yield Attack("20,000 parts", _request("POST", "/v1/checks", _FORM, many))
    wide = b'--bound\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nX: ' + b"y" * 900_000
    yield Attack("giant part header", _request("POST", "/v1/checks", _FORM, wide))
    yield Attack("giant head", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"y" * 900_000 + b"\r\n\r\n")
    yield Attack("cut form", _request("POST", "/v1/checks", _FORM, form))
    for host in ("evil.example", "evil.example:8765"):
        yield Attack(
            "foreign host",
            _request("POST", "/v1/checks", _FORM, form).replace(b"127.0.0.1", host.encode(), 1),
        )
    for header in ("Origin: http://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n", "Origin: null\r\n"):
        yield Attack("foreign origin", _request("POST", "/v1/checks", _FORM + header, form))
    for path in (
        "/v1/checks/../../haechi.db",
        "/static/..%2f..%2foptions.py",
        f"/v1/checks/%00{MARK}",
        f"/%2e%2e/{MARK}",
    ):
        yield Attack("path", _request("GET", path, "", b""))
    for lang in ("<script>", "../../etc/passwd", "{{13371337*7}}", MARK * 100):
        yield Attack("query", _request("GET", f"/v1/checks/x?lang={lang.replace(' ', '')}", "", b""))
    yield Attack(
        "smuggled",
        _request("POST", "/v1/checks", f"{_FORM}Transfer-Encoding: chunked\r\n", b"0\r\n\r\nGET /"),
    )
    yield Attack("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200))


def _headers(rng: random.Random, canary: str) -> str:
    """Now and then headers that want to be believed."""
    lies = (
        f"X-Forwarded-For: {MARK}",
        f"X-Forwarded-Host: {canary}",
        f"Referer: {canary}",
        f"User-Agent: {{{{7*7}}}}{MARK}",
    )
    return f"{rng.choice(lies)}\r\nAccept-Language: ${{jndi:ldap://{MARK}}}\r\n" if rng.random() < 0.5 else ""


def _quoted(text: str) -> str:
    """As a browser writes a name into a form (HTML, multipart/form-data encoding algorithm)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"../{MARK}", bytes(50_000_000))
    return out.getvalue()


def _png_bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that claims this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(4_000_000)))
        + chunk(b"IEND", b"")
    )
