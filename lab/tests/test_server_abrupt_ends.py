"""The measurement that ends a server at random points, at a few of them, and that it sees what is wrong."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cryptography")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL and fork")

from haechi_lab.system.server import abrupt_ends as abrupt  # noqa: E402


@pytest.mark.slow
def test_a_server_that_is_ended_leaves_nothing_and_touches_nothing_of_others() -> None:
    rows, facts = abrupt.abrupt(points=3, lanes=1, seed=7)
    assert [row["what"] for row in rows if not row["ok"]] == []
    assert facts["seen"] == []
    assert sum(facts["under_way_at_the_end"].values()) >= 3


class Quiet:
    """A server that has started and says nothing."""

    log = ""

    def client(self) -> Any:
        return self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def metrics(self) -> str:
        return 'haechi_jobs{status="waiting"} 0\nhaechi_jobs{status="running"} 0\n'


def test_it_sees_what_is_left_in_clear_and_what_was_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abrupt, "ForkPool", lambda folder: None)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    photo = os.urandom(2000)
    lane = abrupt._Lane(tmp_path, [photo], random.Random(0), 1, 0.0)
    uploads = tmp_path / "data" / "uploads"
    (tmp_path / "data" / "cases" / "plain").mkdir(parents=True)
    uploads.mkdir()
    (uploads / "holiday.jpg").write_bytes(b"theirs")
    lane._foreign = lane._others()
    lane._cases = ["/cases/plain", "/cases/encrypted"]
    monkeypatch.setattr(abrupt.Case, "open", lambda *_: _Intact())
    (tmp_path / "data" / "cases" / "plain" / "original").write_bytes(photo)
    lane._look(Quiet())  # type: ignore[arg-type]
    assert lane.tally == abrupt._Tally()
    (uploads / f"{'a' * 32}.part").write_bytes(b"head" + photo)
    (uploads / f"{'b' * 24}.original").write_bytes(photo)
    (uploads / "holiday.jpg").unlink()
    quiet = Quiet()
    quiet.log = "haechi: internal error in the worker"
    lane._look(quiet)  # type: ignore[arg-type]
    assert lane.tally.in_clear == [f"data/uploads/{'a' * 32}.part"]
    assert lane.tally.touched == {"data/uploads/holiday.jpg"}
    assert lane.tally.leftovers == ["*.part"]
    assert lane.tally.bad_starts == ["internal error"]


class _Intact:
    intact, interrupted = True, False

    def verify(self) -> _Intact:
        return self
