"""Jobs in processes of their own, behind a real queue: nothing that one file does is felt by the others."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sites import Site, Slow, Start, problem

from haechi.isolated import CheckProcess
from haechi.server_options import Options
from haechi.settings import Settings
from haechi.web.jobs.data_folder import DataFolder
from haechi.web.jobs.queue import JobQueue
from haechi.web.jobs.store import JobStore
from haechi.web.jobs.worker import Worker
from targets import HANG, HEAD, LONG_VIDEO, SEGFAULT

needs_signals = pytest.mark.skipif(os.name != "posix", reason="needs signals")


class Processes:
    """Makes the processes of the workers and remembers them, the one for photographs first."""

    def __init__(self) -> None:
        self.made: list[CheckProcess] = []

    def __call__(self, settings: Settings, scratch: Path, slow: bool) -> CheckProcess:
        self.made.append(CheckProcess(settings, scratch=scratch, target="targets:unsteady"))
        return self.made[-1]


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Processes:
    tests = str(Path(__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr("haechi.web.jobs.worker._REPAIR_S", 0.05)
    return Processes()


@pytest.fixture
def real(start: Start, processes: Processes) -> Site:
    """A server whose jobs are done in child processes."""
    site = start(processes, processes=True)
    until(lambda: site.client.get("/readyz").status_code == 200)
    return site


def until(happened: Callable[[], Any], wait_s: float = 20.0) -> float:
    """Wait for it; the seconds that it took."""
    begin = time.monotonic()
    while not happened():
        assert time.monotonic() - begin < wait_s, "it does not happen"
        time.sleep(0.02)
    return time.monotonic() - begin


def state(site: Site, address: str) -> dict[str, Any]:
    told: dict[str, Any] = site.client.get(address).json()
    return told


@needs_signals
def test_a_file_that_kills_its_process_costs_no_other_job(real: Site) -> None:
    sent = [real.send(content).headers["location"] for content in (real.picture("strong"), SEGFAULT)]
    sent += [real.send(real.picture("none")).headers["location"] for _ in range(3)]
    problem(real.ended(sent[1]), 422, "crashed")
    levels = [real.ended(address).json()["verdict"]["level"] for address in (sent[0], *sent[2:])]
    assert levels == ["strong", "none", "none", "none"]
    assert not list((real.folder / "uploads").iterdir())


@needs_signals
def test_readiness_follows_the_process_and_recovers(real: Site, processes: Processes) -> None:
    pid = processes.made[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGSEGV)
    took_s = until(lambda: real.client.get("/readyz").status_code == 503)
    assert took_s < 10
    until(lambda: real.client.get("/readyz").status_code == 200)
    assert processes.made[0].pid != pid
    assert real.send(real.picture("some"), headers={"Prefer": "wait=20"}).status_code == 200


@pytest.mark.parametrize("content", [HANG, LONG_VIDEO])
def test_delete_ends_a_job_that_runs_within_two_seconds(
    real: Site, processes: Processes, content: bytes
) -> None:
    address = real.send(content).headers["location"]
    until(lambda: state(real, address).get("part") == 0.25)
    pids = [process.pid for process in processes.made if process.alive]
    begin = time.monotonic()
    assert real.client.delete(address).status_code == 204
    busy = processes.made[0 if content == HANG else -1]
    until(lambda: not busy.alive or busy.pid not in pids, 2)
    assert time.monotonic() - begin < 2
    problem(real.client.get(address), 404, "not_found")
    assert real.send(real.picture("some"), headers={"Prefer": "wait=20"}).status_code == 200
    assert not list((real.folder / "uploads").iterdir())


def test_a_photograph_does_not_wait_for_a_video(real: Site) -> None:
    videos = [real.send(LONG_VIDEO, "long.mp4").headers["location"] for _ in range(3)]
    until(lambda: state(real, videos[0])["status"] == "running")
    begin = time.monotonic()
    answer = real.send(real.picture("some"), headers={"Prefer": "wait=20"})
    assert answer.json()["verdict"]["level"] == "some"
    assert time.monotonic() - begin < 5
    assert [state(real, address)["ahead"] for address in videos] == [0, 1, 2]


def test_a_second_video_does_not_wait_long_for_the_first(
    real: Site, monkeypatch: pytest.MonkeyPatch, processes: Processes
) -> None:
    monkeypatch.setattr("haechi.web.jobs.scheduler._PATIENCE_S", 1.0)
    first, second = (real.send(LONG_VIDEO, "long.mp4").headers["location"] for _ in range(2))
    until(lambda: state(real, second)["status"] == "running")
    assert state(real, first)["status"] == "running"
    assert len(processes.made) == 3


def test_what_outlasts_the_patience_of_others_makes_room(
    start: Start, monkeypatch: pytest.MonkeyPatch, slow: type[Slow]
) -> None:
    monkeypatch.setattr("haechi.web.jobs.worker.QUICK_S", 0.3)
    site = start(slow)
    held = site.send(site.picture("strong")).headers["location"]
    assert slow.begun.wait(10)
    time.sleep(0.5)
    assert state(site, held)["ahead"] == 0  # nobody waits for it, so it stays
    others = [site.send(site.picture("none")).headers["location"] for _ in range(2)]
    until(lambda: [state(site, address)["status"] for address in (held, *others)].count("running") == 2)
    slow.go.set()
    levels = [site.ended(address).json()["verdict"]["level"] for address in (held, *others)]
    assert levels == ["strong", "none", "none"]


def test_a_job_over_its_time_is_ended_with_a_reason(start: Start, processes: Processes) -> None:
    site = start(processes, settings=Settings(job_timeout_s=3.0), processes=True)
    answer = site.send(HANG, headers={"Prefer": "wait=30"})
    assert "HAECHI_JOB_TIMEOUT_S" in problem(answer, 422, "over_limit")["detail"]


@pytest.mark.parametrize("content", ["none", "breakdown"])
def test_an_upload_that_cannot_be_deleted_hinders_nobody(
    site: Site, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    delete, failing = DataFolder.delete, threading.Event()
    failing.set()

    def denied(self: DataFolder, file: Path) -> None:
        if failing.is_set() and file.suffix == ".original":
            raise PermissionError(13, "Permission denied")
        delete(self, file)

    monkeypatch.setattr(DataFolder, "delete", denied)
    for _ in range(3):
        status = 200 if content == "none" else 500
        assert site.send(site.picture(content), headers={"Prefer": "wait=20"}).status_code == status
    assert site.client.get("/readyz").status_code == 200
    assert len(list((site.folder / "uploads").iterdir())) == 3
    failing.clear()
    site.jobs.sweep()
    assert not list((site.folder / "uploads").iterdir())


@pytest.mark.parametrize("change", ["finish", "fail"])
def test_no_error_while_a_job_ends_wedges_the_worker(
    site: Site, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    def broken(self: JobQueue, *_: object) -> None:
        monkeypatch.undo()
        raise RuntimeError("secret")

    monkeypatch.setattr(JobQueue, change, broken)
    content = site.picture("none" if change == "finish" else "breakdown")
    problem(site.send(content, headers={"Prefer": "wait=20"}), 500, "internal")
    assert site.send(site.picture("none"), headers={"Prefer": "wait=20"}).status_code == 200


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_that_ended_or_stands_still_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert site.client.get("/readyz").status_code == 200
    monkeypatch.setattr("haechi.web.jobs.worker.STALLED_S", -1.0)
    told = problem(site.client.get("/readyz"), 503, "stalled")
    assert "log" in told["detail"]
    assert "haechi_ready 0" in site.client.get("/metrics").text
    monkeypatch.undo()
    monkeypatch.setattr(Worker, "_take_one", lambda self: (_ for _ in ()).throw(SystemExit))
    until(lambda: site.client.get("/readyz").status_code == 503)


def test_scratch_of_a_server_that_was_killed_is_swept(tmp_path: Path) -> None:
    JobStore(Options(data_dir=tmp_path / "data")).close()
    scratch = tmp_path / "data" / "scratch"
    (scratch / "haechi-child-abcd_123" / "inner").mkdir(parents=True)
    (scratch / "haechi-child-abcd_123" / "inner" / "clear.mp4").write_bytes(HEAD)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_bytes(b"mine")
    (scratch / "haechi-child-abcd_123" / "link").symlink_to(tmp_path / "mine")
    (scratch / "haechi-child-link0000").symlink_to(tmp_path / "mine")
    (scratch / "somebody's").mkdir()
    JobStore(Options(data_dir=tmp_path / "data")).close()
    assert {file.name for file in scratch.iterdir()} == {"haechi-child-link0000", "somebody's"}
    assert (tmp_path / "mine" / "file").read_bytes() == b"mine"
