"""The jobs in SQLite: each state, each way between them, and what a restart makes of them."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from haechi.errors import UsageError
from haechi.server_options import Options
from haechi.web.jobs.database import ATTEMPTS, DatabaseError, JobDatabase
from haechi.web.jobs.sqlite import SQLiteDatabase
from haechi.web.jobs.store import JobStore


@pytest.fixture
def database(tmp_path: Path) -> Iterator[JobDatabase]:
    made = SQLiteDatabase(tmp_path / "jobs.db")
    yield made
    made.close()


def reopened(database: JobDatabase, tmp_path: Path) -> JobDatabase:
    """As after the end of the process, however it ended."""
    database.close()
    again = SQLiteDatabase(tmp_path / "jobs.db")
    again.recover("crashed", "Three times.", 1e12)
    return again


def add(database: JobDatabase, *ids: str) -> None:
    for id_ in ids:
        database.add(id_, f"{id_}.jpg", created_s=1.0)


def test_jobs_are_claimed_in_order_once(database: JobDatabase) -> None:
    add(database, "a", "b")
    assert [database.ahead(row.seq, slow=row.slow) for row in map(database.get, "ab") if row] == [0, 1]
    first = database.claim()
    assert first is not None
    assert (first.id, first.status, first.attempts) == ("a", "running", 1)
    second = database.claim()
    assert second is not None
    assert second.id == "b"
    assert database.claim() is None
    assert database.counts() == {"running": 2}


def test_a_report_is_stored_with_its_status_or_not_at_all(database: JobDatabase) -> None:
    add(database, "a")
    assert not database.finish("a", b"early", 9.0)  # it does not run yet
    assert database.report("a") is None
    database.claim()
    assert database.finish("a", b"report", 9.0)
    assert not database.finish("a", b"twice", 9.0)
    assert database.report("a") == b"report"
    row = database.get("a")
    assert row is not None
    assert (row.status, row.expires_s) == ("done", 9.0)


def test_what_was_dropped_while_it_ran_is_not_stored(database: JobDatabase) -> None:
    add(database, "a")
    database.claim()
    assert database.drop("a")
    assert not database.finish("a", b"report", 9.0)
    database.fail("a", "code", "message", 9.0)
    assert database.get("a") is None
    assert database.report("a") is None
    assert not database.drop("a")


def test_only_what_has_expired_is_purged(database: JobDatabase) -> None:
    add(database, "old", "new", "waiting")
    for id_, expires_s in (("old", 10.0), ("new", 20.0)):
        database.claim()
        database.finish(id_, id_.encode(), expires_s)
    assert database.purge(15.0) == 1
    assert database.report("old") is None
    assert database.report("new") == b"new"
    assert database.get("waiting") is not None


def test_nothing_of_a_deleted_job_stays_in_the_files(database: JobDatabase, tmp_path: Path) -> None:
    database.add("a", "a-private-name.jpg", created_s=1.0)
    database.claim()
    database.finish("a", b"private report " * 1000, 9.0)
    database.drop("a")
    held = b"".join(file.read_bytes() for file in tmp_path.glob("jobs.db*"))
    assert b"a-private-name" not in held
    assert b"private report" not in held


def test_the_file_shrinks_again(database: JobDatabase, tmp_path: Path) -> None:
    for i in range(8):
        add(database, f"{i}")
        database.claim()
        database.finish(f"{i}", bytes(500_000), 9.0)
    database.purge(10.0)
    assert sum(file.stat().st_size for file in tmp_path.glob("jobs.db*")) < 200_000


def test_after_a_crash_a_job_waits_again_and_after_the_third_has_failed(
    database: JobDatabase, tmp_path: Path
) -> None:
    add(database, "poison", "good")
    for attempt in range(1, ATTEMPTS + 1):
        row = database.claim()
        assert row is not None
        assert (row.id, row.attempts) == ("poison", attempt)
        database = reopened(database, tmp_path)
    failed, following = database.get("poison"), database.claim()
    assert failed is not None
    assert (failed.status, failed.error_code) == ("failed", "crashed")
    assert (following.id, following.attempts) == ("good", 1)
    database.close()


def test_an_interruption_on_purpose_does_not_count(database: JobDatabase, tmp_path: Path) -> None:
    add(database, "a")
    for _ in range(2 * ATTEMPTS):
        row = database.claim()
        assert row is not None
        assert row.attempts == 1
        database.release("a")
        database = reopened(database, tmp_path)
    database.close()


def test_what_was_done_or_waited_is_as_before(database: JobDatabase, tmp_path: Path) -> None:
    add(database, "done", "waiting")
    database.claim()
    database.finish("done", b"report", 1e12)
    database = reopened(database, tmp_path)
    assert database.report("done") == b"report"
    assert database.counts() == {"done": 1, "waiting": 1}
    assert database.open_ids() == {"waiting"}
    database.close()


def test_a_second_process_is_kept_out(database: JobDatabase, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from haechi.web.jobs.sqlite import SQLiteDatabase\n"
        "SQLiteDatabase(Path(sys.argv[1]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "jobs.db")], capture_output=True, text=True, check=False
    )
    assert run.returncode != 0
    assert "another `haechi serve` uses it" in run.stderr


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").write_bytes(b"not a database, but long enough to be read as one" * 100)
    with pytest.raises(UsageError, match="HAECHI_DATA_DIR"):
        SQLiteDatabase(tmp_path / "jobs.db")


def test_a_full_disk_is_told_apart_from_other_faults(
    database: SQLiteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __init__(self, text: str) -> None:
            self.text = text

        def execute(self, *_: object) -> None:
            raise sqlite3.OperationalError(self.text)

    for text, full in (("database or disk is full", True), ("disk I/O error", False)):
        monkeypatch.setattr(database, "_db", Broken(text))
        for call in (lambda: add(database, "a"), lambda: database.get("a")):
            with pytest.raises(DatabaseError) as told:
                call()
            assert told.value.full is full
    monkeypatch.undo()
    add(database, "a")


def test_jobs_are_known_by_their_owner(database: JobDatabase) -> None:
    for id_, owner in (("a", ""), ("b", "desk"), ("c", "desk/0123"), ("d", "/4567"), ("e", "d*")):
        database.add(id_, "x.jpg", created_s=1.0, owner=owner)
    assert database.owned_ids("desk") == ["b"]
    assert database.owned_ids("d*") == ["e"]
    assert sorted(database.session_ids()) == ["c", "d"]


def test_a_clock_that_was_ahead_keeps_nothing_for_years(database: JobDatabase) -> None:
    add(database, "ahead", "right")
    for id_, expires_s in (("ahead", 1e10), ("right", 1500.0)):
        database.claim()
        database.finish(id_, b"report", expires_s)
    assert database.purge(1000.0, 3600.0) == 0
    assert [row.expires_s for row in map(database.get, ("ahead", "right")) if row] == [4600.0, 1500.0]
    assert database.purge(4600.0, 3600.0) == 2


@pytest.mark.parametrize("how", ["no database", "a torn page", "another program's"])
def test_a_damaged_list_of_jobs_is_set_aside_and_said(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    jobs = JobStore(Options(data_dir=data))
    for k in range(50):
        with jobs.place() as file:
            file.write_bytes(b"an original")
            jobs.submit(file, f"{k}.png" * 30)
    jobs.close()
    database = data / "haechi.db"
    if how == "no database":
        database.write_bytes(b"not a database, but long enough to be read as one" * 100)
    elif how == "a torn page":
        whole = bytearray(database.read_bytes())
        whole[4096 : len(whole) - 4096] = os.urandom(len(whole) - 8192)
        database.write_bytes(whole)
    else:
        database.unlink()
        with closing(sqlite3.connect(database)) as db:
            db.execute("CREATE TABLE jobs (other TEXT)")
    before = [database.read_bytes()]
    jobs = JobStore(Options(data_dir=data, keep_s=3600))
    assert jobs.counts()["waiting"] == 0
    assert not list((data / "uploads").iterdir())
    aside = list(data.glob("haechi.db.damaged-*"))
    assert how != "no database" or [file.read_bytes() for file in aside] == before
    assert aside[0].name in caplog.text
    jobs.sweep()
    assert aside[0].exists()
    later = time.time() + 3700
    monkeypatch.setattr("haechi.web.jobs.store.time.time", lambda: later)
    jobs.sweep()  # there are pictures in it
    assert not list(data.glob("haechi.db.damaged-*"))
    jobs.close()


def test_a_list_that_an_earlier_version_wrote_is_taken_over(tmp_path: Path) -> None:
    file = tmp_path / "jobs.db"
    with sqlite3.connect(file) as old:
        old.execute(
            "CREATE TABLE jobs (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, "
            "name TEXT NOT NULL, thorough INTEGER NOT NULL, status TEXT NOT NULL, "
            "attempts INTEGER NOT NULL DEFAULT 0, created_s REAL NOT NULL, expires_s REAL, "
            "error_code TEXT, error_message TEXT)"
        )
        old.execute("CREATE INDEX jobs_by_status ON jobs (status, seq)")
        old.execute(
            "INSERT INTO jobs (id, name, thorough, status, created_s) VALUES ('a', 'a.jpg', 1, 'waiting', 2)"
        )
    old.close()
    for _ in range(2):
        database = SQLiteDatabase(file)
        row = database.get("a")
        assert row is not None
        assert (row.name, row.status, row.created_s, row.owner) == ("a.jpg", "waiting", 2.0, "")
        database.close()
    database = SQLiteDatabase(file)
    add(database, "b")
    assert [database.ahead(row.seq, slow=row.slow) for row in map(database.get, "ab") if row] == [0, 1]
    database.close()
