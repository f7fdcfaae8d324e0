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
from haechi.web.desk import Desk
from haechi.web.store import ATTEMPTS, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "jobs.db")
    yield made
    made.close()


def reopened(store: Store, tmp_path: Path) -> Store:
    """As after the end of the process, however it ended."""
    store.close()
    again = Store(tmp_path / "jobs.db")
    again.recover("crashed", "Three times.", 1e12)
    return again


def add(store: Store, *ids: str) -> None:
    for id_ in ids:
        store.add(id_, f"{id_}.jpg", created_s=1.0)


def test_jobs_are_claimed_in_order_once(store: Store) -> None:
    add(store, "a", "b")
    assert [store.ahead(row.seq, slow=row.slow) for row in map(store.look, "ab") if row] == [0, 1]
    first = store.claim()
    assert first is not None
    assert (first.id, first.status, first.attempts) == ("a", "running", 1)
    second = store.claim()
    assert second is not None
    assert second.id == "b"
    assert store.claim() is None
    assert store.counts() == {"running": 2}


def test_a_report_is_stored_with_its_status_or_not_at_all(store: Store) -> None:
    add(store, "a")
    assert not store.finish("a", b"early", 9.0)  # it does not run yet
    assert store.report("a") is None
    store.claim()
    assert store.finish("a", b"report", 9.0)
    assert not store.finish("a", b"twice", 9.0)
    assert store.report("a") == b"report"
    row = store.look("a")
    assert row is not None
    assert (row.status, row.expires_s) == ("done", 9.0)


def test_what_was_dropped_while_it_ran_is_not_stored(store: Store) -> None:
    add(store, "a")
    store.claim()
    assert store.drop("a")
    assert not store.finish("a", b"report", 9.0)
    store.fail("a", "code", "message", 9.0)
    assert store.look("a") is None
    assert store.report("a") is None
    assert not store.drop("a")


def test_only_what_has_expired_is_purged(store: Store) -> None:
    add(store, "old", "new", "waiting")
    for id_, expires_s in (("old", 10.0), ("new", 20.0)):
        store.claim()
        store.finish(id_, id_.encode(), expires_s)
    assert store.purge(15.0) == 1
    assert store.report("old") is None
    assert store.report("new") == b"new"
    assert store.look("waiting") is not None


def test_nothing_of_a_deleted_job_stays_in_the_files(store: Store, tmp_path: Path) -> None:
    store.add("a", "a-private-name.jpg", created_s=1.0)
    store.claim()
    store.finish("a", b"private report " * 1000, 9.0)
    store.drop("a")
    held = b"".join(file.read_bytes() for file in tmp_path.glob("jobs.db*"))
    assert b"a-private-name" not in held
    assert b"private report" not in held


def test_the_file_shrinks_again(store: Store, tmp_path: Path) -> None:
    for i in range(8):
        add(store, f"{i}")
        store.claim()
        store.finish(f"{i}", bytes(500_000), 9.0)
    store.purge(10.0)
    assert sum(file.stat().st_size for file in tmp_path.glob("jobs.db*")) < 200_000


def test_after_a_crash_a_job_waits_again_and_after_the_third_has_failed(store: Store, tmp_path: Path) -> None:
    add(store, "poison", "good")
    for attempt in range(1, ATTEMPTS + 1):
        row = store.claim()
        assert row is not None
        assert (row.id, row.attempts) == ("poison", attempt)
        store = reopened(store, tmp_path)
    failed, following = store.look("poison"), store.claim()
    assert failed is not None
    assert (failed.status, failed.error_code) == ("failed", "crashed")
    assert (following.id, following.attempts) == ("good", 1)
    store.close()


def test_an_interruption_on_purpose_does_not_count(store: Store, tmp_path: Path) -> None:
    add(store, "a")
    for _ in range(2 * ATTEMPTS):
        row = store.claim()
        assert row is not None
        assert row.attempts == 1
        store.release("a")
        store = reopened(store, tmp_path)
    store.close()


def test_what_was_done_or_waited_is_as_before(store: Store, tmp_path: Path) -> None:
    add(store, "done", "waiting")
    store.claim()
    store.finish("done", b"report", 1e12)
    store = reopened(store, tmp_path)
    assert store.report("done") == b"report"
    assert store.counts() == {"done": 1, "waiting": 1}
    assert store.open_ids() == {"waiting"}
    store.close()


def test_a_second_process_is_kept_out(store: Store, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from haechi.web.store import Store; Store(Path(sys.argv[1]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "jobs.db")], capture_output=True, text=True, check=False
    )
    assert run.returncode != 0
    assert "another `haechi serve` uses it" in run.stderr


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").write_bytes(b"not a database, but long enough to be read as one" * 100)
    with pytest.raises(UsageError, match="HAECHI_DATA_DIR"):
        Store(tmp_path / "jobs.db")


def test_a_clock_that_was_ahead_keeps_nothing_for_years(store: Store) -> None:
    add(store, "ahead", "right")
    for id_, expires_s in (("ahead", 1e10), ("right", 1500.0)):
        store.claim()
        store.finish(id_, b"report", expires_s)
    assert store.purge(1000.0, 3600.0) == 0
    assert [row.expires_s for row in map(store.look, ("ahead", "right")) if row] == [4600.0, 1500.0]
    assert store.purge(4600.0, 3600.0) == 2


@pytest.mark.parametrize("how", ["no database", "a torn page", "another program's"])
def test_a_damaged_list_of_jobs_is_set_aside_and_said(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    desk = Desk(Options(data_dir=data))
    for k in range(50):
        with desk.place() as file:
            file.write_bytes(b"an original")
            desk.submit(file, f"{k}.png" * 30)
    desk.close()
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
    desk = Desk(Options(data_dir=data, keep_s=3600))
    assert desk.counts()["waiting"] == 0
    assert not list((data / "uploads").iterdir())
    aside = list(data.glob("haechi.db.damaged-*"))
    assert how != "no database" or [file.read_bytes() for file in aside] == before
    assert aside[0].name in caplog.text
    desk.sweep()
    assert aside[0].exists()
    later = time.time() + 3700
    monkeypatch.setattr("haechi.web.desk.time.time", lambda: later)
    desk.sweep()  # there are pictures in it
    assert not list(data.glob("haechi.db.damaged-*"))
    desk.close()


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
        store = Store(file)
        row = store.look("a")
        assert row is not None
        assert (row.name, row.status, row.created_s, row.owner) == ("a.jpg", "waiting", 2.0, "")
        store.close()
    store = Store(file)
    add(store, "b")
    assert [store.ahead(row.seq, slow=row.slow) for row in map(store.look, "ab") if row] == [0, 1]
    store.close()
