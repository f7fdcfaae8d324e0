"""Results are deleted in time, also when the server did not run then or the clock was wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from haechi.server_options import Options
from haechi.web.jobs.store import JobStore


def test_what_expired_while_the_server_was_down_is_gone_at_its_start_and_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 1e9
    monkeypatch.setattr("haechi.web.jobs.store.time.time", lambda: clock)

    def opened() -> JobStore:
        return JobStore(Options(data_dir=tmp_path / "data", keep_s=3600))

    def stored(jobs: JobStore) -> None:
        with jobs.part() as file:
            file.write_bytes(b"x")
            jobs.submit(file, "a.png")
        task = jobs.queue.next(0)
        assert task is not None
        jobs.queue.finish(task.id, b"a report with a preview")

    def left() -> bool:
        return any(b"with a preview" in file.read_bytes() for file in (tmp_path / "data").glob("haechi.db*"))

    jobs = opened()
    stored(jobs)
    jobs.close()
    clock += 3601
    jobs = opened()  # no worker runs yet, and none is needed
    assert not left()
    stored(jobs)
    clock += 3601
    jobs.tidy()
    jobs.close()
    assert not left()
    jobs = opened()
    clock += 3e7  # a year ahead
    stored(jobs)
    jobs.close()
    clock -= 3e7
    jobs = opened()
    assert left()
    clock += 3601
    jobs.tidy()
    jobs.close()
    assert not left()
