"""The corpus of broken and odd files through the command line: each gives a report or one clear line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from fakes import in_process
from haechi import cli, report
from haechi.errors import InputError
from haechi.settings import Settings
from hostile import Hostile, write_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[Hostile]:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def _hold(corpus: list[Hostile], out: str, err: str) -> None:
    """One JSON line a file in order, errors exactly where the corpus has them, each with a line of stderr."""
    lines = [json.loads(line) for line in out.splitlines()]
    assert len(lines) == len(corpus)
    for item, line in zip(corpus, lines, strict=True):
        jsonschema.validate(line, report.SCHEMA)
        code = line.get("error", {}).get("code")
        if item.error is None:
            assert code is None, f"{item.note}: {line}"
        elif item.error is InputError:
            assert code in {kind.code for kind in InputError.__subclasses__()}, f"{item.note}: {line}"
        else:
            assert code == item.error.code, f"{item.note}: {line}"
        if code is not None:
            assert "verdict" not in line
            assert line["error"]["message"].isprintable()
    assert "Traceback" not in err
    told = err.splitlines()
    assert all(line.startswith("haechi: ") for line in told)
    assert len(told) == sum(item.error is not None for item in corpus)


def test_the_corpus_through_the_stages(
    corpus: list[Hostile], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    in_process(monkeypatch)
    paths = [str(item.path) for item in corpus]
    monkeypatch.setattr(sys, "argv", ["haechi", "check", "--format", "jsonl", "--", *paths])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capfd.readouterr()
    assert ended.value.code == 5
    _hold(corpus, out, err)


@pytest.mark.slow
def test_the_corpus_through_the_shipped_models(shipped: Settings, corpus: list[Hostile]) -> None:
    command = [sys.executable, "-m", "haechi", "check", "--format", "jsonl", "--"]
    run = subprocess.run(
        [*command, *(str(item.path) for item in corpus)],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert run.returncode == 5
    _hold(corpus, run.stdout, run.stderr)
    for item, line in zip(corpus, map(json.loads, run.stdout.splitlines()), strict=True):
        if not line.get("faces", True):
            assert line["verdict"]["level"] == "unknown", f"a verdict on nothing: {item.note}"


@pytest.mark.parametrize("name", ["folder", "pipe", "unreadable"])
def test_what_is_no_readable_file_is_exit_3_at_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.jpg"
    if name == "folder":
        path.mkdir()
    elif name == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(b"\xff\xd8\xff")
    command = [sys.executable, "-m", "haechi", "check", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (run.returncode, run.stdout) == (3, "")
    assert len(run.stderr.splitlines()) == 1
