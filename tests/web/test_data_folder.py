"""The data folder: nobody else's file is deleted, followed through a link, or given another mode."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sites import Start

from haechi.errors import UsageError
from haechi.server_options import Options
from haechi.web.jobs.store import JobStore

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs modes and links")


def started(folder: Path) -> None:
    """As after a start and a stop."""
    jobs = JobStore(Options(data_dir=folder))
    jobs.tidy()
    jobs.close()


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file and folder below: its mode and bytes."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in (folder, *folder.rglob("*"))
    }


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder of the user's, with an ``uploads`` of its own."""
    folder = tmp_path / "theirs"
    (folder / "uploads").mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "uploads" / "holiday.jpg").write_bytes(b"the only copy")
    (folder / "uploads" / ("a" * 24)).write_bytes(b"named as an old upload of ours")
    (folder / "notes.txt").write_text("mine")
    return folder


def test_a_folder_with_files_of_somebody_else_is_refused_and_untouched(theirs: Path) -> None:
    before = tree(theirs)
    with pytest.raises(UsageError, match="HAECHI_DATA_DIR") as refused:
        started(theirs)
    assert "\n" not in refused.value.message
    assert tree(theirs) == before


@POSIX
def test_so_it_is_through_a_link(theirs: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(theirs)
    before = tree(theirs)
    with pytest.raises(UsageError):
        started(tmp_path / "link")
    assert tree(theirs) == before


@POSIX
def test_uploads_that_are_a_link_lead_nowhere(theirs: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    started(data)
    (data / "uploads").rmdir()
    (data / "uploads").symlink_to(theirs / "uploads")
    before = tree(theirs)
    with pytest.raises(UsageError, match="link"):
        started(data)
    assert tree(theirs) == before


def test_only_our_own_names_are_deleted(tmp_path: Path, theirs: Path) -> None:
    data = tmp_path / "data"
    started(data)
    uploads = data / "uploads"
    hexadecimal, id_ = secrets.token_hex(16), secrets.token_urlsafe(18)
    ours = [uploads / f"{hexadecimal}.part", uploads / f"{id_}.original", uploads / f".{hexadecimal}"]
    kept = [uploads / "holiday.jpg", uploads / ("a" * 24), data / "notes.txt", uploads / f"{hexadecimal}.jpg"]
    for file in (*ours, *kept):
        file.write_bytes(b"x")
    for folder, inside in (
        (uploads / f"{hexadecimal}.search", "found"),
        (uploads / ".match-abcd1234", "found"),
        (data / f".bundle-{secrets.token_hex(8)}", "bundle.zip"),
    ):
        folder.mkdir()
        (folder / inside).write_bytes(b"a picture in clear")
        ours.append(folder)
    (uploads / "album").mkdir()
    mixed = uploads / f"{secrets.token_hex(16)}.search"
    mixed.mkdir()
    kept += [uploads / "album", mixed / "theirs.png"]
    (mixed / "theirs.png").write_bytes(b"x")
    started(data)
    assert not [file for file in ours if file.exists()]
    assert all(file.exists() for file in kept)


@POSIX
def test_links_with_our_names_are_not_followed(tmp_path: Path, theirs: Path) -> None:
    data = tmp_path / "data"
    started(data)
    name = secrets.token_hex(16)
    (data / "uploads" / f"{name}.part").symlink_to(theirs / "notes.txt")
    (data / "uploads" / f"{name}.search").symlink_to(theirs / "uploads")
    (theirs / "uploads" / "found").write_bytes(b"theirs")
    before = tree(theirs)
    started(data)
    assert tree(theirs) == before


@POSIX
def test_only_folders_that_we_made_are_closed_to_others(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    empty.chmod(0o755)
    (empty / "lost+found").mkdir()  # what a new volume looks like
    started(empty)
    started(empty)
    assert empty.stat().st_mode & 0o777 == 0o755
    assert (empty / "uploads").stat().st_mode & 0o777 == 0o700
    started(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new" / "haechi.folder").stat().st_mode & 0o777 == 0o600


def test_a_folder_of_a_version_before_the_mark_is_taken_up(tmp_path: Path) -> None:
    data = tmp_path / "data"
    jobs = JobStore(Options(data_dir=data))
    with jobs.part() as file:
        file.write_bytes(b"waits")
        id_ = jobs.submit(file, "photo.png")
    jobs.close()
    uploads, left = data / "uploads", secrets.token_urlsafe(18)
    (uploads / f"{id_}.original").rename(uploads / id_)
    (uploads / left).write_bytes(b"checked, then killed")
    (data / "haechi.folder").unlink()
    jobs = JobStore(Options(data_dir=data))
    task = jobs.queue.next(0)
    assert task is not None
    assert task.original.read_bytes() == b"waits"
    jobs.close()
    assert not (uploads / left).exists()
    assert (data / "haechi.folder").is_file()


def test_a_folder_with_a_killed_search_starts_again(start: Start, tmp_path: Path) -> None:
    """Its leftover made every later start fail."""
    started(tmp_path / "data")
    left = tmp_path / "data" / "uploads" / ".match-x1_y2z3w"
    left.mkdir()
    (left / "found").write_bytes(b"a picture in clear")
    assert start().client.get("/healthz").status_code == 200
    assert not left.exists()


def test_the_mark_survives_and_the_database_is_ours(tmp_path: Path) -> None:
    started(tmp_path / "data")
    with closing(sqlite3.connect(tmp_path / "data" / "haechi.db")) as db:
        assert db.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
    assert (tmp_path / "data" / "haechi.folder").read_text().startswith("This folder belongs to Haechi")
