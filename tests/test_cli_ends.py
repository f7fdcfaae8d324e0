"""How a run of the command line ends when something outside of it gives way: the disk, the reader, the person
at the keyboard; and that it keeps nothing of an input that it is done with."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from functools import partial
from pathlib import Path
from typing import IO

import pytest

from fakes import finder, judges, picture
from haechi import cli
from haechi.check import Checker
from haechi.errors import DamagedFile
from haechi.settings import Settings
from haechi.types import Media

# The command line with stages that stand in. A file with "endless" in its name is opened for ever.
STAGED = """
import cv2, numpy, sys
import haechi.media
from functools import partial
from haechi import cli, errors
from fakes import FakeDetector, finder, judges

open_media = haechi.media.open_media

def opened(source, settings):
    if "endless" in source:
        data = numpy.fromfile(source, numpy.uint8)
        while True:
            cv2.imdecode(data, 1)  # which aborts when it comes back to a Python that has ended
    return open_media(source, settings)

haechi.media.open_media = opened
detector = FakeDetector("swap", error={error})
module = sys.modules["haechi.check"]
module.Checker = partial(module.Checker, finder=finder, judges=judges(detector))
cli.main()
"""
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="no full disk to try here")


def staged(
    *args: str | Path, error: str = "None", stdout: int | IO[bytes] = subprocess.PIPE, **env: str
) -> subprocess.CompletedProcess[bytes]:
    here, inherited = str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")
    return subprocess.run(
        [sys.executable, "-c", STAGED.format(error=error), "check", *map(str, args)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([here, inherited])} | env,
        timeout=60,
        check=False,
    )


@pytest.fixture
def endless(tmp_path: Path) -> list[Path]:
    """A picture that is judged while the next one is being opened, which never ends."""
    return [picture(tmp_path / name, "none", size=(640, 480)) for name in ("a.png", "endless.png")]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ("KeyboardInterrupt()", 130, b"haechi: interrupted\n"),
        ("errors.ModelError('altered')", 4, b"haechi: altered\n"),
    ],
)
def test_an_early_end_does_not_wait_for_the_next_file(
    endless: list[Path], error: str, code: int, said: bytes
) -> None:
    run = staged(*endless, error=error)
    assert (run.returncode, run.stderr) == (code, said)


def test_when_the_reader_leaves_the_next_file_is_not_waited_for(endless: list[Path]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        run = staged(*endless, stdout=writer)
    finally:
        os.close(writer)
    assert (run.returncode, run.stderr) == (141, b"")


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
    open_media = Checker(Settings(), finder=finder, judges=judges())._open

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

    monkeypatch.setattr(sys.modules["haechi.media"], "open_media", opened)
    fake = partial(Checker, finder=finder, judges=judges())
    monkeypatch.setattr(sys.modules["haechi.check"], "Checker", fake)
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
