"""How a run goes, as machines are told it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from haechi.batch import progress as module
from haechi.batch.progress import Form, Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands until it is moved."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def settled(progress: Progress) -> Progress:
    """Once all files were counted."""
    end = time.perf_counter() + 5
    while progress.facts()["files"] is None:
        assert time.perf_counter() < end
    return progress


def test_machines_get_a_line_a_minute_and_one_at_the_end(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    good: Any = {"verdict": {}}
    with Progress(Form.json, quiet=False) as progress:
        progress.expect(lambda: 200)
        settled(progress)
        progress.skip()
        for second in range(1, 120):
            clock[0] = 100.0 + second
            progress.add({"error": {}} if second == 3 else good)
            progress.beat()
    out, err = capsys.readouterr()
    assert out == ""
    minute, end = map(json.loads, err.splitlines())
    assert minute == {"files": 200, "done": 61, "errors": 1, "files_per_s": 1.0, "left_s": 139.0}
    assert (end["done"], end["left_s"]) == (120, pytest.approx(80, abs=3))


def test_what_is_not_known_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(Form.json, quiet=False) as progress:
        progress.expect(lambda: None)
    assert json.loads(capsys.readouterr().err) == {
        "files": None, "done": 0, "errors": 0, "files_per_s": None, "left_s": None,
    }  # fmt: skip


@pytest.mark.parametrize("form", list(Form))
def test_quiet_is_quiet_and_so_is_a_bar_without_a_terminal(
    clock: list[float], capsys: pytest.CaptureFixture[str], form: Form
) -> None:
    with Progress(form, quiet=form is Form.json) as progress:
        progress.expect(lambda: pytest.fail("nobody is told, so nothing is counted"))
        clock[0] += 1000
        progress.beat()
    assert capsys.readouterr() == ("", "")


def test_a_person_is_told_the_number_the_rate_and_the_time_left(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = Progress(Form.bar, quiet=False)
    told: list[tuple[str, float, int | None]] = []
    monkeypatch.setattr(progress._bar, "tell", lambda *what: told.append(what))
    progress.expect(lambda: 5000)
    settled(progress)
    progress.skip()
    for _ in range(20):
        clock[0] += 0.5
        progress.add({})  # type: ignore[arg-type]
        progress.beat()
    assert told[-1] == ("21 of 5,000 files, 2.0 a second", 20, 4999)
