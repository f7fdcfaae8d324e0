"""Runs: one row a file, whatever a file does to the process that checks it, and whatever ends the run."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import haechi
from fakes import picture
from haechi import cli
from haechi.batch.run import Order, Outcome
from haechi.batch.shards import rows_of
from haechi.batch.sources import Kind
from haechi.errors import ModelError, UsageError
from haechi.pdq import hash_rgb
from haechi.settings import Settings
from targets import EAT, HANG, LEAVE, SEGFAULT

Run = Callable[..., Outcome]
DRIVE = [sys.executable, str(Path(__file__).with_name("drive.py"))]
LEVELS = ("strong", "some", "none", "unknown")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="finds and limits processes as Linux does")


def pictures(folder: Path, count: int) -> Path:
    """Pictures of all levels in turn."""
    folder.mkdir()
    for number in range(count):
        picture(folder / f"{number:03d}.png", LEVELS[number % 4])
    return folder


def rows(out: Path) -> dict[str, Mapping[str, Any]]:
    """Rows by the names of their files, less their times; each is there once."""
    lines = [line for shard in out.glob("rows-*.jsonl") for line in shard.read_bytes().splitlines()]
    told = [dict(json.loads(line)) for line in lines]
    for row in told:
        for key in ("created", "elapsed_s"):
            row.pop(key, None)
    assert len({row["id"] for row in told}) == len(told), "a row is doubled"
    return {row["source"]["name"]: row for row in told}


def code(row: Mapping[str, Any]) -> str | None:
    return row["error"]["code"] if "error" in row else None


def test_every_file_is_a_row_with_what_was_found(batch: Run, tmp_path: Path) -> None:
    folder, out = pictures(tmp_path / "in", 4), tmp_path / "run"
    (folder / "note.txt").write_text("no picture")
    outcome = batch(folder, out)
    told = rows(out)
    assert {name: row["verdict"]["level"] for name, row in told.items() if "error" not in row} == {
        f"{number:03d}.png": level for number, level in enumerate(LEVELS)
    }
    assert code(told["note.txt"]) == "unknown_format"
    assert "not a picture" in told["note.txt"]["error"]["message"]
    assert dict(outcome.contents.levels) == dict.fromkeys(LEVELS, 1)
    assert list(outcome.contents.failed.values()) == ["unknown_format"]
    first = told["000.png"]
    assert first["path"] == str(folder / "000.png")
    assert first["evidence"][0]["regions"][0]["llr"] == 5.0
    assert first["evidence"][0]["regions"][0]["face"] == 0
    assert sorted(path.name for path in out.iterdir()) == [".lock", "rows-00000001.jsonl"]
    assert (out / "rows-00000001.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_row_says_what_a_check_says(batch: Run, shipped: Settings, astronaut: Path, tmp_path: Path) -> None:
    """With the shipped models: the fields of ``haechi.report/1`` under their own names."""
    (tmp_path / "list.txt").write_text(str(astronaut))
    batch(tmp_path / "list.txt", tmp_path / "run", shipped, target="haechi.batch.worker:Rows")
    (row,) = rows(tmp_path / "run").values()
    report = haechi.check(astronaut, shipped)
    told = report.to_dict()
    for key in ("verdict", "source"):
        assert row[key] == {name: told[key][name] for name in row[key]}
    assert {"level", "score", "thresholds"} <= set(row["verdict"])
    assert row["models"] == told["models"]
    assert [item["llr"] for item in row["evidence"]] == [
        item["llr"] for item in told["evidence"] if item["status"] != "claim"
    ]
    assert row["faces"][0]["manipulation_score"] == told["faces"][0]["manipulation_score"]
    assert row["pdq"] == hash_rgb(next(report.media.frames(1)).rgb)._asdict()


@needs_linux
@pytest.mark.slow
def test_a_poison_file_costs_itself_alone(batch: Run, tmp_path: Path) -> None:
    folder, out = pictures(tmp_path / "in", 6), tmp_path / "run"
    poison = {"001b": SEGFAULT, "002b": EAT, "003b": HANG, "004b": LEAVE}
    for name, data in poison.items():
        (folder / f"{name}.png").write_bytes(data)
    picture(folder / "005b.png", "breakdown")
    batch(folder, out, Settings(threads=1, job_timeout_s=1.5))
    told = rows(out)
    assert {name: code(row) for name, row in told.items() if code(row)} == {
        "001b.png": "crashed",
        "002b.png": "over_limit",
        "003b.png": "over_limit",
        "004b.png": "damaged_file",
        "005b.png": "internal",
    }
    assert "memory" in told["002b.png"]["error"]["message"]
    assert "1.5 seconds" in told["003b.png"]["error"]["message"]
    assert "secret" not in json.dumps(told["005b.png"])
    assert len(told) == 11


def test_a_run_that_is_done_does_nothing_when_it_is_started_again(batch: Run, tmp_path: Path) -> None:
    folder, out = pictures(tmp_path / "in", 3), tmp_path / "run"
    batch(folder, out)
    before = (out / "rows-00000001.jsonl").read_bytes()
    picture(folder / "late.png", "some")
    assert batch(folder, out).contents.levels["some"] == 2
    assert (out / "rows-00000001.jsonl").read_bytes() == before
    assert len((out / "rows-00000002.jsonl").read_bytes().splitlines()) == 1


def test_only_rows_with_an_error_are_tried_again_and_only_when_asked(batch: Run, tmp_path: Path) -> None:
    folder, out = pictures(tmp_path / "in", 2), tmp_path / "run"
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (folder / "note.txt").write_text("no picture")
    batch(folder, out)
    picture(folder / "bad.png", "strong")
    picture(folder / "000.png", "none")  # done: what lies there now is not looked at
    assert len(batch(folder, out).contents.failed) == 2
    contents = batch(folder, out, retry_errors=True).contents
    assert (dict(contents.levels), list(contents.failed.values())) == (
        {"strong": 2, "some": 1},
        ["unknown_format"],
    )
    assert {name: code(row) or row["verdict"]["level"] for name, row in rows(out).items()} == {
        "000.png": "strong",
        "001.png": "some",
        "bad.png": "strong",
        "note.txt": "unknown_format",
    }


def test_a_path_that_is_listed_twice_is_one_row(batch: Run, tmp_path: Path) -> None:
    pictures(tmp_path / "in", 1)
    (tmp_path / "list.txt").write_text("in/000.png\n./in/000.png\nin/missing.png\nin/missing.png\n")
    batch(tmp_path / "list.txt", tmp_path / "run", retry_errors=True)
    told = rows(tmp_path / "run")
    assert {name: code(row) for name, row in told.items()} == {"000.png": None, "missing.png": "not_a_file"}


def test_members_of_a_tar_are_rows_and_leave_no_copies(batch: Run, tmp_path: Path) -> None:
    data = picture(tmp_path / "a.png", "strong").read_bytes()
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as tar:
        for name in ("in/one.png", "in/two.png"):
            about = tarfile.TarInfo(name)
            about.size = len(data)
            tar.addfile(about, io.BytesIO(data))
    for _ in range(2):
        batch(tmp_path / "a.tgz", tmp_path / "run")
    told = rows(tmp_path / "run")
    assert {name: (row["path"], row["member"]) for name, row in told.items()} == {
        f"{name}.png": (str(tmp_path / "a.tgz"), f"in/{name}.png") for name in ("one", "two")
    }
    assert {row["verdict"]["level"] for row in told.values()} == {"strong"}
    assert not (tmp_path / "run" / ".scratch").exists()


def test_a_name_that_is_no_utf8_comes_back_by_its_bytes(batch: Run, tmp_path: Path) -> None:
    name = b'\xff\n".png'
    (tmp_path / "in").mkdir()
    try:
        picture(tmp_path / "in" / os.fsdecode(name), "some")
    except OSError:
        pytest.skip("no such name is allowed here")
    batch(tmp_path / "in", tmp_path / "run")
    (row,) = rows_of(tmp_path / "run")
    assert bytes.fromhex(row["path_hex"]) == os.fsencode(tmp_path / "in") + b"/" + name
    assert row["verdict"]["level"] == "some"


def test_a_model_that_is_missing_ends_the_run_and_makes_no_rows(batch: Run, tmp_path: Path) -> None:
    folder, out = pictures(tmp_path / "in", 3), tmp_path / "run"
    (tmp_path / "models").mkdir()
    settings = Settings(threads=1, models_dir=str(tmp_path / "models"))
    with pytest.raises(ModelError):
        batch(folder, out, settings, target="haechi.batch.worker:Rows")
    assert rows(out) == {}


def test_what_was_done_is_kept_when_the_source_breaks_off(batch: Run, tmp_path: Path) -> None:
    pictures(tmp_path / "in", 2)
    (tmp_path / "list.csv").write_text("x,path\n1,in/000.png\n2,in/001.png\n3\n")
    with pytest.raises(UsageError, match="fewer fields"):
        batch(tmp_path / "list.csv", tmp_path / "run", kind=Kind.csv)
    assert set(rows(tmp_path / "run")) <= {"000.png", "001.png"}
    (tmp_path / "list.csv").write_text("x,path\n1,in/000.png\n2,in/001.png\n")
    batch(tmp_path / "list.csv", tmp_path / "run")
    assert set(rows(tmp_path / "run")) == {"000.png", "001.png"}


def children(pid: int) -> list[int]:
    """Processes that a process started, in any of its threads."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(OSError):
            found += map(int, (task / "children").read_text().split())
    return found


