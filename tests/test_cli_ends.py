"""How a run of the command line ends when something outside of it gives way: the reader, the person
at the keyboard."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from fakes import picture

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
