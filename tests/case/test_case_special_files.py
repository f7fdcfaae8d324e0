"""Pipes, devices and links in the place of files are errors, never waited for; what is written is for its
owner alone."""

from __future__ import annotations

import ast
import os
import stat
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import haechi.case
from haechi.case import Case
from haechi.cli import app
from haechi.errors import CaseError, InputError, NotAFile

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes and modes of another kind")


def answered(work: Callable[[], object]) -> object:
    """What came of it within ten seconds, an error included."""
    out: list[object] = []

    def run() -> None:
        try:
            out.append(work())
        except Exception as error:
            out.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(10)
    assert out, "it hangs"
    return out[0]


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [pipe, link, Path.mkdir])
@pytest.mark.parametrize("name", ["case.json", "log.jsonl", "head.json", "original", ".lock", "report"])
def test_what_is_no_file_is_told_and_not_waited_for(
    case: Case, passphrase: str | None, astronaut: Path, name: str, make: Callable[[Path], None]
) -> None:
    entry = case.entries()[0]
    path = case.folder / {"original": entry.file, "report": "reports/pipe"}.get(name, name)
    path.unlink(missing_ok=True)
    make(path)
    found = answered(case.verify)
    assert not found.intact  # type: ignore[attr-defined]
    tries: list[Callable[[], object]] = [lambda: Case.open(case.folder, passphrase).entries()]
    tries += [lambda: case.add(b"x"), lambda: case.add(astronaut, minor=True)]
    tries += [lambda: b"".join(case.original(entry))]
    for work in tries:
        result = answered(work)
        assert not isinstance(result, Exception) or isinstance(result, CaseError), result


@pytest.mark.parametrize("make", [pipe, link, Path.mkdir])
def test_only_files_are_added(case: Case, tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "it")
    assert isinstance(answered(lambda: case.add(tmp_path / "it")), NotAFile)
    assert isinstance(answered(lambda: case.add(tmp_path / "none")), InputError)
    assert len(case.entries()) == 2


def test_what_goes_out_is_for_its_owner_alone(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAECHI_CASE_PASSPHRASE", "correct horse battery staple")
    before = os.umask(0)
    try:
        case.bundle(tmp_path / "all.zip")
        (tmp_path / "letter.txt").touch(mode=0o666)
        for words in (["letter", "--out", "letter.txt"], ["report", "--format", "html", "--out", "pages"]):
            *said, name = words
            done = CliRunner().invoke(
                app, ["case", said[0], str(case.folder), *said[1:], str(tmp_path / name)]
            )
            assert done.exit_code == 0, done.output
    finally:
        os.umask(before)
    written = [tmp_path / "all.zip", tmp_path / "letter.txt", tmp_path / "pages" / "case.html"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}
    with zipfile.ZipFile(tmp_path / "all.zip") as packed:
        assert {entry.external_attr >> 16 & 0o777 for entry in packed.infolist()} == {0o600}


def test_no_two_files_of_the_case_import_each_other() -> None:
    folder = Path(haechi.case.__file__).parent
    needs = {}
    for file in folder.glob("*.py"):
        nodes = [n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.ImportFrom)]
        names = {
            n.module.rpartition(".")[2] for n in nodes if n.module and n.module.startswith("haechi.case.")
        }
        names |= {a.name for n in nodes if n.module == "haechi.case" for a in n.names}
        needs[file.stem] = names
    while ready := [name for name, wanted in needs.items() if not wanted & needs.keys()]:
        for name in ready:
            del needs[name]
    assert not needs, "a circle"
