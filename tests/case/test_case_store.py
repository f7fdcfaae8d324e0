"""What is put into a case comes out unchanged, is kept from other eyes, and survives a loss of power."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
import threading
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haechi.case import Case, atomic_io
from haechi.case.log import Log
from haechi.errors import CaseError, HaechiError, InputError, Locked, UsageError


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_what_was_added_comes_out_unchanged(case: Case, passphrase: str | None, astronaut: Path) -> None:
    again = Case.open(case.folder, passphrase)
    picture, text = again.entries()
    assert again.title == "The pictures"
    assert b"".join(again.original(picture)) == astronaut.read_bytes()
    assert b"".join(again.original(text)) == b"they wrote: pay or else"
    assert picture.sha256 == hashlib.sha256(astronaut.read_bytes()).hexdigest()
    assert (picture.number, picture.name, picture.address, picture.note) == (
        *(1, "astronaut.jpg", "https://example.org/post/1", "seen on Monday"),
    )
    assert (picture.fingerprints.kind, picture.fingerprints.quality, picture.fingerprints.pdq[:8]) == (
        "image",
        100,
        "2d6b1af3",
    )
    assert (text.fingerprints.kind, text.fingerprints.why, text.fingerprints.pdq) == (
        "other",
        "not_media",
        "",
    )
    assert again.verify().intact


def test_only_its_owner_may_read_it(case: Case) -> None:
    for path in (case.folder, *case.folder.rglob("*")):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_originals_lie_under_their_hash(case: Case, passphrase: str | None) -> None:
    for path in (case.folder / "originals").iterdir():
        assert path.name.startswith(hashlib.sha256(path.read_bytes()).hexdigest())
        assert path.suffix == ".sealed" if passphrase else path.suffix in (".jpeg", ".txt", ".bin")


def test_nothing_private_is_readable_without_the_passphrase(tmp_path: Path, astronaut: Path) -> None:
    pytest.importorskip("cryptography")
    case = Case.create(tmp_path / "case", "My name is Kim", "a long enough phrase")
    case.add(astronaut, name="kim.jpg", address="https://site.example/kim", note="my note")
    told = b"".join(files_of(case.folder).values())
    digest = hashlib.sha256(astronaut.read_bytes()).hexdigest().encode()
    for secret in (
        b"name is Kim",
        b"kim.jpg",
        b"site.example",
        b"my note",
        b"2d6b1af3",
        digest,
        astronaut.read_bytes()[:64],
    ):
        assert secret not in told
    shut = Case.open(case.folder)
    assert shut.encrypted
    assert shut.locked
    assert shut.verify().intact
    assert not shut.verify().decrypted
    for ask in (shut.entries, lambda: shut.title, lambda: shut.add(b"x")):
        with pytest.raises(Locked, match="passphrase"):
            ask()


def test_a_wrong_passphrase_is_said_to_be_wrong(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    Case.create(tmp_path / "case", "t", "Straße 12 ﬁne")
    assert Case.open(tmp_path / "case", "Straße 12 fine").title == "t"  # the same letters, typed otherwise
    with pytest.raises(Locked, match="wrong"):
        Case.open(tmp_path / "case", "strasse 12 fine")
    with pytest.raises(UsageError, match="8 characters"):
        Case.create(tmp_path / "other", "t", "short")
    assert not (tmp_path / "other").exists()


def test_without_the_library_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(CaseError, match=r"pip install 'haechi\[case\]'"):
        Case.create(tmp_path / "case", "t", "a long enough phrase")
    assert Case.create(tmp_path / "open", "t").add(b"x").number == 1


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 65_536 * 3, 1_000_000, 3_000_000])
def test_files_of_every_length_are_encrypted_in_pieces(tmp_path: Path, size: int) -> None:
    pytest.importorskip("cryptography")
    case = Case.create(tmp_path / "case", "t", "a long enough phrase")
    data = bytes(i * 7 % 251 for i in range(1000)) * (size // 1000 + 1)
    entry = case.add(data[:size])
    assert b"".join(case.original(entry)) == data[:size]
    assert max((len(p) for p in case.original(entry)), default=0) <= 65_536


def test_pieces_can_be_neither_cut_off_nor_swapped(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    from haechi.case.encryption import new_key

    key, _ = new_key("a long enough phrase")
    sealed = b"".join(key.encrypt([bytes(200_000)]))
    head, piece = 40, 65_536 + 16
    swapped = sealed[:head] + sealed[head + piece : head + 2 * piece] + sealed[head : head + piece]
    for broken in (
        sealed[: head + piece],
        sealed[:-1],
        sealed[:10],
        b"",
        sealed + b"x",
        swapped,
        b"x" + sealed,
    ):
        with pytest.raises(CaseError, match="changed"):
            b"".join(key.decrypt([broken]))
    assert b"".join(key.decrypt(sealed[i : i + 999] for i in range(0, len(sealed), 999))) == bytes(200_000)


def test_a_minors_picture_is_never_copied(case: Case, astronaut: Path) -> None:
    first = case.entries()[0]
    assert (case.folder / first.file).exists()
    entry = case.add(astronaut, minor=True)
    assert (entry.minor, entry.file, entry.report_file) == (True, "", "")
    assert (entry.sha256, entry.fingerprints.pdq) == (first.sha256, first.fingerprints.pdq)
    # What was stored before anybody said so is gone as well, and the log tells it.
    assert not (case.folder / first.file).exists()
    assert case.entries()[0].file == ""
    assert list(case.original(case.entries()[0])) == []
    assert case.verify().intact
    assert not [p for p, data in files_of(case.folder).items() if data == astronaut.read_bytes()]


def test_what_was_deleted_for_a_minor_goes_also_after_a_loss_of_power(case: Case, astronaut: Path) -> None:
    path = case.folder / case.entries()[0].file
    kept = path.read_bytes()
    case.add(astronaut, minor=True)
    path.write_bytes(kept)
    assert [f.code for f in case.verify()] == ["removed_still_there"]
    case.add(b"x")
    assert case.verify().intact


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/cron.d/x", "a\nb", "\x1b[2J", "x" * 4000, "..", "\udcff", ""]
)
def test_names_stay_names(case: Case, name: str) -> None:
    before = {p for p in case.folder.parent.rglob("*") if case.folder not in p.parents}
    entry = case.add(b"data", name=name)
    assert {p for p in case.folder.parent.rglob("*") if case.folder not in p.parents} == before
    assert "/" not in entry.name
    assert entry.name.isprintable()
    assert len(entry.name) <= 255
    assert case.verify().intact


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(max_size=40),
    address=st.text(max_size=60),
    note=st.text(max_size=60),
    data=st.binary(max_size=99),
)
def test_any_text_and_bytes_are_kept(case: Case, name: str, address: str, note: str, data: bytes) -> None:
    entry = case.add(data, name=name, address=address, note=note)
    assert (entry.address, entry.note) == (address, note)
    assert b"".join(case.original(entry)) == data
    assert case.verify().intact


def test_what_cannot_be_read_is_no_entry(case: Case, tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "none.jpg"):
        with pytest.raises(InputError):
            case.add(source)
    with pytest.raises(UsageError, match="shorten"):
        case.add(b"x", note="n" * 20_000)
    assert len(case.entries()) == 2
    assert case.verify().intact


def test_a_folder_that_holds_something_becomes_no_case(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        Case.create(tmp_path, "t")
    with pytest.raises(CaseError, match="no case"):
        Case.open(tmp_path)
    assert files_of(tmp_path) == {"letter.txt": b"x"}


@pytest.mark.skipif(os.name != "posix", reason="links of another kind")
def test_links_in_the_folder_are_not_followed(case: Case, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (case.folder / "reports").rmdir()
    (case.folder / "originals").rename(tmp_path / "moved")
    (case.folder / "originals").symlink_to(outside)
    with pytest.raises(CaseError, match="link"):
        case.add(b"x")
    assert not list(outside.iterdir())
    assert not case.verify().intact


@pytest.mark.skipif(os.name != "posix", reason="links of another kind")
def test_a_log_that_is_a_link_is_not_written(case: Case, tmp_path: Path) -> None:
    log = case.folder / "log.jsonl"
    log.rename(tmp_path / "elsewhere")
    log.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CaseError):
        case.add(b"x")
    assert not case.verify().intact


def test_two_writers_take_turns(case: Case, passphrase: str | None) -> None:
    """Whoever comes second is told to wait; nobody's entry is lost and the chain holds."""
    done: list[int] = []

    def write(i: int) -> None:
        own = Case.open(case.folder, passphrase)
        while True:
            try:
                done.append(own.add(f"text {i}".encode()).number)
                return
            except CaseError as error:
                assert "wait" in error.message  # noqa: PT017

    threads = [threading.Thread(target=write, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [3, 4, 5, 6, 7, 8]
    assert case.verify().intact


def test_another_process_is_kept_out(case: Case) -> None:
    code = "import sys; from pathlib import Path; from haechi.case import atomic_io\n"
    code += "with atomic_io.writer_lock(Path(sys.argv[1])): pass"
    with atomic_io.writer_lock(case.folder):
        run = subprocess.run(
            [sys.executable, "-c", code, str(case.folder)], capture_output=True, text=True, check=False
        )
    assert run.returncode == 1
    assert "Another program is writing" in run.stderr


def stages(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Let the power fail at the so-many-th time that something is pushed to the disk."""
    count = 0
    real = os.fsync

    def fail(handle: int) -> None:
        nonlocal count
        count += 1
        if count == at:
            raise KeyboardInterrupt
        real(handle)

    monkeypatch.setattr(os, "fsync", fail)


@pytest.mark.parametrize("at", range(1, 7))
def test_a_loss_of_power_leaves_the_old_state_or_the_new(
    case: Case, passphrase: str | None, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    with monkeypatch.context() as patch:
        stages(patch, at)
        with suppress(KeyboardInterrupt):
            case.add(b"the third", note="n")
    again = Case.open(case.folder, passphrase)
    entry = again.add(b"the fourth")
    assert again.verify().findings == ()
    told = [e.sha256 for e in again.entries()]
    assert told[-1] == entry.sha256
    assert len(told) == len(set(told)) in (3, 4)


def test_half_a_line_goes_and_a_forged_one_does_not_pass(case: Case) -> None:
    log = case.folder / "log.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole + b'{"do":"add","n":3,"pr')
    assert [f.code for f in case.verify()] == ["line_half"]
    assert case.verify().interrupted
    Log(case.folder).recover()
    assert log.read_bytes() == whole
    log.write_bytes(whole + json.dumps({"do": "add", "n": 3, "prev": "0" * 64}).encode() + b"\n")
    with pytest.raises(HaechiError, match="goes on after its seal"):
        case.add(b"x")


def test_a_huge_file_is_never_in_memory_as_a_whole(case: Case, tmp_path: Path) -> None:
    huge = tmp_path / "huge.bin"
    with huge.open("wb") as file:
        file.truncate(32 * 1024**2)
    tracemalloc.start()
    try:
        entry = case.add(huge)
        size = sum(len(part) for part in case.original(entry))
        case.bundle(tmp_path / "out.zip")
        assert case.verify().intact
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (size, entry.size) == (32 * 1024**2, 32 * 1024**2)
    assert peak < 8 * 1024**2
