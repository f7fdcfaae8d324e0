"""Whoever may write the folder and has no passphrase cannot forge an encrypted case; and not one without a
passphrase either, where its seal was noted."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haechi.case import Case
from haechi.case.encryption import Key, new_key, open_key
from haechi.case.log_format import SCHEMA, Seal, canonical, parsed, sha256
from haechi.errors import CaseError, HaechiError
from haechi_lab.system.case_forgeries import FORGERIES, NEVER_FOUND, ONLY_ENCRYPTED
from haechi_lab.system.case_integrity import forged, scene

PASSPHRASE = "correct horse battery staple"
KINDS = [name for name in FORGERIES if name != NEVER_FOUND]


def found(folder: Path, passphrase: str | None, head: str) -> bool:
    """Whether the case is told not to be the one that was left, or to have grown since its seal was noted."""
    try:
        answer = Case.open(folder, passphrase).verify(head)
    except HaechiError:
        return True
    return not answer.intact or (bool(head) and answer.noted != answer.records)


@pytest.mark.parametrize("kind", KINDS)
def test_no_forgery_passes_with_the_passphrase(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("cryptography")
    made, _ = scene(tmp_path, PASSPHRASE)
    for seed in range(3):
        forged(made, kind, random.Random(seed))
        assert found(made.folder, PASSPHRASE, "")


@pytest.mark.parametrize("kind", [name for name in FORGERIES if name not in ONLY_ENCRYPTED])
def test_no_forgery_passes_against_a_noted_seal(tmp_path: Path, kind: str, passphrase: str | None) -> None:
    made, head = scene(tmp_path, passphrase)
    for seed in range(2):
        forged(made, kind, random.Random(seed))
        assert found(made.folder, passphrase, head)


def test_the_forger_is_a_good_one(tmp_path: Path) -> None:
    """Without a passphrase and a noted seal nothing but the seal of a seal tells what was forged."""
    made, _ = scene(tmp_path, None)
    for kind in KINDS:
        if kind not in (*ONLY_ENCRYPTED, "a byte anywhere", "an older log under another seal"):
            forged(made, kind, random.Random(1))
            assert not found(made.folder, None, ""), kind


def test_an_older_state_of_the_whole_folder_needs_a_noted_seal_or_the_last_time(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    made, head = scene(tmp_path, PASSPHRASE)
    whole = Case.open(made.folder.with_name("newest"), PASSPHRASE).verify()
    forged(made, NEVER_FOUND, random.Random(0))
    answer = Case.open(made.folder, PASSPHRASE).verify()
    assert answer.intact
    assert (answer.records, answer.until) < (whole.records, whole.until)
    assert found(made.folder, PASSPHRASE, head)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), which=st.integers(0, 99), change=st.integers(1, 255))
def test_every_changed_byte_is_found(
    case: Case, passphrase: str | None, place: float, which: int, change: int
) -> None:
    """With the passphrase, without it, and against the noted seal."""
    files = sorted(p for p in case.folder.rglob("*") if p.is_file() and p.stat().st_size)
    path, head = files[which % len(files)], case.head
    held = path.read_bytes()
    data = bytearray(held)
    data[int(place * len(data))] ^= change
    path.write_bytes(data)
    try:
        assert not Case.open(case.folder, passphrase).verify(head).intact
        assert not Case.open(case.folder).verify().intact
    except CaseError as error:
        assert path.name == "case.json", error  # noqa: PT017
    finally:
        path.write_bytes(held)


def test_what_is_forged_is_neither_shown_nor_added_to(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    made, _ = scene(tmp_path, PASSPHRASE)
    for kind in ("the time of a record", "the end cut off, with its files", "two forks put together"):
        forged(made, kind, random.Random(5))
        for work in (Case.entries, lambda case: case.add(b"x")):
            with pytest.raises(CaseError):
                work(Case.open(made.folder, PASSPHRASE))


def test_a_case_that_is_open_notices_that_another_took_its_place(tmp_path: Path) -> None:
    """A server keeps it open while somebody exchanges the folder."""
    pytest.importorskip("cryptography")
    made, _ = scene(tmp_path, PASSPHRASE)
    for kind in ("the encryption taken off", "another case.json", "back to the older format"):
        case = Case.open(made.folder.with_name("newest"), PASSPHRASE)
        case.folder, case.log.folder = made.folder, made.folder
        forged(made, kind, random.Random(2))
        assert not case.verify().intact
        lines = (made.folder / "log.jsonl").read_bytes()
        with pytest.raises(CaseError):
            case.add(b"x")
        assert (made.folder / "log.jsonl").read_bytes() == lines


def test_what_is_added_without_the_key_is_not_sealed_by_the_next_entry(tmp_path: Path) -> None:
    """A whole line after the seal looks like an interruption; only one that the key made is carried on."""
    pytest.importorskip("cryptography")
    made, _ = scene(tmp_path, PASSPHRASE)
    log = made.folder / "log.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    record = parsed(lines[-1])
    assert record is not None
    line = canonical({**record, "n": len(lines), "prev": sha256(lines[-1]), "files": []})
    log.write_bytes(log.read_bytes() + line)
    case = Case.open(made.folder, PASSPHRASE)
    assert "entry_changed" in {f.code for f in case.verify()}
    assert not case.verify().interrupted
    with pytest.raises(CaseError):
        case.add(b"x")


# Cases of version 1, as Haechi 0.1.0 made them.


def _old_line(about: dict[str, Any], number: int, prev: str, private: dict[str, Any], key: Key) -> bytes:
    record = {"do": "add" if number else "open", "n": number, "prev": prev, "time": f"2026-01-0{number + 1}"}
    if number:
        record["files"] = []
    return canonical({**record, "sealed": key.seal(private, f"{about['id']}:{number}".encode())})


def old_case(folder: Path) -> Path:
    """An encrypted case with an entry of which only hashes are kept."""
    key, crypto = new_key(PASSPHRASE)
    about = {"schema": SCHEMA, "id": "ab" * 16, "created": "2026-01-01T00:00:00Z", "crypto": crypto}
    text = canonical(about)
    private = {"name": "a", "address": "", "note": "", "minor": True, "sha256": "0" * 64, "size": 1}
    private |= {"kind": "other", "why": "not_media", "pdq": "", "quality": 0, "parts": [], "moments": []}
    lines = [_old_line(about, 0, sha256(text), {"title": "Old"}, key)]
    lines.append(_old_line(about, 1, sha256(lines[0]), private | {"file": "", "report": ""}, key))
    for name in ("originals", "reports"):
        (folder / name).mkdir(parents=True)
    (folder / "case.json").write_bytes(text)
    (folder / "log.jsonl").write_bytes(b"".join(lines))
    (folder / "head.json").write_bytes(Seal(2, sum(map(len, lines)), sha256(lines[-1])).text())
    return folder


def _retimed(folder: Path, line: int) -> None:
    """Change the time of a line and make the chain and the seal anew."""
    records = [parsed(raw) or {} for raw in (folder / "log.jsonl").read_bytes().splitlines(keepends=True)]
    records[line]["time"] = "2020-01-01"
    mac = (parsed((folder / "head.json").read_bytes()) or {}).get("mac", "")
    lines: list[bytes] = []
    for record in records:
        prev = sha256(lines[-1] if lines else (folder / "case.json").read_bytes())
        lines.append(canonical({**record, "prev": prev}))
    (folder / "log.jsonl").write_bytes(b"".join(lines))
    (folder / "head.json").write_bytes(Seal(len(lines), sum(map(len, lines)), sha256(lines[-1]), mac).text())


def test_an_old_case_opens_and_says_what_it_does_not_hold(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    case = Case.open(old_case(tmp_path / "case"), PASSPHRASE)
    assert (case.title, len(case.entries())) == ("Old", 1)
    answer = case.verify()
    assert (answer.intact, answer.bound_since) == (True, 0)
    assert [note.code for note in answer.notes] == ["verify_unbound"]
    _retimed(case.folder, 1)
    assert case.verify().intact, "this is why it says so"


def test_the_next_entry_binds_all_of_an_old_case(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    folder = old_case(tmp_path / "case")
    noted = Case.open(folder).head
    Case.open(folder, PASSPHRASE).add(b"new")
    case = Case.open(folder, PASSPHRASE)
    answer = case.verify(noted)
    assert (answer.intact, answer.noted, answer.bound_since) == (True, 2, 3)
    assert [(note.code, note.record) for note in answer.notes] == [("verify_bound_since", 3)]
    assert len(case.entries()) == 2
    for line in range(3):
        kept = Path(shutil.copytree(folder, tmp_path / f"{line}"))
        _retimed(kept, line)
        assert not Case.open(kept, PASSPHRASE).verify().intact
    # Cut back to what it was before, it says again what it does not hold.
    log = folder / "log.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)[:2]
    log.write_bytes(b"".join(lines))
    (folder / "head.json").write_bytes(Seal(2, sum(map(len, lines)), sha256(lines[1])).text())
    for path in (folder / "originals").iterdir():
        path.unlink()
    assert [note.code for note in Case.open(folder, PASSPHRASE).verify().notes] == ["verify_unbound"]


def test_a_new_case_cannot_be_taken_for_an_old_one(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    case = Case.create(tmp_path / "case", "t", PASSPHRASE)
    (case.folder / "head.json").write_bytes(Seal(1, 0, case.head).text())
    assert {f.code for f in Case.open(case.folder).verify()} == {"end_changed", "head_changed"}


def test_capital_letters_are_a_change(tmp_path: Path) -> None:
    """Every byte has one possible value, also of what is written in hexadecimal."""
    pytest.importorskip("cryptography")
    key, facts = new_key(PASSPHRASE)
    sealed = key.seal({"a": 1}, b"here")
    assert open_key(PASSPHRASE, facts).open(sealed, b"here") == {"a": 1}
    for text, bound in ((sealed.upper(), b"here"), (sealed, b"there"), (f" {sealed}", b"here")):
        with pytest.raises(HaechiError):
            key.open(text, bound)
