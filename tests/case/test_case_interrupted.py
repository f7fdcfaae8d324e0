"""A kill at any step of an addition leaves a case that is told to be interrupted and not changed, and that
the next addition puts in order without losing or deleting what was sealed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from haechi.case import Case, atomic_io, verify
from haechi.errors import CaseError, UsageError


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_waiting_file_is_put_in_place_and_a_stray_one_goes(case: Case, passphrase: str | None) -> None:
    entry = case.entries()[0]
    held = (case.folder / entry.file).read_bytes()
    (case.folder / entry.file).rename(case.folder / "originals" / ".new-0123456789abcdef")
    (case.folder / "originals" / ".new-fedcba9876543210").write_bytes(held[:10])
    found = case.verify()
    assert found.interrupted
    assert {f.code for f in found} == {"file_waiting", "unfinished"}
    Case.open(case.folder, passphrase).add(b"x")
    assert case.verify().intact
    assert (case.folder / entry.file).read_bytes() == held


def test_what_is_in_its_place_without_a_record_is_never_deleted(case: Case) -> None:
    path = case.folder / "originals" / f"{'0' * 64}.jpg"
    path.write_bytes(b"the log may have lost its end")
    assert [f.code for f in case.verify()] == ["extra"]
    assert not case.verify().interrupted
    case.add(b"x")
    assert path.exists()


def test_a_sealed_line_is_not_dropped_for_an_older_seal(case: Case, passphrase: str | None) -> None:
    seal = (case.folder / "head.json").read_bytes()
    case.add(b"the proof")
    noted = case.head
    (case.folder / "head.json").write_bytes(seal)
    assert [f.code for f in case.verify()] == ["line_unsealed"]
    again = Case.open(case.folder, passphrase)
    again.add(b"x")
    assert again.verify(noted).noted == 4
    assert again.verify().intact


def test_two_lines_after_the_seal_are_no_interruption(case: Case) -> None:
    seal = (case.folder / "head.json").read_bytes()
    case.add(b"one")
    case.add(b"two")
    (case.folder / "head.json").write_bytes(seal)
    assert [f.code for f in case.verify()] == ["not_sealed"]
    assert not case.verify().interrupted
    with pytest.raises(CaseError, match="goes on after its seal"):
        case.add(b"x")


def test_the_making_of_a_case_may_be_interrupted(tmp_path: Path, passphrase: str | None) -> None:
    """case.json comes last: without it there is no case, and verifying says why."""
    case = Case.create(tmp_path / "case", "t", passphrase)
    (case.folder / "case.json").unlink()
    assert [f.code for f in verify.verify(case.folder, "", None)] == ["making_interrupted"]
    with pytest.raises(CaseError, match="no case"):
        Case.open(case.folder)
    with pytest.raises(UsageError, match="not empty"):
        Case.create(case.folder, "t", passphrase)
    (case.folder / "log.jsonl").unlink()
    shutil.rmtree(case.folder / "reports")
    assert verify.verify(case.folder, "", None).interrupted
    (case.folder / "originals" / "a.jpg").write_bytes(b"x")
    assert ("missing", "case.json") in {(f.code, f.path) for f in verify.verify(case.folder, "", None)}


def test_an_entry_that_is_being_added_is_no_interruption(
    case: Case, passphrase: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with atomic_io.writer_lock(case.folder), atomic_io.Unfinished(case.folder / "originals") as new:
        new.write([b"half of a video"])
        with pytest.raises(CaseError, match="is writing into this case"):
            case.verify()
    assert case.verify().intact
    # Nor is one that was added between the reading of the log and that of the folder.
    real, added = verify._walk, []

    def slow(*args: object) -> None:
        real(*args)  # type: ignore[arg-type]
        if not added:
            added.append(Case.open(case.folder, passphrase).add(b"meanwhile"))

    monkeypatch.setattr(verify, "_walk", slow)
    assert (case.verify().intact, case.verify().records) == (True, 4)
