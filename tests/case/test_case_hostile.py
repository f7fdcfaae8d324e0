"""A case folder may come from a stranger: whatever stands in it, nothing outside is read, written or deleted,
and verifying it gives an answer instead of a crash."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haechi.case import Case, Findings
from haechi.case.log_format import Seal, canonical, sha256
from haechi.errors import CaseError, HaechiError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
TOLD = ("kind", "why", "pdq", "parts", "moments", "sha256", "file", "size")
FIELDS = ("do", "entry", "files", "n", "prev", "removed", "sealed", "time")


@pytest.fixture
def forged(tmp_path: Path) -> Callable[..., Case]:
    """A case whose second line is as given, with a chain and a seal that hold."""
    made = Case.create(tmp_path / "case", "t")
    made.add(b"evidence", name="a.txt")

    def forge(change: Callable[[dict[str, Any]], None]) -> Case:
        log = made.folder / "log.jsonl"
        first, second = log.read_bytes().splitlines(keepends=True)[:2]
        record = json.loads(second)
        change(record)
        line = canonical(record)
        log.write_bytes(first + line)
        (made.folder / "head.json").write_bytes(Seal(2, len(first + line), sha256(line)).text())
        return Case.open(made.folder)

    return forge


@pytest.mark.parametrize(
    "path", ["../outside.txt", "/etc/passwd", "originals/../../outside.txt", "log.jsonl"]
)
def test_nothing_outside_is_deleted(forged: Callable[..., Case], tmp_path: Path, path: str) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    case = forged(lambda record: record.update(removed=[path]))
    assert "line_changed" in {f.code for f in case.verify()}
    with pytest.raises(CaseError, match="does not hold"):
        case.add(b"more")
    assert outside.read_text() == "mine"
    assert (case.folder / "log.jsonl").exists()


def test_nothing_outside_is_read(forged: Callable[..., Case], tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("mine")
    case = forged(lambda record: record["entry"].update(file="../secret.txt"))
    with pytest.raises(CaseError, match="not one that this version"):
        case.entries()
    with pytest.raises(CaseError, match="was changed"):
        list(case.stored("../secret.txt"))
    with pytest.raises(CaseError):
        case.bundle(tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()


def test_an_original_behind_a_link_is_not_read(tmp_path: Path) -> None:
    case = Case.create(tmp_path / "case", "t")
    (tmp_path / "secret.txt").write_text("mine")
    path = case.folder / "originals" / f"{hashlib.sha256(b'mine').hexdigest()}.txt"
    path.symlink_to(tmp_path / "secret.txt")
    with pytest.raises(CaseError):
        list(case.stored(f"originals/{path.name}"))


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(FIELDS), JSON, min_size=1))
def test_any_record_gives_an_answer(forged: Callable[..., Case], fields: dict[str, Any]) -> None:
    case = forged(lambda record: record.update(fields))
    assert isinstance(case.verify(), Findings)
    try:
        case.entries()
    except HaechiError as error:
        assert error.message  # noqa: PT017


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(["kind", "why", "pdq", "parts", "moments", "sha256", "file", "size"]), JSON
    )
)
def test_any_entry_gives_an_answer(forged: Callable[..., Case], fields: dict[str, Any]) -> None:
    case = forged(lambda record: record["entry"].update(fields))
    try:
        assert case.letter([], "platform")
    except HaechiError as error:
        assert error.message  # noqa: PT017


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["case.json", "head.json", "log.jsonl"]), st.binary(max_size=200) | JSON.map(repr))
def test_any_bytes_give_an_answer(forged: Callable[..., Case], name: str, data: bytes | str) -> None:
    folder = forged(lambda record: None).folder
    held = (folder / name).read_bytes()
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode("utf-8", "replace"))
    try:
        assert not Case.open(folder).verify().intact
    except CaseError as error:
        assert "case.json" in error.message  # noqa: PT017
    finally:
        (folder / name).write_bytes(held)


def damaged(folder: Path, rng: random.Random) -> None:
    """One thing done to one file, or to the order of its lines."""
    path = rng.choice(sorted(p for p in folder.rglob("*") if p.is_file()))
    data = path.read_bytes()
    at = rng.randrange(len(data) + 1)
    lines = data.splitlines(keepends=True)
    rng.shuffle(lines)
    odd = rng.choice([b"\n", b"{}\n", b"null\n", b"[]\n", bytes(5), b"9" * 500, rng.randbytes(9)])
    new = rng.choice(
        [data[:at], data[:at] + odd + data[at:], data[:at] + odd + data[at + 9 :], b"".join(lines), None]
    )
    path.unlink()
    if new is not None:
        path.write_bytes(new)
    elif rng.random() < 0.5:
        path.mkdir()


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_damaged_the_error_is_ours(
    case: Case, passphrase: str | None, tmp_path: Path, seed: int
) -> None:
    damaged(case.folder, random.Random(seed))

    def opened() -> Case:
        return Case.open(case.folder, passphrase)

    works: list[Callable[[], object]] = [
        lambda: opened().verify("0" * 64),
        lambda: [b"".join(opened().original(entry)) for entry in opened().entries()],
        lambda: [opened().report(entry) for entry in opened().entries()],
        lambda: (opened().head, opened().title),
        lambda: opened().letter([], "police"),
        lambda: opened().bundle(tmp_path / "out.zip"),
        lambda: opened().add(b"x"),
        lambda: opened().add(b"they wrote: pay or else", minor=True),
    ]
    for work in works:
        try:
            work()
        except HaechiError as error:
            assert str(tmp_path) not in error.message  # noqa: PT017
