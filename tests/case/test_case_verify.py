"""``case verify`` finds every later change, on any machine, without the passphrase."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from haechi.case import Case


def codes(case: Case, head: str = "") -> list[str]:
    return [f.code for f in case.verify(head)]


def test_every_single_byte_counts(case: Case) -> None:
    """A thousand random bytes anywhere in the folder, each changed by itself."""
    rng = random.Random(4)
    files = sorted(p for p in case.folder.rglob("*") if p.is_file() and p.stat().st_size)
    held = {p: p.read_bytes() for p in files}
    shut = Case.open(case.folder)
    for _ in range(1000):
        path = rng.choice(files)
        data = bytearray(held[path])
        data[rng.randrange(len(data))] ^= rng.randrange(1, 256)
        path.write_bytes(data)
        assert not shut.verify().intact, path.name
        path.write_bytes(held[path])
    assert shut.verify().intact


def test_bytes_added_or_cut_off_count(case: Case) -> None:
    for path in [p for p in case.folder.rglob("*") if p.is_file() and p.stat().st_size]:
        held = path.read_bytes()
        for data in (held[:-1], held + b"\n", held + b" ", b"", held.replace(b"\n", b"\r\n")):
            if data != held:
                path.write_bytes(data)
                assert not case.verify().intact, (path.name, len(data) - len(held))
        path.write_bytes(held)


def test_a_log_that_lost_its_end_is_found(case: Case) -> None:
    """A whole record less is a valid chain still: only the seal and the orphaned file tell."""
    log = case.folder / "log.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    assert codes(case) == ["log_shortened", "extra"]


def test_an_older_state_of_log_and_seal_together_is_found(case: Case, tmp_path: Path) -> None:
    """By the file that nobody explains; and, where there is none, by the head that the user noted."""
    for name in ("log.jsonl", "head.json"):
        shutil.copy(case.folder / name, tmp_path / name)
    entry = case.add(b"the proof")
    noted = case.head
    for name in ("log.jsonl", "head.json"):
        shutil.copy(tmp_path / name, case.folder / name)
    assert codes(case) == ["extra"]
    (case.folder / entry.file).unlink()
    assert codes(case) == []
    assert codes(case, noted) == ["head_not_found"]


def test_a_noted_head_holds_while_the_case_grows(case: Case) -> None:
    noted = case.head
    assert case.verify(noted).noted == 3
    case.add(b"more")
    found = case.verify(f" {noted.upper()}\n")
    assert (found.intact, found.noted, found.records) == (True, 3, 4)
    assert codes(case, "no hash") == ["head_not_found"]


def test_what_is_missing_or_new_is_named(case: Case) -> None:
    path = next((case.folder / "originals").iterdir())
    data = path.read_bytes()
    path.unlink()
    (case.folder / "reports" / "new.txt").write_text("x")
    (case.folder / "elsewhere").mkdir()
    found = {(f.code, f.path) for f in case.verify()}
    assert found == {
        ("missing", f"originals/{path.name}"),
        ("extra", "reports/new.txt"),
        ("extra", "elsewhere"),
    }
    path.write_bytes(data)
    (case.folder / ".lock").write_text("x")
    assert ("extra", ".lock") in {(f.code, f.path) for f in case.verify()}


def test_a_link_in_place_of_a_file_is_found(case: Case, tmp_path: Path) -> None:
    path = next((case.folder / "originals").iterdir())
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved")
    assert codes(case) == ["link"]


@pytest.mark.parametrize("name", ["case.json", "log.jsonl", "head.json"])
def test_a_missing_piece_is_a_finding_and_no_crash(case: Case, name: str) -> None:
    (case.folder / name).unlink()
    assert ("missing", name) in {(f.code, f.path) for f in case.verify()}


def test_swapped_records_are_found(case: Case) -> None:
    log = case.folder / "log.jsonl"
    first, *rest = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([first, *rest[::-1]]))
    assert {"chain_broken", "line_out_of_order", "end_changed"} <= set(codes(case))


def test_a_copy_on_another_machine_verifies(case: Case, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(case.folder, tmp_path / "usb"))
    found = Case.open(copy).verify(case.head)
    assert (found.intact, found.head, found.files) == (True, case.head, 2)
