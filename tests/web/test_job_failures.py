"""The thread that judges, when what it relies on gives way."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sites import FAKE, Site, Slow, Start, problem

from haechi.report import archive
from haechi.settings import Settings
from haechi.types import Report
from haechi.web.jobs.database import DatabaseError
from haechi.web.jobs.queue import JobQueue


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("haechi.web.jobs.worker._REPAIR_S", 0.05)


def test_a_store_that_is_full_for_a_while_loses_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    finish, times = JobQueue.finish, []

    def full_at_first(self: JobQueue, id_: str, report: bytes) -> None:
        times.append(id_)
        if len(times) < 3:
            raise DatabaseError("database or disk is full", full=True)
        finish(self, id_, report)

    monkeypatch.setattr(JobQueue, "finish", full_at_first)
    assert site.send(site.picture("strong"), headers={"Prefer": "wait=20"}).status_code == 200
    assert len(times) == 3
    assert site.send(site.picture("none"), headers={"Prefer": "wait=20"}).status_code == 200


def test_a_fault_while_loading_is_no_end(start: Start) -> None:
    broken = threading.Event()
    broken.set()

    def make(settings: Settings) -> Any:
        if broken.is_set():
            raise ZeroDivisionError("a secret path")
        return FAKE(settings)

    site = start(make)
    while site.client.get("/readyz").json().get("code") != "model":
        time.sleep(0.01)
    assert "secret" not in site.client.get("/readyz").text
    broken.clear()
    while site.client.get("/readyz").status_code != 200:
        time.sleep(0.01)


def test_a_report_that_cannot_be_filed_is_a_fault_and_not_a_verdict(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(report: Report) -> bytes:
        raise ValueError("secret")

    monkeypatch.setattr(archive, "dump", fails)
    problem(site.send(site.picture("strong"), headers={"Prefer": "wait=20"}), 500, "internal")
    monkeypatch.undo()
    assert site.send(site.picture("none"), headers={"Prefer": "wait=20"}).status_code == 200


def test_stopping_breaks_off_and_the_job_waits_for_the_next_start(
    start: Start, slow: type[Slow], tmp_path: Path
) -> None:
    site = start(slow)
    address = site.send(site.picture("some")).headers["location"]
    assert slow.begun.wait(10)
    site.client.__exit__(None, None, None)
    assert list((site.folder / "uploads").iterdir())
    slow.go.set()
    again = start(slow)
    assert again.ended(address).json()["verdict"]["level"] == "some"
