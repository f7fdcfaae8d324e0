"""How a run of the command line ends when something outside of it gives way: the disk, the reader, the person
at the keyboard; and that it keeps nothing of an input that it is done with."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import weakref
from pathlib import Path
from typing import IO

import pytest

from fakes import in_process, picture
from haechi import cli
from haechi.errors import DamagedFile
from haechi.settings import Settings
from haechi.types import Media
from targets import HANG, SEGFAULT

# The command line with stages that stand in, in this process and in the one for several files.
# A shell starts what runs in the background deaf to Ctrl-C, and everything under it.
STAGED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
import haechi.pipeline, haechi.isolated
from functools import partial
from haechi import cli
from fakes import finder, judges

module = haechi.pipeline
module.Pipeline = partial(module.Pipeline, finder=finder, judges=judges())
haechi.isolated.CheckProcess = partial(haechi.isolated.CheckProcess, target="targets:unsteady")
cli.main()
"""
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="no full disk to try here")


def staged(
    *args: str | Path, stdout: int | IO[bytes] = subprocess.PIPE, **env: str
) -> subprocess.CompletedProcess[bytes]:
    with begun(*args, stdout=stdout, **env) as process:
        out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def begun(
    *args: str | Path, stdout: int | IO[bytes] = subprocess.PIPE, **env: str
) -> subprocess.Popen[bytes]:
    here, inherited = str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")
    return subprocess.Popen(
        [sys.executable, "-c", STAGED, "check", *map(str, args)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([here, inherited])} | env,
    )


def test_a_file_that_kills_its_process_costs_no_other(tmp_path: Path) -> None:
    paths = [picture(tmp_path / "a.png", "strong"), tmp_path / "b.png", picture(tmp_path / "c.png", "none")]
    paths[1].write_bytes(SEGFAULT)
    run = staged("--format", "jsonl", *paths)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert [line.get("verdict", {}).get("level") for line in lines] == ["strong", None, "none"]
    assert lines[1]["error"]["code"] == "crashed"
    assert run.returncode == 5
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_ctrl_c_does_not_wait_for_a_decoder(tmp_path: Path) -> None:
    paths = [picture(tmp_path / "a.png", "none"), tmp_path / "b.png"]
    paths[1].write_bytes(HANG)
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    with begun("--format", "jsonl", *paths, TMPDIR=str(scratch)) as process:
        assert process.stdout is not None
        assert b"verdict" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=10)
    assert (process.returncode, said) == (130, b"haechi: interrupted\n")
    assert not list(scratch.iterdir())


@needs_full
@pytest.mark.parametrize("buffered", ["", "1"])
@pytest.mark.parametrize("form", ["text", "json", "jsonl", "html"])
def test_a_full_disk_is_neither_our_fault_nor_the_inputs(tmp_path: Path, form: str, buffered: str) -> None:
    paths = [picture(tmp_path / f"{i}.png", "none") for i in range(1 if form == "html" else 2)]
    with FULL.open("wb") as disk:
        run = staged("--format", form, *paths, stdout=disk, PYTHONUNBUFFERED=buffered)
    assert run.stderr == b"haechi: The output cannot be written: No space left on device\n"
    assert run.returncode == 2


@needs_full
@pytest.mark.parametrize("args", [["--version"], ["doctor"], ["models"], ["models", "verify"]])
def test_every_verb_says_that_the_disk_is_full(args: list[str]) -> None:
    with FULL.open("wb") as disk:
        command = [sys.executable, "-m", "haechi", *args]
        run = subprocess.run(command, stdout=disk, stderr=subprocess.PIPE, check=False)
    assert run.stderr == b"haechi: The output cannot be written: No space left on device\n"
    assert run.returncode == 2


def test_a_page_on_stdout_is_utf_8_as_it_says(tmp_path: Path) -> None:
    source = picture(tmp_path / "사진 照片.png", "none")
    run = staged("--format", "html", "--lang", "zh", source, PYTHONIOENCODING="gbk")
    assert run.returncode == 0
    page = run.stdout.decode("utf-8")
    assert '<meta charset="utf-8">' in page
    assert "사진 照片.png" in page
    assert "未发现伪造迹象" in page


class _Bytes:
    """What a file holds, as long as something holds it."""


def test_nothing_of_a_file_is_kept_once_its_line_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    held: weakref.WeakSet[_Bytes] = weakref.WeakSet()
    at_once: list[int] = []
    good = picture(tmp_path / "good.png", "none")
    from haechi.media.sources import open_media

    def opened(source: str, settings: Settings) -> Media:
        data = _Bytes()
        held.add(data)
        at_once.append(len(held))
        if "good" in source:
            return open_media(source, settings)
        try:
            raise ValueError(data)
        except ValueError as error:
            raise DamagedFile("ends early") from error

    monkeypatch.setattr("haechi.media.sources.open_media", opened)
    in_process(monkeypatch)
    paths = [str(good), *"abc", *([str(good), "d"] * 3)]
    monkeypatch.setattr(sys, "argv", ["haechi", "check", "--format", "jsonl", *paths])
    gc.disable()
    try:
        with pytest.raises(SystemExit):
            cli.main()
    finally:
        gc.enable()
    assert len(capsys.readouterr().out.splitlines()) == len(at_once) == len(paths)
    assert max(at_once) == 1
