"""Results are deleted in time, also when the server did not run then or the clock was wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from haechi.server_options import Options
from haechi.web.desk import Desk


def test_what_expired_while_the_server_was_down_is_gone_at_its_start_and_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 1e9
    monkeypatch.setattr("haechi.web.desk.time.time", lambda: clock)

    def opened() -> Desk:
        return Desk(Options(data_dir=tmp_path / "data", keep_s=3600))

    def stored(desk: Desk) -> None:
        with desk.part() as file:
            file.write_bytes(b"x")
            desk.submit(file, "a.png")
        task = desk.next(0)
        assert task is not None
        desk.finish(task.id, b"a report with a preview")

    def left() -> bool:
        return any(b"with a preview" in file.read_bytes() for file in (tmp_path / "data").glob("haechi.db*"))

    desk = opened()
    stored(desk)
    desk.close()
    clock += 3601
    desk = opened()  # no worker runs yet, and none is needed
    assert not left()
    stored(desk)
    clock += 3601
    desk.tidy()
    desk.close()
    assert not left()
    desk = opened()
    clock += 3e7  # a year ahead
    stored(desk)
    desk.close()
    clock -= 3e7
    desk = opened()
    assert left()
    clock += 3601
    desk.tidy()
    desk.close()
    assert not left()
