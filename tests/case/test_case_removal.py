"""Deleting a file of a case, which its log tells, and a whole case, of which nothing stays."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from haechi.case import Case, atomic_io
from haechi.case.removal import remove_case
from haechi.cli import app
from haechi.errors import CaseError, Locked, UsageError
from report_cases import photo


def run(*args: object) -> Result:
    return CliRunner().invoke(app, ["case", *map(str, args)])


def contents(folder: Path) -> list[bytes]:
    return [p.read_bytes() for p in folder.rglob("*") if p.is_file()]


def test_a_deleted_file_is_gone_and_the_log_says_so(
    case: Case, passphrase: str | None, tmp_path: Path
) -> None:
    text = b"they wrote: pay or else"
    head = case.head
    last = case.add(text, name="again.txt", report=photo())
    n_files = len(list((case.folder / "originals").iterdir()))
    assert [entry.number for entry in case.delete_file(2)] == [2, last.number]
    picture, *both = Case.open(case.folder, passphrase).entries()
    assert picture.file
    assert not picture.deleted
    for entry in both:
        assert (entry.file, entry.report_file, entry.deleted[:2]) == ("", "", "20")
        assert entry.sha256 == last.sha256, "the hash stays"
        assert list(case.original(entry)) == []
        assert case.report(entry) is None
    assert len(list((case.folder / "originals").iterdir())) < n_files
    assert not list((case.folder / "reports").iterdir())
    assert text not in contents(case.folder)
    findings = case.verify(head)
    assert findings.intact
    assert (findings.noted, findings.deleted) == (3, 2 if passphrase is None else 3)
    told = run("verify", case.folder, "--lang", "en").stdout
    assert "Nothing was changed" in told
    assert "were deleted, as the log says" in told
    case.bundle(tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as bundle:
        entries = json.loads(bundle.read("entries.json"))["entries"]
    assert "were deleted on 20" in entries[1]["verdict"]
    with pytest.raises(CaseError, match="none to delete"):
        case.delete_file(2)


def test_a_deleted_file_can_be_stored_again(case: Case, passphrase: str | None) -> None:
    """The next entry deletes what the log says is deleted: not what was stored again since."""
    text = b"they wrote: pay or else"
    case.delete_file(2)
    again = case.add(text, name="threat.txt")
    case.add(b"another", name="other.txt")
    assert b"".join(case.original(case.entry(again.number))) == text
    assert case.entry(2).deleted
    assert case.verify().intact


def test_a_file_that_was_to_be_deleted_goes_with_the_next_entry(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = case.folder / case.entry(2).file
    with monkeypatch.context() as patch:
        patch.setattr(Case, "_sweep", lambda self: None)  # the power fails after the record
        case.delete_file(2)
    assert file.exists()
    findings = case.verify()
    assert findings.interrupted
    assert [f.code for f in findings] == ["removed_still_there"]
    case.add(b"x", name="x.txt")
    assert not file.exists()
    assert case.verify().intact


def test_without_the_passphrase_no_file_is_deleted(case: Case, passphrase: str | None) -> None:
    if passphrase is not None:
        before = contents(case.folder)
        with pytest.raises(Locked):
            Case.open(case.folder).delete_file(1)
        assert contents(case.folder) == before


def test_a_case_is_deleted_whole_without_its_passphrase_and_no_other_is_touched(
    case: Case, tmp_path: Path
) -> None:
    other = Case.create(tmp_path / "other", "Another")
    other.add(b"kept", name="kept.txt")
    assert remove_case(case.folder) == ()
    assert not case.folder.exists()
    assert other.verify().intact


def test_what_somebody_else_put_there_is_left_and_named(case: Case) -> None:
    for name in ("thesis.doc", "originals/holiday.jpg"):
        (case.folder / name).write_bytes(b"mine")
    elsewhere = case.folder.parent / "elsewhere"
    elsewhere.write_bytes(b"mine too")
    (case.folder / "link").symlink_to(elsewhere)
    assert remove_case(case.folder) == ("link", "originals", "thesis.doc")
    assert sorted(contents(case.folder)) == [b"mine", b"mine", b"mine too"]
    with pytest.raises(UsageError, match="no case in this folder"):
        remove_case(case.folder)


def test_a_damaged_case_can_be_deleted_one_in_use_not(case: Case) -> None:
    (case.folder / "case.json").write_bytes(b"damaged")
    with atomic_io.writer_lock(case.folder), pytest.raises(CaseError, match="wait until it is done"):
        remove_case(case.folder)
    assert (case.folder / "log.jsonl").exists()
    remove_case(case.folder)
    assert not case.folder.exists()


def test_a_folder_that_is_no_case_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "originals").mkdir()
    (tmp_path / "originals" / f"{'0' * 64}.jpg").write_bytes(b"mine")
    assert run("remove", tmp_path, "--yes").exit_code == 2
    assert contents(tmp_path) == [b"mine"]


@pytest.mark.parametrize("lang", ["en", "zh", "ko"])
def test_the_command_says_first_what_would_be_lost(tmp_path: Path, lang: str) -> None:
    folder = tmp_path / "case"
    case = Case.create(folder, "Mine")
    case.add(b"one", name="one.txt")
    before = contents(folder)
    for arguments in ((folder,), (folder, 1)):
        said = run("remove", *arguments, "--lang", lang)
        assert (said.exit_code, said.stdout.strip() != "", "--yes" in said.stderr) == (2, True, True)
    assert contents(folder) == before
    assert run("remove", folder, 1, "--yes", "--lang", lang).exit_code == 0
    assert case.entries()[0].deleted
    assert run("remove", folder, 1, "--yes", "--lang", lang).exit_code == 6
    assert run("remove", folder, "--yes", "--lang", lang).exit_code == 0
    assert not folder.exists()
