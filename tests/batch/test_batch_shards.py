"""The folder of a run: what is finished is whole, one writes at a time, later rows replace failed ones."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from haechi.batch import shards
from haechi.batch.items import Item
from haechi.batch.rows import failed_row, row_of
from haechi.batch.shards import rows_of, writing
from haechi.errors import DamagedFile, NotAFile, UnknownFormat, UsageError


def good(name: str, level: str = "none") -> Any:
    return row_of(Item(name), {"source": {"name": name}, "verdict": {"level": level}})


def bad(name: str) -> Any:
    return failed_row(Item(name), UnknownFormat("no picture"))


def lines(out: Path) -> list[dict[str, Any]]:
    files = sorted(out.glob("rows-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]


def test_a_shard_ends_when_it_is_full_or_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "ROWS_A_SHARD", 2)
    with writing(tmp_path / "run") as folder:
        for number in range(5):
            folder.add(good(f"/{number}"))
        assert len(lines(tmp_path / "run")) == 4
        monkeypatch.setattr(shards, "SECONDS_A_SHARD", 0.0)
        folder.beat()
        assert len(lines(tmp_path / "run")) == 5


def test_a_shard_that_was_never_finished_counts_for_nothing(tmp_path: Path) -> None:
    with writing(tmp_path / "run") as folder:
        folder.add(good("/a"))
    (rest,) = (tmp_path / "run").glob(".new-*")  # as a kill leaves it: close was never called
    assert rest.stat().st_mode & 0o777 == 0o600
    with writing(tmp_path / "run") as folder:
        assert not rest.exists()
        assert folder.wants(Item("/a").id, retry_errors=False)
        folder.close()


def test_what_a_kill_left_of_a_retry_is_put_right(tmp_path: Path) -> None:
    """Killed after the new row was safe, and before the old one was taken out."""
    out = tmp_path / "run"
    with writing(out) as folder:
        for row in (bad("/a"), good("/b")):
            folder.add(row)
        folder.close()
    shard = out / "rows-00000002.jsonl"
    shard.write_text(json.dumps(good("/a", "strong")) + "\n")
    assert [row["path"] for row in rows_of(out)] == ["/a", "/b"], "readers see the later one alone"
    assert next(iter(rows_of(out)))["verdict"]["level"] == "strong"
    with writing(out) as folder:
        assert folder.contents.failed == {}
        assert dict(folder.contents.levels) == {"none": 1, "strong": 1}
    assert sorted(row["path"] for row in lines(out)) == ["/a", "/b"]


def test_a_shard_of_which_every_row_was_replaced_goes(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with writing(out) as folder:
        folder.add(bad("/a"))
        folder.close()
    with writing(out) as folder:
        assert not folder.wants(Item("/a").id, retry_errors=False)
        assert folder.wants(Item("/a").id, retry_errors=True)
        assert not folder.wants(Item("/a").id, retry_errors=True), "once a run"
        folder.add(good("/a"))
        assert len(lines(out)) == 1, "the old row stays until the new one is safe"
        folder.close()
    assert [file.name for file in out.glob("rows-*")] == ["rows-00000002.jsonl"]


def test_two_runs_cannot_write_into_one_folder(tmp_path: Path) -> None:
    first, second = writing(tmp_path / "run"), writing(tmp_path / "run")
    with first, pytest.raises(UsageError, match="another `haechi batch`"), second:
        pytest.fail("two hold it")
    with writing(tmp_path / "run"):
        pass


@pytest.mark.parametrize("line", ["{", "[]", '{"id": "xy", "path": "/a"}', '{"id": "00", "path": "/a"}', "7"])
def test_a_shard_that_was_changed_is_told_by_its_line(tmp_path: Path, line: str) -> None:
    out = tmp_path / "run"
    with writing(out) as folder:
        folder.add(good("/a"))
        folder.close()
    with (out / "rows-00000001.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DamagedFile, match=r"rows-00000001\.jsonl of the run is damaged at line 2"):
        list(rows_of(out))
    with pytest.raises(DamagedFile), writing(out):
        pytest.fail("rows would be lost")


def test_a_full_disk_ends_the_run_and_keeps_what_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    monkeypatch.setattr(shards, "ROWS_A_SHARD", 1)
    with writing(out) as folder:
        folder.add(good("/a"))

        def full(_handle: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(shards.os, "fsync", full)
        with pytest.raises(UsageError, match=r"No space left.*what is done stays done"):
            folder.add(good("/b"))
        monkeypatch.undo()
    assert [row["path"] for row in lines(out)] == ["/a"]


def test_a_folder_that_is_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotAFile, match="no run"):
        list(rows_of(tmp_path / "missing"))
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be made"), writing(tmp_path / "file"):
        pytest.fail("a file is no folder")
