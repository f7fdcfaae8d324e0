"""What is handed over: complete, verifiable without Haechi, and without pictures when so asked."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from haechi.case import Case
from haechi.errors import CaseError, UsageError
from haechi.pipeline import Pipeline
from haechi.settings import LANGUAGES, Settings
from haechi.types import Report


@pytest.fixture(scope="session")
def report(astronaut: Path) -> Report:
    return Pipeline(Settings()).check(str(astronaut), previews=True)


@pytest.fixture
def checked(case: Case, astronaut: Path, report: Report) -> Case:
    """The case with one more entry that carries a report."""
    case.add(astronaut, name="again.jpg", report=report)
    return case


def unpacked(case: Case, tmp_path: Path, **options: object) -> Path:
    case.bundle(tmp_path / "out.zip", **options)  # type: ignore[arg-type]
    with zipfile.ZipFile(tmp_path / "out.zip") as packed:
        assert packed.testzip() is None
        packed.extractall(tmp_path / "out")
    return tmp_path / "out"


def names(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_a_report_is_kept_and_shown_again(checked: Case, passphrase: str | None) -> None:
    entry = checked.entries()[2]
    assert bool(entry.report_file)
    report = Case.open(checked.folder, passphrase).report(entry)
    assert report is not None
    assert (report.media.sha256, len(report.previews)) == (entry.sha256, 1)
    assert checked.report(checked.entries()[0]) is None


def test_the_whole_case(checked: Case, tmp_path: Path, astronaut: Path) -> None:
    out = unpacked(checked, tmp_path)
    originals = out / ("originals" if checked.encrypted else "case/originals")
    kept = {p.read_bytes() for p in originals.iterdir()}
    assert kept == {astronaut.read_bytes(), b"they wrote: pay or else"}
    for path in originals.iterdir():
        assert path.name.startswith(hashlib.sha256(path.read_bytes()).hexdigest())
    told = json.loads((out / "entries.json").read_text())
    assert [e["number"] for e in told["entries"]] == [1, 2, 3]
    assert told["head"] == checked.head
    page = (out / "case.html").read_text()
    assert "reports/003.html" in page
    assert "<img" not in page
    assert (out / "reports" / "003.html").read_text().startswith("<!doctype html>")


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")
def test_it_verifies_with_standard_tools(checked: Case, tmp_path: Path) -> None:
    out = unpacked(checked, tmp_path)
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=out, check=True)
    lines = (out / "case" / "log.jsonl").read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines[:-1], 1):
        pipe = f"sed -n {number}p case/log.jsonl | sha256sum"
        said = subprocess.run(
            ["bash", "-c", pipe], cwd=out, check=True, capture_output=True, text=True
        ).stdout
        assert said.split()[0] == json.loads(lines[number])["prev"], line
    assert hashlib.sha256(lines[-1]).hexdigest() in (out / "README.txt").read_text()


def test_the_case_within_verifies_on_another_machine(checked: Case, tmp_path: Path) -> None:
    out = unpacked(checked, tmp_path)
    if not checked.encrypted:
        assert Case.open(out / "case").verify(checked.head).intact


def test_hashes_only_holds_no_picture_and_no_name(checked: Case, tmp_path: Path, astronaut: Path) -> None:
    out = unpacked(checked, tmp_path, hashes_only=True)
    assert names(out) == {"README.txt", "SHA256SUMS", "hashes.csv"}
    told = b"".join((out / n).read_bytes() for n in names(out))
    for private in (b"astronaut", b"again", b"threat", b"Monday", b"The pictures", b"\xff\xd8\xff", b"<img"):
        assert private not in told
    with (out / "hashes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["sha256"] == hashlib.sha256(astronaut.read_bytes()).hexdigest()
    assert (rows[0]["quality"], rows[0]["address"]) == ("100", "https://example.org/post/1")
    assert len(rows) == 3


def test_no_address_becomes_a_formula(case: Case, tmp_path: Path) -> None:
    case.add(b"x", address='=HYPERLINK("http://evil")\n+1')
    told = (unpacked(case, tmp_path, hashes_only=True) / "hashes.csv").read_text()
    assert '"\'=HYPERLINK(""http://evil"") +1"' in told


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_first_page_says_what_it_is(case: Case, tmp_path: Path, lang: str, astronaut: Path) -> None:
    case.add(astronaut, minor=True)
    text = (unpacked(case, tmp_path, lang=lang) / "README.txt").read_bytes().decode()
    assert "sha256sum -c SHA256SUMS" in text
    assert case.head in text
    assert "18" in text
    assert "{" not in text


def test_a_minors_picture_is_in_no_bundle(checked: Case, tmp_path: Path, astronaut: Path) -> None:
    checked.add(astronaut, minor=True)
    out = unpacked(checked, tmp_path)
    assert not [n for n in names(out) if (out / n).read_bytes() == astronaut.read_bytes()]
    assert not [n for n in names(out) if n.startswith("reports/")]
    assert b"data:image" not in b"".join((out / n).read_bytes() for n in names(out))


def test_nothing_is_overwritten_and_nothing_half_remains(case: Case, tmp_path: Path) -> None:
    (tmp_path / "there.zip").write_text("x")
    with pytest.raises(UsageError, match="already"):
        case.bundle(tmp_path / "there.zip")
    with pytest.raises(UsageError, match="folder of the case"):
        case.bundle(case.folder / "originals" / "out.zip")
    with pytest.raises(UsageError, match="cannot be written"):
        case.bundle(tmp_path / "nowhere" / "out.zip")
    path = next((case.folder / "originals").iterdir())
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(CaseError, match="changed"):
        case.bundle(tmp_path / "out.zip")
    assert {p.name for p in tmp_path.iterdir()} == {"there.zip", "case"}


def test_streamed_it_is_the_same_and_nothing_of_it_lies_on_the_disk(checked: Case, tmp_path: Path) -> None:
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p.name != ".lock"}
    pieces = []
    for piece in checked.bundle_stream():
        pieces.append(piece)
        assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p.name != ".lock"} == before
    out = tmp_path / "streamed.zip"
    out.write_bytes(b"".join(pieces))
    with zipfile.ZipFile(out) as packed, zipfile.ZipFile(checked.bundle(tmp_path / "out.zip")) as written:
        assert packed.testzip() is None
        assert packed.namelist() == written.namelist()
        sums = packed.read("SHA256SUMS").decode().splitlines()
        assert len(sums) == len(packed.namelist()) - 1
        for line in sums:
            digest, _, name = line.partition("  ")
            assert hashlib.sha256(packed.read(name)).hexdigest() == digest


def test_a_changed_original_is_said_before_the_first_piece(checked: Case) -> None:
    original = next((checked.folder / "originals").iterdir())
    original.write_bytes(original.read_bytes()[:-1] + b"x")
    with pytest.raises(CaseError, match="changed"):
        checked.bundle_stream()