@needs_linux
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_kills_of_the_run_and_of_its_workers_lose_and_double_nothing(
    batch: Run, tmp_path: Path, seed: int
) -> None:
    """SIGKILL at random moments, six of the run and as many of workers; then it is let run to its end."""
    folder = pictures(tmp_path / "in", 60)
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    batch(folder, tmp_path / "unbroken")
    out, draw = tmp_path / "run", random.Random(seed)
    for number in range(12):
        drive = subprocess.Popen([*DRIVE, str(folder), str(out)])
        try:
            # From before the first child begins to well after the first shards.
            drive.wait(draw.uniform(0.2, 2.0))
        except subprocess.TimeoutExpired:
            if number % 2:
                for pid in children(drive.pid):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                with suppress(subprocess.TimeoutExpired):
                    drive.wait(draw.uniform(0.2, 1.0))
        drive.kill()
        drive.wait()
        for shard in out.glob("rows-*.jsonl"):
            assert shard.read_bytes().endswith(b"}\n"), "a shard is there whole or not at all"
    subprocess.run([*DRIVE, str(folder), str(out)], check=True)
    assert rows(out) == rows(tmp_path / "unbroken")
    assert sorted(path.name[0] for path in out.iterdir() if path.name[0] == ".") == ["."]


@needs_linux
def test_a_worker_that_is_killed_from_outside_costs_no_file(batch: Run, tmp_path: Path) -> None:
    folder, out = pictures(tmp_path / "in", 40), tmp_path / "run"
    drive = subprocess.Popen([*DRIVE, str(folder), str(out)])
    end = time.monotonic() + 60
    while not (workers := children(drive.pid)):
        assert time.monotonic() < end
        time.sleep(0.05)
    os.kill(workers[0], signal.SIGKILL)
    while not list(out.glob("rows-*.jsonl")) and drive.poll() is None:
        time.sleep(0.02)
    for pid in children(drive.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert drive.wait(120) == 0
    assert len(rows(out)) == 40
    assert not [row for row in rows(out).values() if code(row)]


def test_who_interrupts_a_run_that_waits_keeps_its_rows(tmp_path: Path) -> None:
    """Paths come from a program that has not ended yet; Python must not fall over a thread that waits."""
    reader, writer = os.pipe()
    out = tmp_path / "run"
    drive = subprocess.Popen([*DRIVE, "-", str(out)], stdin=reader, stderr=subprocess.PIPE)
    paths = [picture(tmp_path / f"{number}.png", "some") for number in range(8)]
    os.write(writer, b"".join(os.fsencode(path) + b"\n" for path in paths))
    end = time.monotonic() + 60
    while not list(out.glob("rows-*.jsonl")):  # seven of them
        assert time.monotonic() < end
        time.sleep(0.05)
    drive.send_signal(signal.SIGINT)
    _, errors = drive.communicate(timeout=60)
    os.close(reader)
    os.close(writer)
    assert b"Fatal" not in errors
    assert drive.returncode != -signal.SIGABRT
    assert len(rows(out)) >= 7
    assert not (out / ".scratch").exists()


def test_the_verb_says_what_came_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("haechi.batch.run.Order", partial(Order, target="targets:rows"))
    folder = pictures(tmp_path / "in", 5)

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["haechi", "batch", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capsys.readouterr()

    (folder / "note.txt").write_text("no picture")
    status, told, errors = call(str(folder), "--out", str(tmp_path / "run"), "--workers", "1", "--lang", "ko")
    assert (status, errors) == (0, "")
    assert "파일 수: 6" in told
    assert "2  뚜렷한 흔적" in told
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    status, told, errors = call(
        "run", str(folder), "--out", str(tmp_path / "run"), "--workers", "1", "--progress", "json"
    )
    assert status == 5
    assert "1  Damaged" in told
    (line,) = errors.splitlines()
    assert json.loads(line)["done"] == 7
    assert json.loads(line)["errors"] == 1
    assert call(str(folder), "--out", str(tmp_path / "run"), "-q") == (5, "", "")
    assert call(str(tmp_path / "no"), "--out", str(tmp_path / "run"))[0] == 3
