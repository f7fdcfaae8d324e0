"""Fingerprints made in a process of their own: the same ones, and a decoder that dies costs one file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import targets
from haechi.case import Case, Match, Skipped
from haechi.case.fingerprints import FingerprintProcess, LocalFingerprints
from haechi.errors import DamagedFile, NotAFile
from haechi.settings import Settings

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the children of these tests end by signals")


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Iterator[FingerprintProcess]:
    """Children that find the modules of the tests, kept from one file to the next."""
    here = str(Path(targets.__file__).parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([here, os.environ.get("PYTHONPATH", "")]))
    maker = FingerprintProcess(Settings(), lasting=True, target="targets:prints_that_die")
    yield maker
    maker._process.stop()


def test_a_process_makes_the_same_fingerprints(dying: FingerprintProcess, astronaut: Path) -> None:
    here = LocalFingerprints(Settings())
    assert dying.fingerprints(astronaut) == here.fingerprints(astronaut)
    assert dying.views(astronaut) == here.views(astronaut)
    with pytest.raises(NotAFile):
        dying.fingerprints(astronaut.parent / "nothing.jpg")


def test_a_file_that_ends_its_decoder_is_kept_without_a_fingerprint(
    tmp_path: Path, dying: FingerprintProcess
) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(targets.SEGFAULT)
    case = Case.create(tmp_path / "case", "t", maker=dying)
    entry = case.add(bad, name="bad.png")
    assert (entry.fingerprints.kind, entry.fingerprints.why) == ("other", "damaged")
    assert b"".join(case.original(entry)) == targets.SEGFAULT
    assert case.verify().intact


def test_a_search_goes_on_behind_a_file_that_ends_its_decoder(
    tmp_path: Path, dying: FingerprintProcess, astronaut: Path
) -> None:
    case = Case.create(tmp_path / "case", "t", maker=dying)
    case.add(astronaut)
    folder = tmp_path / "downloads"
    folder.mkdir()
    (folder / "a bad.png").write_bytes(targets.SEGFAULT)
    (folder / "b copy.jpg").write_bytes(astronaut.read_bytes() + b"\0")
    told = list(case.match(folder))
    assert [type(one) for one in told] == [Skipped, Match]
    assert isinstance(told[0], Skipped)
    assert told[0].code == "skip_damaged"


def test_an_answer_that_is_none_is_refused(tmp_path: Path, dying: FingerprintProcess) -> None:
    odd = tmp_path / "odd.png"
    odd.write_bytes(targets.LEAVE)
    with pytest.raises(DamagedFile, match="nonsense"):
        dying.fingerprints(odd)
