"""Bodies as no browser sends them: each ends in a 4xx, and nothing is written outside the data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sites import Site, Start, problem

from haechi.web.jobs.database import DatabaseError
from haechi.web.uploads import display_name

HEAD = {"Content-Type": "multipart/form-data; boundary=bound"}


def body(*parts: tuple[str, bytes], end: bytes = b"--bound--\r\n") -> bytes:
    """A form of (headers, content)."""
    return b"".join(b"--bound\r\n" + h.encode() + b"\r\n\r\n" + c + b"\r\n" for h, c in parts) + end


def file(name: str = "a.png", field: str = "file") -> str:
    return f'Content-Disposition: form-data; name="{field}"; filename="{name}"'


def post(site: Site, content: bytes, headers: dict[str, str] = HEAD) -> Any:
    return site.client.post("/v1/checks", content=content, headers=headers)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "bad_multipart"),
        (b"no form at all", 400, "bad_multipart"),
        (body((file(), b"x"), end=b""), 400, "bad_multipart"),
        (body(), 422, "no_file"),
        (body(('Content-Disposition: form-data; name="other"', b"x")), 422, "no_file"),
        (body(('Content-Disposition: form-data; name="file"', b"text")), 422, "no_file"),
        (body((file(), b"x"), (file("b.png"), b"y")), 422, "invalid"),
        (body(*[('Content-Disposition: form-data; name="x"', b"x")] * 5000), 400, "bad_multipart"),
        (body(('Content-Disposition: form-data; name="x"', b"x" * 100_000)), 400, "bad_multipart"),
        (body((file("a" * 100_000), b"x")), 400, "bad_multipart"),
        (body((file() + "\r\nX-Header: y" * 500, b"x")), 400, "bad_multipart"),
        (body(("Content-Disposition: form-data", b"x")), 422, "no_file"),
        (body(("X: y", b"x")), 422, "no_file"),
    ],
)
def test_forms_that_are_none(site: Site, content: bytes, status: int, code: str) -> None:
    problem(post(site, content), status, code)
    assert not list((site.folder / "uploads").iterdir())


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("", 415, "not_multipart"),
        ("image/png", 415, "not_multipart"),
        ("application/json", 415, "not_multipart"),
        ("application/x-www-form-urlencoded", 415, "not_multipart"),
        ("multipart/mixed; boundary=bound", 415, "not_multipart"),
        ("multipart/form-data", 400, "bad_multipart"),
        ("multipart/form-data; boundary=", 400, "bad_multipart"),
        ("multipart/form-data; boundary=" + "b" * 71, 400, "bad_multipart"),
    ],
)
def test_types_that_are_no_forms(site: Site, kind: str, status: int, code: str) -> None:
    problem(post(site, body((file(), b"x")), {"Content-Type": kind}), status, code)


def test_the_limit_holds_while_the_body_is_read(start: Start) -> None:
    site = start(max_upload_bytes=1000)
    read = 0

    def chunks() -> Any:
        nonlocal read
        yield b"--bound\r\n" + file().encode() + b"\r\n\r\n"
        for _ in range(1000):
            read += 1
            yield b"x" * 100

    problem(site.client.post("/v1/checks", content=chunks(), headers=HEAD), 413, "too_large")
    assert not list((site.folder / "uploads").iterdir())
    exactly = post(site, body((file(), b"x" * 1000)))
    assert exactly.status_code == 202


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("C:\\Users\\me\\photo.jpg", "photo.jpg"),
        ("/absolute/name.png", "name.png"),
        ("..", ".."),
        ("", "file"),
        ("///", "file"),
        ("a\x00b\nc\u202egpj.exe", "a\ufffdb\ufffdc\ufffdgpj.exe"),
        ("사진.png", "사진.png"),
        ("<script>alert(1)</script>", "script>"),
        ("{{7*7}}${7*7}", "{{7*7}}${7*7}"),
    ],
)
def test_names_are_for_people_and_never_paths(name: str, shown: str) -> None:
    assert display_name(name) == shown


@given(st.text(max_size=400))
def test_any_name_is_shown_on_one_short_line(name: str) -> None:
    shown = display_name(name)
    assert 0 < len(shown) <= 150
    assert shown.isprintable()
    assert "/" not in shown
    assert "\\" not in shown


def test_hostile_names_write_nothing_elsewhere(site: Site, tmp_path: Path) -> None:
    before = {p for p in tmp_path.rglob("*") if site.folder not in p.parents}
    png = site.picture("none")
    names = ("../../escaped", "/tmp/escaped", "..%2f..%2fescaped", "uploads/../escaped", "haechi.db")
    for name in (*names, "a" * 3000):
        sent = post(site, body((file(name), png)))
        assert sent.status_code == 202
        assert site.ended(sent.headers["location"]).status_code == 200
    after = {p for p in tmp_path.rglob("*") if site.folder not in p.parents and p.name != "none.png"}
    assert after == before
    assert min(p.name for p in site.folder.iterdir()) == "haechi.db"
    assert not list(site.folder.rglob("*escaped*"))


def test_a_name_reaches_no_page_as_markup(site: Site) -> None:
    name = "<img src=x onerror=alert(1)>.png"
    sent = site.send(site.picture("none"), name, headers={"Prefer": "wait=20"})
    assert sent.json()["source"]["name"] == name
    page = site.client.get(sent.headers["location"] + "/report.html").text
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_a_full_disk_is_said(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno
    import os

    monkeypatch.setattr(type(site.jobs), "free_bytes", lambda self: 1000)
    problem(site.send(site.picture("none")), 507, "disk_full")
    monkeypatch.undo()
    real = os.write

    def write(handle: int, data: Any) -> int:
        if len(data) > 64:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, data)

    monkeypatch.setattr("haechi.web.uploads.os.write", write)
    problem(site.send(site.picture("none")), 507, "disk_full")
    monkeypatch.undo()

    def add(*_: Any, **__: Any) -> None:
        raise DatabaseError("database or disk is full", full=True)

    monkeypatch.setattr("haechi.web.jobs.sqlite.SQLiteDatabase.add", add)
    problem(site.send(site.picture("none")), 507, "disk_full")
    monkeypatch.undo()
    assert not list((site.folder / "uploads").iterdir())
    assert site.send(site.picture("none"), headers={"Prefer": "wait=20"}).status_code == 200


@pytest.mark.skipif("os.name != 'posix'")
def test_only_this_user_can_read_the_data(site: Site) -> None:
    site.send(site.picture("none"), headers={"Prefer": "wait=20"})
    for path in (site.folder, *site.folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path
