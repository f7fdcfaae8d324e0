"""Checks in a process of their own: what befalls the process befalls the one file, and nobody else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import haechi
from fakes import picture
from haechi.errors import Crashed, DamagedFile, Fault, ModelError, NotAFile, OverLimit
from haechi.isolated import CheckProcess
from haechi.report import archive, to_dict
from haechi.settings import Settings
from targets import EAT, HANG, HEAD, LEAVE, SEGFAULT

needs_posix = pytest.mark.skipif(os.name != "posix", reason="needs signals")


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    tests = str(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")]))


@pytest.fixture
def unsteady(tmp_path: Path) -> Iterator[CheckProcess]:
    (tmp_path / "scratch").mkdir()
    process = CheckProcess(Settings(), scratch=tmp_path / "scratch", target="targets:unsteady")
    yield process
    process.stop()
    assert not list((tmp_path / "scratch").iterdir())


def made(folder: Path, content: bytes) -> Path:
    file = folder / "made.png"
    file.write_bytes(content)
    return file


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_report_is_the_one_of_a_check_in_this_process(shipped: Settings, astronaut: Path) -> None:
    process = CheckProcess(shipped)
    stages: list[str] = []
    try:
        process.warm()
        far = process.check(astronaut, lambda stage, part: stages.append(stage), previews=True)
    finally:
        process.stop()
    near = haechi.check(astronaut, shipped)
    told, expected = (to_dict(report, "en") for report in (far, near))
    for one in (told, expected):
        del one["elapsed_s"], one["stages_s"], one["created"]
    assert told == expected
    assert far.previews
    assert {"open", "faces", "done"} <= set(stages)


def test_a_file_is_kept_under_the_name_that_people_know(unsteady: CheckProcess, tmp_path: Path) -> None:
    kept = unsteady.kept(picture(tmp_path / "a.png", "strong"), "holiday.png")
    assert kept.level == "strong"
    assert archive.load(kept.data).media.name == "holiday.png"


@needs_posix
def test_a_process_that_dies_costs_one_file_and_comes_again(unsteady: CheckProcess, tmp_path: Path) -> None:
    unsteady.warm()
    with pytest.raises(Crashed, match="no verdict"):
        unsteady.check(made(tmp_path, SEGFAULT))
    assert not unsteady.alive
    assert unsteady.check(picture(tmp_path / "a.png", "some")).verdict.level == "some"


@needs_posix
def test_a_process_that_died_before_is_nobodys_fault(unsteady: CheckProcess, tmp_path: Path) -> None:
    unsteady.warm()
    assert unsteady.pid is not None
    os.kill(unsteady.pid, signal.SIGKILL)
    assert unsteady.check(picture(tmp_path / "a.png", "some")).verdict.level == "some"


def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    process = CheckProcess(Settings(job_timeout_s=2.0), target="targets:unsteady")
    begun: list[float] = []

    def tell(stage: str, part: float) -> None:
        if stage == "faces":
            begun.append(time.monotonic())

    with pytest.raises(OverLimit, match="HAECHI_JOB_TIMEOUT_S"):
        process.check(made(tmp_path, HANG), tell)
    assert time.monotonic() - begun[0] < 4
    assert not process.alive


def test_whoever_waits_can_end_it(unsteady: CheckProcess, tmp_path: Path) -> None:
    unsteady.warm()
    pid = unsteady.pid
    assert pid is not None

    def tell(stage: str, part: float) -> None:
        if (stage, part) == ("faces", 0.25):
            raise KeyboardInterrupt

    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        unsteady.check(made(tmp_path, HANG), tell)
    assert time.monotonic() - begin < 2
    assert not is_running(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="no limit of memory here")
def test_what_takes_too_much_memory_is_over_a_limit(unsteady: CheckProcess, tmp_path: Path) -> None:
    with pytest.raises(OverLimit, match="HAECHI_MAX_MEMORY_BYTES"):
        unsteady.check(made(tmp_path, EAT))
    assert unsteady.check(picture(tmp_path / "a.png", "some")).verdict.level == "some"


def test_errors_keep_their_kind_and_their_words(unsteady: CheckProcess, tmp_path: Path) -> None:
    with pytest.raises(NotAFile, match="no such file"):
        unsteady.check(tmp_path / "gone.png")
    with pytest.raises(DamagedFile):
        unsteady.check(made(tmp_path, HEAD))
    with pytest.raises(Fault, match="ZeroDivisionError") as fault:
        unsteady.check(picture(tmp_path / "private.png", "breakdown"))
    assert "private" not in fault.value.message + fault.value.steps
    assert "fakes.py" in fault.value.steps


def test_missing_models_are_that_and_no_crash(tmp_path: Path) -> None:
    process = CheckProcess(Settings(models_dir=str(tmp_path)))
    with pytest.raises(ModelError, match="missing"):
        process.warm()
    process.stop()


def test_it_is_told_no_secrets_and_its_files_go_with_it(
    unsteady: CheckProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAECHI_TOKEN", "a-token-of-the-server")
    assert "HAECHI_TOKEN" not in unsteady.kept(made(tmp_path, HEAD + b"environment"), "a.png").level
    left = Path(unsteady.kept(made(tmp_path, LEAVE), "a.png").level)
    assert left.parent.parent == tmp_path / "scratch"
    assert left.exists()
    unsteady.stop()
    assert not left.exists()


@needs_posix
def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    code = (
        "import sys, time; from haechi.isolated import CheckProcess; from haechi.settings import Settings; "
        "p = CheckProcess(Settings(), target='targets:unsteady'); p.warm(); print(p.pid, flush=True); "
        f"p.check({str(made(tmp_path, HANG))!r})"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.3)
        assert is_running(pid)
        parent.kill()
    end = time.monotonic() + 5
    while is_running(pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not is_running(pid)
